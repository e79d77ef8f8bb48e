"""PE files: which machine, who signed, and what lies in their sections.

Source: Microsoft PE/COFF specification (signature offset at 0x3c, COFF header, optional header, section table, attribute
certificate table); ITU-T X.690 and RFC 5280 for the name of a certificate's holder (2.5.4.3, commonName).
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import field
from typing import BinaryIO

from bootkit.formats.reader import read_upto
from bootkit.values import dataclass

_MACHINES = {0x8664: "x86_64", 0x014C: "i686", 0xAA64: "aarch64"}
_HEADERS = 0x1000
_SECTIONS_LIMIT = 96
"""The most that Windows' loader takes; a unified kernel image has a dozen."""
_SECTION = struct.Struct("<8sIIII")
"""Name, bytes in memory, address, bytes in the file, offset in the file; 16 bytes more are of no interest."""
_LONG_NAMES_LIMIT = 4096
_SECURITY = 4
"""Index of the attribute certificate table among the data directories."""
_PKCS7 = 2
_CERTIFICATES_LIMIT = 256 << 10
"""Bytes; a kernel's signature has two to four KiB."""
_NAMES_LIMIT = 16
# commonName as UTF8String, PrintableString, T61String or IA5String of less than 128 bytes
_COMMON_NAME = re.compile(rb"\x06\x03\x55\x04\x03[\x0c\x13\x14\x16]([\x01-\x7f])")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeFacts:
    machine: str
    """``x86_64``, ``i686``, ``aarch64``; empty for others."""
    signed: bool
    signers: tuple[str, ...] = ()
    sections: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """Offset and bytes in the file, by name; of several with one name the first."""


def read_pe(fh: BinaryIO) -> PeFacts | None:
    """The PE file that begins ``fh``; ``None`` if it is none.

    Raises:
        FormatError: the medium cannot be read.
    """
    start = read_upto(fh, 0, _HEADERS)
    if start[:2] != b"MZ" or len(start) < 0x40:
        return None
    at = int.from_bytes(start[0x3C:0x40], "little")
    if start[at : at + 4] != b"PE\0\0" or at + 26 > len(start):
        return None
    machine = _MACHINES.get(int.from_bytes(start[at + 4 : at + 6], "little"), "")
    signature = _signature(fh, start, at + 24)
    sections = _sections(start, at, _long_names(fh, start, at))
    return PeFacts(machine=machine, signed=bool(signature), signers=_names(signature), sections=sections)


def _long_names(fh: BinaryIO, start: bytes, at: int) -> bytes:
    """The table of names that are longer than 8 bytes, which lies behind the symbols; empty if there is none."""
    symbols, count = struct.unpack_from("<II", start, at + 12)
    return read_upto(fh, symbols + 18 * count, _LONG_NAMES_LIMIT) if symbols else b""


def _sections(start: bytes, at: int, long_names: bytes) -> dict[str, tuple[int, int]]:
    count, optional = struct.unpack_from("<H12xH", start, at + 6)
    table = at + 24 + optional
    found: dict[str, tuple[int, int]] = {}
    for row in range(min(count, _SECTIONS_LIMIT)):
        if table + 40 * row + _SECTION.size > len(start):
            break
        name, used, _address, stored, offset = _SECTION.unpack_from(start, table + 40 * row)
        if name[:1] == b"/" and name[1:].rstrip(b"\0").isdigit():
            name = long_names[int(name[1:].rstrip(b"\0")) :].partition(b"\0")[0]
        found.setdefault(name.rstrip(b"\0").decode("ascii", "replace"), (offset, min(used, stored)))
    return found


def _signature(fh: BinaryIO, start: bytes, optional: int) -> bytes:
    """The attribute certificate table; empty if there is no signature in it."""
    kind = int.from_bytes(start[optional : optional + 2], "little")
    directories = optional + {0x10B: 96, 0x20B: 112}.get(kind, len(start))
    row = directories + 8 * _SECURITY
    if row + 8 > len(start) or int.from_bytes(start[directories - 4 : directories], "little") <= _SECURITY:
        return b""
    offset, size = struct.unpack_from("<II", start, row)
    table = read_upto(fh, offset, min(size, _CERTIFICATES_LIMIT)) if offset and size else b""
    if len(table) < 8:
        return b""
    length, _revision, certificate = struct.unpack_from("<IHH", table)
    return table if certificate == _PKCS7 and 8 < length <= size else b""


def _names(signature: bytes) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in _COMMON_NAME.finditer(signature):
        name = signature[match.end() : match.end() + match[1][0]].decode("utf-8", "replace")
        if name.isprintable():
            found[name] = None
    return tuple(found)[:_NAMES_LIMIT]
