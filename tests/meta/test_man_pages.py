"""The manual names what is there, all of it and nothing else."""

import dataclasses
import re
from functools import cache
from pathlib import Path

import pytest

from bootkit import errors
from bootkit.app.menu.first_files import first_files
from bootkit.cli.command import Command, parameters
from bootkit.detect import AnswerFile, BootEntry, Detection, Detector, IsoView, Persistence, QuickRule, Stack
from bootkit.model.options import OPTIONS
from bootkit.model.places import STICK_FILE
from bootkit.model.prepare import Wish
from bootkit.probe.settings import read_choices
from tests.commands import every_command

MAN = Path(__file__).parents[2] / "bootkit" / "man"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@cache
def commands() -> dict[str, set[str]]:
    """The long options of each command, by its words behind ``bootkit``: ``add``, ``ext list``."""
    return {words: long_options(command) for words, command in every_command().items()}


def long_options(command: Command) -> set[str]:
    return {flag for parameter in parameters(command) for flag in parameter.flags if flag.startswith("--")}


@cache
def sections() -> dict[str, str]:
    """bootkit.1.md: the text under each ``### bootkit NAME ...`` by the name; a command's words are in small letters."""
    text = (MAN / "bootkit.1.md").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for block in re.split(r"^(?=#{1,3} )", text, flags=re.MULTILINE):
        heading, _, body = block.partition("\n")
        if match := re.match(r"### bootkit((?: [a-z][a-z-]*)+)", heading):
            found[match[1].strip()] = heading + body
    return found


def test_the_manual_has_every_command() -> None:
    assert set(sections()) == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_manual_has_every_option(name: str) -> None:
    named = set(re.findall(r"^`(?:-\w, )?(--[a-z][a-z0-9-]*)", sections()[name], flags=re.MULTILINE))
    mentioned = set(OPTION.findall(sections()[name])) - {"--help"}
    assert named == commands()[name]
    assert mentioned <= set().union(*commands().values())


def test_the_manual_has_every_exit_status() -> None:
    text = (MAN / "bootkit.1.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|", text, flags=re.MULTILINE)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BootkitError)]
    assert rows == [str(status) for status in sorted({0, *(kind.exit_code for kind in kinds)})]


def described(page: str) -> list[str]:
    """The names at the head of the definitions of a page."""
    text = (MAN / page).read_text(encoding="utf-8")
    heads = re.findall(r"^(`.*)\n:   ", text, flags=re.MULTILINE)
    return [name for head in heads for name in re.findall(r"`(\w+)", head)]


def test_the_manual_has_every_choice_of_stick_toml() -> None:
    notes = re.findall(r"^(\w+) = ", stick_section(), flags=re.MULTILINE)
    assert described("stick.toml.5.md") == [*notes, *(spec.key for spec in OPTIONS)]


def stick_section() -> str:
    """The [stick] table as ``prepare`` writes it."""
    written = {file.path: file.content for file in first_files(Wish())}[STICK_FILE].decode()
    return written.partition("[stick]")[2].partition("[menu]")[0]


def test_the_example_of_stick_toml_is_accepted() -> None:
    example = re.findall(r"^```\n(.*?)^```$", (MAN / "stick.toml.5.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    assert [read_choices(text).chosen("timeout").value for text in example] == [10]


def test_the_manual_has_every_field_that_a_detector_fills_in() -> None:
    view = [name for name in vars(IsoView) if not name.startswith("_")]
    fields = [
        field.name
        for kind in (Detector, Detection, BootEntry, QuickRule, Stack, Persistence, AnswerFile)
        for field in dataclasses.fields(kind)
    ]
    assert sorted(described("bootkit-detector.7.md")) == sorted([*view, *fields])
