"""Where the bytes of an ext2, ext3 or ext4 file lie: extent trees, indirect blocks, data inside the inode.

Source: Linux 6.1, Documentation/filesystems/ext4/ (ifork.rst, inlinedata.rst, attributes.rst).
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, read_at

_TREE_MAGIC = 0xF30A
_ATTRIBUTES_MAGIC = 0xEA020000
_DEPTH_LIMIT = 5
# An image of 100 GiB in pieces of 128 KiB needs 2,400; stops a tree whose nodes point to each other.
_NODE_LIMIT = 16_384
_UNWRITTEN = 32768
_SYSTEM_DATA = (7, b"data")


class BlockMap:
    """The block map of one inode."""

    def __init__(self, fh: BinaryIO, block_size: int, blocks: int) -> None:
        self._fh = fh
        self._block_size = block_size
        self._blocks = blocks
        self._nodes = _NODE_LIMIT

    def extents(self, root: bytes, offset: int, *, is_tree: bool, size: int) -> Iterator[Extent]:
        """The pieces that hold the first ``size`` bytes; ``root`` are the 60 bytes in the inode, at ``offset``.

        Raises:
            FormatError: the map is damaged.
        """
        wanted = -(-size // self._block_size)
        yield from self._tree(root, offset, wanted) if is_tree else self._indirect(root, wanted)

    def _tree(self, root: bytes, offset: int, wanted: int) -> Iterator[Extent]:
        reached = 0
        for first, count, block in self._leaves(root, offset, _DEPTH_LIMIT + 1):
            if first < reached:
                raise FormatError("the extents of a file overlap", offset=offset)
            if first >= wanted:
                return
            yield None, (first - reached) * self._block_size
            yield None if block is None else block * self._block_size, count * self._block_size
            reached = first + count

    def _leaves(self, node: bytes, offset: int, depth_limit: int) -> Iterator[tuple[int, int, int | None]]:
        """First block in the file, number of blocks, first block on disk (``None``: reads as zeros)."""
        magic, entries, _, depth = struct.unpack_from("<4H", node)
        if magic != _TREE_MAGIC or depth >= depth_limit or 12 + entries * 12 > len(node):
            raise FormatError("the extent tree of a file is damaged", offset=offset)
        for at in range(12, 12 + entries * 12, 12):
            if depth == 0:
                first, count, high, low = struct.unpack_from("<IHHI", node, at)
                if count > _UNWRITTEN:
                    yield first, count - _UNWRITTEN, None
                else:
                    yield first, count, self._checked(high << 32 | low, count)
            else:
                low, high = struct.unpack_from("<4xIH", node, at)
                child = self._checked(high << 32 | low, 1)
                yield from self._leaves(self._node(child), child * self._block_size, depth)

    def _indirect(self, root: bytes, wanted: int) -> Iterator[Extent]:
        pointers = struct.unpack("<15I", root)
        left = wanted
        for block in pointers[:12]:
            if left <= 0:
                return
            yield self._block(block)
            left -= 1
        for level, block in enumerate(pointers[12:], start=1):
            if left <= 0:
                return
            yield from self._below(block, level, left)
            left -= (self._block_size // 4) ** level

    def _below(self, block: int, level: int, wanted: int) -> Iterator[Extent]:
        """What the indirect block ``block`` leads to, for ``wanted`` blocks of the file at most."""
        span = (self._block_size // 4) ** (level - 1)
        if block == 0:
            yield None, min(wanted, span * self._block_size // 4) * self._block_size
            return
        node = self._node(self._checked(block, 1))
        for (child,) in struct.iter_unpack("<I", node):
            if wanted <= 0:
                return
            if level == 1:
                yield self._block(child)
            else:
                yield from self._below(child, level - 1, wanted)
            wanted -= span

    def _block(self, block: int) -> Extent:
        return (self._checked(block, 1) * self._block_size if block else None), self._block_size

    def _node(self, block: int) -> bytes:
        self._nodes -= 1
        if self._nodes < 0:
            raise FormatError("the block map of a file is too large")
        return read_at(self._fh, block * self._block_size, self._block_size)

    def _checked(self, block: int, count: int) -> int:
        if block + count > self._blocks:
            raise FormatError(f"a file uses block {block}, which is behind the end of the file system")
        return block


def inline_extents(inode: bytes, offset: int) -> Iterator[Extent]:
    """The pieces of a file that lies in its own inode, which is at ``offset``: 60 bytes, and an attribute's value."""
    yield offset + 40, 60
    start = 128 + struct.unpack_from("<H", inode, 128)[0] if len(inode) > 132 else len(inode)
    if start + 4 > len(inode) or struct.unpack_from("<I", inode, start)[0] != _ATTRIBUTES_MAGIC:
        return
    first = at = start + 4
    while at + 16 <= len(inode) and inode[at]:
        name_length, index, value_at, size = struct.unpack_from("<BBH4xI", inode, at)
        if (index, inode[at + 16 : at + 16 + name_length]) == _SYSTEM_DATA:
            if first + value_at + size > len(inode):
                raise FormatError("the data in an inode is damaged", offset=offset + at)
            yield offset + first + value_at, size
            return
        at += 16 + -(-name_length // 4) * 4
