"""Which of two packages is newer. Pure.

Source: Debian Policy 4.17, 5.6.12 (dpkg's order: digits as numbers, ``~`` before everything, letters before the rest). rpm's
order is the same wherever a distribution's own packages are compared with one another.
"""

import re
from itertools import zip_longest

_PART = re.compile(r"(\D*)(\d*)")


def is_newer(version: str, than: str) -> bool:
    """Whether ``version`` comes after ``than``."""
    for (text, number), (other_text, other_number) in zip_longest(_parts(version), _parts(than), fillvalue=("", 0)):
        here, there = _weights(text), _weights(other_text)
        if here != there:
            return here > there
        if number != other_number:
            return number > other_number
    return False


def _parts(version: str) -> list[tuple[str, int]]:
    text = version if ":" in version else f"0:{version}"
    return [(words, int(number or 0)) for words, number in _PART.findall(text) if words or number]


def _weights(text: str) -> list[int]:
    # the end of a text counts as 0: a tilde comes even before that
    return [-1 if char == "~" else ord(char) if char.isalpha() else ord(char) + 256 for char in text] + [0]
