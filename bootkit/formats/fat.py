"""FAT12, FAT16 and FAT32 with long names, read-only.

Source: Microsoft FAT specification (fatgen103, 2000): boot sector, cluster count that decides the width, long names.
"""

import re
import struct
from calendar import timegm
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from functools import cache
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, clip, read_at
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.values import dataclass

_VOLUME_LABEL, _DIRECTORY, _LONG_NAME = 0x08, 0x10, 0x0F
_LOWER_BASE, _LOWER_EXTENSION = 0x08, 0x10
_FAT32_CLUSTERS = 0x0FFFFFF5
_FAT32_BITS = 0x0FFFFFFF
_AT_ONCE = 3072
_ROOT_IDENT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FatEntry(Entry):
    cluster: int
    """The first of the chain; 0 for an empty file and for a FAT12 or FAT16 root."""
    record: int = 0
    """Where its short record lies; 0 for the root, which has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FatGeometry:
    """Where things are, in bytes from the start of the file system."""

    bits: int
    """12, 16 or 32."""
    cluster_size: int
    clusters: int
    fat_offset: int
    fat_size: int
    root_offset: int
    root_size: int
    """Bytes of the root directory; like its offset 0 for FAT32, whose root is a chain of clusters."""
    root_cluster: int
    data_offset: int
    size: int
    uuid: str
    """The serial number as udev shows it: ``ABCD-1234``."""
    label: str
    """From the boot sector."""

    def offset(self, cluster: int) -> int:
        return self.data_offset + (cluster - 2) * self.cluster_size


class Fat(FileTree[FatEntry]):
    """The tree of a FAT file system; names are found whatever their case.

    Raises:
        FormatError: the boot sector is not that of a FAT file system.
    """

    def __init__(self, fh: BinaryIO) -> None:
        self.geometry = read_geometry(fh)
        root = FatEntry(name="", is_dir=True, ident=_ROOT_IDENT, cluster=self.geometry.root_cluster)
        super().__init__(fh, root)
        self._table = _Table(fh, self.geometry)
        self._asked: tuple[FatEntry, tuple[Extent, ...]] | None = None
        """The file that was asked for last and where it lies: the chain of a large one has a million links."""

    @property
    def uuid(self) -> str:
        return self.geometry.uuid

    @property
    def label(self) -> str:
        """The label in the root directory, where labels are changed; else that in the boot sector."""
        for _, record in self.records(self._root):
            if record[11] & _VOLUME_LABEL and record[11] & _LONG_NAME != _LONG_NAME:
                return _short(record[:11].rstrip())
        return self.geometry.label

    def free_clusters(self) -> int:
        """Unused clusters, counted in the table: the sum that FAT32 keeps is only a hint."""
        return self._table.free()

    def _fold(self, name: str) -> str:
        return name.lower()

    def _target(self, link: FatEntry) -> str:
        raise FormatError(f"{link.name}: FAT has no symbolic links")

    def _extents(self, entry: FatEntry) -> tuple[Extent, ...]:
        if self._asked is None or self._asked[0] != entry:
            self._asked = (entry, self._found_extents(entry))
        return self._asked[1]

    def _found_extents(self, entry: FatEntry) -> tuple[Extent, ...]:
        geometry = self.geometry
        runs = self.runs(entry.cluster, -(-entry.size // geometry.cluster_size))
        places = ((geometry.offset(first), count * geometry.cluster_size) for first, count in runs)
        extents = clip(places, entry.size)
        if extents and extents[-1][0] is None:
            raise FormatError(f"the cluster chain of {entry.name} is shorter than the file")
        return extents

    @property
    def root(self) -> FatEntry:
        return self._root

    def clusters(self, first: int) -> Iterator[int]:
        """The chain that begins with a cluster."""
        # A chain cannot be longer than all clusters: ends one that bites its tail.
        for _ in range(self.geometry.clusters):
            if not 2 <= first < self.geometry.clusters + 2:
                return
            yield first
            first = self._table.next(first)

    def runs(self, first: int, limit: int) -> Iterator[tuple[int, int]]:
        """The same in runs of clusters that follow one another: the first and how many; ``limit`` clusters at most."""
        left = min(limit, self.geometry.clusters)
        while left and 2 <= first < self.geometry.clusters + 2:
            count, following = self._table.run(first, left)
            yield first, count
            first, left = following, left - count

    def directory_extents(self, directory: FatEntry) -> Iterable[tuple[int, int]]:
        """Where the records of a directory lie."""
        geometry = self.geometry
        if directory.ident == _ROOT_IDENT and geometry.root_size:
            return ((geometry.root_offset, geometry.root_size),)
        return self._chain(directory.cluster, DIRECTORY_LIMIT)

    def forget_table(self) -> None:
        """Read the allocation table anew: it was changed."""
        self._table = _Table(self._fh, self.geometry)
        self._asked = None

    def entries(self, records: Iterable[tuple[int, bytes]]) -> Iterator[FatEntry]:
        """The files and folders that records make, each with where it lies."""
        long_name = _LongName()
        for at, record in records:
            attributes = record[11]
            if attributes & 0x3F == _LONG_NAME:
                long_name.add(record)
                continue
            name = long_name.take(record) or _short_name(record)
            if attributes & _VOLUME_LABEL or name in (".", ".."):
                continue
            yield self._entry(name, record, at)

    def _read_directory(self, directory: FatEntry) -> Iterator[FatEntry]:
        yield from self.entries(self.records(directory))

    def _entry(self, name: str, record: bytes, at: int) -> FatEntry:
        high, time, date, low, size = struct.unpack_from("<HHHHI", record, 20)
        cluster = low | (high << 16 if self.geometry.bits == 32 else 0)
        is_dir = bool(record[11] & _DIRECTORY)
        return FatEntry(
            name=name,
            is_dir=is_dir,
            size=0 if is_dir else size,
            mtime=_seconds(date, time),
            # Cluster 0 as a directory is how ".." names the root.
            ident=cluster,
            record=at,
            cluster=cluster or (self.geometry.root_cluster if is_dir else 0),
        )

    def records(self, directory: FatEntry) -> Iterator[tuple[int, bytes]]:
        """The records of a directory that are in use, each with where it lies."""
        geometry = self.geometry
        seen: set[int] = set()
        for offset, length in self.directory_extents(directory):
            if offset in seen:
                self.warn(f"the cluster chain of the directory {directory.name or '/'} bites its tail")
                return
            seen.add(offset)
            # One cluster at a time: the end mark comes early in most chains, above all in a damaged one.
            for at in range(offset, offset + length, geometry.cluster_size):
                data = read_at(self._fh, at, min(geometry.cluster_size, offset + length - at))
                for start in range(0, len(data), 32):
                    if data[start] == 0:
                        return
                    if data[start] != 0xE5:
                        yield at + start, data[start : start + 32]

    def _chain(self, cluster: int, size: int) -> Iterator[tuple[int, int]]:
        """The clusters from ``cluster`` on, as long as they are needed for ``size`` bytes."""
        geometry = self.geometry
        # A chain cannot be longer than all clusters: ends one that bites its tail.
        for _ in range(min(-(-size // geometry.cluster_size), geometry.clusters)):
            if not 2 <= cluster < geometry.clusters + 2:
                return
            yield geometry.offset(cluster), geometry.cluster_size
            cluster = self._table.next(cluster)


def read_geometry(fh: BinaryIO) -> FatGeometry:
    """What the boot sector says.

    Raises:
        FormatError: it is not that of a FAT file system.
    """
    sector = read_at(fh, 0, 512)
    bytes_per_sector, per_cluster, reserved, fats, root_entries, small = struct.unpack_from("<HBHBHH", sector, 11)
    per_fat, large, large_per_fat = struct.unpack_from("<H8xII", sector, 22)
    per_fat, total = per_fat or large_per_fat, small or large
    sane = (
        bytes_per_sector in (512, 1024, 2048, 4096)
        and per_cluster in (1, 2, 4, 8, 16, 32, 64, 128)
        and sector[0] in (0xEB, 0xE9)
        and reserved and fats and per_fat and total
    )  # fmt: skip
    if not sane:
        raise FormatError("there is no FAT file system", offset=0)
    root_size = -(-root_entries * 32 // bytes_per_sector) * bytes_per_sector
    root_offset = (reserved + fats * per_fat) * bytes_per_sector
    data_offset = root_offset + root_size
    cluster_size = per_cluster * bytes_per_sector
    clusters = (total * bytes_per_sector - data_offset) // cluster_size
    is_32 = root_entries == 0
    bits = 32 if is_32 else 12 if clusters < 4085 else 16
    if clusters <= 0 or clusters > min(per_fat * bytes_per_sector * 8 // bits - 2, _FAT32_CLUSTERS):
        raise FormatError("the FAT file system has an impossible number of clusters", offset=0)
    extended = sector[64:90] if is_32 else sector[36:62]
    return FatGeometry(
        bits=bits,
        cluster_size=cluster_size,
        clusters=clusters,
        fat_offset=reserved * bytes_per_sector,
        fat_size=per_fat * bytes_per_sector,
        root_offset=0 if is_32 else root_offset,
        root_size=0 if is_32 else root_size,
        root_cluster=struct.unpack_from("<I", sector, 44)[0] if is_32 else 0,
        data_offset=data_offset,
        size=total * bytes_per_sector,
        uuid=_serial(extended),
        label=_short(extended[7:18].rstrip()) if extended[2] == 0x29 else "",
    )


def _serial(extended: bytes) -> str:
    if extended[2] not in (0x28, 0x29):
        return ""
    (serial,) = struct.unpack_from("<I", extended, 3)
    return f"{serial >> 16:04X}-{serial & 0xFFFF:04X}"


class _Table:
    """The file allocation table, read in pages as chains lead there."""

    # Pages hold a whole number of entries of 12, 16 and of 32 bits.
    _PAGE = 12 << 10
    _PAGES = 64
    """How many of them are read at once where all are."""

    def __init__(self, fh: BinaryIO, geometry: FatGeometry) -> None:
        self._fh = fh
        self._geometry = geometry
        self._entries = geometry.clusters + 2
        self._width = geometry.bits // 8
        """Bytes of an entry; of no meaning where there are 12 bits."""
        self._page_entries = self._PAGE * 8 // geometry.bits
        self._read: dict[int, bytes] = {}
        self._pages: dict[int, Sequence[int]] = {}
        self._free: int | None = None

    def next(self, cluster: int) -> int:
        """The cluster that follows; what is no cluster number ends the chain."""
        number, index = divmod(cluster, self._page_entries)
        return self._page(number)[index]

    def run(self, cluster: int, limit: int) -> tuple[int, int]:
        """How many clusters follow one another from this one on, and what the table says behind them.

        At most ``limit``, which is not 0, and no more than one page tells.
        """
        number, index = divmod(cluster, self._page_entries)
        count = min(limit, self._page_entries - index, self._entries - cluster)
        if self._counts_up(number, index, cluster + 1, count):
            return count, cluster + count
        page = self._page(number)
        if page[index] != cluster + 1:
            return 1, page[index]
        for expected, following in enumerate(page[index : index + limit], cluster + 1):
            if following != expected:
                return expected - cluster, following
        last = min(index + limit, len(page)) - 1
        return last - index + 1, page[last]

    def _counts_up(self, number: int, index: int, first: int, count: int) -> bool:
        """Whether ``count`` entries from one of a page on are ``first``, ``first + 1`` and so on: as bytes, a page in microseconds."""
        if self._geometry.bits == 12:
            return False
        data, width = self._bytes(number), self._width
        start, end = index * width, (index + count) * width
        # the last alone rules out nearly all that are not: a file in many pieces is not compared at length
        return data[end - width : end] == (first + count - 1).to_bytes(width, "little") and data[start:end] == counting(
            first, count, width
        )

    def _page(self, number: int) -> Sequence[int]:
        if number not in self._pages:
            self._pages[number] = self._unpacked(self._bytes(number))
        return self._pages[number]

    def _bytes(self, number: int) -> bytes:
        if number not in self._read:
            self._read[number] = self._bytes_at(number, 1)
        return self._read[number]

    def _bytes_at(self, number: int, pages: int) -> bytes:
        entries = min(pages * self._page_entries, self._entries - number * self._page_entries)
        at = self._geometry.fat_offset + number * self._PAGE
        return read_at(self._fh, at, -(-entries * self._geometry.bits // 8))

    def free(self) -> int:
        if self._free is None:
            pages = range(0, -(-self._entries // self._page_entries), self._PAGES)
            self._free = sum(self._zeros(self._bytes_at(number, self._PAGES)) for number in pages)
        return self._free

    def _zeros(self, data: bytes) -> int:
        """How many entries are free: mostly all of them, or none, which is seen without looking at each."""
        if self._geometry.bits == 12:
            return self._unpacked(data).count(0)
        if data == bytes(len(data)):
            return len(data) // self._width
        return sum(count for _, count in zero_entries(data, self._width))

    def _unpacked(self, data: bytes) -> Sequence[int]:
        bits = self._geometry.bits
        entries = len(data) * 8 // bits
        if bits == 12:
            return [_twelve(data, index) for index in range(entries)]
        if bits == 16:
            return struct.unpack(f"<{entries}H", data)
        values = struct.unpack(f"<{entries}I", data)
        # The upper four bits are reserved.
        return [value & _FAT32_BITS for value in values] if max(values) > _FAT32_BITS else values


def counting(first: int, count: int, width: int) -> bytes:
    """The entries ``first``, ``first + 1`` and so on, of ``width`` bytes: the table of a file that lies in one piece.

    Thousands of them are one number, in which each has digits of its own.
    """
    ones, steps = _digits(width)
    blocks = (steps + (first + at) * ones for at in range(0, count, _AT_ONCE))
    size = _AT_ONCE * width
    return b"".join((block & (1 << size * 8) - 1).to_bytes(size, "little") for block in blocks)[: count * width]


@cache
def _digits(width: int) -> tuple[int, int]:
    """Numbers whose digits of ``width`` bytes are all 1, and 0, 1, 2 and so on."""
    ones = int.from_bytes((1).to_bytes(width, "little") * _AT_ONCE, "little")
    return ones, int.from_bytes(b"".join(number.to_bytes(width, "little") for number in range(_AT_ONCE)), "little")


def zero_entries(data: bytes, width: int) -> Iterator[tuple[int, int]]:
    """First and number of the entries of a table that are zero and follow one another."""
    for found in re.finditer(rb"\0{%d,}" % width, data):
        first, end = -(-found.start() // width), found.end() // width
        if end > first:
            yield first, end - first


def _twelve(data: bytes, index: int) -> int:
    at = index + index // 2
    pair = data[at] | (data[at + 1] << 8 if at + 1 < len(data) else 0)
    return pair >> 4 if index % 2 else pair & 0xFFF


@dataclass(slots=True)
class _LongName:
    """The pieces of a long name, which precede its short one, the last piece first."""

    pieces: list[bytes] = field(default_factory=list[bytes])
    checksum: int = -1
    expected: int = 0

    def add(self, record: bytes) -> None:
        order = record[0]
        if order & 0x40:
            self.pieces, self.checksum, self.expected = [], record[13], order & 0x3F
        if (order & 0x3F) != self.expected or record[13] != self.checksum or not self.expected:
            self.pieces, self.expected = [], 0
            return
        self.pieces.append(record[1:11] + record[14:26] + record[28:32])
        self.expected -= 1

    def take(self, record: bytes) -> str:
        """The name, if its pieces belong to the short ``record``; forgets it in any case."""
        pieces, complete = self.pieces, self.expected == 0
        self.pieces, self.expected = [], 0
        if not pieces or not complete or short_checksum(record[:11]) != self.checksum:
            return ""
        return b"".join(reversed(pieces)).decode("utf-16-le", "replace").partition("\0")[0]


def short_checksum(short: bytes) -> int:
    """What ties the pieces of a long name to the 11 bytes of the short one."""
    total = 0
    for byte in short:
        total = ((total >> 1 | (total & 1) << 7) + byte) & 0xFF
    return total


def _short_name(record: bytes) -> str:
    base, extension = _short(record[:8].rstrip()), _short(record[8:11].rstrip())
    # Windows NT keeps 8.3 names that are all lower case without a long name.
    base = base.lower() if record[12] & _LOWER_BASE else base
    extension = extension.lower() if record[12] & _LOWER_EXTENSION else extension
    return f"{base}.{extension}" if extension else base


def case_flags(name: str) -> int:
    """What byte 12 of a short record says of a name of the form 8.3: which of its parts are all lower case."""
    base, _, extension = name.partition(".")
    return (_LOWER_BASE if base.islower() else 0) | (_LOWER_EXTENSION if extension.islower() else 0)


def _short(field: bytes) -> str:
    # 0x05 stands for 0xE5, which would mark the record as deleted.
    return (b"\xe5" + field[1:] if field[:1] == b"\x05" else field).decode("cp437")


def _seconds(date: int, time: int) -> int:
    """Seconds since 1970, of FAT's local time in an unknown zone; taken as UTC, like Linux with ``tz=UTC``."""
    day = (1980 + (date >> 9), date >> 5 & 15, date & 31)
    try:
        return timegm((*day, time >> 11, time >> 5 & 63, (time & 31) * 2))
    except ValueError:
        return 0
