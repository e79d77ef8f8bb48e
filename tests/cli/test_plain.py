"""What comes out of an image reaches the terminal as text and as nothing else."""

import json
import logging
import re
import sys
from pathlib import Path

import pytest

from bootkit.cli import output
from bootkit.plain import harmless, harmless_json, one_line
from tests.app.conftest import MakeIso
from tests.cli.conftest import Bootkit

EVIL = "Live\x1b]0;owned\x07\x1b[2J\x9b31m\u202etxt.iso\u2066\r\x08"
DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        ("\x9b2J\x7f\r", r"\x9b2J\x7f\x0d"),
        ("a\u202eb\u2066\u200fc", r"a\u202eb\u2066\u200fc"),
        ("\U000e0041", r"\U000e0041"),
        ("caf\udce9 \ud800", r"caf\xe9 \ud800"),
        ("Füße 日本語 🙂\u00a0\u3000x", "Füße 日本語 🙂\u00a0\u3000x"),
        ("two\n\tlines", "two\n\tlines"),
    ],
)
def test_dangerous_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_no_character_of_unicode_slips_through() -> None:
    # the planes between are empty: their characters are as the first and the last
    numbers = (*range(0x40000), 0x40001, 0xDFFFD, *range(0xE0000, sys.maxunicode + 1))
    everything = "".join(map(chr, numbers))
    assert not DANGEROUS.search(harmless(everything))
    assert not DANGEROUS.search(one_line(everything))
    assert "\n" not in one_line(everything)


def test_json_says_the_same_in_its_own_escapes() -> None:
    value = {"title": EVIL + "\udce9\U000e0041é"}
    text = harmless_json(json.dumps(value, ensure_ascii=False))
    assert not DANGEROUS.search(text)
    assert "é" in text
    assert json.loads(text) == value


def test_a_table_stays_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    output.table([("a\nb", "\x1b[2J"), ("c", "d")], ("ONE", "TWO"))
    assert capsys.readouterr().out == "ONE   TWO\na\\nb  \\x1b[2J\nc     d\n"


def test_what_modules_note_is_harmless(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "root", logging.RootLogger(logging.WARNING))
    output.log_to_stderr()
    logging.root.warning("%s", EVIL)
    assert not DANGEROUS.search(capsys.readouterr().err)


@pytest.mark.parametrize(
    "words",
    [("explain", "{iso}"), ("inspect", "{iso}"), ("explain", "--json", "{iso}"), ("inspect", "--json", "{iso}")],
)
def test_no_look_at_an_image_moves_the_cursor(bootkit: Bootkit, make_iso: MakeIso, words: tuple[str, ...]) -> None:
    iso = evil_iso(make_iso)
    done = bootkit(*(word.format(iso=iso) for word in words))
    assert "owned" in done.stdout
    assert not DANGEROUS.search(done.stdout + done.stderr)


def test_no_command_about_a_stick_moves_the_cursor(bootkit: Bootkit, make_iso: MakeIso, tmp_path: Path) -> None:
    stick = tmp_path / "mounted"
    (stick / "boot/iso").mkdir(parents=True)
    (stick / "boot/bootkit/log").mkdir(parents=True)
    (stick / "boot/bootkit/stick.toml").write_text("")
    (stick / "boot/bootkit/log/boot.log").write_text(EVIL)
    evil_iso(make_iso).rename(stick / "boot/iso" / "e\x1b[2J\u202evil.iso")
    for words in (
        ("generate",),
        ("list",),
        ("check",),
        ("list", "--json"),
        ("verify",),
        ("log",),
        ("test", "--dry-run"),
    ):
        done = bootkit(*words, "--stick", stick)
        assert not DANGEROUS.search(done.stdout + done.stderr), words


def evil_iso(make_iso: MakeIso) -> Path:
    return make_iso(
        "evil.iso",
        {
            "live/vmlinuz": "kernel",
            "live/initrd.img": "initrd",
            "live/filesystem.squashfs": "squashfs",
            ".disk/info": f'Debian GNU/Linux 12 "{EVIL}" - Official amd64\n',
            "boot/grub/grub.cfg": (
                f'menuentry "{EVIL}" {{\n linux /live/vmlinuz boot=live {EVIL} findiso=${{iso_path}}\n'
                "  initrd /live/initrd.img\n}\n"
            ),
        },
    )
