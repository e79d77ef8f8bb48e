"""Sentences in lines: between words, and between letters of a script that knows no spaces."""

from bootkit.render.prose import columns, wrapped


def test_lines_break_between_words_and_begin_as_they_are_told() -> None:
    assert wrapped("one two three four", 12, first="- ", then="  ") == ["- one two", "  three four"]
    assert wrapped("a-very-long-word and more", 8) == ["a-very-long-word", "and more"]
    assert wrapped("", 8, first="- ") == []


def test_chinese_breaks_anywhere_but_before_a_full_stop() -> None:
    lines = wrapped("请重新下载 ext4 镜像。", 11)
    assert lines == ["请重新下载", "ext4 镜像。"]
    assert wrapped("ext4 镜像。", 10) == ["ext4 镜", "像。"]
    assert columns("镜像。") == 6
