"""btrfs on one device, read-only: a subvolume and what of others hangs in it.

Source: Linux 6.1, include/uapi/linux/btrfs_tree.h, fs/btrfs/inode.c and lzo.c (whose segments do not begin in the last three
bytes of a page). Checksums are not verified, and the log is not replayed.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.btrfstree import BtrfsTrees, Key
from bootkit.formats.compression import unpack_block
from bootkit.formats.reader import Extent, Positioned, TreeFile, read_at
from bootkit.formats.tree import Entry, FileTree
from bootkit.values import dataclass

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TOP = 5
"""The subvolume that holds all others."""
_ROOTS_FOLDER = 6
"""In the root tree: which subvolume is the default one."""
_INODE_ITEM, _INODE_REF, _DIR_ITEM, _DIR_INDEX, _EXTENT_DATA = 1, 12, 84, 96, 108
_ROOT_ITEM, _ROOT_BACKREF = 132, 144
_INODE_SIZE, _ROOT_ITEM_SIZE = 160, 239
_DEPTH_LIMIT = 64
"""Folders and subvolumes in one path."""
_LAST = (1 << 64) - 1
_DIRENT = struct.Struct("<QBQ8xHHB")
_EXTENT_HEAD = struct.Struct("<8xQBBxxB")
"""Bytes unpacked, compression, encryption, kind."""
_EXTENT_PLACE = struct.Struct("<QQQQ")
"""Of a regular extent: logical address, bytes there, offset of what is taken when it is unpacked, bytes taken."""
_INLINE, _PREALLOCATED = 0, 2
_COMPRESSIONS = {1: "zlib", 2: "lzo", 3: "zstd"}
_FOLDER, _LINK = 2, 7
_EXTENT_LIMIT = 16 << 20
"""Bytes of one compressed extent; the kernel packs 128 KiB at once."""
_EXTENTS_LIMIT = 1 << 20
_LINK_LIMIT = 4096
_PAGE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class BtrfsEntry(Entry):
    root: int
    """Logical address of the tree of its subvolume."""
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A part of a file."""

    start: int
    """In the file."""
    size: int
    place: int | None = None
    """In the underlying file; ``None`` for a hole."""
    stored: int = 0
    offset: int = 0
    """Of a compressed one: its bytes there, and where in what they unpack to it begins."""
    unpacked: int = 0
    compression: str = ""
    data: bytes = b""
    """Of one that lies in the tree itself, as it is stored there."""


