"""XFS, read-only: versions 4 and 5.

Source: Linux 6.1, fs/xfs/libxfs/xfs_format.h (superblock, inodes, extents) and xfs_da_format.h (directories). Checksums are not
verified, and the log is not replayed.
"""

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO
from uuid import UUID

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, clip, read_at
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.values import dataclass

_MAGIC = b"XFSB"
_VERSION_5 = 5
_HAS_TYPES, _HAS_TYPES_4 = 0x1, 0x200
"""Directory members tell their types: features_incompat of version 5, features2 of version 4."""
# types, sparse inodes, metadata UUID, big times, needs repair, 64-bit counts of extents, exchanged ranges, parents
_INCOMPAT_KNOWN = 0xFF
_INODE_MAGIC, _CORE_2, _CORE_3 = b"IN", 100, 176
_LOCAL, _EXTENTS, _BTREE = 1, 2, 3
_BIG_TIME, _BIG_COUNTS = 1 << 3, 1 << 4
_BIG_TIME_ZERO = 1 << 31
"""Seconds before 1970 at which big times begin."""
_TYPE, _DIRECTORY, _REGULAR, _LINK = 0xF000, 0x4000, 0x8000, 0xA000
_LEAF_OFFSET = 32 << 30
"""Where in a directory what is no member begins."""
_BLOCK_MAGICS = {b"XD2B": 16, b"XD2D": 16, b"XDB3": 64, b"XDD3": 64}
"""Of blocks with members, with the bytes of their headers."""
_ONE_BLOCK = (b"XD2B", b"XDB3")
_MAP_MAGICS = {b"BMAP": 24, b"BMA3": 72}
_LINK_MAGIC, _LINK_HEADER = b"XSLM", 56
_FREE = 0xFFFF
_EXTENTS_LIMIT = 1 << 20
_LEVELS = 8
_MAPS_LIMIT = 100_000
"""Blocks that are read in all to know where files lie; few files have one."""
_LINK_LIMIT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class XfsSuperblock:
    uuid: str
    label: str
    block_size: int
    group_blocks: int
    """Blocks of an allocation group."""
    groups: int
    group_bits: int
    """Of a block's number in its group."""
    inode_size: int
    inode_bits: int
    """Of an inode's number in its block."""
    root: int
    directory_block: int
    """Bytes of a block of a directory."""
    has_types: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class XfsEntry(Entry):
    offset: int
    """Of the inode, from the start of the file system."""


def read_superblock(fh: BinaryIO) -> XfsSuperblock:
    """The first superblock.

    Raises:
        FormatError: it is none, contradicts itself, or has features that are not known here.
    """
    data = read_at(fh, 0, 512)
    if data[:4] != _MAGIC:
        raise FormatError("there is no XFS", offset=0)
    block_size, root = struct.unpack_from(">I48xQ", data, 4)
    group_blocks, groups, version, inode_size = struct.unpack_from(">II8xH2xH", data, 84)
    block_bits, _, _, inode_bits, group_bits = data[120:125]
    directory_bits, features2, incompat = data[192], *struct.unpack_from(">I12xI", data, 200)
    is_5 = version & 0xF == _VERSION_5
    if is_5 and incompat & ~_INCOMPAT_KNOWN:
        raise FormatError(f"the XFS uses features that bootkit cannot read ({incompat:#x})")
    sane = (
        9 <= block_bits <= 16 and block_size == 1 << block_bits and 256 <= inode_size <= block_size and groups
        and group_blocks and block_bits + directory_bits <= 16 and inode_bits <= 8 and group_bits <= 32
    )  # fmt: skip
    if not sane:
        raise FormatError("the superblock contradicts itself", offset=0)
    return XfsSuperblock(
        uuid=str(UUID(bytes=data[32:48])),
        label=data[108:120].rstrip(b"\0").decode("utf-8", "backslashreplace"),
        block_size=block_size,
        group_blocks=group_blocks,
        groups=groups,
        group_bits=group_bits,
        inode_size=inode_size,
        inode_bits=inode_bits,
        root=root,
        directory_block=block_size << directory_bits,
        has_types=bool(incompat & _HAS_TYPES if is_5 else features2 & _HAS_TYPES_4),
    )


