"""exFAT, read-only, with what a writer needs to know: where entries lie, the allocation bitmap and the upcase table.

Source: Microsoft exFAT file system specification (2019): 3.1 boot sector, 4 FAT, 6.3 directory entries, 7.1 allocation
bitmap, 7.2 upcase table, 7.4 to 7.7 files.
"""

import struct
from calendar import timegm
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, clip, read_at
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.values import dataclass

RECORD = 32
"""Bytes of one directory entry; a file has a set of at least three."""
IN_USE = 0x80
BITMAP, UPCASE, FILE, STREAM, NAME = 0x81, 0x82, 0x85, 0xC0, 0xC1
DIRECTORY = 0x10
CONTIGUOUS = 0x02
"""Flag of a stream: its clusters follow one another, and the FAT says nothing about them."""
_CLUSTER_LIMIT = 32 << 20
_UPCASE_LIMIT = 128 << 10
_ROOT_IDENT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExfatEntry(Entry):
    cluster: int
    """The first; 0 for an empty file."""
    valid: int = 0
    """Bytes of a file that were written; the rest of it reads as zeros."""
    contiguous: bool = False
    allocated: int = 0
    """Bytes of a file or a directory, from which its number of clusters follows."""
    records: tuple[int, ...] = ()
    """Where its directory entries lie, in bytes from the start of the file system; none for the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExfatGeometry:
    """Where things are, in bytes from the start of the file system."""

    cluster_size: int
    clusters: int
    fat_offset: int
    heap_offset: int
    """Of cluster 2."""
    root_cluster: int
    uuid: str
    """The serial number as udev shows it: ``ABCD-1234``."""

    def offset(self, cluster: int) -> int:
        return self.heap_offset + (cluster - 2) * self.cluster_size


class Exfat(FileTree[ExfatEntry]):
    """The tree of an exFAT file system; names are found whatever their case.

    Raises:
        FormatError: the boot sector is not that of an exFAT file system.
    """

    def __init__(self, fh: BinaryIO) -> None:
        self.geometry = read_geometry(fh)
        root = ExfatEntry(name="", is_dir=True, ident=_ROOT_IDENT, cluster=self.geometry.root_cluster)
        super().__init__(fh, root)

    @property
    def uuid(self) -> str:
        return self.geometry.uuid

    @property
    def root(self) -> ExfatEntry:
        return self._root

    def bitmap(self) -> tuple[int, bytearray]:
        """Where the allocation bitmap lies and what is in it: bit 0 is cluster 2.

        Raises:
            FormatError: there is none.
        """
        size = -(-self.geometry.clusters // 8)
        cluster, length = self._special(BITMAP)
        if length < size:
            raise FormatError("the exFAT allocation bitmap is too short")
        offset = self.geometry.offset(cluster)
        return offset, bytearray(read_at(self._fh, offset, size))

    def upcase(self) -> dict[int, int]:
        """The upcase table: UTF-16 units that have another one in capitals."""
        cluster, length = self._special(UPCASE)
        data = read_at(self._fh, self.geometry.offset(cluster), min(length, _UPCASE_LIMIT) & ~1)
        table: dict[int, int] = {}
        at = 0
        units = iter(struct.unpack(f"<{len(data) // 2}H", data))
        for unit in units:
            # 7.2.5.1: FFFFh and a number stand for so many units that stay as they are
            if unit == 0xFFFF:
                at += next(units, 0)
                continue
            if unit != at:
                table[at] = unit
            at += 1
        return table

    def free_clusters(self) -> int:
        used = int.from_bytes(self.bitmap()[1], "little").bit_count()
        return max(0, self.geometry.clusters - used)

    def records(self, directory: ExfatEntry) -> Iterator[tuple[int, bytes]]:
        """The entries of a directory, unused ones too, each with where it lies."""
        size = self.geometry.cluster_size
        for offset, length in self._chain(directory, directory.allocated or DIRECTORY_LIMIT):
            for start in range(offset, offset + length, size):
                data = read_at(self._fh, start, size)
                for at in range(0, size, RECORD):
                    yield start + at, data[at : at + RECORD]

    def clusters_of(self, entry: ExfatEntry) -> Iterator[int]:
        """The clusters of a file or a directory, in order."""
        geometry = self.geometry
        count = -(-entry.allocated // geometry.cluster_size) if entry.records else _CLUSTER_LIMIT
        cluster = entry.cluster
        seen = 0
        # a chain cannot be longer than all clusters: ends one that bites its tail
        while seen < min(count, geometry.clusters) and 2 <= cluster < geometry.clusters + 2:
            yield cluster
            seen += 1
            cluster = cluster + 1 if entry.contiguous else self._next(cluster)

    def _fold(self, name: str) -> str:
        return name.lower()

    def _target(self, link: ExfatEntry) -> str:
        raise FormatError(f"{link.name}: exFAT has no symbolic links")

    def _extents(self, entry: ExfatEntry) -> tuple[Extent, ...]:
        written = clip(self._chain(entry, entry.valid), entry.valid)
        if written and written[-1][0] is None:
            raise FormatError(f"the cluster chain of {entry.name} is shorter than the file")
        return clip(written, entry.size)

    def _read_directory(self, directory: ExfatEntry) -> Iterator[ExfatEntry]:
        pending: list[tuple[int, bytes]] = []
        wanted = 0
        for at, record in self.records(directory):
            if record[0] == 0:
                return
            if record[0] == FILE:
                pending, wanted = [(at, record)], record[1]
            elif wanted:
                pending.append((at, record))
                wanted -= 1
                if not wanted and (entry := entry_of(pending)):
                    yield entry

    def _chain(self, entry: ExfatEntry, size: int) -> Iterator[tuple[int, int]]:
        geometry = self.geometry
        if entry.contiguous:
            whole = -(-size // geometry.cluster_size) * geometry.cluster_size
            end = geometry.offset(geometry.clusters + 2)
            start = geometry.offset(entry.cluster)
            if entry.cluster >= 2 and start < end:
                yield start, min(whole, end - start)
            return
        left = size
        for cluster in self.clusters_of(entry):
            if left <= 0:
                return
            yield geometry.offset(cluster), geometry.cluster_size
            left -= geometry.cluster_size

    def _next(self, cluster: int) -> int:
        return int.from_bytes(read_at(self._fh, self.geometry.fat_offset + cluster * 4, 4), "little")

    def _special(self, kind: int) -> tuple[int, int]:
        """First cluster and bytes of what the root directory has one of."""
        for _, record in self.records(self._root):
            if record[0] == kind:
                cluster, size = struct.unpack_from("<IQ", record, 20)
                return cluster, size
            if record[0] == 0:
                break
        raise FormatError(f"the exFAT file system lacks its entry of type {kind:02x}h")


def read_geometry(fh: BinaryIO) -> ExfatGeometry:
    """What the boot sector says.

    Raises:
        FormatError: it is not that of an exFAT file system.
    """
    sector = read_at(fh, 0, 512)
    fat, _, heap, clusters, root, serial = struct.unpack_from("<IIIIII", sector, 80)
    sector_shift, cluster_shift = sector[108], sector[109]
    sane = (
        sector[3:11] == b"EXFAT   " and 9 <= sector_shift <= 12 and sector_shift + cluster_shift <= 25
        and clusters and 2 <= root < clusters + 2
    )  # fmt: skip
    if not sane:
        raise FormatError("there is no exFAT file system", offset=0)
    return ExfatGeometry(
        cluster_size=1 << (sector_shift + cluster_shift),
        clusters=clusters,
        fat_offset=fat << sector_shift,
        heap_offset=heap << sector_shift,
        root_cluster=root,
        uuid=f"{serial >> 16:04X}-{serial & 0xFFFF:04X}",
    )


def entry_of(pending: Sequence[tuple[int, bytes]]) -> ExfatEntry | None:
    """What a whole set of records says, each with where it lies; ``None`` if it is damaged."""
    head = pending[0][1]
    if len(pending) < 3 or pending[1][1][0] != STREAM:
        return None
    stream = pending[1][1]
    names = b"".join(record[2:] for _, record in pending[2:] if record[0] == NAME)
    name = names[: stream[3] * 2].decode("utf-16-le", "replace")
    valid, cluster, size = struct.unpack_from("<QxxxxIQ", stream, 8)
    is_dir = bool(head[4] & DIRECTORY)
    return ExfatEntry(
        name=name,
        is_dir=is_dir,
        size=0 if is_dir else size,
        valid=min(valid, size),
        mtime=_seconds(head),
        ident=cluster if is_dir else pending[0][0],
        cluster=cluster,
        contiguous=bool(stream[1] & CONTIGUOUS),
        allocated=size,
        records=tuple(at for at, _ in pending),
    )


def _seconds(head: bytes) -> int:
    """The time of the last change, in seconds since 1970."""
    (stamp,) = struct.unpack_from("<I", head, 12)
    zone = head[23]
    # 7.4.10: bit 7 says that the rest is valid, quarters of an hour with a sign
    quarters = ((zone & 0x7F) ^ 0x40) - 0x40 if zone & 0x80 else 0
    day = (1980 + (stamp >> 25), stamp >> 21 & 15, stamp >> 16 & 31)
    try:
        return timegm((*day, stamp >> 11 & 31, stamp >> 5 & 63, (stamp & 31) * 2)) - quarters * 900
    except ValueError:
        return 0
