"""squashfs 4.0, read-only, with all its compressors.

Source: Linux 6.1, fs/squashfs/squashfs_fs.h and Documentation/filesystems/squashfs.rst. Owners and the index of large
directories are not needed for a look inside, extended attributes only for the marks of a layer.
"""

import math
import struct
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.compression import Budget
from bootkit.formats.reader import Extent, TreeFile, read_at
from bootkit.formats.squashblocks import Blocks, Metadata, Position, SquashFile
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.values import dataclass

_MAGIC = b"hsqs"
_SUPERBLOCK = struct.Struct("<4sIIIIHHHHHHQQQQQQQQ")
_COMPRESSIONS = {1: "gzip", 2: "lzma", 3: "lzo", 4: "xz", 5: "lz4", 6: "zstd"}
_CODECS = {"gzip": "zlib", "lzo": "lzo1x", "lz4": "lz4block"}
"""Unpackers of those compressors whose blocks lack the frame that a file of the same format has."""

_INODE = struct.Struct("<HHHHII")
_FILE_INODE = struct.Struct("<IIII")
_LONG_FILE_INODE = struct.Struct("<QQQIIII")
_DIRECTORY_INODE = struct.Struct("<IIHHI")
_LONG_DIRECTORY_INODE = struct.Struct("<IIIIHHI")
_DEVICE_INODE = struct.Struct("<II")
_DIRECTORY, _FILE, _LINK, _CHARACTERS = 1, 2, 3, 5
_LONG_DIRECTORY, _LONG_FILE, _LONG_LINK, _LONG_CHARACTERS = 8, 9, 10, 12
_LAST_KIND = 14

_NO_FRAGMENT = _NO_ATTRIBUTES = 0xFFFFFFFF
_ATTRIBUTE_LISTS_PER_BLOCK = 512
_ATTRIBUTE_LIMIT = 64
"""Extended attributes of one file."""
_OPAQUE = b"overlay.opaque"
_FRAGMENTS_PER_BLOCK = 512
_RUN_LIMIT = 256
_BLOCKS_LIMIT = 1 << 20
"""Blocks of one file; 128 GiB of the usual size."""
_LINK_LIMIT = 4096
OUTPUT_LIMIT = 64 << 30
"""Bytes that are unpacked in all where the caller sets no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SquashfsSuperblock:
    compression: str
    """``gzip``, ``lzma``, ``lzo``, ``xz``, ``lz4`` or ``zstd``, as mksquashfs calls them."""
    block_size: int
    size: int
    """Bytes used, without the padding behind them."""
    mtime: int
    root: int
    """Where the root's inode is: its block in the inode table << 16, and the byte in that block."""
    attribute_table: int
    """Where the lists of extended attributes are counted, and found."""
    inode_table: int
    directory_table: int
    fragment_table: int
    fragments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SquashEntry(Entry):
    kind: int
    """The type in the inode: from 8 on, those with more fields."""
    body: Position
    """Where the fields of the inode begin that depend on its kind."""


def read_superblock(fh: BinaryIO) -> SquashfsSuperblock:
    """The superblock at the start of the file.

    Raises:
        FormatError: it is none, of another version, or contradicts itself.
    """
    fields = _SUPERBLOCK.unpack(read_at(fh, 0, _SUPERBLOCK.size))
    magic, _, mtime, block_size, fragments, compression, block_log, _, _, major, minor, root, size = fields[:13]
    if magic != _MAGIC:
        raise FormatError("there is no squashfs file system", offset=0)
    if (major, minor) != (4, 0):
        raise FormatError(f"the squashfs has version {major}.{minor}: bootkit reads 4.0, as Linux does", offset=28)
    if compression not in _COMPRESSIONS:
        raise FormatError(f"the squashfs has a compressor of the unknown number {compression}", offset=20)
    if not 12 <= block_log <= 20 or block_size != 1 << block_log:
        raise FormatError("the superblock contradicts itself", offset=12)
    return SquashfsSuperblock(
        compression=_COMPRESSIONS[compression],
        block_size=block_size,
        size=size,
        mtime=mtime,
        root=root,
        attribute_table=fields[14],
        inode_table=fields[15],
        directory_table=fields[16],
        fragment_table=fields[17],
        fragments=fragments,
    )