class Xfs(FileTree[XfsEntry]):
    """The tree of an XFS.

    Raises:
        FormatError: as :func:`read_superblock`, or the root directory is missing.
    """

    def __init__(self, fh: BinaryIO) -> None:
        self._fh = fh
        self._budget_of_maps = _MAPS_LIMIT
        self.superblock = read_superblock(fh)
        super().__init__(fh, self._entry("", self.superblock.root))
        if not self._root.is_dir:
            raise FormatError("the root of the XFS is no directory", offset=self._root.offset)

    def _target(self, link: XfsEntry) -> str:
        inode = self._inode(link)
        if inode.format == _LOCAL:
            return inode.fork[: inode.size].decode("utf-8", "backslashreplace")
        text = b""
        for start, length in self._map(inode):
            data = read_at(self._fh, start or 0, min(length, _LINK_LIMIT + _LINK_HEADER))
            text += data[_LINK_HEADER:] if data.startswith(_LINK_MAGIC) else data
        return text[: min(inode.size, _LINK_LIMIT)].decode("utf-8", "backslashreplace")

    def _extents(self, entry: XfsEntry) -> tuple[Extent, ...]:
        inode = self._inode(entry)
        if inode.mode & _TYPE != _REGULAR:
            raise FormatError(f"{entry.name} is no regular file", offset=entry.offset)
        return clip(self._map(inode), inode.size)

    def _read_directory(self, directory: XfsEntry) -> Iterator[XfsEntry]:
        inode = self._inode(directory)
        members = self._short_members(inode) if inode.format == _LOCAL else self._members_in_blocks(inode)
        for name, number in members:
            text = name.decode("utf-8", "backslashreplace")
            if text in (".", ".."):
                continue
            try:
                yield self._entry(text, number)
            except FormatError as error:
                self.warn(f"{text} cannot be looked at: {error.message}")

    def _short_members(self, inode: "_Inode") -> Iterator[tuple[bytes, int]]:
        fork = inode.fork.ljust(2, b"\0")
        width = 8 if fork[1] else 4
        at = 2 + width
        for _ in range(fork[0]):
            length = fork[at] if at < len(fork) else 0
            behind = at + 3 + length + self.superblock.has_types
            if not length or behind + width > len(fork):
                raise FormatError("a short directory is damaged")
            yield fork[at + 3 : at + 3 + length], int.from_bytes(fork[behind : behind + width], "big")
            at = behind + width

    def _members_in_blocks(self, inode: "_Inode") -> Iterator[tuple[bytes, int]]:
        size = self.superblock.directory_block
        left = DIRECTORY_LIMIT
        for start, length in self._map(inode, end=_LEAF_OFFSET):
            for at in range(0, length if start is not None else 0, size):
                left -= size
                if left < 0:
                    self.warn(f"a directory is larger than {DIRECTORY_LIMIT} bytes")
                    return
                yield from _members_of(read_at(self._fh, (start or 0) + at, size), has_types=self.superblock.has_types)

    def _entry(self, name: str, number: int) -> XfsEntry:
        entry = XfsEntry(name=name, is_dir=False, ident=number, offset=self._place_of_inode(number))
        inode = self._inode(entry)
        kind = inode.mode & _TYPE
        return replace(
            entry,
            is_dir=kind == _DIRECTORY,
            is_link=kind == _LINK,
            size=0 if kind == _DIRECTORY else inode.size,
            mtime=inode.mtime,
        )

    def _place_of_inode(self, number: int) -> int:
        block, index = divmod(number, 1 << self.superblock.inode_bits)
        return self._place(block) + index * self.superblock.inode_size

    def _place(self, block: int) -> int:
        """Where a block lies, in bytes, by its number, which begins with that of its group."""
        group, inside = divmod(block, 1 << self.superblock.group_bits)
        if group >= self.superblock.groups:
            raise FormatError(f"there is no block {block:#x}")
        return (group * self.superblock.group_blocks + inside) * self.superblock.block_size

    def _inode(self, entry: XfsEntry) -> "_Inode":
        data = read_at(self._fh, entry.offset, self.superblock.inode_size)
        if data[:2] != _INODE_MAGIC:
            raise FormatError("its inode is damaged", offset=entry.offset)
        core = _CORE_3 if data[4] == 3 else _CORE_2
        (flags,) = struct.unpack_from(">Q", data, 120) if core == _CORE_3 else (0,)
        mode, forkoff = struct.unpack_from(">H", data, 2)[0], data[82]
        (count,) = struct.unpack_from(">Q", data, 24) if flags & _BIG_COUNTS else struct.unpack_from(">I", data, 76)
        (time,) = struct.unpack_from(">Q", data, 40)
        mtime = time // 10**9 - _BIG_TIME_ZERO if flags & _BIG_TIME else struct.unpack_from(">i", data, 40)[0]
        end = core + forkoff * 8 if forkoff else len(data)
        return _Inode(
            mode=mode,
            format=data[5],
            size=struct.unpack_from(">Q", data, 56)[0],
            mtime=mtime,
            extents=count,
            fork=data[core:end],
        )

    def _map(self, inode: "_Inode", end: int = 1 << 63) -> Iterator[Extent]:
        """Where the bytes of a file lie, holes among them, up to ``end``."""
        at = 0
        for offset, block, count in self._records(inode):
            start, length = (number * self.superblock.block_size for number in (offset, count))
            if start >= end:
                return
            if start < at:
                raise FormatError("the map of its blocks is damaged")
            if start > at:
                yield None, start - at
            yield (None if block is None else self._place(block)), length
            at = start + length

    def _records(self, inode: "_Inode") -> Iterator[tuple[int, int | None, int]]:
        """The extents: first block in the file, block, blocks."""
        if inode.format == _EXTENTS:
            yield from _unpacked(inode.fork, min(inode.extents, len(inode.fork) // 16))
        elif inode.format == _BTREE and len(inode.fork) >= 4:
            level, count = struct.unpack_from(">HH", inode.fork)
            room = (len(inode.fork) - 4) // 16
            for number in range(min(count, room)):
                yield from self._mapped(struct.unpack_from(">Q", inode.fork, 4 + 8 * (room + number))[0], level - 1)
        else:
            raise FormatError("its blocks are kept in a way that is not known")

    def _mapped(self, block: int, level: int) -> Iterator[tuple[int, int | None, int]]:
        self._budget_of_maps -= 1
        if self._budget_of_maps < 0:
            raise FormatError(f"more than {_MAPS_LIMIT} blocks of maps are not read")
        data = read_at(self._fh, self._place(block), self.superblock.block_size)
        header = _MAP_MAGICS.get(data[:4], 0)
        found, count = struct.unpack_from(">HH", data, 4)
        if not header or found != level or level > _LEVELS:
            raise FormatError("the map of its blocks is damaged")
        room = (len(data) - header) // 16
        if level == 0:
            yield from _unpacked(data[header:], min(count, room))
            return
        for number in range(min(count, room)):
            yield from self._mapped(struct.unpack_from(">Q", data, header + 8 * (room + number))[0], level - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inode:
    mode: int
    format: int
    size: int
    mtime: int
    extents: int
    fork: bytes
    """What the inode itself holds of the file's data or of their map."""


def _unpacked(data: bytes, count: int) -> Iterator[tuple[int, int | None, int]]:
    """Records of 128 bits: whether it is written (1), block in the file (54), block (52), blocks (21)."""
    if count > _EXTENTS_LIMIT:
        raise FormatError(f"a file has {count} extents")
    for number in range(count):
        record = int.from_bytes(data[16 * number : 16 * number + 16], "big")
        is_unwritten = record >> 127
        block = record >> 21 & (1 << 52) - 1
        yield record >> 73 & (1 << 54) - 1, None if is_unwritten else block, record & (1 << 21) - 1


def _members_of(block: bytes, *, has_types: bool) -> Iterator[tuple[bytes, int]]:
    """The members in one block of a directory: each with its number, its name and, at its end, its own place."""
    at = _BLOCK_MAGICS.get(block[:4], 0)
    if not at:
        raise FormatError("a directory block is damaged")
    end = len(block)
    if block[:4] in _ONE_BLOCK:
        (count,) = struct.unpack_from(">I", block, end - 8)
        end -= 8 + 8 * count
    while at + 12 <= end:
        if int.from_bytes(block[at : at + 2], "big") == _FREE:
            length = int.from_bytes(block[at + 2 : at + 4], "big")
            if length < 8:
                raise FormatError("a directory block is damaged")
            at += length
            continue
        (number, length) = struct.unpack_from(">QB", block, at)
        yield block[at + 9 : at + 9 + length], number
        at += -(-(9 + length + has_types + 2) // 8) * 8
