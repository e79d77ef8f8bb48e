"""ELF programs: where one ends, behind which an AppImage has its squashfs, and whether it runs without libraries.

Source: elf(5); AppImageKit, src/runtime.c (``appimage_get_elf_size``).
"""

import struct
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import read_at

_OFFSETS = {1: ("I", 32, 46), 2: ("Q", 40, 58)}
"""By class: the size of ``e_shoff``, its place, and that of ``e_shentsize`` and ``e_shnum``."""
_PROGRAM_HEADERS = {1: ("I", 28, 42), 2: ("Q", 32, 54)}
"""The same for ``e_phoff``, ``e_phentsize`` and ``e_phnum``."""
_INTERPRETER = 3
"""``PT_INTERP``: the program is started by the dynamic linker."""


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


def is_static(program: bytes) -> bool:
    """Whether a whole ELF program runs in a root that holds nothing else."""
    if len(program) < 64 or program[:4] != b"\x7fELF" or program[4] not in _PROGRAM_HEADERS:
        return False
    order = "<" if program[5] == 1 else ">"
    kind, at, sizes = _PROGRAM_HEADERS[program[4]]
    (table,) = struct.unpack_from(f"{order}{kind}", program, at)
    entry, number = struct.unpack_from(f"{order}HH", program, sizes)
    if not number or table + entry * number > len(program):
        return False
    types = (struct.unpack_from(f"{order}I", program, table + entry * index)[0] for index in range(number))
    return _INTERPRETER not in types
