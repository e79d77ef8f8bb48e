"""Write to an exFAT file system that is not mounted, which no program does.

Every file lies in one piece and is marked so: GRUB, Linux and Windows read it fastest like this, and a table of one line
maps it where an initrd has no driver. Clusters are marked as used before anything points to them, and freed when nothing
does any more: a power cut loses room, never a file. Source: Microsoft exFAT file system specification (2019): 3.4
checksum, 6.3 directory entries, 7.1 allocation bitmap, 7.4 to 7.7 files.
"""

import struct
import time
from collections.abc import Iterable, Sequence
from typing import BinaryIO, cast

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.exfat import CONTIGUOUS, DIRECTORY, FILE, IN_USE, NAME, RECORD, STREAM, Exfat, ExfatEntry
from bootkit.formats.reader import Window, read_at
from bootkit.model.plan import WriteFile
from bootkit.system.volume import parts_of

_BOOT_SECTORS = 12
_SERIAL = 100
_CHECKSUM_SKIPS = (106, 107, 112)
"""Volume flags and percent in use change without a new checksum."""
_ARCHIVE = 0x20
_ALLOCATED = 0x01
_END_OF_CHAIN = 0xFFFFFFFF
_BITS = tuple(bytes(value >> bit & 1 for bit in range(8)) for value in range(256))


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
    writer = ExfatWriter(fh, 0, size)
    for folder in folders:
        writer.make_folder(folder)
    for file in files:
        writer.write(file.path, file.content)


