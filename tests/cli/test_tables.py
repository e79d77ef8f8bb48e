"""Tables: as wide as the terminal, whole words, colour and marks only where they can be seen."""

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Mapping

import pytest

from bootkit.cli.tables import layout
from bootkit.render.prose import columns

HEADERS = ("IMAGE", "VERDICT", "BOOTS FROM", "BIOS", "64-BIT UEFI", "MEMORY")
ROWS = (
    (
        "debian-live-12.7.0-amd64-gnome.iso",
        "boots with overlay modules",
        "ext4, FAT32, exFAT, NTFS",
        "yes",
        "?",
        "512.0 MiB",
    ),
    ("a.iso", "cannot boot", "-", "no", "no", "1.2 GiB"),
)
WORDS = {word for row in (HEADERS, *ROWS) for cell in row for word in cell.split()}


@pytest.mark.parametrize("width", [200, 100, 90, 80, 60, 40])
def test_a_table_fits_and_breaks_no_word(width: int) -> None:
    lines = list(layout((HEADERS, *ROWS), width))
    assert max(map(len, lines)) <= max(width, len("64-BIT UEFI  debian-live-12.7.0-amd64-gnome.iso"))
    assert {word for line in lines for word in line.split()} == WORDS
    assert any("512.0 MiB" in line for line in lines), "a number stays with its unit"


def test_a_row_that_fits_is_one_line() -> None:
    assert len(list(layout((HEADERS, *ROWS), 200))) == 3


def test_a_table_that_cannot_be_so_narrow_is_told_in_paragraphs() -> None:
    lines = list(layout((HEADERS, *ROWS), 50))
    assert lines[0] == "IMAGE        debian-live-12.7.0-amd64-gnome.iso"
    assert lines[6:9] == ["", "IMAGE        a.iso", "VERDICT      cannot boot"]


def test_wide_letters_take_two_columns() -> None:
    assert columns("麒麟") == 4
    assert columns("e\u0301") == 1
    assert list(layout((("A", "B"), ("麒麟", "x"), ("abcd", "y")), 80))[1:] == ["麒麟  x", "abcd  y"]


def test_colour_and_marks_take_no_word_away() -> None:
    plain = list(layout((HEADERS, *ROWS), 200))
    shown = list(layout((HEADERS, *ROWS), 200, coloured=True, marked=True))
    assert "\x1b[32m✓ boots with overlay modules\x1b[0m" in shown[1]
    assert "\x1b[31m✗ no\x1b[0m" in shown[2]
    unpainted = [re.sub(r"\x1b\[\d+m", "", line) for line in shown]
    assert [re.sub("[✓✗] ", "", line).split() for line in unpainted] == [line.split() for line in plain]


def test_what_only_looks_like_an_answer_is_no_answer() -> None:
    lines = list(layout((("IMAGE", "WHY"), ("nobara.iso", "no driver")), 80, coloured=True, marked=True))
    assert lines[1] == "nobara.iso  no driver"


def test_talk_breaks_no_word_on_a_terminal_and_a_command_stays_one_line() -> None:
    sentence = "Its initrd finds the file on ext4."
    command = "  bootkit prepare /dev/sdX --data-fs ext4 --expect 0123"
    code = f"from bootkit.cli.output import say\nsay({sentence!r}); say({f'{sentence} {sentence}'!r}); say({command!r})"
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 42))
    with os.fdopen(leader, "rb", buffering=0) as screen:
        subprocess.run([sys.executable, "-c", code], stderr=follower, check=True)
        os.close(follower)
        shown = _read(screen.fileno()).decode().splitlines()
    assert shown == [sentence, f"{sentence} Its", "  initrd finds the file on ext4.", command]


def on_terminal(environment: Mapping[str, str], *, wide: bool = False) -> str:
    """What a table shows on a terminal of 70 columns."""
    code = f"from bootkit.cli.output import table\ntable({ROWS!r}, {HEADERS!r}, wide={wide})"
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=follower,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "70", "PYTHONUTF8": "1", **environment},
        )
        os.close(follower)
        shown = b""
        while chunk := _read(screen.fileno()):
            shown += chunk
        process.wait()
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other side is closed
        return b""


def test_a_terminal_gets_colour_unless_it_was_asked_not_to() -> None:
    painted = on_terminal({"TERM": "xterm", "NO_COLOR": ""})
    plain = on_terminal({"TERM": "xterm", "NO_COLOR": "1"})
    console = on_terminal({"TERM": "linux", "NO_COLOR": ""})
    assert "\x1b[" in painted
    assert "✓ yes" in painted
    assert "\x1b[" not in plain
    assert "✓ yes" in plain
    assert "\x1b[" in console
    assert "✓" not in console
    assert "\x1b[" not in on_terminal({"TERM": "dumb"})


def test_the_columns_of_a_terminal_are_kept_unless_it_was_asked_not_to() -> None:
    environment = {"TERM": "dumb"}
    assert max(map(len, on_terminal(environment).splitlines())) <= 70
    assert max(map(len, on_terminal(environment, wide=True).splitlines())) > 70
