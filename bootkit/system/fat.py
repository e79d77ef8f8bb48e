"""Write to a FAT16 or FAT32 file system that is not mounted.

mtools would do it, but takes names for patterns, rewrites files in place, and puts the table on the medium last. Source:
Microsoft FAT specification (fatgen103, 2000): boot sector, FSInfo, directory entries, long and short names.
"""

import re
import struct
import time
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from bootkit.errors import BootkitError
from bootkit.formats.fat import Fat, FatEntry, FatGeometry, case_flags, counting, short_checksum, zero_entries
from bootkit.i18n import tr
from bootkit.model.filesystem import VFAT
from bootkit.system.clusters import RECORD, ClusterWriter, Folder, Member, Run
from bootkit.system.redo import Piece
from bootkit.system.staged import SECTOR, Staged
from bootkit.system.writer import Reserved, no_room

_LONG, _DIRECTORY, _ARCHIVE = 0x0F, 0x10, 0x20
_DELETED = b"\xe5"
_LAST_PIECE = 0x40
_PIECE_UNITS = 13
_SCAN = 1 << 20
"""Bytes of the table that are looked through at once; a multiple of both widths."""
_NOT_SHORT = re.compile(r"[^A-Z0-9$%'\-_@~`!(){}^#&]")
_TIMES_BEFORE_HASH = 4
_DIRTY_BITS = {16: (0x8000, 0x4000), 32: (0x08000000, 0x04000000)}
"""Of the second entry of the table: clear where the file system was not unmounted, and where the medium failed."""
_FREE_AT, _NEXT_AT = 488, 492
_CONTENT_AT = 13
"""In a short record, behind its name, its attributes and the case of its name: times, first cluster, size."""
_UNKNOWN = 0xFFFFFFFF


def fat_problem(staged: Staged) -> str | None:
    """Why it must be checked before it is written, as a clause; ``None`` if it need not be."""
    geometry = Fat(cast("BinaryIO", staged)).geometry
    if geometry.bits not in _DIRTY_BITS:
        return None
    width = geometry.bits // 8
    clean, sound = _DIRTY_BITS[geometry.bits]
    second = int.from_bytes(staged.on_medium(geometry.fat_offset + width, width), "little")
    state = staged.on_medium(65 if geometry.bits == 32 else 37, 1)[0]
    if not second & sound or state & 2:
        return "its medium has failed before"
    return "it was not unmounted cleanly" if not second & clean or state & 1 else None


def fat_spare_sector(staged: Staged) -> int:
    """The offset of the last reserved sector, which nothing of FAT uses where there are enough of them."""
    sector_size, _, reserved = struct.unpack("<HBH", staged.on_medium(11, 5))
    return int(sector_size * reserved - SECTOR)


def fat_gap(staged: Staged) -> Piece:
    """The reserved sectors of a FAT32 between the copies of its boot sectors and the last one."""
    if Fat(cast("BinaryIO", staged)).geometry.bits != 32:
        return 0, 0
    sector_size = int.from_bytes(staged.on_medium(11, 2), "little")
    info, copy = struct.unpack("<HH", staged.on_medium(48, 4))
    start = (max(info, copy + 2) + 1) * sector_size
    return start, max(0, fat_spare_sector(staged) - start)