class Btrfs(FileTree[BtrfsEntry]):
    """The tree of a subvolume; folders that are subvolumes themselves are entered.

    Raises:
        FormatError: there is no btrfs that can be read, or no such subvolume.
    """

    def __init__(self, fh: BinaryIO, subvolume: str = "") -> None:
        """``subvolume`` is its path in the one that holds all; empty is that one itself."""
        self._fh = fh
        self._trees = BtrfsTrees(fh)
        self.superblock = self._trees.superblock
        super().__init__(fh, self._subvolume("", TOP))
        if subvolume:
            found = self.find(subvolume)
            if found is None or not found.is_dir:
                raise FormatError(f"the btrfs has no subvolume {subvolume}")
            self._root = found
        if self.superblock.has_log:
            self.warn("the btrfs was not unmounted cleanly: its newest changes may be missing")

    def default_subvolume(self) -> str:
        """The path of the one that is mounted where none is named; empty is the one that holds all.

        Raises:
            FormatError: it hangs nowhere.
        """
        first, last = (_ROOTS_FOLDER, _DIR_ITEM, 0), (_ROOTS_FOLDER, _DIR_ITEM, _LAST)
        number = next((_DIRENT.unpack_from(item)[0] for item in self._items(first, last)), TOP)
        path = ""
        for _ in range(_DEPTH_LIMIT):
            if number == TOP:
                return path
            above, folder, name = self._hangs_in(number)
            path = "/".join(filter(None, (self._way_to(above, folder), name, path)))
            number = above
        raise FormatError("the default subvolume hangs nowhere")

    def _hangs_in(self, number: int) -> tuple[int, int, str]:
        """The subvolume in which another one hangs, the inode of the folder there, and the name."""
        first, last = (number, _ROOT_BACKREF, 0), (number, _ROOT_BACKREF, _LAST)
        for key, item in self._trees.items(self.superblock.root, first, last):
            folder, length = struct.unpack_from("<Q8xH", item)
            return key[2], folder, item[18 : 18 + length].decode("utf-8", "backslashreplace")
        raise FormatError(f"subvolume {number} hangs nowhere")

    def _way_to(self, subvolume: int, folder: int) -> str:
        """The path of a folder in its subvolume, by its inode."""
        root = self._subvolume("", subvolume)
        path = ""
        for _ in range(_DEPTH_LIMIT):
            if folder == root.inode:
                return path
            first, last = (folder, _INODE_REF, 0), (folder, _INODE_REF, _LAST)
            key, item = next(self._trees.items(root.root, first, last), ((0, 0, root.inode), bytes(10)))
            (length,) = struct.unpack_from("<8xH", item)
            path = "/".join(filter(None, (item[10 : 10 + length].decode("utf-8", "backslashreplace"), path)))
            folder = key[2]
        raise FormatError("a folder hangs nowhere")

    def _items(self, first: Key, last: Key) -> Iterator[bytes]:
        """Items of the root tree."""
        return (item for _, item in self._trees.items(self.superblock.root, first, last))

    def _subvolume(self, name: str, number: int) -> BtrfsEntry:
        for item in self._items((number, _ROOT_ITEM, 0), (number, _ROOT_ITEM, _LAST)):
            if len(item) < _ROOT_ITEM_SIZE:
                break
            folder, root = struct.unpack_from("<QQ", item, 168)
            return BtrfsEntry(name=name, is_dir=True, ident=number << 64, root=root, inode=folder)
        raise FormatError(f"there is no subvolume {number}")

    def _target(self, link: BtrfsEntry) -> str:
        return self._open(link).read(_LINK_LIMIT).decode("utf-8", "backslashreplace")

    def _extents(self, entry: BtrfsEntry) -> tuple[Extent, ...]:
        pieces = self._pieces(entry)
        if any(piece.compression or piece.data for piece in pieces):
            raise FormatError(f"{entry.name} has no place of its own: it is compressed, or lies in the tree")
        return tuple((piece.place, piece.size) for piece in pieces)

    def _open(self, entry: BtrfsEntry) -> TreeFile:
        pieces = self._pieces(entry)
        size = pieces[-1].start + pieces[-1].size if pieces else 0
        return TreeFile(_Pieces(self._fh, pieces, size), size)

    def _read_directory(self, directory: BtrfsEntry) -> Iterator[BtrfsEntry]:
        first, last = (directory.inode, _DIR_INDEX, 0), (directory.inode, _DIR_INDEX, _LAST)
        for _, item in self._trees.items(directory.root, first, last):
            if len(item) < _DIRENT.size:
                raise FormatError("a directory member is cut short")
            number, kind, _, _, length, file_type = _DIRENT.unpack_from(item)
            name = item[_DIRENT.size : _DIRENT.size + length].decode("utf-8", "backslashreplace")
            member = self._member(name, number, kind, file_type, directory)
            if member is not None:
                yield member

    def _member(self, name: str, number: int, kind: int, file_type: int, above: BtrfsEntry) -> BtrfsEntry | None:
        try:
            if kind == _ROOT_ITEM:
                return self._subvolume(name, number)
            ident = above.ident >> 64 << 64 | number
            member = BtrfsEntry(name=name, is_dir=file_type == _FOLDER, ident=ident, root=above.root, inode=number)
            size, mtime = self._inode(member)
        except FormatError as error:
            self.warn(f"{name} cannot be looked at: {error.message}")
            return None
        return replace(member, is_link=file_type == _LINK, size=0 if member.is_dir else size, mtime=mtime)

    def _inode(self, entry: BtrfsEntry) -> tuple[int, int]:
        """Size and time of the last change."""
        for _, item in self._trees.items(entry.root, (entry.inode, _INODE_ITEM, 0), (entry.inode, _INODE_ITEM, 0)):
            if len(item) >= _INODE_SIZE:
                return int(struct.unpack_from("<Q", item, 16)[0]), int(struct.unpack_from("<q", item, 136)[0])
        raise FormatError("its inode is missing")

    def _pieces(self, entry: BtrfsEntry) -> tuple[_Piece, ...]:
        """The whole file, without gaps."""
        size, at = self._inode(entry)[0], 0
        found: list[_Piece] = []
        for (_, _, start), item in self._trees.items(
            entry.root, (entry.inode, _EXTENT_DATA, 0), (entry.inode, _EXTENT_DATA, _LAST)
        ):
            if start >= size or len(found) > _EXTENTS_LIMIT:
                break
            if start > at:
                found.append(_Piece(start=at, size=start - at))
            piece = self._piece(start, item)
            if start < at or not piece.size:
                raise FormatError(f"{entry.name}: the map of its blocks is damaged")
            at = min(size, start + piece.size)
            found.append(replace(piece, size=at - start))
        return (*found, _Piece(start=at, size=size - at)) if at < size else tuple(found)

    def _piece(self, start: int, item: bytes) -> _Piece:
        if len(item) < _EXTENT_HEAD.size:
            raise FormatError("an extent is cut short")
        unpacked, method, encryption, kind = _EXTENT_HEAD.unpack_from(item)
        if encryption or (method and method not in _COMPRESSIONS):
            raise FormatError("an extent is encrypted, or compressed in a way that is not known")
        compression = _COMPRESSIONS.get(method, "")
        if kind == _INLINE:
            data = item[_EXTENT_HEAD.size :]
            size = unpacked if compression else len(data)
            return _Piece(start=start, size=size, unpacked=unpacked, compression=compression, data=data)
        if len(item) < _EXTENT_HEAD.size + _EXTENT_PLACE.size:
            raise FormatError("an extent is cut short")
        logical, stored, offset, size = _EXTENT_PLACE.unpack_from(item, _EXTENT_HEAD.size)
        if not logical or kind == _PREALLOCATED:
            return _Piece(start=start, size=size)
        if not compression:
            return _Piece(start=start, size=size, place=self._trees.physical(logical + offset, size))
        if max(stored, unpacked) > _EXTENT_LIMIT:
            raise FormatError("a compressed extent is too large")
        place = self._trees.physical(logical, stored)
        return _Piece(
            start=start,
            size=size,
            place=place,
            stored=stored,
            offset=offset,
            unpacked=unpacked,
            compression=compression,
        )


