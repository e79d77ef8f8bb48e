"""UDF volumes: from the anchor to the partitions, and from a block of a partition to bytes of the file.

Source: ECMA-167 (3rd edition), part 3 for the volume, part 4 for file entries and allocation descriptors;
OSTA UDF 2.60, 2.2.8 to 2.2.10, for sparable and metadata partitions. Checksums of contents are not verified.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, clip, read_at, read_upto, size_of
from bootkit.values import dataclass

_PRIMARY, _ANCHOR, _IMPLEMENTATION, _PARTITION, _LOGICAL, _UNALLOCATED, _TERMINATOR = 1, 2, 4, 5, 6, 7, 8
_SEQUENCE_TAGS = (_PRIMARY, _IMPLEMENTATION, _PARTITION, _LOGICAL, _UNALLOCATED, _TERMINATOR)
_FILE_ENTRY, _EXTENDED_FILE_ENTRY, _ALLOCATION_EXTENT = 261, 266, 258
# A volume descriptor sequence has 16 sectors, an image five or six descriptors.
_SEQUENCE_LIMIT = 64
# 30 bits count an extent: a file of 8 GiB needs eight descriptors. Stops a chain that bites its tail.
_CHAIN_LIMIT = 256
_SHORT, _LONG, _EXTENDED, _EMBEDDED = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A block of a partition; ``partition`` counts in the logical volume's partition maps."""

    block: int
    partition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    address: Address
    kind: int
    """4 is a directory, 5 a file, 12 a symbolic link."""
    size: int
    allocation: int
    """0 to 2: which descriptors; 3: the bytes stand in their place."""
    area_offset: int
    """Of the descriptors, in bytes from the start of the file entry."""
    area_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    number: int
    """Of the partition descriptor."""
    metadata_file: int | None = None
    """Block of the file that this partition is made of."""


def read_tagged(fh: BinaryIO, offset: int, size: int, *tags: int) -> tuple[int, bytes]:
    """A descriptor with one of ``tags``, and which one.

    Raises:
        FormatError: something else is there.
    """
    data = read_at(fh, offset, size)
    tag = int(struct.unpack_from("<H", data)[0])
    if tag not in tags or (sum(data[:16]) - data[4]) & 0xFF != data[4]:
        raise FormatError(f"there is no UDF descriptor {' or '.join(map(str, tags))}", offset=offset)
    return tag, data


def cs0(data: bytes) -> str:
    """A name in OSTA compressed Unicode (UDF 2.1.1): the first byte says whether characters have one byte or two."""
    if data[:1] in (b"\x10", b"\xff"):
        return data[1:].decode("utf-16-be", "replace")
    return data[1:].decode("latin-1")


def dstring(field: bytes) -> str:
    """A fixed field whose last byte counts the used ones."""
    return cs0(field[: field[-1]])


