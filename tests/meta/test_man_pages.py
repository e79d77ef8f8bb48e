"""The manual names what is there, all of it and nothing else."""

import re
from functools import cache
from pathlib import Path

import click
import pytest
import typer

from bootkit import errors
from bootkit.cli.program import build

MAN = Path(__file__).parents[2] / "bootkit" / "man"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


@cache
def commands() -> dict[str, click.Command]:
    """Each command by its words behind ``bootkit``: ``add``, ``ext list``."""
    found: dict[str, click.Command] = {}

    def walk(command: click.Command, words: str) -> None:
        members = getattr(command, "commands", None)
        if members is None:
            found[words] = command
        else:
            for name, member in members.items():
                walk(member, f"{words} {name}".strip())

    walk(typer.main.get_command(build()), "")
    return found


def options_of(command: click.Command) -> set[str]:
    """The long options."""
    words = [word for parameter in command.params for word in (*parameter.opts, *parameter.secondary_opts)]
    return {word for word in words if word.startswith("--")} - {"--help"}


@cache
def sections() -> dict[str, str]:
    """bootkit.1.md: the text under each ``### bootkit NAME ...`` by the name; a command's words are in small letters."""
    text = (MAN / "bootkit.1.md").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for block in re.split(r"^(?=#{2,3} )", text, flags=re.MULTILINE):
        heading, _, body = block.partition("\n")
        if match := re.match(r"### bootkit((?: [a-z][a-z-]*)+)", heading):
            found[match[1].strip()] = heading + body
    return found


def test_the_manual_has_every_command() -> None:
    assert set(sections()) == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_manual_has_every_option(name: str) -> None:
    described = set(re.findall(r"^`(?:-\w, )?(--[a-z][a-z0-9-]*)", sections()[name], flags=re.MULTILINE))
    mentioned = set(OPTION.findall(sections()[name])) - {"--help"}
    assert described == options_of(commands()[name])
    assert mentioned <= {option for command in commands().values() for option in options_of(command)}


def test_the_manual_has_every_exit_status() -> None:
    text = (MAN / "bootkit.1.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|", text, flags=re.MULTILINE)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BootkitError)]
    assert rows == [str(status) for status in sorted({0, *(kind.exit_code for kind in kinds)})]
