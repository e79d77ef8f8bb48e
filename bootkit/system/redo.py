"""Changes to a partition that are on the medium as a whole or not at all, whatever is pulled or killed meanwhile.

First, all that changes is written to room of the file system that nothing uses, then one sector that tells where this is: from
that moment on the changes count. Only now they are made in place, and the sector is cleared. Whoever opens the partition next
finds the sector and repeats what may have been left half done. Nothing of it depends on the host: it is the same for an image
file and a device, and on whichever computer the stick is plugged in next.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence

from bootkit.system.staged import SECTOR, SectorChange, Staged

Piece = tuple[int, int]
"""Offset and length in bytes, from the start of the partition."""

_MAGIC = b"bootkit redo 1\r\n"
_HEAD = struct.Struct("<16sQII")
"""Magic, bytes and CRC-32 of the records, number of pieces; behind it the pieces, and at the end of the sector its CRC-32."""
_PIECE = struct.Struct("<QQ")
_PIECES = (SECTOR - _HEAD.size - 4) // _PIECE.size
_RECORD = struct.Struct(f"<QI{SECTOR}s")
"""Where a sector lies, CRC-32 of what was there before, what is to be there."""


class NoRoomForRedo(Exception):
    """Too little free room for the records."""


def commit(staged: Staged, sector: int, room: Callable[[int], Sequence[Piece]]) -> None:
    """Bring what was put to the medium.

    ``sector`` is the offset of a sector of the partition that nothing else uses, ``room`` answers a number of bytes with
    pieces that are free before and after the change. All that was written past has to be there already; this makes sure
    that it is on the medium first.

    Raises:
        NoRoomForRedo: ``room`` has given too little, or in too many pieces. Nothing was changed.
    """
    changes = tuple(staged.changes())
    if not changes:
        staged.forget()
        return
    body = b"".join(_RECORD.pack(change.at, zlib.crc32(change.before), change.after) for change in changes)
    pieces = _fitted(room(len(body)), len(body))
    done = 0
    for at, length in pieces:
        staged.write_past(at, memoryview(body)[done : done + length])
        done += length
    staged.sync()
    staged.write_past(sector, _pointer(body, pieces))
    staged.sync()
    _apply(staged, changes)
    staged.write_past(sector, bytes(SECTOR))
    staged.forget()


def pending(staged: Staged, sector: int) -> tuple[SectorChange, ...] | None:
    """The changes that were begun and may not be complete; ``None`` if there are none.

    They are empty where they no longer count: the records are damaged, or a sector is neither what it was before nor what
    it should become, because another program has written to the partition since.
    """
    head = staged.on_medium(sector, SECTOR)
    if not head.startswith(_MAGIC):
        return None
    if zlib.crc32(head[:-4]) != int.from_bytes(head[-4:], "little"):
        return ()
    _, size, checksum, count = _HEAD.unpack_from(head)
    pieces = [_PIECE.unpack_from(head, _HEAD.size + number * _PIECE.size) for number in range(min(count, _PIECES))]
    if sum(length for _, length in pieces) != size or any(at + length > staged.size for at, length in pieces):
        return ()
    body = b"".join(staged.on_medium(at, length) for at, length in pieces)
    return tuple(_recorded(staged, body)) if zlib.crc32(body) == checksum and _is_ours(staged, body) else ()


def repeat(staged: Staged, sector: int, changes: Sequence[SectorChange]) -> None:
    """Make the changes of :func:`pending`, and clear the sector that tells of them."""
    _apply(staged, changes)
    staged.write_past(sector, bytes(SECTOR))
    staged.sync()


def is_free(staged: Staged, sector: int) -> bool:
    """Whether the sector holds nothing of anybody else's."""
    head = staged.on_medium(sector, SECTOR)
    return head.startswith(_MAGIC) or head.count(0) == SECTOR


def _apply(staged: Staged, changes: Sequence[SectorChange]) -> None:
    for at, data in _joined(changes):
        staged.write_past(at, data)
    staged.sync()


def _joined(changes: Sequence[SectorChange]) -> Iterator[tuple[int, bytes]]:
    """Sectors that follow one another as one piece."""
    start, data = 0, bytearray()
    for change in changes:
        if data and change.at != start + len(data):
            yield start, bytes(data)
            data.clear()
        if not data:
            start = change.at
        data += change.after
    if data:
        yield start, bytes(data)


def _pointer(body: bytes, pieces: Sequence[Piece]) -> bytes:
    head = _HEAD.pack(_MAGIC, len(body), zlib.crc32(body), len(pieces)) + b"".join(
        _PIECE.pack(*piece) for piece in pieces
    )
    padded = head.ljust(SECTOR - 4, b"\0")
    return padded + zlib.crc32(padded).to_bytes(4, "little")


def _fitted(room: Sequence[Piece], size: int) -> tuple[Piece, ...]:
    """As much of ``room`` as is needed, the last piece cut."""
    fitted: list[Piece] = []
    for at, length in room:
        if size > 0:
            fitted.append((at, min(length, size)))
            size -= length
    if size > 0 or len(fitted) > _PIECES:
        raise NoRoomForRedo
    return tuple(fitted)


def _recorded(staged: Staged, body: bytes) -> Iterator[SectorChange]:
    for at, _, after in _RECORD.iter_unpack(body):
        yield SectorChange(at=at, before=staged.on_medium(at, SECTOR), after=after)


def _is_ours(staged: Staged, body: bytes) -> bool:
    """Whether each sector is as before, or as it should become: else its file system has changed since."""
    if len(body) % _RECORD.size:
        return False
    for at, before, after in _RECORD.iter_unpack(body):
        now = staged.on_medium(at, SECTOR) if at + SECTOR <= staged.size else b""
        if now != after and zlib.crc32(now) != before:
            return False
    return True
