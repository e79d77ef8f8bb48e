"""How words become calls, and what is said of words that cannot."""

import os
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import pytest

from bootkit import __version__
from bootkit.cli.command import Argument, Option, call, parser_of, summary
from bootkit.cli.completion import SHELLS, proposals
from bootkit.errors import UsageError
from tests.cli.conftest import Bootkit
from tests.commands import every_command

ROOT = Path(__file__).parents[2]


class Colour(Enum):
    DEEP_RED = "red"
    BLUE = "blue"


CALLS: list[dict[str, object]] = []


def paint(
    walls: Annotated[list[Path], Argument(help="What to paint.", metavar="WALL")],
    colour: Annotated[Colour, Option(help="Of the paint.")] = Colour.BLUE,
    coats: Annotated[int, Option("--coats", "-c", help="How many.", env="COATS")] = 1,
    by: Annotated[list[str] | None, Option(help="Who does it; may be repeated.", default="anybody")] = None,
    dry: Annotated[bool, Option("--dry", help="Only look.")] = False,
) -> None:
    """Paint walls, one after the other, in one colour.

    Not the ceiling.
    """
    CALLS.append({"walls": walls, "colour": colour, "coats": coats, "by": by, "dry": dry})


def painted(*words: str) -> dict[str, object]:
    call(paint, words, "paint")
    return CALLS.pop()


def test_words_become_values_wherever_the_options_stand() -> None:
    assert painted("a") == {"walls": [Path("a")], "colour": Colour.BLUE, "coats": 1, "by": None, "dry": False}
    assert painted("a", "--colour", "red", "b", "--by=Eva", "--by", "Ina", "-c", "2", "--dry", "c") == {
        "walls": [Path("a"), Path("b"), Path("c")],
        "colour": Colour.DEEP_RED,
        "coats": 2,
        "by": ["Eva", "Ina"],
        "dry": True,
    }
    assert painted("a", "--dry", "--", "-x")["walls"] == [Path("a"), Path("-x")]


def test_a_variable_stands_in_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COATS", "7")
    assert painted("a")["coats"] == 7
    assert painted("a", "--coats", "3")["coats"] == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "the following arguments are required: WALL"),
        (("a", "--color", "red"), "unrecognized arguments: --color red"),
        (("a", "--colour", "green"), "argument --colour: green is none of red, blue"),
        (("a", "--coats", "-1"), "argument --coats/-c: -1 is no whole number"),
        (("a", "--coats", "few"), "argument --coats/-c: few is no whole number"),
    ],
)
def test_words_that_make_no_sense_are_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        call(paint, words, "paint")
    assert refused.value.message == message
    assert refused.value.hint == "paint --help tells what there is"
    assert not CALLS


def test_help_is_made_of_the_declaration() -> None:
    text = " ".join(parser_of(paint, "paint").format_help().split())
    for words in ("Not the ceiling.", "WALL What to paint.", "--colour red|blue Of the paint. [blue]", "[anybody]"):
        assert words in text
    assert summary(paint) == "Paint walls, one after the other, in one colour."


@pytest.mark.parametrize("words", sorted(every_command()))
def test_every_command_can_be_asked_for_help(words: str) -> None:
    assert summary(every_command()[words]).endswith(".")
    assert parser_of(every_command()[words], words).format_help().startswith(f"usage: {words}")


def test_the_program_tells_its_version_and_its_commands(bootkit: Bootkit) -> None:
    assert bootkit("--version").stdout == f"bootkit {__version__}\n"
    text = bootkit("--help").stdout
    assert [line for line in text.splitlines() if line.startswith("  prepare ")]
    assert bootkit("home", "--help").stdout.startswith("usage: bootkit home COMMAND")
    asked_nothing = bootkit()
    assert (asked_nothing.returncode, asked_nothing.stdout) == (2, text)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("lits",), "bootkit has no command lits", "bootkit list"),
        (("home", "xyzzy"), "bootkit home has no command xyzzy", "bootkit home --help lists them"),
        (("--verbose",), "unrecognized arguments: --verbose", "bootkit --help tells what there is"),
    ],
)
def test_a_command_that_is_not_there_is_refused(
    bootkit: Bootkit, words: tuple[str, ...], message: str, hint: str
) -> None:
    done = bootkit(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"bootkit: {message}\n  {hint}\n"


@pytest.mark.parametrize(
    ("before", "begun", "proposed"),
    [
        ([], "l", ["list", "log"]),
        ([], "--v", ["--version"]),
        (["--debug", "home"], "re", ["resize", "restore", "remove"]),
        (["prepare", "--layout"], "", ["split", "single"]),
        (["prepare", "--yes"], "--da", ["--data-fs"]),
        (["add"], "", []),
        (["nothing"], "", []),
        (["options", "set"], "own", ["own_disks", "own_things"]),
        (["options", "set", "timezone"], "Europe/Berl", ["Europe/Berlin"]),
        (["options", "set", "serial"], "", ["false", "true"]),
        (["options", "list", "--stack"], "dmsq", ["dmsquash-live"]),
        (["home", "create"], "", []),
    ],
)
def test_words_are_completed(before: list[str], begun: str, proposed: list[str]) -> None:
    assert proposals(before, begun) == proposed


@pytest.mark.parametrize(
    ("before", "begun", "proposed"),
    [
        (["remove"], "", ["debian.iso", "other.iso"]),
        (["test"], "deb", ["debian.iso"]),
        (["verify", "debian.iso"], "o", ["other.iso"]),
        (["persist", "create"], "", ["debian.iso", "other.iso"]),
        (["persist", "create", "debian.iso"], "", []),
        (["options", "set", "default"], "/boot/iso/o", ["/boot/iso/other.iso"]),
        (["options", "set", "--image"], "o", ["other.iso"]),
        (["home", "backup"], "", ["anna"]),
        (["options", "set", "home"], "an", ["anna"]),
        (["ext", "disable"], "", ["tools.raw"]),
        (["app", "remove"], "", ["Viewer.AppImage"]),
        (["app", "remove", "--stick", "/nowhere"], "", []),
    ],
)
def test_what_lies_on_the_stick_is_completed(
    before: list[str], begun: str, proposed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ("iso/debian.iso", "iso/other.iso", "home/anna.home", "extensions/x86_64/tools.raw", "bootkit/stick.toml")
    for path in (*(f"boot/{name}" for name in files), "apps/Viewer.AppImage"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    monkeypatch.setenv("BOOTKIT_STICK", os.fspath(tmp_path))
    assert proposals(before, begun) == proposed


def test_bash_asks_for_words_and_gets_them(tmp_path: Path) -> None:
    program = tmp_path / "bootkit"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bootkit "$@"\n')
    program.chmod(0o755)
    (tmp_path / "completion").write_text(SHELLS["bash"][0])
    script = ". ./completion; COMP_WORDS=(bootkit home res); COMP_CWORD=2; _bootkit; echo ${COMPREPLY[*]}"
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": os.fspath(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert done.stdout == "resize restore\n"


def test_the_completion_is_shown_and_installed(
    bootkit: Bootkit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    for shell, (text, place) in SHELLS.items():
        monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
        assert bootkit("--show-completion").stdout == text
        assert bootkit("--install-completion").returncode == 0
        assert (tmp_path / place).read_text() == text
    monkeypatch.setenv("SHELL", "/bin/dash")
    assert "no completion for dash" in bootkit("--show-completion").stderr
