"""GRUB's fonts: which characters one has. Source: grub 2.06, grub-core/font/font.c, load_font_index."""

import struct

from bootkit.errors import FormatError

_ENTRY = 9
"""Bytes of the index for each character: code point, flags, place."""
_MAGIC = b"FILE\x00\x00\x00\x04PFF2"


def characters(font: bytes) -> frozenset[str]:
    """The characters that a ``.pf2`` font has a glyph for.

    Raises:
        FormatError: it is no such font.
    """
    at = len(_MAGIC)
    while font.startswith(_MAGIC) and at + 8 <= len(font):
        name, size = struct.unpack_from(">4sI", font, at)
        at += 8
        if name == b"CHIX" and at + size <= len(font):
            points = (struct.unpack_from(">I", font, place)[0] for place in range(at, at + size - _ENTRY + 1, _ENTRY))
            return frozenset(chr(point) for point in points if point < 0x110000)
        at += size
    raise FormatError("it is no font of GRUB")
