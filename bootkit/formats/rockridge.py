"""Rock Ridge: real names, symbolic links and deep directories in the system use area of a directory record.

Source: IEEE P1281 (SUSP) 1.12 for the entries and CE, SP, ST; IEEE P1282 (RRIP) 1.12 for NM, SL, CL, RE.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import TypeAlias

from bootkit.errors import FormatError
from bootkit.values import dataclass

Continuation: TypeAlias = Callable[[int, int, int], bytes]
"""Block, offset in it and size of a continuation area → its bytes."""

_CONTINUED, _CURRENT, _PARENT, _ROOT = 0x01, 0x02, 0x04, 0x08
# A name of 255 bytes and a link of 4096 need three areas at most; stops a chain that bites its tail.
_CHAIN_LIMIT = 32
_AREA_LIMIT = 32 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RockRidge:
    name: str = ""
    target: str = ""
    """Of a symbolic link."""
    child_block: int | None = None
    """Where the directory really lies that this record stands for."""
    is_relocated: bool = False
    """This directory is shown elsewhere, by ``child_block`` of another record."""
    is_compressed: bool = False
    """By zisofs."""


NOTHING = RockRidge()


def susp_skip(root_record: bytes) -> int | None:
    """Bytes to skip in every system use area, or ``None`` if this volume does not use SUSP.

    ``root_record`` is the first record of the root directory, which must hold the SP entry (SUSP 5.3).
    """
    # CD-ROM XA puts 14 bytes of its own in front.
    for start in (34, 34 + 14):
        area = root_record[start : start + 7]
        if area[:2] == b"SP" and area[4:6] == b"\xbe\xef":
            return area[6]
    return None


def parse(area: bytes, continuation: Continuation) -> RockRidge:
    """What the system use area of one record says. What is damaged counts as not there."""
    found = _Found()
    for signature, payload in _entries(area, continuation):
        match signature:
            case b"NM" if not payload[0] & (_CURRENT | _PARENT):
                found.name += payload[1:]
            case b"SL":
                found.link(payload)
            case b"CL" if len(payload) >= 4:
                found.child_block = int(struct.unpack_from("<I", payload)[0])
            case b"RE":
                found.is_relocated = True
            case b"ZF":
                found.is_compressed = True
            case _:
                pass
    return RockRidge(
        name=found.name.decode("utf-8", "backslashreplace"),
        target=found.target.decode("utf-8", "backslashreplace"),
        child_block=found.child_block,
        is_relocated=found.is_relocated,
        is_compressed=found.is_compressed,
    )


@dataclass(slots=True)
class _Found:
    name: bytes = b""
    target: bytes = b""
    is_open: bool = field(default=True)
    """The next component of the target follows without a slash."""
    child_block: int | None = None
    is_relocated: bool = False
    is_compressed: bool = False

    def link(self, payload: bytes) -> None:
        position = 1
        while position + 2 <= len(payload):
            flags, length = payload[position], payload[position + 1]
            if flags & _ROOT:
                self.target = b"/"
                self.is_open = True
            else:
                text = b"." if flags & _CURRENT else b".." if flags & _PARENT else payload[position + 2 :][:length]
                self.target += text if self.is_open else b"/" + text
                self.is_open = bool(flags & _CONTINUED)
            position += 2 + length


def _entries(area: bytes, continuation: Continuation) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(_CHAIN_LIMIT):
        following: tuple[int, int, int] | None = None
        position = 0
        while position + 4 <= len(area):
            signature, length = area[position : position + 2], area[position + 2]
            if length < 4 or signature == b"ST":
                break
            payload = area[position + 4 : position + length]
            position += length
            if signature == b"CE" and len(payload) >= 24:
                following = struct.unpack("<I4xI4xI4x", payload[:24])
            elif payload or signature == b"RE":
                yield signature, payload
        if following is None or not 0 < following[2] <= _AREA_LIMIT:
            return
        try:
            area = continuation(*following)
        except FormatError:
            return
