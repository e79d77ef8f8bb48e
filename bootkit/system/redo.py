"""Changes to a partition that are on the medium as a whole or not at all, whatever is pulled or killed meanwhile.

First, all that changes is written to room of the file system that nothing uses, then one sector that tells where this is: from
that moment on the changes count. Only now they are made in place, step by step, and the sector is cleared. Whoever opens the
partition next finds the sector and repeats what may have been left half done. Nothing of it depends on the host: it is the same
for an image file and a device, and on whichever computer the stick is plugged in next.
"""

import heapq
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from bootkit.system.staged import SECTOR, SectorChange, Staged, Step

Piece = tuple[int, int]
"""Offset and length in bytes, from the start of the partition."""

_MAGIC = b"bootkit redo 3\r\n"
_OLDER = b"bootkit redo 2\r\n"
"""Of a bootkit whose records have the sectors as they are."""
_HEAD = struct.Struct("<16sQII")
"""Magic, bytes and CRC-32 of the records, number of pieces; behind it the pieces, and at the end of the sector its CRC-32."""
_PIECE = struct.Struct("<QQ")
_PIECES = (SECTOR - _HEAD.size - 4) // _PIECE.size
_RECORD = struct.Struct(f"<QIB{SECTOR}s")
"""Where a sector lies, CRC-32 of what was there before, number of the step, what is to be there, see :func:`_in_planes`. All are compressed."""
_AT_ONCE = 256
"""Records that are compressed by one call."""
_LIMIT = 128 << 20
"""Bytes of records; the largest change is the removal of a file of 4 TB, whose bitmap has as many."""
_STAMP = b"bootkit records\n"
"""At the beginning of a sector that lies outside of all file systems and holds a part of the records."""


class Room:
    """The largest of the pieces that were added, as many as one sector can tell of, for ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._total = 0
        self._pieces: list[Piece] = []
        """A heap: length and offset."""

    def add(self, at: int, length: int) -> None:
        length = min(length, self._size)
        heapq.heappush(self._pieces, (length, at))
        self._total += length
        if len(self._pieces) > _PIECES:
            self._total -= heapq.heappop(self._pieces)[0]

    @property
    def is_enough(self) -> bool:
        return self._total >= self._size

    @property
    def pieces(self) -> Sequence[Piece]:
        return [(at, length) for length, at in sorted(self._pieces, reverse=True)]


class NoRoomForRedo(Exception):
    """Too little free room for the records."""


def commit(staged: Staged, sector: int, room: Callable[[int], Sequence[Piece]], gap: Piece = (0, 0)) -> None:
    """Bring what was put to the medium.

    ``sector`` is the offset of a sector of the partition that nothing else uses, ``room`` answers a number of bytes with
    pieces that are free before and after the change, and ``gap`` is where a little has room if they are too few: whole sectors
    of which only those are used that are empty, or were used so before. All that was written past has to be there already;
    this makes sure that it is on the medium first.

    Raises:
        NoRoomForRedo: ``room`` has given too little, or in too many pieces. Nothing was changed.
    """
    steps = staged.steps()
    if not steps:
        staged.forget()
        return
    body = _records(steps)
    pieces = _fitted(room(len(body)), len(body)) or _in_gap(staged, gap, len(body))
    if not pieces:
        raise NoRoomForRedo
    done = 0
    for at, length in pieces:
        staged.write_past(at, memoryview(body)[done : done + length])
        done += length
    staged.sync()
    staged.write_past(sector, _pointer(body, pieces))
    staged.sync()
    _apply(staged, steps)
    staged.write_past(sector, bytes(SECTOR))
    staged.forget()


def pending(staged: Staged, sector: int) -> Sequence[Step] | None:
    """The changes that were begun and may not be complete; ``None`` if there are none.

    They are empty where they no longer count: the records are damaged, or a sector is neither what it was before nor what
    it should become, because another program has written to the partition since.
    """
    head = staged.on_medium(sector, SECTOR)
    if not head.startswith((_MAGIC, _OLDER)):
        return None
    if zlib.crc32(head[:-4]) != int.from_bytes(head[-4:], "little"):
        return ()
    _, size, checksum, count = _HEAD.unpack_from(head)
    pieces = [_PIECE.unpack_from(head, _HEAD.size + number * _PIECE.size) for number in range(min(count, _PIECES))]
    if size > _LIMIT or sum(length for _, length in pieces) != size:
        return ()
    if any(at + length > staged.size for at, length in pieces):
        return ()
    body = b"".join(staged.on_medium(at, length) for at, length in pieces)
    records = _unpacked(body, in_planes=head.startswith(_MAGIC)) if zlib.crc32(body) == checksum else b""
    return _recorded(staged, records) if _is_ours(staged, records) else ()


def repeat(staged: Staged, sector: int, steps: Sequence[Step]) -> None:
    """Make the changes of :func:`pending`, and clear the sector that tells of them."""
    _apply(staged, steps)
    staged.write_past(sector, bytes(SECTOR))
    staged.sync()


def is_free(staged: Staged, sector: int) -> bool:
    """Whether the sector holds nothing of anybody else's."""
    head = staged.on_medium(sector, SECTOR)
    return head.startswith((_MAGIC, _OLDER)) or head.count(0) == SECTOR