class UdfVolume:
    """The partitions of the one logical volume that a file system in an image has.

    Raises:
        FormatError: there is no UDF volume, or one of a kind that optical images do not have.
    """

    def __init__(self, fh: BinaryIO) -> None:
        self._fh = fh
        self.label = ""
        self.set_id = ""
        self._starts: dict[int, int] = {}
        self._maps: list[_Map] = []
        self._metadata: dict[int, tuple[Extent, ...]] = {}
        self.block_size, sequences = self._anchor()
        logical = self._sequence(*sequences[0]) or self._sequence(*sequences[1])
        if logical is None:
            raise FormatError("the UDF volume has no logical volume", offset=sequences[0][0])
        self.label = dstring(logical[84:212])
        block_size, maps_size, maps = (
            struct.unpack_from("<I", logical, 212)[0],
            *struct.unpack_from("<II", logical, 264),
        )
        if block_size != self.block_size:
            raise FormatError(f"the UDF volume has blocks of {block_size} bytes in sectors of {self.block_size}")
        self._maps = list(_partition_maps(logical[440 : 440 + maps_size], maps))
        self.file_set = long_address(logical[248:264])[1]

    def extents(self, address: Address, size: int) -> tuple[Extent, ...]:
        """Where ``size`` bytes from a block on lie in the underlying file."""
        if address.partition >= len(self._maps):
            raise FormatError(f"there is no UDF partition {address.partition}")
        this = self._maps[address.partition]
        start = self._starts.get(this.number)
        if start is None:
            raise FormatError(f"there is no UDF partition {this.number}")
        if this.metadata_file is None:
            return (((start + address.block) * self.block_size, size),) if size else ()
        if address.partition not in self._metadata:
            self._metadata[address.partition] = self._metadata_extents(this, start)
        return _part(self._metadata[address.partition], address.block * self.block_size, size)

    def offset(self, address: Address) -> int:
        """Where a block begins in the underlying file."""
        extents = self.extents(address, self.block_size)
        if not extents or extents[0][0] is None:
            raise FormatError(f"block {address.block} of UDF partition {address.partition} is not there")
        return extents[0][0]

    def file_entry(self, address: Address) -> FileEntry:
        """The file entry at a block.

        Raises:
            FormatError: none is there.
        """
        offset = self.offset(address)
        entry = self._entry_at(offset, address)
        if entry.area_offset + entry.area_size > self.block_size:
            raise FormatError("a UDF file entry is larger than its block", offset=offset)
        return entry

    def file_extents(self, entry: FileEntry) -> tuple[Extent, ...]:
        """Where the bytes of a file lie in the underlying file, in order; they add up to its size.

        Raises:
            FormatError: its allocation descriptors are damaged.
        """
        if entry.allocation == _EMBEDDED:
            start = self.offset(entry.address) + entry.area_offset
            return clip(((start, entry.area_size),), entry.size)
        return clip(self._allocated(entry), entry.size)

    def _allocated(self, entry: FileEntry) -> Iterator[Extent]:
        area = read_at(self._fh, self.offset(entry.address) + entry.area_offset, entry.area_size)
        partition = entry.address.partition
        for _ in range(_CHAIN_LIMIT):
            following: Address | None = None
            for kind, length, address in _descriptors(area, entry.allocation, partition):
                if kind == 3:
                    following = address
                    break
                yield from self.extents(address, length) if kind == 0 else ((None, length),)
            if following is None:
                return
            offset = self.offset(following)
            _, head = read_tagged(self._fh, offset, 24, _ALLOCATION_EXTENT)
            size = min(struct.unpack_from("<I", head, 20)[0], self.block_size - 24)
            area = read_at(self._fh, offset + 24, size)
            partition = following.partition
        raise FormatError("the allocation descriptors of a UDF file do not end")

    def _entry_at(self, offset: int, address: Address) -> FileEntry:
        tag, data = read_tagged(self._fh, offset, 216, _FILE_ENTRY, _EXTENDED_FILE_ENTRY)
        strategy, kind, flags = struct.unpack_from("<H5xB6xH", data, 20)
        if strategy != 4:
            raise FormatError(f"a UDF file entry of strategy {strategy}", offset=offset)
        start = 176 if tag == _FILE_ENTRY else 216
        attributes, area_size = struct.unpack_from("<II", data, start - 8)
        return FileEntry(
            address=address,
            kind=kind,
            size=struct.unpack_from("<Q", data, 56)[0],
            allocation=flags & 7,
            area_offset=start + attributes,
            area_size=area_size,
        )

    def _metadata_extents(self, this: _Map, start: int) -> tuple[Extent, ...]:
        assert this.metadata_file is not None
        # The metadata file itself is found and described in the plain partition below it.
        plain = next((at for at, other in enumerate(self._maps) if other == _Map(number=this.number)), None)
        if plain is None:
            raise FormatError("a UDF metadata partition without the partition below it", offset=start * self.block_size)
        return self.file_extents(self.file_entry(Address(block=this.metadata_file, partition=plain)))

    def _anchor(self) -> tuple[int, tuple[tuple[int, int], tuple[int, int]]]:
        """The sector size, and offset and size of the main and the reserve volume descriptor sequence."""
        end = size_of(self._fh)
        for sector in (2048, 512, 4096, 1024):
            last = end // sector - 1
            for at in (256, last - 256, last, 512):
                try:
                    _, data = read_tagged(self._fh, max(at, 0) * sector, 32, _ANCHOR)
                except FormatError:
                    continue
                if struct.unpack_from("<I", data, 12)[0] != at:
                    continue
                size, location, reserve_size, reserve = struct.unpack_from("<IIII", data, 16)
                return sector, ((location * sector, size), (reserve * sector, reserve_size))
        raise FormatError("there is no UDF volume")

    def _sequence(self, offset: int, size: int) -> bytes | None:
        """Note the partitions of a volume descriptor sequence; its logical volume descriptor."""
        logical: bytes | None = None
        sectors = min(size // self.block_size, _SEQUENCE_LIMIT)
        for at in range(offset, offset + sectors * self.block_size, self.block_size):
            try:
                tag, data = read_tagged(self._fh, at, 512, *_SEQUENCE_TAGS)
            except FormatError:
                break
            if tag == _TERMINATOR:
                break
            if tag == _PRIMARY:
                self.set_id = dstring(data[72:200])
            elif tag == _PARTITION:
                self._starts[struct.unpack_from("<H", data, 22)[0]] = struct.unpack_from("<I", data, 188)[0]
            elif tag == _LOGICAL:
                logical = data + read_upto(self._fh, at + 512, self.block_size - 512)
        return logical


def long_address(data: bytes) -> tuple[int, Address]:
    """A long allocation descriptor: length with its kind in the upper two bits, and where."""
    length, block, partition = struct.unpack_from("<IIH", data)
    return length, Address(block=block, partition=partition)


def _descriptors(area: bytes, allocation: int, partition: int) -> Iterator[tuple[int, int, Address]]:
    """Kind, length and address of each extent. Kind 0 is recorded, 1 and 2 read as zeros, 3 leads to more of these."""
    step = {_SHORT: 8, _LONG: 16, _EXTENDED: 20}.get(allocation)
    if step is None:
        raise FormatError(f"a UDF file with allocation descriptors of kind {allocation}")
    for at in range(0, len(area) - step + 1, step):
        if allocation == _SHORT:
            length, block = struct.unpack_from("<II", area, at)
            address = Address(block=block, partition=partition)
        elif allocation == _LONG:
            length, address = long_address(area[at : at + 16])
        else:
            length, block, number = struct.unpack_from("<I8xIH", area, at)
            address = Address(block=block, partition=number)
        if length & 0x3FFFFFFF == 0:
            return
        yield length >> 30, length & 0x3FFFFFFF, address


def _partition_maps(table: bytes, count: int) -> Iterator[_Map]:
    position = 0
    for _ in range(min(count, 8)):
        kind, size = table[position : position + 2] if position + 2 <= len(table) else (0, 0)
        body = table[position : position + size]
        position += size
        if kind == 1 and len(body) == 6:
            yield _Map(number=struct.unpack_from("<H", body, 4)[0])
        elif kind == 2 and len(body) == 64:
            yield _type_2(body)
        else:
            raise FormatError("the UDF partition maps are damaged")


def _type_2(body: bytes) -> _Map:
    number, metadata_file = struct.unpack_from("<HI", body, 38)
    match body[5:28].rstrip(b"\0"):
        case b"*UDF Metadata Partition":
            return _Map(number=number, metadata_file=metadata_file)
        case b"*UDF Sparable Partition":
            # Spared packets are for worn rewritable discs; an image has none.
            return _Map(number=number)
        case other:
            raise FormatError(f"the UDF volume has a partition of kind {other.decode('ascii', 'backslashreplace')!r}")


def _part(extents: tuple[Extent, ...], offset: int, size: int) -> tuple[Extent, ...]:
    """``size`` bytes of what ``extents`` make up, from ``offset`` on."""
    found: list[Extent] = []
    for start, length in extents:
        skipped = min(offset, length)
        offset -= skipped
        if length > skipped and not offset:
            found.append((None if start is None else start + skipped, length - skipped))
    return clip(found, size)
