"""Sizes: bytes in, bytes out; binary units only, because partitions are made of them."""

import re

from bootkit.errors import UsageError
from bootkit.i18n import tr

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

_FACTORS = {"": 1, "K": KIB, "M": MIB, "G": GIB, "T": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Bytes out of ``8G``, ``512MiB``, ``1.5 GiB`` or a plain number.

    Raises:
        UsageError: not a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            tr("{text} is not a size", text=repr(text)), hint=tr("write a number with K, M, G or T behind it: 8G, 512M")
        )
    number, unit = match.groups()
    return int(float(number) * _FACTORS[unit.upper()])


def format_size(size: int) -> str:
    """``size`` bytes for a person: three digits at most before the point, one behind it."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{int(value)} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def round_up(size: int) -> int:
    """The smallest size that is not below ``size`` and is shown without rounding: what is told is what is compared."""
    unit = next(unit for unit in (1 << 40, GIB, MIB, KIB, 1) if size >= unit or unit == 1)
    return -(-size * 10 // unit) * unit // 10


def format_count(number: int, thing: str) -> str:
    """``1 image``, ``2 images``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def align_up(value: int, alignment: int) -> int:
    """The smallest multiple of ``alignment`` that is not below ``value``."""
    return -(-value // alignment) * alignment
