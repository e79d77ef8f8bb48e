"""ext2, ext3 and ext4, read-only.

Source: Linux 6.1, Documentation/filesystems/ext4/ and fs/ext4/ext4.h. Checksums are not verified, and the journal is
not replayed: a file system that was not unmounted shows what had reached its place.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO
from uuid import UUID

from bootkit.errors import FormatError
from bootkit.formats.ext4map import BlockMap, inline_extents
from bootkit.formats.reader import Extent, clip, read_at
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.values import dataclass

_SUPERBLOCK = 1024
_MAGIC = 0xEF53
_ROOT_INODE = 2

_RECOVER, _META_BG, _64BIT = 0x4, 0x10, 0x80
# filetype, recover, meta_bg, extents, 64bit, mmp, flex_bg, ea_inode, csum_seed, largedir, inline_data, encrypt (the
# files that are, are refused one by one) and casefold (whose names are stored as they were written).
_INCOMPAT_KNOWN = 0x2 | 0x4 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000
_INCOMPAT_NAMES = {0x1: "compression", 0x8: "journal_dev", 0x1000: "dirdata"}
_COMPAT_SPARSE_SUPER2 = 0x200
_RO_SPARSE_SUPER = 0x1

_TYPE, _DIRECTORY, _REGULAR, _LINK = 0xF000, 0x4000, 0x8000, 0xA000
_ENCRYPTED, _EXTENTS, _INLINE_DATA = 0x800, 0x80000, 0x10000000
_LINK_LIMIT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Ext4Superblock:
    uuid: str
    """Lower case with dashes, as udev shows it."""
    label: str
    block_size: int
    blocks: int
    free_blocks: int
    inodes: int
    free_inodes: int
    inode_size: int
    first_block: int
    blocks_per_group: int
    inodes_per_group: int
    descriptor_size: int
    first_meta_group: int
    backups: tuple[int, int] | None
    """sparse_super2: the groups beside the first that hold a copy of the superblock."""
    compat: int
    incompat: int
    ro_compat: int

    @property
    def size(self) -> int:
        return self.blocks * self.block_size

    @property
    def has_waiting_journal(self) -> bool:
        """Whether it was not unmounted, so that its journal holds what has not reached its place."""
        return bool(self.incompat & _RECOVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtEntry(Entry):
    flags: int
    offset: int
    """Of the inode, from the start of the file system."""


def read_superblock(fh: BinaryIO) -> Ext4Superblock:
    """The primary superblock.

    Raises:
        FormatError: it is none, contradicts itself, or has a feature that changes the format in a way not known here.
    """
    data = read_at(fh, _SUPERBLOCK, 1024)
    if struct.unpack_from("<H", data, 56)[0] != _MAGIC:
        raise FormatError("there is no ext2, ext3 or ext4 file system", offset=_SUPERBLOCK + 56)
    inodes, blocks, free_blocks, free_inodes, first_block, log_size = struct.unpack_from("<II4xIIII", data)
    blocks_per_group, inodes_per_group = struct.unpack_from("<I4xI", data, 32)
    revision, first_meta_group = struct.unpack_from("<I", data, 76)[0], struct.unpack_from("<I", data, 260)[0]
    inode_size, compat, incompat, ro_compat = struct.unpack_from("<H2xIII", data, 88)
    if revision == 0:
        inode_size, compat, incompat, ro_compat = 128, 0, 0, 0
    unknown = incompat & ~_INCOMPAT_KNOWN
    if unknown:
        names = [_INCOMPAT_NAMES.get(1 << bit, f"{1 << bit:#x}") for bit in range(32) if unknown >> bit & 1]
        raise FormatError(f"the ext4 file system uses features that bootkit cannot read: {', '.join(names)}")
    if incompat & _64BIT:
        blocks |= struct.unpack_from("<I", data, 336)[0] << 32
        free_blocks |= struct.unpack_from("<I", data, 344)[0] << 32
    descriptor_size = struct.unpack_from("<H", data, 254)[0] if incompat & _64BIT else 32
    sane = (
        log_size <= 6 and blocks and blocks_per_group and inodes_per_group
        and 128 <= inode_size <= 1024 << log_size
        and 32 <= descriptor_size <= 1024 and first_block <= 1
    )  # fmt: skip
    if not sane:
        raise FormatError("the superblock contradicts itself", offset=_SUPERBLOCK)
    return Ext4Superblock(
        uuid=str(UUID(bytes=data[104:120])),
        label=data[120:136].rstrip(b"\0").decode("utf-8", "backslashreplace"),
        block_size=1024 << log_size,
        blocks=blocks,
        free_blocks=free_blocks,
        inodes=inodes,
        free_inodes=free_inodes,
        inode_size=inode_size,
        first_block=first_block,
        blocks_per_group=blocks_per_group,
        inodes_per_group=inodes_per_group,
        descriptor_size=descriptor_size,
        first_meta_group=first_meta_group if incompat & _META_BG else 1 << 32,
        backups=struct.unpack_from("<II", data, 588) if compat & _COMPAT_SPARSE_SUPER2 else None,
        compat=compat,
        incompat=incompat,
        ro_compat=ro_compat,
    )


class Ext4(FileTree[ExtEntry]):
    """The tree of an ext2, ext3 or ext4 file system.

    Raises:
        FormatError: as :func:`read_superblock`, or the root directory is missing.
    """

    def __init__(self, fh: BinaryIO) -> None:
        self.superblock = read_superblock(fh)
        self._tables: dict[int, int] = {}
        self._fh = fh
        super().__init__(fh, self._inode("", _ROOT_INODE))
        if not self._root.is_dir:
            raise FormatError("the root of the ext4 file system is no directory", offset=self._root.offset)
        if self.superblock.has_waiting_journal:
            self.warn("the ext4 file system was not unmounted cleanly: its newest changes may be missing")

    def extents_of(self, number: int) -> tuple[Extent, ...]:
        """Where the bytes of the file lie whose inode has this number, whether it has a name or not."""
        return self._extents(self._inode("", number))

    def _target(self, link: ExtEntry) -> str:
        pieces = [read_at(self._fh, offset, length) for offset, length in self._extents(link) if offset is not None]
        return b"".join(pieces)[:_LINK_LIMIT].rstrip(b"\0").decode("utf-8", "backslashreplace")

    def _extents(self, entry: ExtEntry) -> tuple[Extent, ...]:
        if entry.flags & _ENCRYPTED:
            raise FormatError(f"{entry.name or '/'} is encrypted", offset=entry.offset)
        # A directory and a link have no size as far as FileTree is concerned; the inode knows better.
        inode = read_at(self._fh, entry.offset, self.superblock.inode_size)
        size = _size(inode)
        if entry.is_link:
            size = min(size, _LINK_LIMIT)
        if entry.flags & _INLINE_DATA:
            return clip(inline_extents(inode, entry.offset), size)
        if entry.is_link and size < 60:
            return ((entry.offset + 40, size),) if size else ()
        blocks = BlockMap(self._fh, self.superblock.block_size, self.superblock.blocks)
        found = blocks.extents(inode[40:100], entry.offset + 40, is_tree=bool(entry.flags & _EXTENTS), size=size)
        return clip(found, size)

    def _read_directory(self, directory: ExtEntry) -> Iterator[ExtEntry]:
        left = DIRECTORY_LIMIT
        # An inline directory begins with the number of its parent, and lies in two pieces of its inode.
        skip = 4 if directory.flags & _INLINE_DATA else 0
        for offset, length in self._extents(directory):
            step = length if directory.flags & _INLINE_DATA else self.superblock.block_size
            for at in range(0, length if offset is not None else 0, step):
                left -= step
                if left < 0:
                    self.warn(f"the directory {directory.name or '/'} is larger than {DIRECTORY_LIMIT} bytes")
                    return
                assert offset is not None
                yield from self._records(read_at(self._fh, offset + at, min(step, length - at))[skip:])
                skip = 0

    def _records(self, block: bytes) -> Iterator[ExtEntry]:
        """The members in one block. The nodes of a hash tree look like unused records."""
        position = 0
        while position + 8 <= len(block):
            number, length, name_length = struct.unpack_from("<IHB", block, position)
            # 64 KiB does not fit into 16 bits.
            length = len(block) if length in (0, 0xFFFF) and len(block) == 1 << 16 else length
            if length < 8 or position + length > len(block) or 8 + name_length > length:
                self.warn("a directory block is damaged")
                return
            name = block[position + 8 : position + 8 + name_length]
            position += length
            if number and name not in (b".", b".."):
                entry = self._member(name.decode("utf-8", "backslashreplace"), number)
                if entry is not None:
                    yield entry

    def _member(self, name: str, number: int) -> ExtEntry | None:
        try:
            return self._inode(name, number)
        except FormatError as error:
            self.warn(f"{name} cannot be looked at: {error.message}")
            return None

    def _inode(self, name: str, number: int) -> ExtEntry:
        superblock = self.superblock
        if not 0 < number <= superblock.inodes:
            raise FormatError(f"there is no inode {number}")
        group, index = divmod(number - 1, superblock.inodes_per_group)
        offset = self._inode_table(group) + index * superblock.inode_size
        data = read_at(self._fh, offset, min(superblock.inode_size, 160))
        mode = struct.unpack_from("<H", data)[0] & _TYPE
        return ExtEntry(
            name=name,
            is_dir=mode == _DIRECTORY,
            size=_size(data) if mode == _REGULAR else 0,
            mtime=_mtime(data),
            is_link=mode == _LINK,
            ident=number,
            flags=struct.unpack_from("<I", data, 32)[0],
            offset=offset,
        )

    def _inode_table(self, group: int) -> int:
        if group not in self._tables:
            descriptor = read_at(self._fh, self._descriptor(group), self.superblock.descriptor_size)
            (block,) = struct.unpack_from("<I", descriptor, 8)
            if self.superblock.descriptor_size >= 64:
                block |= struct.unpack_from("<I", descriptor, 40)[0] << 32
            self._tables[group] = block * self.superblock.block_size
        return self._tables[group]

    def _descriptor(self, group: int) -> int:
        superblock = self.superblock
        per_block = superblock.block_size // superblock.descriptor_size
        meta_group, index = divmod(group, per_block)
        # With bigalloc, block 0 counts as the first also where the superblock lies in block 1.
        own_block = _SUPERBLOCK // superblock.block_size
        if meta_group == 0 or meta_group < superblock.first_meta_group:
            block = own_block + 1 + meta_group
        else:
            first = meta_group * per_block
            block = superblock.first_block + first * superblock.blocks_per_group + self._has_superblock(first)
        return block * superblock.block_size + index * superblock.descriptor_size

    def _has_superblock(self, group: int) -> bool:
        superblock = self.superblock
        if superblock.backups is not None:
            return group == 0 or group in superblock.backups
        if group <= 1 or not superblock.ro_compat & _RO_SPARSE_SUPER:
            return True
        return any(_is_power(group, base) for base in (3, 5, 7))


def _is_power(value: int, base: int) -> bool:
    while value % base == 0:
        value //= base
    return value == 1


def _size(inode: bytes) -> int:
    low, high = struct.unpack_from("<I", inode, 4)[0], struct.unpack_from("<I", inode, 108)[0]
    return int(low | high << 32)


def _mtime(inode: bytes) -> int:
    (seconds,) = struct.unpack_from("<i", inode, 16)
    has_epoch = len(inode) >= 140 and struct.unpack_from("<H", inode, 128)[0] >= 12
    # Two bits more of the seconds stand below the nanoseconds.
    epoch = struct.unpack_from("<I", inode, 136)[0] & 3 if has_epoch else 0
    return int(seconds + (epoch << 32))
