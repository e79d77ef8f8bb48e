"""The trees that btrfs keeps everything in: where their blocks lie, and the items in them, read-only.

Source: Linux 6.1, include/uapi/linux/btrfs_tree.h and fs/btrfs/volumes.c. Checksums are not verified.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from typing import BinaryIO, TypeAlias
from uuid import UUID

from bootkit.errors import FormatError
from bootkit.formats.reader import read_at
from bootkit.values import dataclass

Key: TypeAlias = tuple[int, int, int]
"""Object, type of the item, offset: what items are sorted by."""

_SUPERBLOCK = 64 << 10
_SUPERBLOCK_SIZE = 4096
_MAGIC = b"_BHRfS_M"
_HEAD = struct.Struct("<QQQ")
"""Of the superblock, from 80 on: root tree, chunk tree, log tree."""
_SYSTEM_CHUNKS, _SYSTEM_CHUNKS_LIMIT = 811, 2048
_NODE_HEADER, _KEY, _ITEM, _POINTER = 101, struct.Struct("<QBQ"), 25, 33
_CHUNK, _STRIPE = struct.Struct("<Q8xQQ12xHH"), struct.Struct("<QQ16x")
_CHUNK_ITEM = 228
_STRIPED = 1 << 3 | 1 << 6 | 1 << 7 | 1 << 8
"""Profiles that cut a chunk into stripes on several devices: RAID0, RAID10, RAID5, RAID6."""
_LEVELS = 8
_LAST = (1 << 64) - 1
# mixed backref, default subvolume, mixed groups, both ways to compress, big metadata, extended references, raid56, skinny metadata,
# no holes, metadata UUID, raid1c34; block-group-tree and simple quotas change nothing of what is read here
_INCOMPAT_KNOWN = 0xFFF | 1 << 16
_BLOCKS_LIMIT = 200_000
"""Blocks of trees that are read in all, of 16 KiB mostly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BtrfsSuperblock:
    uuid: str
    label: str
    node_size: int
    root: int
    """Logical address of the root tree."""
    chunk_root: int
    has_log: bool
    """Whether what was written last is in a log that is replayed when it is mounted."""


def read_superblock(fh: BinaryIO) -> tuple[BtrfsSuperblock, bytes]:
    """The first superblock, and the chunks in it by which the others are found.

    Raises:
        FormatError: it is none, or of a file system on several devices or with features that are not known here.
    """
    data = read_at(fh, _SUPERBLOCK, _SUPERBLOCK_SIZE)
    if data[64:72] != _MAGIC:
        raise FormatError("there is no btrfs", offset=_SUPERBLOCK + 64)
    root, chunk_root, log_root = _HEAD.unpack_from(data, 80)
    devices, sector_size, node_size = struct.unpack_from("<QII", data, 136)
    array_size, incompat = struct.unpack_from("<I", data, 160)[0], struct.unpack_from("<Q", data, 188)[0]
    if devices != 1:
        raise FormatError(f"the btrfs lies on {devices} devices")
    if incompat & ~_INCOMPAT_KNOWN:
        raise FormatError(f"the btrfs uses features that bootkit cannot read ({incompat:#x})")
    if array_size > _SYSTEM_CHUNKS_LIMIT or not 512 <= node_size <= 64 << 10 or not 512 <= sector_size <= 64 << 10:
        raise FormatError("the superblock contradicts itself", offset=_SUPERBLOCK)
    found = BtrfsSuperblock(
        uuid=str(UUID(bytes=data[32:48])),
        label=data[299:555].partition(b"\0")[0].decode("utf-8", "backslashreplace"),
        node_size=node_size,
        root=root,
        chunk_root=chunk_root,
        has_log=bool(log_root),
    )
    return found, data[_SYSTEM_CHUNKS : _SYSTEM_CHUNKS + array_size]


class BtrfsTrees:
    """All trees of a btrfs on one device.

    Raises:
        FormatError: as :func:`read_superblock`, or the map of its chunks is damaged.
    """

    def __init__(self, fh: BinaryIO) -> None:
        self._fh = fh
        self._budget = _BLOCKS_LIMIT
        self._chunks: dict[int, tuple[int, int]] = {}
        self.superblock, first = read_superblock(fh)
        at = 0
        while at + _KEY.size + _CHUNK.size + _STRIPE.size <= len(first):
            _, _, logical = _KEY.unpack_from(first, at)
            at += _KEY.size + self._add_chunk(logical, first[at + _KEY.size :])
        # the map is read by the part of it that the superblock has
        self._starts = sorted(self._chunks)
        for key, item in self.items(self.superblock.chunk_root, (0, 0, 0), (_LAST, 255, _LAST)):
            if key[1] == _CHUNK_ITEM:
                self._add_chunk(key[2], item)
        self._starts = sorted(self._chunks)

    def _add_chunk(self, logical: int, chunk: bytes) -> int:
        """Keep where a chunk of logical addresses lies; the bytes of its description."""
        if len(chunk) < _CHUNK.size + _STRIPE.size:
            raise FormatError("a chunk is cut short")
        length, _, kind, stripes, _ = _CHUNK.unpack_from(chunk)
        if not stripes or (kind & _STRIPED and stripes > 1):
            raise FormatError("the btrfs is striped over several devices")
        _, physical = _STRIPE.unpack_from(chunk, _CHUNK.size)
        self._chunks[logical] = length, physical
        return _CHUNK.size + int(stripes) * _STRIPE.size

    def physical(self, logical: int, size: int) -> int:
        """Where ``size`` bytes at a logical address lie in the file.

        Raises:
            FormatError: nowhere.
        """
        index = bisect_right(self._starts, logical) - 1
        if index >= 0:
            start = self._starts[index]
            length, physical = self._chunks[start]
            if logical + size <= start + length:
                return physical + logical - start
        raise FormatError(f"no chunk holds the address {logical:#x}")

    def items(self, root: int, first: Key, last: Key) -> Iterator[tuple[Key, bytes]]:
        """The items of the tree at the logical address ``root`` whose keys lie between two, both included, in order.

        Raises:
            FormatError: a block of the tree is damaged.
        """
        yield from self._below(root, first, last, _LEVELS)

    def _below(self, logical: int, first: Key, last: Key, above: int) -> Iterator[tuple[Key, bytes]]:
        block = self._block(logical)
        count, level = struct.unpack_from("<IB", block, 96)
        if level >= above:
            raise FormatError("a tree has no end", offset=logical)
        width = _POINTER if level else _ITEM
        if _NODE_HEADER + count * width > len(block):
            raise FormatError("a block of a tree is damaged", offset=logical)
        keys = [_KEY.unpack_from(block, _NODE_HEADER + number * width) for number in range(count)]
        for number, key in enumerate(keys):
            at = _NODE_HEADER + number * width + _KEY.size
            if key > last:
                return
            if level:
                if number + 1 == count or keys[number + 1] > first:
                    yield from self._below(struct.unpack_from("<Q", block, at)[0], first, last, level)
            elif key >= first:
                offset, size = struct.unpack_from("<II", block, at)
                yield key, block[_NODE_HEADER + offset : _NODE_HEADER + offset + size]

    def _block(self, logical: int) -> bytes:
        self._budget -= 1
        if self._budget < 0:
            raise FormatError(f"more than {_BLOCKS_LIMIT} blocks of its trees are not read")
        size = self.superblock.node_size
        return read_at(self._fh, self.physical(logical, size), size)
