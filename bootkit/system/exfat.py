"""Folders and small files in a fresh exFAT file system, which no program puts there without mounting it.

Only what mkfs.exfat leaves behind is understood: clusters are given out behind the last one in use, contiguous, and marked
"no FAT chain". Source: Microsoft exFAT file system specification (2019): 3.1 boot sector, 3.4 checksum, 6.3 directory
entries, 7.1 allocation bitmap, 7.4 to 7.7 files.
"""

import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.model.plan import WriteFile

_BOOT_SECTORS = 12
_SERIAL = 100
_CHECKSUM_SKIPS = (106, 107, 112)
"""Volume flags and percent in use change without a new checksum."""
_BITMAP_ENTRY, _FILE_ENTRY, _STREAM_ENTRY, _NAME_ENTRY = 0x81, 0x85, 0xC0, 0xC1
_DIRECTORY, _ARCHIVE = 0x10, 0x20
_ALLOCATED, _CONTIGUOUS = 0x01, 0x02


def set_serial(fh: BinaryIO, serial: int) -> None:
    """Give the volume another serial number, in both boot regions."""
    sector_size = 1 << _read(fh, 108, 1)[0]
    for start in (0, _BOOT_SECTORS * sector_size):
        fh.seek(start + _SERIAL)
        fh.write(struct.pack("<I", serial))
        region = _read(fh, start, (_BOOT_SECTORS - 1) * sector_size)
        fh.seek(start + (_BOOT_SECTORS - 1) * sector_size)
        fh.write(struct.pack("<I", _checksum32(region)) * (sector_size // 4))


def fill_exfat(fh: BinaryIO, folders: Sequence[str], files: Sequence[WriteFile]) -> None:
    """Put folders and files into an empty file system; parents need not be named.

    Raises:
        FormatError: it is not what mkfs.exfat makes, or a directory does not fit into one cluster.
    """
    volume = _Volume(fh)
    root = _Folder()
    for path in folders:
        root.folder(path)
    for file in files:
        parent, _, name = file.path.rpartition("/")
        root.folder(parent).files[name] = file.content
    volume.append_to_root(_records(volume, root))
    volume.write_bitmap()


@dataclass(slots=True)
class _Folder:
    folders: "dict[str, _Folder]" = field(default_factory=dict["str", "_Folder"])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def folder(self, path: str) -> "_Folder":
        here = self
        for part in filter(None, path.split("/")):
            here = here.folders.setdefault(part, _Folder())
        return here


class _Volume:
    """The state of one file system while it is filled."""

    def __init__(self, fh: BinaryIO) -> None:
        boot = _read(fh, 0, 512)
        if boot[3:11] != b"EXFAT   ":
            raise FormatError("there is no exFAT file system", offset=0)
        self._fh = fh
        heap: int
        clusters: int
        heap, clusters, self._root = struct.unpack_from("<III", boot, 88)
        self._clusters = clusters
        sector_size = 1 << boot[108]
        self.cluster_size = sector_size << boot[109]
        self._heap = heap * sector_size
        self._bitmap_offset, self._bitmap = self._read_bitmap()
        last: int = max((byte * 8 + value.bit_length() for byte, value in enumerate(self._bitmap) if value), default=0)
        self._next: int = last + 2

    def store(self, content: bytes) -> int:
        """Write ``content`` to clusters of its own; the first of them, 0 for nothing."""
        if not content:
            return 0
        first: int = self._next
        count = -(-len(content) // self.cluster_size)
        if first + count > self._clusters + 2:
            raise FormatError("the exFAT file system is full")
        for cluster in range(first - 2, first - 2 + count):
            self._bitmap[cluster // 8] |= 1 << cluster % 8
        self._fh.seek(self._offset(first))
        self._fh.write(content + bytes(-len(content) % self.cluster_size))
        self._next += count
        return first

    def append_to_root(self, records: bytes) -> None:
        old = _read(self._fh, self._offset(self._root), self.cluster_size)
        used = next((at for at in range(0, len(old), 32) if old[at] == 0), len(old))
        if used + len(records) > self.cluster_size:
            raise FormatError("the root directory does not fit into one cluster")
        self._fh.seek(self._offset(self._root) + used)
        self._fh.write(records)

    def write_bitmap(self) -> None:
        self._fh.seek(self._bitmap_offset)
        self._fh.write(self._bitmap)

    def _read_bitmap(self) -> tuple[int, bytearray]:
        root = _read(self._fh, self._offset(self._root), self.cluster_size)
        for at in range(0, len(root), 32):
            if root[at] == _BITMAP_ENTRY:
                cluster, size = struct.unpack_from("<IQ", root, at + 20)
                offset = self._offset(cluster)
                return offset, bytearray(_read(self._fh, offset, min(size, -(-self._clusters // 8))))
        raise FormatError("the exFAT file system has no allocation bitmap")

    def _offset(self, cluster: int) -> int:
        return self._heap + (cluster - 2) * self.cluster_size


def _records(volume: _Volume, folder: _Folder) -> bytes:
    """The directory entries of a folder's members, which are written first."""
    entries: list[bytes] = []
    for name, child in folder.folders.items():
        inside = _records(volume, child)
        if len(inside) > volume.cluster_size:
            raise FormatError(f"the directory {name} does not fit into one cluster")
        # a directory has at least one cluster, even if nothing is in it
        first = volume.store(inside.ljust(volume.cluster_size, b"\0"))
        entries.append(_entry_set(name, _DIRECTORY, first, volume.cluster_size))
    for name, content in folder.files.items():
        entries.append(_entry_set(name, _ARCHIVE, volume.store(content), len(content)))
    return b"".join(entries)


def _entry_set(name: str, attributes: int, first: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le")
    names = [encoded[at : at + 30] for at in range(0, len(encoded), 30)]
    stamp = _timestamp()
    head = struct.pack(
        "<BBHHHIIIBBBBB7x", _FILE_ENTRY, 1 + len(names), 0, attributes, 0, *[stamp] * 3, 0, 0, 0x80, 0x80, 0x80
    )
    flags = _ALLOCATED | (_CONTIGUOUS if first else 0)
    length, name_hash = len(name), _checksum16(name.upper().encode("utf-16-le"))
    stream = struct.pack("<BBxBHHQ4xIQ", _STREAM_ENTRY, flags, length, name_hash, 0, size, first, size)
    entries = bytearray(head + stream + b"".join(struct.pack("<BB30s", _NAME_ENTRY, 0, part) for part in names))
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


def _read(fh: BinaryIO, offset: int, size: int) -> bytes:
    fh.seek(offset)
    return fh.read(size)