class Squashfs(FileTree[SquashEntry]):
    """The tree of a squashfs. Once ``budget`` is spent, reading gives errors and warnings only.

    Raises:
        FormatError: as :func:`read_superblock`, or the root directory is missing.
    """

    def __init__(self, fh: BinaryIO, *, budget: Budget | None = None) -> None:
        budget = budget or Budget(output=OUTPUT_LIMIT, seconds=math.inf)
        self.superblock = read_superblock(fh)
        codec = _CODECS.get(self.superblock.compression, self.superblock.compression)
        self._metadata = Metadata(fh, codec, budget=budget)
        self._blocks = Blocks(fh, codec, self.superblock.block_size, budget=budget)
        super().__init__(fh, self._inode("", self.superblock.root))
        if not self._root.is_dir:
            raise FormatError("the root of the squashfs is no directory")

    def is_whiteout(self, entry: SquashEntry) -> bool:
        """Whether a file only says that what layers below have there is gone.

        Source: Linux 6.1, Documentation/filesystems/overlayfs.rst ("whiteouts and opaque directories").
        """
        if entry.kind not in (_CHARACTERS, _LONG_CHARACTERS):
            return False
        return self._fields(_DEVICE_INODE, entry.body)[0][1] == 0

    def is_opaque(self, entry: SquashEntry) -> bool:
        """Whether a folder takes the place of the one that layers below have there, rather than adding to it."""
        if entry.kind != _LONG_DIRECTORY:
            return False
        attributes = self._fields(_LONG_DIRECTORY_INODE, entry.body)[0][-1]
        return attributes != _NO_ATTRIBUTES and _OPAQUE in self._attributes(attributes)

    def _attributes(self, number: int) -> Iterator[bytes]:
        """The names of the extended attributes in a list, without what their kind begins with."""
        (table,) = struct.unpack("<Q8x", read_at(self._fh, self.superblock.attribute_table, 16))
        block, index = divmod(number, _ATTRIBUTE_LISTS_PER_BLOCK)
        (start,) = struct.unpack("<Q", read_at(self._fh, self.superblock.attribute_table + 16 + block * 8, 8))
        place, count = struct.unpack("<QI4x", self._metadata.read((start, index * 16), 16)[0])
        at = table + (place >> 16), place & 0xFFFF
        for _ in range(min(count, _ATTRIBUTE_LIMIT)):
            head, at = self._metadata.read(at, 4)
            _, length = struct.unpack("<HH", head)
            name, at = self._metadata.read(at, length)
            yield name
            head, at = self._metadata.read(at, 4)
            (length,) = struct.unpack("<I", head)
            _, at = self._metadata.read(at, length)

    def _extents(self, entry: SquashEntry) -> tuple[Extent, ...]:
        raise FormatError(f"{entry.name} is in a squashfs: it does not lie in the image as it is")

    def _target(self, link: SquashEntry) -> str:
        data, at = self._metadata.read(link.body, 8)
        size = min(struct.unpack("<4xI", data)[0], _LINK_LIMIT)
        return self._metadata.read(at, size)[0].decode("utf-8", "backslashreplace")

    def _open(self, entry: SquashEntry) -> TreeFile:
        if entry.kind == _FILE:
            fields, at = self._fields(_FILE_INODE, entry.body)
            start, fragment, offset, size = fields
        elif entry.kind == _LONG_FILE:
            fields, at = self._fields(_LONG_FILE_INODE, entry.body)
            start, size, _, _, fragment, offset, _ = fields
        else:
            raise FormatError(f"{entry.name} is no regular file")
        has_tail = fragment != _NO_FRAGMENT
        count = size // self.superblock.block_size if has_tail else -(-size // self.superblock.block_size)
        if count > _BLOCKS_LIMIT:
            raise FormatError(f"{entry.name} has {count} blocks")
        words = struct.unpack(f"<{count}I", self._metadata.read(at, count * 4)[0])
        tail = (*self._fragment(fragment), offset) if has_tail else None
        return TreeFile(SquashFile(self._blocks, size=size, start=start, words=words, tail=tail), size)

    def _fragment(self, number: int) -> tuple[int, int]:
        if number >= self.superblock.fragments:
            raise FormatError(f"there is no fragment {number}")
        block, index = divmod(number, _FRAGMENTS_PER_BLOCK)
        (start,) = struct.unpack("<Q", read_at(self._fh, self.superblock.fragment_table + block * 8, 8))
        place, word = struct.unpack("<QI4x", self._metadata.read((start, index * 16), 16)[0])
        return place, word

    def _read_directory(self, directory: SquashEntry) -> Iterator[SquashEntry]:
        if directory.kind == _LONG_DIRECTORY:
            _, size, block, _, _, offset, _ = self._fields(_LONG_DIRECTORY_INODE, directory.body)[0]
        else:
            block, _, size, offset, _ = self._fields(_DIRECTORY_INODE, directory.body)[0]
        at = self.superblock.directory_table + block, offset
        # The size counts 3 bytes for "." and "..", which are not stored.
        left = min(size - 3, DIRECTORY_LIMIT)
        if size > DIRECTORY_LIMIT:
            self.warn(f"the directory {directory.name or '/'} is larger than {DIRECTORY_LIMIT} bytes")
        while left > 0:
            header, at = self._metadata.read(at, 12)
            count, inode_block = struct.unpack("<II4x", header)
            if count >= _RUN_LIMIT:
                raise FormatError(f"a run of {count + 1} directory members", offset=at[0])
            left -= 12
            for _ in range(count + 1):
                record, at = self._metadata.read(at, 8)
                inode_offset, length = struct.unpack("<H4xH", record)
                name, at = self._metadata.read(at, length + 1)
                left -= 9 + length
                member = self._member(name.decode("utf-8", "backslashreplace"), inode_block << 16 | inode_offset)
                if member is not None:
                    yield member

    def _member(self, name: str, reference: int) -> SquashEntry | None:
        try:
            return self._inode(name, reference)
        except FormatError as error:
            self.warn(f"{name} cannot be looked at: {error.message}")
            return None

    def _inode(self, name: str, reference: int) -> SquashEntry:
        position = self.superblock.inode_table + (reference >> 16), reference & 0xFFFF
        fields, body = self._fields(_INODE, position)
        kind = fields[0]
        if not 0 < kind <= _LAST_KIND:
            raise FormatError(f"an inode of the unknown type {kind}", offset=position[0])
        size = 0
        if kind == _FILE:
            size = self._fields(_FILE_INODE, body)[0][3]
        elif kind == _LONG_FILE:
            size = self._fields(_LONG_FILE_INODE, body)[0][1]
        return SquashEntry(
            name=name,
            is_dir=kind in (_DIRECTORY, _LONG_DIRECTORY),
            size=size,
            mtime=fields[4],
            is_link=kind in (_LINK, _LONG_LINK),
            ident=reference,
            kind=kind,
            body=body,
        )

    def _fields(self, layout: struct.Struct, at: Position) -> tuple[tuple[int, ...], Position]:
        data, behind = self._metadata.read(at, layout.size)
        return layout.unpack(data), behind
