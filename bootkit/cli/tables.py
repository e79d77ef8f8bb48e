"""Tables of text that fit the terminal: cells are folded between words, and no word is ever broken.

Where even the longest words do not fit beside each other, each row becomes a paragraph of ``HEADER  value`` lines.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bootkit.i18n import spoken, tr
from bootkit.render.prose import columns

Row = Sequence[str]

_GAP = "  "
_FLOORS = (16, 0)
"""Columns that cells of several words keep while they are folded, if there is room: a sentence is no column of single words."""
_BETWEEN_WORDS = re.compile(r" +(?!(?:B|[KMGT]iB)\b)")
"""A number and its unit are one word."""
_ANSWERS = frozenset({"", tr("VERDICT"), tr("PREDICTED"), tr("OUTCOME"), tr("STICK")})
"""Headers of columns that say yes or no in other words."""
_BOLD = "1"


class Tone(NamedTuple):
    """What a good or a bad answer looks like beside its words."""

    begins: tuple[str, ...]
    colour: str
    """As ECMA-48 numbers it (8.3.117, SGR)."""
    mark: str


def _beginning(verdict: str) -> str:
    """What a verdict begins with, before what is filled in."""
    return verdict.partition("{")[0]


_BAD = ("no", "MISSING", "CONTRADICTS", "cannot", "damaged", "doubtful", "unreadable", "stuck", "boots only")
_GOOD = ("yes", "ok", "boots", "could become")
_ELSEWHERE = (_beginning(spoken("boots only from {filesystems}")), _beginning(spoken("not from {filesystem}")))
_TONES = (
    Tone((*_BAD, tr("no"), tr("MISSING"), tr("stuck"), spoken("cannot boot"), *_ELSEWHERE), "31", "✗ "),
    Tone(("?", "unknown", tr("unknown")), "33", ""),
    Tone(
        (
            *_GOOD,
            tr("yes"),
            tr("boots"),
            _beginning(spoken("boots with overlay {overlay}")),
            tr("could become a stick"),
        ),
        "32",
        "✓ ",
    ),
)
"""The first one counts of which a cell has the beginning."""


def layout(rows: Sequence[Row], width: int, *, coloured: bool = False, marked: bool = False) -> Iterator[str]:
    """The lines of a table whose first row is its headers, at most ``width`` columns wide where its longest word is not wider.

    ``coloured`` and ``marked`` add to answers, and take no word away.
    """
    head = rows[0]
    tones = [
        [_tone(name, cell) if at else None for name, cell in zip(head, row, strict=True)] for at, row in enumerate(rows)
    ]
    if marked:
        rows = [
            [tone.mark + cell if tone else cell for tone, cell in zip(looks, row, strict=True)]
            for looks, row in zip(tones, rows, strict=True)
        ]
    colours = [[tone.colour if tone and coloured else "" for tone in looks] for looks in tones]
    if coloured:
        colours[0] = [_BOLD] * len(head)
    widths = _widths(rows, width)
    if widths is None:
        yield from _paragraphs(rows, colours, width)
        return
    for row, styles in zip(rows, colours, strict=True):
        yield from _lines(row, styles, widths)


def _tone(header: str, cell: str) -> Tone | None:
    if header not in _ANSWERS and cell not in ("yes", "no", "?", tr("yes"), tr("no")):
        return None
    return next((tone for tone in _TONES if cell.startswith(tone.begins)), None)


def _widths(rows: Sequence[Row], width: int) -> list[int] | None:
    """Of each column; ``None`` if the table cannot be as narrow as that."""
    room = width - len(_GAP) * (len(rows[0]) - 1)
    whole = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    if sum(whole) <= room:
        return whole
    words = [max(columns(word) for cell in cells for word in _words(cell)) for cells in zip(*rows, strict=True)]
    bodies = [max(map(columns, cells), default=0) for cells in zip(*rows[1:], strict=True)] or [0] * len(words)
    for floor in _FLOORS:
        least = [max(word, min(body, floor)) for word, body in zip(words, bodies, strict=True)]
        if sum(least) <= room:
            return _shared(least, whole, room)
    return None


def _shared(least: Sequence[int], whole: Sequence[int], room: int) -> list[int]:
    """The room shared out: no column gets more than it fills, and those that are folded are of one width, as far as can be."""

    def at(level: int) -> list[int]:
        return [min(most, max(floor, level)) for floor, most in zip(least, whole, strict=True)]

    level = max(level for level in range(room + 1) if sum(at(level)) <= room)
    return at(level)


def _lines(row: Row, colours: Row, widths: Sequence[int]) -> Iterator[str]:
    folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, folded))):
        cells = [lines[number] if number < len(lines) else "" for lines in folded]
        line = ""
        start = 0
        for cell, colour, width in zip(cells, colours, widths, strict=True):
            if cell:
                line += " " * start + _painted(cell, colour)
                start = 0
            start += width - columns(cell) + len(_GAP)
        yield line


def _paragraphs(rows: Sequence[Row], colours: Sequence[Row], width: int) -> Iterator[str]:
    names = max(map(columns, rows[0]))
    for at, (row, styles) in enumerate(zip(rows[1:], colours[1:], strict=True)):
        if at:
            yield ""
        for name, cell, head, colour in zip(rows[0], row, colours[0], styles, strict=True):
            if cell:
                yield from _lines((name, cell), (head, colour), (names, width - names - len(_GAP)))


def _folded(cell: str, width: int) -> list[str]:
    lines: list[str] = [""]
    for word in _words(cell):
        longer = f"{lines[-1]} {word}".lstrip() if lines[-1] else word
        if columns(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _words(cell: str) -> list[str]:
    return _BETWEEN_WORDS.split(cell)


def _painted(cell: str, colour: str) -> str:
    return f"\x1b[{colour}m{cell}\x1b[0m" if colour else cell
