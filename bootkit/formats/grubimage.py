"""The modules that a GRUB image has built in: all that it can load where Secure Boot forbids others.

Source: GRUB 2.06, include/grub/kernel.h (grub_module_info, grub_module_header) and grub-core/kern/dl.c (section ``.modname``);
read from the signed images of Debian 12 for x64 and arm64.
"""

import struct
from collections.abc import Iterator

_MAGIC = b"mimg"
_INFO = {True: struct.Struct("<4s4xQQ"), False: struct.Struct("<4sII")}
"""By whether it is of 64 bits: magic, where the first module is from here, bytes of all."""
_HEADER = struct.Struct("<II")
"""Type, and bytes with this header."""
_ELF_MODULE = 0
_SECTIONS = {2: ("<Q", 40, 58, struct.Struct("<II16xQQ")), 1: ("<I", 32, 46, struct.Struct("<II8xII"))}
"""By ELF's class: type of ``e_shoff``, its place, that of ``e_shentsize``, and name, type, offset and size of a section."""
_NAME = b".modname\0"


def grub_modules(section: bytes) -> tuple[str, ...]:
    """The names of the modules in a section ``mods``, sorted; none if it is no such section, or damaged."""
    try:
        return tuple(sorted(filter(None, map(_name, _modules(section)))))
    except (struct.error, IndexError, OverflowError, ValueError):
        return ()


def _modules(section: bytes) -> Iterator[bytes]:
    is_64 = section[4:8] == bytes(4)
    magic, at, size = _INFO[is_64].unpack_from(section)
    end = min(size, len(section))
    while magic == _MAGIC and at + _HEADER.size <= end:
        kind, length = _HEADER.unpack_from(section, at)
        if length < _HEADER.size:
            return
        if kind == _ELF_MODULE:
            yield section[at + _HEADER.size : at + length]
        at += length


def _name(module: bytes) -> str:
    if module[:4] != b"\x7fELF" or module[4] not in _SECTIONS:
        return ""
    kind, at, sizes, row = _SECTIONS[module[4]]
    (table,) = struct.unpack_from(kind, module, at)
    entry, number, names = struct.unpack_from("<HHH", module, sizes)
    rows = [row.unpack_from(module, table + entry * index) for index in range(number)]
    name_table = module[rows[names][2] :][: rows[names][3]]
    for name, _, offset, size in rows:
        if name_table[name:].startswith(_NAME):
            return module[offset : offset + size].rstrip(b"\0").decode("ascii")
    return ""
