"""Write to an exFAT file system that is not mounted, which no program does.

Every file lies in one piece and is marked so: GRUB, Linux and Windows read it fastest like this, and a table of one line
maps it where an initrd has no driver. Source: Microsoft exFAT file system specification (2019): 3.4
checksum, 6.3 directory entries, 7.1 allocation bitmap, 7.4 to 7.7 files.
"""

import re
import struct
import time
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from bootkit.formats.exfat import CONTIGUOUS, DIRECTORY, FILE, IN_USE, NAME, STREAM, Exfat, ExfatEntry, entry_of
from bootkit.formats.reader import read_at
from bootkit.model.plan import WriteFile
from bootkit.system.clusters import RECORD, ClusterWriter, Folder, Member, Run
from bootkit.system.redo import Piece
from bootkit.system.staged import SECTOR, Staged
from bootkit.system.writer import Reserved, no_room

_BOOT_SECTORS = 12
_SERIAL = 100
_CHECKSUM_SKIPS = (106, 107, 112)
"""Volume flags and percent in use change without a new checksum."""
_ARCHIVE = 0x20
_ALLOCATED = 0x01
_VOLUME_FLAGS = 106
_DIRTY, _FAILED = 0x02, 0x04
_END_OF_CHAIN = 0xFFFFFFFF


