"""NTFS 3.1, read-only: names, plain files, and where their bytes lie.

Source: ntfs-3g 2022.10.3, include/ntfs-3g/layout.h: boot sector, file records and their fixups, attributes and their lists,
runs of clusters, index blocks. Files that Windows has compressed or encrypted are shown and not read.
"""

import io
import struct
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, ExtentFile, TreeFile, clip, read_at, read_upto
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.values import dataclass

_STANDARD, _LIST, _DATA, _INDEX_ROOT, _INDEX, _BITMAP = 0x10, 0x20, 0x80, 0x90, 0xA0, 0xB0
"""Types of attributes."""
_FILES = "$I30"
"""The name of the attributes that make a directory: the index of its members' names."""
_MFT, _ROOT, _VOLUME_BITMAP, _FIRST_USER = 0, 5, 6, 24
"""Numbers of file records; those before the last are the file system's own."""
_IN_USE, _DIRECTORY = 0x01, 0x02
_PACKED = 0x40FF
"""Flags of an attribute that is compressed or encrypted."""
_DOS_NAME = 2
_REPARSE_POINT = 0x400
_LAST = 0x02
_REFERENCE = (1 << 48) - 1
_SECTOR = 512
_LIST_LIMIT = 256 << 10
_RECORD_LIMIT = 256
"""Records of one file: enough for ten thousand pieces."""
_EPOCH = 116_444_736_000_000_000
"""1970 in units of 100 ns since 1601."""

_ATTRIBUTE = struct.Struct("<IIBBHH")
_RESIDENT = struct.Struct("<16xIH")
_RUNS = struct.Struct("<16xQ8xH14xQQ")
_LISTED = struct.Struct("<IH10xQ")
_INDEX_HEADER = struct.Struct("<II")
_INDEX_ENTRY = struct.Struct("<QHHH")
_FILE_NAME = struct.Struct("<56xI4xBB")


