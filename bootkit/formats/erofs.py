"""EROFS, read-only: the whole tree, and the content of files that are not compressed.

Source: Linux 6.1, fs/erofs/erofs_fs.h, inode.c, dir.c and data.c. Directories and links are never compressed, so names
are always known; that is enough to say which modules a system has.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, clip, read_at
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.values import dataclass

_SUPERBLOCK = 1024
_MAGIC = 0xE0F5E1E2
_48BIT = 0x80
"""Blocks behind 16 TiB, and the root's number in another place; Linux 6.15."""
_PADS_LZ4, _HAS_COMPRESSIONS = 0x01, 0x02
_COMPRESSIONS = ("lz4", "lzma", "deflate", "zstd")
"""By their bits in ``available_compr_algs``. Source: Linux 6.10, fs/erofs/erofs_fs.h."""
_SLOT = 32
_PLAIN, _INLINE, _CHUNKS = 0, 2, 4
_COMPRESSED = (1, 3)
_HAS_INDEXES = 0x20
_CHUNK_BITS = 0x1F
_HOLE = 0xFFFFFFFF
_CHUNK_LIMIT = 1 << 20
"""Chunks of one file; each has at least 4 KiB."""
_TYPE, _DIRECTORY, _REGULAR, _LINK = 0xF000, 0x4000, 0x8000, 0xA000
_LINK_LIMIT = 4096
_DIRENT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ErofsEntry(Entry):
    layout: int
    bytes_inside: int
    """The size in the inode, also of directories and links."""
    start: int
    """The inode's word for where the data are: the number of a block, or the format of its chunks."""
    behind: int
    """Where the inode ends with its extended attributes, from the start of the file system."""


class Erofs(FileTree[ErofsEntry]):
    """The tree of an EROFS image.

    Raises:
        FormatError: there is none, it has features that change the format in a way not known here, or no root.
    """

    def __init__(self, fh: BinaryIO) -> None:
        data = read_at(fh, _SUPERBLOCK, 128)
        magic, block_bits, root, meta = struct.unpack_from("<I8xBxH24xI", data)
        if magic != _MAGIC:
            raise FormatError("there is no EROFS file system", offset=_SUPERBLOCK)
        (incompat,) = struct.unpack_from("<I", data, 80)
        if incompat & _48BIT or not 9 <= block_bits <= 16:
            raise FormatError("the EROFS image uses features that bootkit cannot read", offset=_SUPERBLOCK + 80)
        self.compressions = _compressions(data, incompat)
        """What its files may be packed with: ``lz4``, ``lzma``, ``deflate``, ``zstd``; none where nothing is packed."""
        self._fh = fh
        self._block_size = 1 << block_bits
        self._meta = meta << block_bits
        super().__init__(fh, self._inode("", root))
        if not self._root.is_dir:
            raise FormatError("the root of the EROFS image is no directory", offset=self._meta + root * _SLOT)

    def _target(self, link: ErofsEntry) -> str:
        return self._content(link, _LINK_LIMIT).decode("utf-8", "backslashreplace")

    def _extents(self, entry: ErofsEntry) -> tuple[Extent, ...]:
        size = entry.bytes_inside
        if entry.layout in _COMPRESSED:
            raise FormatError(f"{entry.name} is compressed, and bootkit does not unpack files of an EROFS image")
        if entry.layout == _CHUNKS:
            return clip(self._chunks(entry), size)
        start = entry.start * self._block_size
        if entry.layout != _INLINE:
            return ((start, size),) if size else ()
        # The last block lies behind the inode, also if it is the only one.
        in_blocks = max(0, size - 1) // self._block_size * self._block_size
        return clip(((start, in_blocks), (entry.behind, size - in_blocks)), size)

    def _chunks(self, entry: ErofsEntry) -> Iterator[Extent]:
        chunk_size = self._block_size << (entry.start & _CHUNK_BITS)
        count = -(-entry.bytes_inside // chunk_size)
        if count > _CHUNK_LIMIT:
            raise FormatError(f"{entry.name} has {count} chunks")
        width = 8 if entry.start & _HAS_INDEXES else 4
        table = read_at(self._fh, -(-entry.behind // width) * width, count * width)
        for at in range(0, len(table), width):
            (block,) = struct.unpack_from("<I", table, at + width - 4)
            yield (None if block == _HOLE else block * self._block_size), chunk_size

    def _content(self, entry: ErofsEntry, limit: int) -> bytes:
        """The first ``limit`` bytes of a directory or a link."""
        pieces = (read_at(self._fh, start or 0, length) for start, length in clip(self._extents(entry), limit))
        return b"".join(pieces)[: entry.bytes_inside]

    def _read_directory(self, directory: ErofsEntry) -> Iterator[ErofsEntry]:
        size = directory.bytes_inside
        if size > DIRECTORY_LIMIT:
            self.warn(f"the directory {directory.name or '/'} is larger than {DIRECTORY_LIMIT} bytes")
        content = self._content(directory, min(size, DIRECTORY_LIMIT))
        for at in range(0, len(content), self._block_size):
            yield from self._members_of(content[at : at + self._block_size])

    def _members_of(self, block: bytes) -> Iterator[ErofsEntry]:
        """The members in one block: records, then their names, each up to where the next one begins."""
        if len(block) < _DIRENT:
            raise FormatError("a directory block is too short")
        (first,) = struct.unpack_from("<8xH", block)
        count = first // _DIRENT
        if not count or first > len(block):
            raise FormatError("a directory block is damaged")
        records = [struct.unpack_from("<QH", block, number * _DIRENT) for number in range(count)]
        ends = [*(record[1] for record in records[1:]), len(block)]
        for (number, start), end in zip(records, ends, strict=True):
            name = block[start:end].partition(b"\0")[0]
            if name in (b".", b".."):
                continue
            member = self._member(name.decode("utf-8", "backslashreplace"), number)
            if member is not None:
                yield member

    def _member(self, name: str, number: int) -> ErofsEntry | None:
        try:
            return self._inode(name, number)
        except FormatError as error:
            self.warn(f"{name} cannot be looked at: {error.message}")
            return None

    def _inode(self, name: str, number: int) -> ErofsEntry:
        offset = self._meta + number * _SLOT
        data = read_at(self._fh, offset, _SLOT)
        form, attributes, mode = struct.unpack_from("<HHH", data)
        is_long = form & 1
        size = struct.unpack_from("<Q" if is_long else "<I", data, 8)[0]
        mtime = struct.unpack("<Q", read_at(self._fh, offset + 32, 8))[0] if is_long else 0
        kind = mode & _TYPE
        return ErofsEntry(
            name=name,
            is_dir=kind == _DIRECTORY,
            size=size if kind == _REGULAR else 0,
            mtime=mtime,
            is_link=kind == _LINK,
            ident=number,
            layout=form >> 1 & 7,
            bytes_inside=size,
            start=struct.unpack_from("<I", data, 16)[0],
            # A header of 12 bytes counts as the first of the attributes, which have 4 each.
            behind=offset + (64 if is_long else _SLOT) + (8 + 4 * attributes if attributes else 0),
        )


def _compressions(superblock: bytes, incompat: int) -> tuple[str, ...]:
    if not incompat & _HAS_COMPRESSIONS:
        return ("lz4",) if incompat & _PADS_LZ4 else ()
    (bits,) = struct.unpack_from("<H", superblock, 84)
    return tuple(name for number, name in enumerate(_COMPRESSIONS) if bits >> number & 1)