class FatWriter(ClusterWriter[FatEntry]):
    """Changes to the FAT file system in ``staged``.

    Raises:
        BootkitError: it is FAT12.
        FormatError: there is none.
    """

    def __init__(self, staged: Staged) -> None:
        self._tree = Fat(cast("BinaryIO", staged))
        self._geometry: FatGeometry = self._tree.geometry
        if self._geometry.bits not in _DIRTY_BITS:
            raise BootkitError(tr("FAT12 cannot be written while it is not mounted"), hint=tr("mount it first"))
        self._width = self._geometry.bits // 8
        self._tables = staged.on_medium(16, 1)[0]
        sector_size, info = struct.unpack("<H35xH", staged.on_medium(11, 39))
        self._info_at = info * sector_size if self._geometry.bits == 32 and info not in (0, 0xFFFF) else 0
        self._hint = 2
        self._delta = 0
        """How many clusters more are free than before the first change."""
        super().__init__(staged, self._tree.root)

    def settle(self) -> None:
        super().settle()
        if self._info_at and self._staged.peek(self._info_at, 4) == b"RRaA":
            free, _ = struct.unpack("<II", self._staged.peek(self._info_at + _FREE_AT, 8))
            known = free if free == _UNKNOWN else max(0, free + self._delta)
            self._staged.put(self._info_at + _FREE_AT, struct.pack("<II", known, self._hint))
        self._delta = 0

    def exchange(self, one: str, other: str) -> None:
        """Let two files have each other's content: on the medium, one sector for each, whichever comes first."""
        here, first = self._file(one)
        there, second = self._file(other)
        places = here.places[first.first + first.count - 1], there.places[second.first + second.count - 1]
        records = [self._staged.peek(at, RECORD) for at in places]
        for at, own, their in zip(places, records, reversed(records), strict=True):
            self._staged.put(at, own[:_CONTENT_AT] + their[_CONTENT_AT:])
        for folder, member in ((here, first), (there, second)):
            member.entry = self._read_member(folder, member.first, member.count)

    @property
    def _cluster_size(self) -> int:
        return self._geometry.cluster_size

    def _offset(self, cluster: int) -> int:
        return self._geometry.offset(cluster)

    def _fold(self, name: str) -> str:
        return name.lower()

    def _load(self, entry: FatEntry, path: str) -> Folder[FatEntry]:
        folder: Folder[FatEntry] = Folder(entry, path)
        for at, size in self._tree.directory_extents(entry):
            folder.places.extend(range(at, at + size, RECORD))
        folder.used = bytearray(len(folder.places))
        numbers = {at: number for number, at in enumerate(folder.places)}
        for at, record in self._tree.records(entry):
            folder.used[numbers[at]] = 1
            if record[11] & 0x3F != _LONG and record[11] & 0x08 == 0 and record[:1] != b".":
                self._know(folder, numbers[at], record)
        return folder

    def _know(self, folder: Folder[FatEntry], number: int, short: bytes) -> None:
        """Take up a file by its short record and the pieces of its long name before it."""
        first = number
        while first > 0 and self._is_piece(folder.places[first - 1], short):
            first -= 1
        entry = self._read_member(folder, first, number - first + 1)
        folder.members.setdefault(self._fold(entry.name), Member(entry, first, number - first + 1))
        folder.short_names.add(short[:11])

    def _is_piece(self, at: int, short: bytes) -> bool:
        record = self._staged.peek(at, RECORD)
        return (
            record[:1] not in (_DELETED, b"\0")
            and record[11] & 0x3F == _LONG
            and record[13] == short_checksum(short[:11])
        )

    def _read_member(self, folder: Folder[FatEntry], first: int, count: int) -> FatEntry:
        places = folder.places[first : first + count]
        (entry,) = self._tree.entries([(at, self._staged.peek(at, RECORD)) for at in places])
        return entry

    def _take(self, count: int) -> tuple[Run, ...]:
        """Free clusters: in one piece where there is one, otherwise in the first pieces that there are."""
        gathered: list[Run] = []
        for first, length in self._free_runs(count):
            if length >= count:
                return self._taken(((first, count),))
            gathered.append((first, length))
        if sum(length for _, length in gathered) < count:
            raise no_room(count * self._cluster_size)
        runs: list[Run] = []
        for first, length in gathered:
            part = min(length, count)
            if part:
                runs.append((first, part))
            count -= part
        return self._taken(tuple(runs))

    def _taken(self, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        last = (0xFFFF, 0x0FFFFFFF)[self._geometry.bits == 32]
        for number, (first, count) in enumerate(runs):
            following = runs[number + 1][0] if number + 1 < len(runs) else last
            data = counting(first + 1, count - 1, self._width) + following.to_bytes(self._width, "little")
            self._set_entries(first, data)
            self._delta -= count
        self._hint = min(runs[-1][0] + runs[-1][1], self._geometry.clusters + 1)
        return runs

    def _give(self, first: int, count: int) -> None:
        self._set_entries(first, bytes(count * self._width))
        self._delta += count
        self._hint = min(self._hint, first)

    def _set_entries(self, first: int, data: bytes) -> None:
        for table in range(self._tables):
            at = self._geometry.fat_offset + table * self._geometry.fat_size + first * self._width
            self._staged.put(at, data)
        self._tree.forget_table()

    def _free_runs(self, enough: int) -> Iterator[Run]:  # noqa: ARG002  # it is read piece by piece anyway
        """Free clusters from where the last search ended to the end of the table, then from its beginning."""
        end = self._geometry.clusters + 2
        hint = self._hint
        yield from self._free_between(hint, end)
        yield from self._free_between(2, hint)

    def _free_between(self, start: int, end: int) -> Iterator[Run]:
        begun = length = 0
        per_scan = _SCAN // self._width
        for page in range(start, end, per_scan):
            count = min(per_scan, end - page)
            data = self._staged.peek(self._geometry.fat_offset + page * self._width, count * self._width)
            for first, run in zero_entries(data, self._width):
                if length and page + first == begun + length:
                    length += run
                    continue
                if length:
                    yield begun, length
                begun, length = page + first, run
        if length:
            yield begun, length

    def _runs(self, entry: FatEntry) -> Iterator[Run]:
        return self._tree.runs(entry.cluster, self._geometry.clusters)

    def _file_records(self, folder: Folder[FatEntry], name: str, reserved: Reserved) -> bytes:
        if not VFAT.holds(reserved.size):
            hint = tr("use a stick whose data partition is ext4: bootkit prepare --layout split")
            raise BootkitError(tr("{name} is larger than 4 GiB, which FAT32 cannot hold", name=name), hint=hint)
        return self._records(folder, name, _ARCHIVE, reserved.first, reserved.size)

    def _moved_records(self, folder: Folder[FatEntry], name: str, entry: FatEntry) -> bytes:
        return self._records(folder, name, _ARCHIVE, entry.cluster, entry.size)

    def _folder_records(self, folder: Folder[FatEntry], name: str) -> bytes:
        ((first, _),) = self._take(1)
        above = folder.entry.cluster if folder.path else 0
        dots = _short(b".          ", _DIRECTORY, first, 0) + _short(b"..         ", _DIRECTORY, above, 0)
        self._staged.write_past(self._offset(first), dots.ljust(self._cluster_size, b"\0"))
        return self._records(folder, name, _DIRECTORY, first, 0)

    def _records(self, folder: Folder[FatEntry], name: str, attributes: int, cluster: int, size: int) -> bytes:
        plain = _plain_short_name(name)
        if plain is not None and plain not in folder.short_names:
            folder.short_names.add(plain)
            return _short(plain, attributes, cluster, size, case=case_flags(name))
        short = _made_short_name(name, folder.short_names)
        folder.short_names.add(short)
        return _long(name, short) + _short(short, attributes, cluster, size)

    def _renewed(self, folder: Folder[FatEntry], old: Member[FatEntry], records: bytes) -> bytes:
        """The old ones, with all but the name in the last."""
        folder.short_names.discard(records[-RECORD:][:11])  # it was made because the old one has it still
        places = folder.places[old.first : old.first + old.count]
        kept = b"".join(self._staged.peek(at, RECORD) for at in places)
        short, new = kept[-RECORD:], records[-RECORD:]
        folder.short_names.add(short[:11])
        return kept[:-RECORD] + short[:11] + new[11:12] + short[12:13] + new[13:]

    def _erase(self, folder: Folder[FatEntry], member: Member[FatEntry]) -> None:
        last = folder.places[member.first + member.count - 1]
        folder.short_names.discard(self._staged.peek(last, 11))
        super()._erase(folder, member)

    def _erased(self, record: bytes) -> bytes:
        return _DELETED + record[1:]

    def _insert(self, folder: Folder[FatEntry], name: str, records: bytes) -> Member[FatEntry]:
        member = super()._insert(folder, name, records)
        # the record that ends a directory was written over: what lies behind it may be anything
        behind = member.first + member.count
        if behind < len(folder.places) and not any(folder.used[behind:]):
            self._staged.put(folder.places[behind], b"\0")
        return member

    def _grow(self, folder: Folder[FatEntry]) -> None:
        if not folder.path and self._geometry.root_size:
            raise BootkitError(tr("the root directory of this FAT16 is full"), hint=tr("put it into a folder"))
        *_, last = self._tree.clusters(folder.entry.cluster)
        ((added, _),) = self._take(1)
        self._staged.write_past(self._offset(added), bytes(self._cluster_size))
        self._set_entries(last, added.to_bytes(self._width, "little"))
        folder.places.extend(range(self._offset(added), self._offset(added) + self._cluster_size, RECORD))
        folder.used.extend(bytes(self._cluster_size // RECORD))


def _short(name: bytes, attributes: int, cluster: int, size: int, *, case: int = 0) -> bytes:
    now = time.gmtime()
    date = max(now.tm_year - 1980, 0) << 9 | now.tm_mon << 5 | now.tm_mday
    clock = now.tm_hour << 11 | now.tm_min << 5 | min(now.tm_sec, 59) // 2
    return struct.pack(
        "<11sBBBHHHHHHHI",
        name, attributes, case, 0, clock, date, date, cluster >> 16, clock, date, cluster & 0xFFFF, size,
    )  # fmt: skip


def _long(name: str, short: bytes) -> bytes:
    """The pieces of a long name, the last one first."""
    units = name.encode("utf-16-le")
    if len(units) // 2 % _PIECE_UNITS:
        units += b"\0\0"
    size = _PIECE_UNITS * 2
    pieces = [units[at : at + size].ljust(size, b"\xff") for at in range(0, len(units), size)]
    checksum = short_checksum(short)
    records = [
        struct.pack("<B10sBBB12sH4s", number, piece[:10], _LONG, 0, checksum, piece[10:22], 0, piece[22:])
        for number, piece in enumerate(pieces, 1)
    ]
    records[-1] = bytes((records[-1][0] | _LAST_PIECE,)) + records[-1][1:]
    return b"".join(reversed(records))


def _plain_short_name(name: str) -> bytes | None:
    """The short name that says all of a name of the form 8.3 whose parts are in one case each; ``None`` for any other."""
    base, dot, extension = name.partition(".")
    is_83 = 0 < len(base) <= 8 and len(extension) <= 3 and bool(extension) == bool(dot)
    one_case = all(part in (part.upper(), part.lower()) for part in (base, extension))
    if not is_83 or not one_case or not name.isascii() or _NOT_SHORT.search((base + extension).upper()):
        return None
    return base.upper().encode().ljust(8) + extension.upper().encode().ljust(3)


def _made_short_name(name: str, taken: set[bytes]) -> bytes:
    """A short name that stands for a long one and is not taken."""
    base, _, extension = name.lstrip(".").upper().rpartition(".")
    if not base:
        base, extension = extension, ""
    base, extension = _NOT_SHORT.sub("", base.replace(" ", "")), _NOT_SHORT.sub("", extension)[:3]
    for number in range(1, 1 << 20):
        # like Windows: a hash of the name once there are several, else many files of like names are slow
        stem = (
            base[:6] if number <= _TIMES_BEFORE_HASH else f"{base[:2]}{zlib.crc32(name.encode()) + number & 0xFFFF:04X}"
        )
        tail = f"~{number if number <= _TIMES_BEFORE_HASH else 1}"
        short = f"{(stem or '_')[: 8 - len(tail)]}{tail}".ljust(8) + extension.ljust(3)
        if short.encode() not in taken:
            return short.encode()
    raise BootkitError(tr("there is no short name left for {name}", name=name), hint=tr("give it another name"))
