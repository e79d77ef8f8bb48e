"""What is written into grub.cfg is what GRUB reads out of it."""

import random

import pytest

from bootkit.model.places import MENU
from bootkit.render.grub import grub_pattern, grub_quote, grub_word, unbootable_path, unbootable_words
from bootkit.system.grubemu import run_menu
from tests.render.conftest import StickMaker


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("quiet", "quiet"),
        ("a=b,c:d@e%f+g-h", "a=b,c:d@e%f+g-h"),
        ("", "''"),
        ("if", "'if'"),
        ("two words", "'two words'"),
        ("it's", "'it'\\''s'"),
        ("$x", "'$x'"),
        ("a;b", "'a;b'"),
        ("nul\0", "'nul'"),
    ],
)
def test_quotes_only_what_grub_would_touch(text: str, quoted: str) -> None:
    assert grub_quote(text) == quoted


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("findiso={iso_path}", '"findiso=$iso_path"'),
        ("{iso_path}", '"$iso_path"'),
        ("root={stick_uuid}x", '"root=${stick_uuid}x"'),
        ('a"$\\{volume_id}`', '"a\\"\\$\\\\$volume_id`"'),
        ("{other}", "'{other}'"),
    ],
)
def test_fills_slots_by_variables(text: str, quoted: str) -> None:
    assert grub_word(text) == quoted


def test_a_pattern_keeps_its_stars_outside_of_the_quotes() -> None:
    assert grub_pattern("/live/vm linuz*.b") == "'/live/vm linuz'*.b"


def test_names_the_words_that_grub_changes_on_their_way_to_the_kernel() -> None:
    words = ("fine", "also fine", "it's", 'say="x"', r"a\x20b", "tab\tbed", "line\n", "é")
    assert unbootable_words(words) == ("it's", 'say="x"', r"a\x20b", "tab\tbed", "line\n")


@pytest.mark.parametrize(
    ("path", "flaw"),
    [
        ("/boot/iso/a (1).iso", "a blank"),
        ("/boot/iso/it's.iso", "a quote, a backslash or a control character"),
        ("/boot/iso/é-1.2+3.iso", ""),
    ],
)
def test_says_what_is_wrong_with_a_path(path: str, flaw: str) -> None:
    assert unbootable_path(path) == flaw


def test_every_word_reaches_linux_as_it_was_meant(stick: StickMaker) -> None:
    words = _random_words(600)
    lines = [f"linux {' '.join(map(grub_word, words))}"]
    stick.files[MENU] = "\n".join(["set iso_path='/a $b.iso'", "menuentry x {", *lines, "}", ""]).encode()
    got = run_menu(stick.make(), entry="x").linux
    meant = tuple(word.replace("{iso_path}", "/a $b.iso") for word in words)
    assert got == meant


def test_every_word_that_grub_passes_on_untouched_is_one_word_to_the_kernel() -> None:
    passed = [word for word in _random_words(600) if not unbootable_words((word,))]
    assert passed
    for word in passed:
        assert _kernel_splits(_loader_writes(word)) == [word]


def _random_words(count: int) -> list[str]:
    chooser = random.Random(20241)
    pieces = [
        *"abZ09 .,:;=/*?[]{}()<>|&!#~^%@+-_`\"'\\$é日🙂",
        "{iso_path}",
        "---",
        "if",
        "${x}",
        "$(y)",
        "\\x20",
        "$1",
    ]
    words = ["".join(chooser.choices(pieces, k=chooser.randint(1, 8))) for _ in range(count)]
    return [word for word in words if word.strip()]


def _loader_writes(word: str) -> str:
    """What grub_create_loader_cmdline of GRUB 2.06 makes of an argument."""
    escaped = "".join(f"\\{char}" if char in "\\'\"" else char for char in word)
    return f'"{escaped}"' if " " in word else escaped


def _kernel_splits(line: str) -> list[str]:
    """The words that Linux makes of a command line (lib/cmdline.c, next_arg): quotes group, nothing escapes."""
    words: list[str] = []
    word, quoted = "", False
    for char in line:
        if char == '"':
            quoted = not quoted
        elif char.isspace() and not quoted:
            words.append(word)
            word = ""
        else:
            word += char
    return [*words, word]