class _Pieces(Positioned):
    def __init__(self, fh: BinaryIO, pieces: Sequence[_Piece], size: int) -> None:
        super().__init__(size)
        self._fh = fh
        self._pieces = pieces
        self._starts = [piece.start for piece in pieces]
        self._unpacked: tuple[_Piece, bytes] | None = None

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        if self._position >= self.size:
            return 0
        piece = self._pieces[bisect_right(self._starts, self._position) - 1]
        skipped = self._position - piece.start
        wanted = min(len(view), piece.size - skipped)
        view[:wanted] = self._read(piece, skipped, wanted)
        self._position += wanted
        return wanted

    def _read(self, piece: _Piece, skipped: int, wanted: int) -> bytes:
        if piece.compression or piece.data:
            at = piece.offset + skipped
            return self._whole(piece)[at : at + wanted].ljust(wanted, b"\0")
        return bytes(wanted) if piece.place is None else read_at(self._fh, piece.place + skipped, wanted)

    def _whole(self, piece: _Piece) -> bytes:
        """What a compressed piece unpacks to; the last one is kept."""
        if self._unpacked is None or self._unpacked[0] is not piece:
            data = piece.data or read_at(self._fh, piece.place or 0, piece.stored)
            self._unpacked = piece, _unpack(piece.compression, data, piece.unpacked)
        return self._unpacked[1]


def _unpack(compression: str, data: bytes, size: int) -> bytes:
    match compression:
        case "":
            return data
        case "lzo":
            return b"".join(_segments(data, size))
        case _:
            return unpack_block(compression, data, size)


def _segments(data: bytes, size: int) -> Iterator[bytes]:
    total, at = int.from_bytes(data[:4], "little"), 4
    while at + 4 <= min(total, len(data)) and size > 0:
        length = int.from_bytes(data[at : at + 4], "little")
        part = unpack_block("lzo1x", data[at + 4 : at + 4 + length], min(_PAGE, size))
        yield part
        size -= len(part)
        at += 4 + length
        left = -at % _PAGE
        at += left if left < 4 else 0