def set_serial(fh: BinaryIO, serial: int) -> None:
    """Give the volume another serial number, in both boot regions."""
    sector_size = 1 << read_at(fh, 108, 1)[0]
    for start in (0, _BOOT_SECTORS * sector_size):
        fh.seek(start + _SERIAL)
        fh.write(struct.pack("<I", serial))
        region = read_at(fh, start, (_BOOT_SECTORS - 1) * sector_size)
        fh.seek(start + (_BOOT_SECTORS - 1) * sector_size)
        fh.write(struct.pack("<I", _checksum32(region)) * (sector_size // 4))


def fill_exfat(fh: BinaryIO, size: int, folders: Sequence[str], files: Sequence[WriteFile]) -> None:
    """Put folders and files into an empty file system of ``size`` bytes; parents need not be named.

    Raises:
        FormatError: there is no exFAT file system in ``fh``.
        BootkitError: it is full.
    """
    staged = Staged(fh.fileno(), 0, size)
    writer = ExfatWriter(staged)
    for folder in folders:
        writer.make_folder(folder)
    for file in files:
        reserved = writer.reserve(len(file.content), ())
        for at, length in reserved.extents:
            assert at is not None  # exFAT has no holes
            staged.put(at, file.content[:length])
        writer.publish(file.path, reserved)
    writer.settle()
    # what is copied to a disk is what is no hole, and the disk may be full of old data
    staged.write_all()


def exfat_problem(staged: Staged) -> str | None:
    """Why it must be checked before it is written, as a clause; ``None`` if it need not be."""
    flags = int.from_bytes(staged.on_medium(_VOLUME_FLAGS, 2), "little")
    if flags & _FAILED:
        return "its medium has failed before"
    return "it was not unmounted cleanly" if flags & _DIRTY else None


def exfat_spare_sector(staged: Staged) -> int:
    """The offset of a sector that exFAT leaves alone: the last one before its table, if there is a gap."""
    fat = int.from_bytes(staged.on_medium(80, 4), "little") << staged.on_medium(108, 1)[0]
    return fat - SECTOR


def exfat_gap(staged: Staged) -> Piece:
    """What lies between both boot regions and the table, but for the last sector."""
    start = 2 * _BOOT_SECTORS << staged.on_medium(108, 1)[0]
    return start, max(0, exfat_spare_sector(staged) - start)


class ExfatWriter(ClusterWriter[ExfatEntry]):
    """Changes to the exFAT file system in ``staged``.

    Raises:
        FormatError: there is none, or it is damaged.
    """

    def __init__(self, staged: Staged) -> None:
        self._tree = Exfat(cast("BinaryIO", staged))
        self._geometry = self._tree.geometry
        self._bitmap_at, self._bitmap = self._tree.bitmap()
        self._upcase = self._tree.upcase()
        super().__init__(staged, self._tree.root)

    @property
    def _cluster_size(self) -> int:
        return self._geometry.cluster_size

    def _offset(self, cluster: int) -> int:
        return self._geometry.offset(cluster)

    def _fold(self, name: str) -> str:
        return name.lower()

    def _load(self, entry: ExfatEntry, path: str) -> Folder[ExfatEntry]:
        folder: Folder[ExfatEntry] = Folder(entry, path)
        left = 0
        for at, record in self._tree.records(entry):
            if record[0] == FILE:
                left = record[1] + 1
            folder.places.append(at)
            folder.used.append(bool(record[0] & IN_USE))
            left -= 1
            if left == 0:
                self._know(folder, len(folder.places))
        return folder

    def _know(self, folder: Folder[ExfatEntry], end: int) -> None:
        """Take up the set of records that ends there, if it is whole."""
        first = end - 1
        while first > 0 and self._staged.peek(folder.places[first], 1)[0] != FILE:
            first -= 1
        entry = self._entry(folder, first, end - first)
        if entry is not None:
            folder.members.setdefault(self._fold(entry.name), Member(entry, first, end - first))

    def _entry(self, folder: Folder[ExfatEntry], first: int, count: int) -> ExfatEntry | None:
        return entry_of([(at, self._staged.peek(at, RECORD)) for at in folder.places[first : first + count]])

    def _read_member(self, folder: Folder[ExfatEntry], first: int, count: int) -> ExfatEntry:
        entry = self._entry(folder, first, count)
        assert entry is not None  # they were just written
        return entry

    def _take(self, count: int) -> tuple[Run, ...]:
        at = first_run(self._bitmap, count, self._geometry.clusters)
        if at < 0:
            raise no_room(count * self._cluster_size, piece=True)
        self._mark(at, count, used=True)
        return ((at + 2, count),)

    def _give(self, first: int, count: int) -> None:
        self._mark(first - 2, count, used=False)

    def _mark(self, at: int, count: int, *, used: bool) -> None:
        start, end = at // 8, -(-(at + count) // 8)
        bits = ((1 << count) - 1) << (at - start * 8)
        old = int.from_bytes(self._bitmap[start:end], "little")
        new = (old | bits if used else old & ~bits).to_bytes(end - start, "little")
        self._bitmap[start:end] = new
        self._staged.put(self._bitmap_at + start, new)

    def _free_runs(self, enough: int) -> Iterator[Run]:
        at = 0
        while (at := first_run(self._bitmap, 1, self._geometry.clusters, at)) >= 0:
            end = next_used(self._bitmap, at, min(self._geometry.clusters, at + enough))
            yield at + 2, end - at
            at = end

    def _runs(self, entry: ExfatEntry) -> Iterator[Run]:
        if entry.contiguous:
            yield entry.cluster, -(-entry.allocated // self._cluster_size)
        else:
            yield from ((cluster, 1) for cluster in self._tree.clusters_of(entry))

    def _file_records(self, folder: Folder[ExfatEntry], name: str, reserved: Reserved) -> bytes:  # noqa: ARG002
        return self._set(name, _ARCHIVE, reserved.first, reserved.size)

    def _moved_records(self, folder: Folder[ExfatEntry], name: str, entry: ExfatEntry) -> bytes:  # noqa: ARG002
        return self._set(
            name, _ARCHIVE, entry.cluster, entry.size, allocated=entry.allocated, contiguous=entry.contiguous
        )

    def _folder_records(self, folder: Folder[ExfatEntry], name: str) -> bytes:  # noqa: ARG002
        # a directory has at least one cluster, even if nothing is in it
        ((first, _),) = self._take(1)
        self._staged.write_past(self._offset(first), bytes(self._cluster_size))
        return self._set(name, DIRECTORY, first, self._cluster_size)

    def _renewed(self, folder: Folder[ExfatEntry], old: Member[ExfatEntry], records: bytes) -> bytes:  # noqa: ARG002
        return records

    def _erased(self, record: bytes) -> bytes:
        return bytes((record[0] & ~IN_USE,)) + record[1:]

    def _grow(self, folder: Folder[ExfatEntry]) -> None:
        """Double a directory: the root by its chain, any other by a move to where there is room in one piece."""
        entry = folder.entry
        if not folder.path:
            *_, (last, length) = self._runs(entry)
            ((added, _),) = self._take(1)
            self._staged.write_past(self._offset(added), bytes(self._cluster_size))
            self._link(added, _END_OF_CHAIN)
            self._link(last + length - 1, added)
            self._extend(folder, self._offset(added), self._cluster_size)
            return
        old = b"".join(self._staged.peek(at, RECORD) for at in folder.places)
        size = 2 * len(old)
        ((first, _),) = self._take(size // self._cluster_size)
        self._staged.write_past(self._offset(first), old + bytes(len(old)))
        self._removed.extend(self._runs(entry))
        self._move(folder, first, size)

    def _move(self, folder: Folder[ExfatEntry], first: int, size: int) -> None:
        """Let the parent of a directory point to its new place; all that is known of it there moves along."""
        above, _, folded = folder.path.rpartition("/")
        parent = self._folders[above]
        member = parent.members[folded]
        records = self._set(member.entry.name, DIRECTORY, first, size)
        self._put(parent, member.first, records)
        member.entry = folder.entry = self._read_member(parent, member.first, member.count)
        known, folder.places, folder.used = folder.used, [], bytearray()
        self._extend(folder, self._offset(first), size)
        folder.used[: len(known)] = known

    def _extend(self, folder: Folder[ExfatEntry], at: int, size: int) -> None:
        folder.places.extend(range(at, at + size, RECORD))
        folder.used.extend(bytes(size // RECORD))

    def _link(self, cluster: int, following: int) -> None:
        self._staged.put(self._geometry.fat_offset + cluster * 4, struct.pack("<I", following))

    def _set(
        self,
        name: str,
        attributes: int,
        first: int,
        size: int,
        *,
        allocated: int | None = None,
        contiguous: bool = True,
    ) -> bytes:
        """The directory entries of a file or folder."""
        encoded = name.encode("utf-16-le")
        names = [encoded[at : at + 30] for at in range(0, len(encoded), 30)]
        stamp = _timestamp()
        head = struct.pack(
            "<BBHHHIIIBBBBB7x", FILE, 1 + len(names), 0, attributes, 0, *[stamp] * 3, 0, 0, 0x80, 0x80, 0x80
        )
        flags = _ALLOCATED | (CONTIGUOUS if first and contiguous else 0)
        units = struct.unpack(f"<{len(encoded) // 2}H", encoded)
        capitals = struct.pack(f"<{len(units)}H", *(self._upcase.get(unit, unit) for unit in units))
        whole = size if allocated is None else allocated
        stream = struct.pack("<BBxBHHQ4xIQ", STREAM, flags, len(units), _checksum16(capitals), 0, size, first, whole)
        entries = bytearray(head + stream + b"".join(struct.pack("<BB30s", NAME, 0, part) for part in names))
        # the checksum covers all but its own two bytes
        struct.pack_into("<H", entries, 2, _checksum16(bytes(entries[:2] + entries[4:])))
        return bytes(entries)


_NOT_FULL = re.compile(rb"[^\xff]")
_NOT_EMPTY = re.compile(rb"[^\0]")


def first_run(bitmap: bytearray, count: int, bits: int, start: int = 0) -> int:
    """The first of ``count`` zero bits in a row from ``start`` on, the lowest bit of a byte first; negative if there is none.

    Works on whole bytes as far as it can: the bitmap of 1 TB has a million of them.
    """
    at, whole = start, bytes(max(0, (count - 7) // 8))
    while at < bits:
        if whole:  # as many bytes of zeros are in any such row
            found = bitmap.find(whole, at // 8)
            if found < 0:
                return -1
            at = max(at, found * 8 - 7)
        elif (used := _NOT_FULL.search(bitmap, at // 8)) is None:
            return -1
        else:
            at = max(at, used.start() * 8)
        end = next_used(bitmap, at, min(bits, at + count))
        if end - at == count:
            return at
        at = end + 1
    return -1


def next_used(bitmap: bytearray, at: int, bits: int) -> int:
    """The first bit from ``at`` on that is 1, or ``bits``."""
    while at % 8 and at < bits:
        if bitmap[at // 8] >> at % 8 & 1:
            return at
        at += 1
    if at >= bits:
        return bits
    found = _NOT_EMPTY.search(bitmap, at // 8, -(-bits // 8))
    if found is None:
        return bits
    lowest = (bitmap[found.start()] & -bitmap[found.start()]).bit_length() - 1
    return min(bits, found.start() * 8 + lowest)


def _timestamp() -> int:
    """Now, in UTC, as FAT writes it: date in the high half, two-second steps."""
    now = time.gmtime()
    date = max(now.tm_year - 1980, 0) << 9 | now.tm_mon << 5 | now.tm_mday
    return date << 16 | now.tm_hour << 11 | now.tm_min << 5 | min(now.tm_sec, 59) // 2


def _checksum16(data: bytes) -> int:
    value = 0
    for byte in data:
        value = ((value >> 1 | (value & 1) << 15) + byte) & 0xFFFF
    return value


def _checksum32(data: bytes) -> int:
    value = 0
    for at, byte in enumerate(data):
        if at not in _CHECKSUM_SKIPS:
            value = ((value >> 1 | (value & 1) << 31) + byte) & 0xFFFFFFFF
    return value
