"""The end of an ELF program: an AppImage has its squashfs behind it.

Source: elf(5); AppImageKit, src/runtime.c (``appimage_get_elf_size``).
"""

import struct
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import read_at

_OFFSETS = {1: ("I", 32, 46), 2: ("Q", 40, 58)}
"""By class: the size of ``e_shoff``, its place, and that of ``e_shentsize`` and ``e_shnum``."""


def elf_size(fh: BinaryIO) -> int:
    """Bytes from the beginning to the end of the section headers, which come last.

    Raises:
        FormatError: it is no ELF file.
    """
    head = read_at(fh, 0, 64)
    if head[:4] != b"\x7fELF" or head[4] not in _OFFSETS:
        raise FormatError("it is no program", offset=0)
    order = "<" if head[5] == 1 else ">"
    kind, at, sizes = _OFFSETS[head[4]]
    (table,) = struct.unpack_from(f"{order}{kind}", head, at)
    entry, number = struct.unpack_from(f"{order}HH", head, sizes)
    return int(table + entry * number)