def _apply(staged: Staged, steps: Sequence[Step]) -> None:
    for step in steps:
        for at, data in _joined(step):
            staged.write_past(at, data)
        staged.sync()


def _joined(changes: Step) -> Iterator[tuple[int, bytes]]:
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
    """As much of ``room`` as is needed, the last piece cut; nothing if it is too little, or in too many pieces."""
    fitted: list[Piece] = []
    for at, length in room:
        if size > 0:
            fitted.append((at, min(length, size)))
            size -= length
    return tuple(fitted) if size <= 0 and len(fitted) <= _PIECES else ()


def _in_gap(staged: Staged, gap: Piece, size: int) -> tuple[Piece, ...]:
    """Room in a gap: the rest of each of its sectors that is empty or bears our stamp, which it gets; nothing if it is too little."""
    inside = SECTOR - len(_STAMP)
    needed = -(-size // inside)
    found: list[int] = []
    for sector in range(gap[0], gap[0] + gap[1], SECTOR):
        content = staged.on_medium(sector, SECTOR)
        if content.startswith(_STAMP) or content.count(0) == SECTOR:
            found.append(sector)
        if len(found) == needed:
            break
    if len(found) < needed or needed > _PIECES:
        return ()
    for sector in found:
        staged.write_past(sector, _STAMP)
    return _fitted([(sector + len(_STAMP), inside) for sector in found], size)


def _records(steps: Sequence[Step]) -> bytes:
    packer = zlib.compressobj(1)
    packed = [
        packer.compress(b"".join(_record(number, change) for change in step[at : at + _AT_ONCE]))
        for number, step in enumerate(steps)
        for at in range(0, len(step), _AT_ONCE)
    ]
    return b"".join((*packed, packer.flush()))


def _record(number: int, change: SectorChange) -> bytes:
    return _RECORD.pack(change.at, zlib.crc32(change.before), number, _in_planes(change.after))


def _in_planes(sector: bytes) -> bytes:
    """First the first bytes of all its numbers of four bytes, then their second bytes, and so on.

    A table of clusters counts up: so it takes a tenth of the room, and a quarter of the time.
    """
    return sector[::4] + sector[1::4] + sector[2::4] + sector[3::4]


def _of_planes(content: bytes) -> bytes:
    sector = bytearray(SECTOR)
    for plane in range(4):
        sector[plane::4] = content[plane * SECTOR // 4 : (plane + 1) * SECTOR // 4]
    return bytes(sector)


def _unpacked(body: bytes, *, in_planes: bool) -> bytes:
    """The records, their sectors as they are; nothing if they are damaged, or more than anybody writes."""
    unpacker = zlib.decompressobj()
    try:
        records = unpacker.decompress(body, _LIMIT)
    except zlib.error:
        return b""
    if not unpacker.eof or len(records) % _RECORD.size:
        return b""
    if not in_planes:
        return records
    parts = _RECORD.iter_unpack(records)
    return b"".join(_RECORD.pack(at, before, number, _of_planes(after)) for at, before, number, after in parts)


def _recorded(staged: Staged, records: bytes) -> tuple[Step, ...]:
    numbered = (
        (number, SectorChange(at=at, before=staged.on_medium(at, SECTOR), after=after))
        for at, _, number, after in _RECORD.iter_unpack(records)
    )
    return tuple(tuple(change for _, change in step) for _, step in groupby(numbered, key=lambda pair: pair[0]))


def _is_ours(staged: Staged, records: bytes) -> bool:
    """Whether each sector is as before one of its changes, or as behind it: else its file system has changed since."""
    stages: dict[int, set[int]] = {}
    for at, before, _, after in _RECORD.iter_unpack(records):
        stages.setdefault(at, set()).update((before, zlib.crc32(after)))
    return all(
        at + SECTOR <= staged.size and zlib.crc32(staged.on_medium(at, SECTOR)) in known for at, known in stages.items()
    )
