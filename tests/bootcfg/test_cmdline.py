import pytest

from bootkit.bootcfg.cmdline import (
    before_separator,
    has_word,
    join_words,
    replaced,
    split_words,
    unique,
    with_words,
    without,
    without_values,
    word_value,
    word_values,
)

WORDS = ("boot=casper", "quiet", "console=tty0", "console=ttyS0", "---", "splash")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  a  b=c\td\n", ("a", "b=c", "d")),
        ('a "b c" d="e f" "g=h i"', ("a", "b c", "d=e f", "g=h i")),
        ('a="" ""', ("a=", "")),
        ('"unfinished one', ("unfinished one",)),
        (r'a\ b "c\"', ("a\\", "b", "c\\")),
        ("", ()),
    ],
)
def test_a_command_line_is_split_as_the_kernel_does(text: str, words: tuple[str, ...]) -> None:
    assert split_words(text) == words


def test_joined_words_are_split_back() -> None:
    words = ("a", "b=c d", "")
    assert join_words(words) == 'a "b=c d" ""'
    assert split_words(join_words(words)) == words


def test_values_are_found_by_name() -> None:
    assert word_value(WORDS, "boot") == "casper"
    assert word_value(WORDS, "console") == "ttyS0"
    assert word_values(WORDS, "console") == ("tty0", "ttyS0")
    assert word_value(WORDS, "root", "none") == "none"
    assert word_value(("root=live:CDLABEL=X",), "root") == "live:CDLABEL=X"


def test_a_word_is_there_with_and_without_a_value() -> None:
    assert has_word(WORDS, "quiet")
    assert has_word(WORDS, "boot")
    assert not has_word(WORDS, "boo")


def test_words_are_taken_out_by_name_pattern_and_value() -> None:
    assert without(WORDS, "console", "quiet") == ("boot=casper", "---", "splash")
    assert without(WORDS, "console=tty0") == ("boot=casper", "quiet", "console=ttyS0", "---", "splash")
    assert without(("cdrom-detect/try-usb=true", "cdrom", "a=cdrom-detect/x"), "cdrom-detect/*") == (
        "cdrom", "a=cdrom-detect/x",
    )  # fmt: skip
    assert without_values(("a={iso_path}", "b"), "{iso_path}", "{stick_uuid}") == ("b",)


def test_new_words_stand_before_the_separator() -> None:
    assert before_separator(("a", "---", "b"), "x", "a", "x") == ("a", "x", "---", "b")
    assert before_separator(("a", "--", "b"), "x") == ("a", "x", "--", "b")
    assert before_separator(("a",), "x") == ("a", "x")


def test_with_words_adds_what_is_missing() -> None:
    assert with_words(("a", "b"), "b", "c") == ("a", "b", "c")


def test_a_value_is_replaced_in_place() -> None:
    assert replaced(("a=1", "b", "a=2"), "a", "3") == ("a=3", "b")
    assert replaced(("b",), "a", "3") == ("b", "a=3")


def test_unique_keeps_the_first_and_every_separator() -> None:
    assert unique(("a", "---", "a", "b", "---")) == ("a", "---", "b", "---")
