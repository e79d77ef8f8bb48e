"""PNG pictures from pixels. Source: PNG specification (ISO/IEC 15948): 8 bits, RGBA, no filter, not interlaced."""

import struct
import zlib
from collections.abc import Sequence

Pixel = tuple[int, int, int, int]
"""Red, green, blue, alpha: 0 to 255."""


def png(rows: Sequence[Sequence[Pixel]]) -> bytes:
    """A picture of rows of the same length."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 6, 0, 0, 0)
    lines = b"".join(b"\0" + b"".join(map(bytes, row)) for row in rows)
    body = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
