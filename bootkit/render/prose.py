"""Sentences in lines that a terminal shows whole."""

import re
import unicodedata

_PIECE = r"\s*(?:[\u2e80-\uffff]|[^\s\u2e80-\uffff]+)[\u3001\u3002\uff01\uff09\uff0c\uff1a\uff1b\uff1f]*"
"""A word, or one letter of a script that knows no spaces, with the signs that end no line before them. Source: Unicode 16, UAX 14.

To compile it takes a twentieth of ``inspect``: it is done where such letters are met.
"""


def columns(text: str) -> int:
    """Columns that ``text`` takes on a terminal and in GRUB's menu. Source: Unicode 16, UAX 11."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def padded(text: str, width: int) -> str:
    """``text`` with blanks behind it up to ``width`` columns, one at the least."""
    return text + " " * max(width - columns(text), 1)


def wrapped(text: str, width: int, *, first: str = "", then: str = "") -> list[str]:
    """``text`` in lines of ``width`` columns at most, where no word is wider; ``first`` and ``then`` are what lines begin with.

    :mod:`textwrap`, which can do more, knows no letters of two columns, and takes ten times as long for a thousand names.
    """
    lines: list[str] = []
    line, room = first, width - columns(first)
    is_new = True
    for piece in _pieces(text):
        need = columns(piece)
        if not is_new and need > room:
            lines.append(line)
            line, room, is_new = then, width - columns(then), True
        if is_new:
            piece = piece.lstrip()
            need = columns(piece)
        line, room, is_new = line + piece, room - need, False
    return [*lines, line] if not is_new else lines


def _pieces(text: str) -> list[str]:
    return [f" {word}" for word in text.split()] if text.isascii() else re.findall(_PIECE, text)