@dataclass(frozen=True, slots=True, kw_only=True)
class NtfsGeometry:
    """Sizes in bytes, and places from the start of the file system."""

    cluster_size: int
    clusters: int
    record_size: int
    mft: int
    uuid: str
    """The serial number as udev shows it: sixteen hex digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NtfsEntry(Entry):
    """``ident`` is the number of its file record."""

    changed: int = 0
    """Nanoseconds since 1970."""

    @property
    def mtime_ns(self) -> int:
        return self.changed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attribute:
    kind: int
    name: str
    flags: int
    content: bytes | None = None
    """``None`` if it lies outside of the record: in the clusters of ``runs``, of which the first has the number ``first``."""
    first: int = 0
    runs: tuple[Extent, ...] = ()
    size: int = 0
    written: int = 0
    """Bytes that are valid; the rest reads as zeros."""


class Ntfs(FileTree[NtfsEntry]):
    """The tree of an NTFS file system. Names are as they are spelled; those for DOS and reparse points are left out.

    Raises:
        FormatError: the boot sector or the master file table is not that of an NTFS file system.
    """

    def __init__(self, fh: BinaryIO) -> None:
        self.geometry = read_geometry(fh)
        super().__init__(fh, NtfsEntry(name="", is_dir=True, ident=_ROOT))
        first = _fixed(read_at(fh, self.geometry.mft, self.geometry.record_size), b"FILE")
        # its own record lies in the first of its runs, and so do those that its list of attributes names
        self._mft = tuple(run for part in _of(self._parsed(first), _DATA) for run in part.runs)
        self._mft = self._stream(_MFT, _DATA).runs

    @property
    def uuid(self) -> str:
        return self.geometry.uuid

    def free_clusters(self) -> int:
        bitmap = self._stream(_VOLUME_BITMAP, _DATA)
        with self._opened(bitmap) as file:
            # the bits behind the last cluster are set
            return sum(8 - byte.bit_count() for byte in file.read(-(-self.geometry.clusters // 8)))

    def _target(self, link: NtfsEntry) -> str:
        raise FormatError(f"{link.name}: links of NTFS are not followed")

    def _extents(self, entry: NtfsEntry) -> tuple[Extent, ...]:
        stream = self._plain(entry)
        if stream.content is not None:
            raise FormatError(f"{entry.name} lies in its record")
        return _clipped(stream)

    def _open(self, entry: NtfsEntry) -> TreeFile:
        return self._opened(self._plain(entry))

    def _plain(self, entry: NtfsEntry) -> _Attribute:
        stream = self._stream(entry.ident, _DATA)
        if stream.flags & _PACKED:
            raise FormatError(f"{entry.name} is compressed or encrypted by NTFS")
        return stream

    def _opened(self, stream: _Attribute) -> TreeFile:
        if stream.content is not None:
            return ExtentFile(io.BytesIO(stream.content), ((0, len(stream.content)),))
        return ExtentFile(self._fh, _clipped(stream))

    def _read_directory(self, directory: NtfsEntry) -> Iterator[NtfsEntry]:
        for number, name in self._names(directory.ident):
            try:
                yield self._entry(number, name)
            except FormatError as error:
                self.warn(f"{name} cannot be looked at: {error.message}")

    def _entry(self, number: int, name: str) -> NtfsEntry:
        attributes = self._attributes(number)
        is_dir = any(one.kind == _INDEX_ROOT for one in attributes)
        data = next(_of(attributes, _DATA), None)
        standard = next((one.content for one in attributes if one.kind == _STANDARD and one.content), bytes(16))
        changed = (int.from_bytes(standard[8:16], "little") - _EPOCH) * 100
        return NtfsEntry(
            name=name,
            is_dir=is_dir,
            size=0 if is_dir or data is None else data.size,
            mtime=changed // 1_000_000_000,
            changed=changed,
            ident=number,
        )

    def _names(self, number: int) -> Iterator[tuple[int, str]]:
        """File records and names of what is in a directory."""
        attributes = self._attributes(number)
        root = _joined(number, attributes, _INDEX_ROOT, _FILES).content or b""
        yield from _index(root[16:])
        if not any(_of(attributes, _INDEX, _FILES)):
            return
        (size,) = _unpacked(struct.Struct("<8xI"), root, 0)
        if not _SECTOR <= size <= 1 << 16:
            raise FormatError(f"an index with blocks of {size} bytes")
        with self._opened(_joined(number, attributes, _BITMAP, _FILES)) as file:
            used = file.read(DIRECTORY_LIMIT // _SECTOR // 8)
        with self._opened(_joined(number, attributes, _INDEX, _FILES)) as file:
            for block in range(min(file.size, DIRECTORY_LIMIT) // size):
                if block // 8 < len(used) and used[block // 8] >> block % 8 & 1:
                    yield from _index(_fixed(read_upto(file, block * size, size), b"INDX")[24:])

    def _stream(self, number: int, kind: int) -> _Attribute:
        return _joined(number, self._attributes(number), kind)

    def _attributes(self, number: int) -> tuple[_Attribute, ...]:
        own = self._parsed(self._record(number))
        listed = next((one for one in own if one.kind == _LIST), None)
        if listed is None:
            return own
        with self._opened(listed) as file:
            others = _listed(file.read(_LIST_LIMIT)) - {number}
        if len(others) > _RECORD_LIMIT:
            raise FormatError(f"a file lies in more than {_RECORD_LIMIT} records")
        return (*own, *(one for other in sorted(others) for one in self._parsed(self._record(other))))

    def _record(self, number: int) -> bytes:
        size = self.geometry.record_size
        with ExtentFile(self._fh, self._mft) as table:
            record = _fixed(read_upto(table, number * size, size), b"FILE")
        if not record[22] & _IN_USE:
            raise FormatError(f"file record {number} is not in use")
        return record

    def _parsed(self, record: bytes) -> tuple[_Attribute, ...]:
        return tuple(_attributes(record, self.geometry.cluster_size))


def read_geometry(fh: BinaryIO) -> NtfsGeometry:
    """What the boot sector says.

    Raises:
        FormatError: it is not that of an NTFS file system.
    """
    sector = read_at(fh, 0, _SECTOR)
    sector_size, spread = struct.unpack_from("<HB", sector, 11)
    sectors, mft, record = struct.unpack_from("<QQ8xb", sector, 40)
    cluster_size = sector_size * (spread if spread <= 128 else 1 << 256 - spread)
    record_size = record * cluster_size if record > 0 else 1 << -record if record > -32 else 0
    sane = (
        sector[3:11] == b"NTFS    " and sector_size in (512, 1024, 2048, 4096)
        and 512 <= cluster_size <= 2 << 20 and _SECTOR <= record_size <= 1 << 16
    )  # fmt: skip
    if not sane:
        raise FormatError("there is no NTFS file system", offset=0)
    return NtfsGeometry(
        cluster_size=cluster_size,
        clusters=sectors * sector_size // cluster_size,
        record_size=record_size,
        mft=mft * cluster_size,
        uuid=sector[72:80][::-1].hex().upper(),
    )


def _of(attributes: Iterable[_Attribute], kind: int, name: str = "") -> Iterator[_Attribute]:
    return (one for one in attributes if one.kind == kind and one.name == name)


def _joined(number: int, attributes: Iterable[_Attribute], kind: int, name: str = "") -> _Attribute:
    """All of an attribute of file record ``number``, whose runs may be spread over several records."""
    parts = sorted(_of(attributes, kind, name), key=lambda part: part.first)
    if not parts or parts[0].first:
        raise FormatError(f"file record {number} lacks its attribute {kind:02x}h")
    return replace(parts[0], runs=tuple(run for part in parts for run in part.runs))


def _clipped(stream: _Attribute) -> tuple[Extent, ...]:
    return clip(clip(stream.runs, min(stream.written, stream.size)), stream.size)


def _fixed(data: bytes, magic: bytes) -> bytes:
    """A record with the bytes back in place that its sectors end with, where a mark shows that each was written.

    Raises:
        FormatError: it is none, or was not written to its end.
    """
    at, count = _unpacked(struct.Struct("<4xHH"), data, 0)
    marks = [data[at + 2 * number : at + 2 * number + 2] for number in range(count)]
    ends = [_SECTOR * number for number in range(1, count)]
    if data[:4] != magic or not ends or ends[-1] > len(data) or len(marks[-1]) < 2:
        raise FormatError(f"there is no {magic.decode()} record")
    fixed = bytearray(data)
    for end, tail in zip(ends, marks[1:], strict=True):
        if data[end - 2 : end] != marks[0]:
            raise FormatError(f"a {magic.decode()} record was not written to its end")
        fixed[end - 2 : end] = tail
    return bytes(fixed)


def _attributes(record: bytes, cluster_size: int) -> Iterator[_Attribute]:
    at = int.from_bytes(record[20:22], "little")
    while record[at : at + 4] not in (b"", b"\xff\xff\xff\xff"):
        kind, length, is_outside, letters, name_at, flags = _unpacked(_ATTRIBUTE, record, at)
        data = record[at : at + length]
        if length < _ATTRIBUTE.size or len(data) < length:
            raise FormatError("an attribute is longer than its record")
        name = data[name_at : name_at + 2 * letters].decode("utf-16-le", "replace")
        at += length
        if not is_outside:
            size, start = _unpacked(_RESIDENT, data, 0)
            content = data[start : start + size]
            yield _Attribute(kind=kind, name=name, flags=flags, content=content, size=len(content))
            continue
        first, start, size, written = _unpacked(_RUNS, data, 0)
        runs = tuple(_runs(data[start:], cluster_size))
        if first:  # only the first part of an attribute tells its size
            size = written = 0
        yield _Attribute(kind=kind, name=name, flags=flags, first=first, runs=runs, size=size, written=written)


def _runs(packed: bytes, cluster_size: int) -> Iterator[Extent]:
    """Lengths, and distances from the run before; one without a distance is a hole."""
    at = cluster = 0
    while at < len(packed) and packed[at]:
        length_size, distance_size = packed[at] & 15, packed[at] >> 4
        middle = at + 1 + length_size
        length = int.from_bytes(packed[at + 1 : middle], "little")
        at = middle + distance_size
        cluster += int.from_bytes(packed[middle:at], "little", signed=True)
        if cluster < 0:
            raise FormatError("a run of clusters begins before the file system")
        yield (cluster * cluster_size if distance_size else None), length * cluster_size


def _listed(content: bytes) -> set[int]:
    """The file records in a list of attributes."""
    found: set[int] = set()
    at = 0
    while at < len(content):
        _, length, reference = _unpacked(_LISTED, content, at)
        if not length:
            break
        found.add(reference & _REFERENCE)
        at += length
    return found


def _index(node: bytes) -> Iterator[tuple[int, str]]:
    """File records and names in a node of a directory's index."""
    at, end = _unpacked(_INDEX_HEADER, node, 0)
    while at < min(end, len(node)):
        reference, length, key, flags = _unpacked(_INDEX_ENTRY, node, at)
        if flags & _LAST or length < _INDEX_ENTRY.size:
            return
        name = node[at + 16 : at + 16 + key]
        at += length
        kind, letters, space = _unpacked(_FILE_NAME, name, 0)
        number = reference & _REFERENCE
        if space != _DOS_NAME and number >= _FIRST_USER and not kind & _REPARSE_POINT:
            yield number, name[66 : 66 + 2 * letters].decode("utf-16-le", "replace")


def _unpacked(layout: struct.Struct, data: bytes, at: int) -> tuple[int, ...]:
    if at + layout.size > len(data):
        raise FormatError("a record ends too early")
    return layout.unpack_from(data, at)
