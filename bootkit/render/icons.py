"""A small picture for each distribution, drawn here: its initial on a tile of a colour that follows from its name.

No trademark is copied, and one that nobody has heard of has a picture, too.
"""

import colorsys
import zlib
from functools import cache

from bootkit.render.png import Pixel, png

ICON = 20
"""Pixels of each side: the height of a line of the menu."""
_ROUND = 4
_WHITE: Pixel = (255, 255, 255, 255)
_NOTHING: Pixel = (0, 0, 0, 0)
_COLUMNS, _LINES, _DOT = 5, 7, 2
_LETTERS = {
    "a": "0e 11 11 1f 11 11 11", "b": "1e 11 11 1e 11 11 1e", "c": "0e 11 10 10 10 11 0e", "d": "1e 11 11 11 11 11 1e",
    "e": "1f 10 10 1e 10 10 1f", "f": "1f 10 10 1e 10 10 10", "g": "0e 11 10 17 11 11 0f", "h": "11 11 11 1f 11 11 11",
    "i": "0e 04 04 04 04 04 0e", "j": "07 02 02 02 02 12 0c", "k": "11 12 14 18 14 12 11", "l": "10 10 10 10 10 10 1f",
    "m": "11 1b 15 15 11 11 11", "n": "11 19 15 13 11 11 11", "o": "0e 11 11 11 11 11 0e", "p": "1e 11 11 1e 10 10 10",
    "q": "0e 11 11 11 15 12 0d", "r": "1e 11 11 1e 14 12 11", "s": "0f 10 10 0e 01 01 1e", "t": "1f 04 04 04 04 04 04",
    "u": "11 11 11 11 11 11 0e", "v": "11 11 11 11 11 0a 04", "w": "11 11 11 15 15 1b 11", "x": "11 11 0a 04 0a 11 11",
    "y": "11 11 0a 04 04 04 04", "z": "1f 01 02 04 08 10 1f", "0": "0e 11 13 15 19 11 0e", "1": "04 0c 04 04 04 04 0e",
    "2": "0e 11 01 06 08 10 1f", "3": "1f 01 02 06 01 11 0e", "4": "02 06 0a 12 1f 02 02", "5": "1f 10 1e 01 01 11 0e",
    "6": "06 08 10 1e 11 11 0e", "7": "1f 01 02 04 08 08 08", "8": "0e 11 11 0e 11 11 0e", "9": "0e 11 11 0f 01 02 0c",
}  # fmt: skip
"""The lines of each from above, five dots a line, the leftmost the highest bit."""


@cache
def icon(name: str) -> bytes:
    """The picture for a class of the menu's entries, such as ``debian``: small letters, digits and hyphens."""
    colours = (_NOTHING, _colour(name), _WHITE)
    return png([[colours[part] for part in line] for line in _shape(name[0])])


@cache
def _shape(letter: str) -> tuple[tuple[int, ...], ...]:
    """What each pixel is of: nothing, the tile or the letter, as 0, 1 or 2."""
    lines = [int(line, 16) for line in _LETTERS[letter].split()]
    left, top = (ICON - _COLUMNS * _DOT) // 2, (ICON - _LINES * _DOT) // 2

    def part(x: int, y: int) -> int:
        column, line = (x - left) // _DOT, (y - top) // _DOT
        if 0 <= column < _COLUMNS and 0 <= line < _LINES and lines[line] >> (_COLUMNS - 1 - column) & 1:
            return 2
        away = [max(_ROUND - at - 0.5, at + 0.5 - (ICON - _ROUND), 0) for at in (x, y)]
        return int(away[0] ** 2 + away[1] ** 2 <= _ROUND**2)

    return tuple(tuple(part(x, y) for x in range(ICON)) for y in range(ICON))


def _colour(name: str) -> Pixel:
    """Of any hue, and always so dark that white can be read on it."""
    hue = zlib.crc32(name.encode()) % 360 / 360
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.38, 0.55))
    return red, green, blue, 255