class ExfatWriter:
    """Changes the file system of ``size`` bytes at ``offset`` of ``fh``, which is open for reading and writing, unbuffered.

    Raises:
        FormatError: there is none, or it is damaged.
    """

    def __init__(self, fh: BinaryIO, offset: int, size: int) -> None:
        self._fh = fh
        self._offset = offset
        self._size = size
        self._tree = self._fresh()
        self._geometry = self._tree.geometry
        self._bitmap_at, self._bitmap = self._tree.bitmap()
        self._upcase = self._tree.upcase()

    def make_folder(self, path: str) -> ExfatEntry:
        """The folder, made with its parents where it is not there."""
        here = ""
        for part in parts_of(path):
            below = f"{here}/{part}"
            if self._tree.find(below) is None:
                # a directory has at least one cluster, even if nothing is in it
                size = self._geometry.cluster_size
                first = self.allocate(size)
                self.put(self._geometry.offset(first), bytes(size))
                self._insert(here, self._set(part, DIRECTORY, first, size))
            here = below
        folder = self._tree.find(here)
        if folder is None or not folder.is_dir:
            raise BootkitError(f"{path} is a file, not a folder")
        return folder

    def write(self, path: str, content: bytes) -> None:
        """Write a small file; the old one stays until the new one is complete."""
        first = self.allocate(len(content))
        if content:
            self.put(self._geometry.offset(first), content)
        self.publish(path, first, len(content))

    def allocate(self, size: int) -> int:
        """The first of as many free clusters in a row as ``size`` bytes take; 0 for none.

        Raises:
            BootkitError: there is no such row.
        """
        count = -(-size // self._geometry.cluster_size)
        if not count:
            return 0
        at = b"".join(_BITS[byte] for byte in self._bitmap).find(bytes(count), 0, self._geometry.clusters)
        if at < 0:
            raise BootkitError(
                f"there is no free room of {size} bytes in one piece",
                hint="make room: bootkit list, bootkit remove IMAGE",
            )
        self._mark(range(at + 2, at + 2 + count), used=True)
        return at + 2

    def start_of(self, cluster: int) -> int:
        """Where a cluster lies, in bytes from the start of ``fh``."""
        return self._offset + self._geometry.offset(cluster)

    def publish(self, path: str, first: int, size: int) -> None:
        """Give clusters that have been written a name; the room of an older file of that name is freed."""
        parts_of(path)
        folder, _, name = path.rpartition("/")
        self.make_folder(folder)
        old = self._tree.find(path)
        records = self._set(name, _ARCHIVE, first, size)
        if old is not None and len(old.records) * RECORD == len(records):
            for number, at in enumerate(old.records):
                self.put(at, records[number * RECORD : (number + 1) * RECORD])
            self._tree = self._fresh()
        else:
            if old is not None:
                self._unlink(old)
            self._insert(folder, records)
        if old is not None:
            self.release(old)

    def remove(self, path: str) -> None:
        entry = self._file(path)
        self._unlink(entry)
        self.release(entry)

    def rename(self, old: str, new: str) -> None:
        """Move a file; one of the new name is replaced."""
        parts_of(new)
        entry, replaced = self._file(old), self._tree.find(new)
        if replaced is not None and replaced.records != entry.records:
            self.remove(new)
        folder, _, name = new.rpartition("/")
        self.make_folder(folder)
        records = self._set(
            name, _ARCHIVE, entry.cluster, entry.size, allocated=entry.allocated, contiguous=entry.contiguous
        )
        self._unlink(entry)
        self._insert(folder, records)

    def release(self, entry: ExfatEntry) -> None:
        """Free the clusters of what nothing points to any more."""
        self._mark(tuple(self._tree.clusters_of(entry)), used=False)

    def discard(self, first: int, size: int) -> None:
        """Free clusters that :meth:`allocate` gave and nothing has a name for."""
        self._mark(range(first, first - (-size // self._geometry.cluster_size)), used=False)

    def put(self, at: int, data: bytes) -> None:
        """Write bytes at a place of the file system."""
        self._fh.seek(self._offset + at)
        self._fh.write(data)

    def _fresh(self) -> Exfat:
        """A reader that has kept nothing."""
        return Exfat(cast("BinaryIO", Window(self._fh, self._offset, self._size)))

    def _file(self, path: str) -> ExfatEntry:
        parts_of(path)
        entry = self._tree.find(path)
        if entry is None or entry.is_dir:
            raise BootkitError(f"there is no file {path}")
        return entry

    def _mark(self, clusters: Iterable[int], *, used: bool) -> None:
        changed: set[int] = set()
        for cluster in clusters:
            byte, bit = divmod(cluster - 2, 8)
            self._bitmap[byte] = self._bitmap[byte] & ~(1 << bit) | (used << bit)
            changed.add(byte)
        if changed:
            first, last = min(changed), max(changed)
            self.put(self._bitmap_at + first, bytes(self._bitmap[first : last + 1]))

    def _unlink(self, entry: ExfatEntry) -> None:
        for at in entry.records:
            self.put(at, bytes((read_at(self._fh, self._offset + at, 1)[0] & ~IN_USE,)))
        self._tree = self._fresh()

    def _insert(self, folder: str, records: bytes) -> None:
        directory = self._tree.find(folder)
        if directory is None:
            raise FormatError(f"the directory {folder} is damaged")
        places = self._places(directory, len(records) // RECORD)
        if not places:
            self._grow(directory)
            directory = self._tree.find(folder)
            if directory is None:
                raise FormatError(f"the directory {folder} is damaged")
            places = self._places(directory, len(records) // RECORD)
        for number, at in enumerate(places):
            self.put(at, records[number * RECORD : (number + 1) * RECORD])
        self._tree = self._fresh()

    def _places(self, directory: ExfatEntry, count: int) -> list[int]:
        """``count`` unused entries in a row; empty if the directory is full."""
        row: list[int] = []
        for at, record in self._tree.records(directory):
            row = [] if record[0] & IN_USE else [*row, at]
            if len(row) == count:
                return row
        return []

    def _grow(self, directory: ExfatEntry) -> None:
        """Double a directory: the root by its chain, any other by a move to where there is room in one piece."""
        size = self._geometry.cluster_size
        clusters = tuple(self._tree.clusters_of(directory))
        if not directory.records:
            added = self.allocate(size)
            self.put(self._geometry.offset(added), bytes(size))
            self._link(added, _END_OF_CHAIN)
            self._link(clusters[-1], added)
        else:
            old = b"".join(record for _, record in self._tree.records(directory))
            first = self.allocate(2 * len(old))
            self.put(self._geometry.offset(first), old + bytes(len(old)))
            records = self._set(directory.name, DIRECTORY, first, 2 * len(old))
            for number, at in enumerate(directory.records):
                self.put(at, records[number * RECORD : (number + 1) * RECORD])
            self.release(directory)
        self._tree = self._fresh()

    def _link(self, cluster: int, following: int) -> None:
        self.put(self._geometry.fat_offset + cluster * 4, struct.pack("<I", following))

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
