"""Write to an ext4 file system that is not mounted.

debugfs would do it, but takes names for words and lines of its commands, and writes in place. Source: e2fsprogs 1.47.0,
debugfs/debugfs.c for the order in which the functions of its library are called.
"""

import ctypes
import itertools
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, cast

from bootkit.errors import BootkitError
from bootkit.formats.ext4 import Ext4, read_superblock
from bootkit.formats.reader import Extent
from bootkit.i18n import tr
from bootkit.system.libext2fs import FOLDER_FULL, NOT_FOUND, Library
from bootkit.system.redo import Piece, Room
from bootkit.system.staged import SECTOR, Staged
from bootkit.system.volume import mode_of, parts_of
from bootkit.system.writer import Reserved, is_a_file, no_file

_RECOVER, _PROTECTED = 0x4, 0x100
EXTENTS = 0x40
_VALID, _ERRORS = 1, 2
_QUOTAS = 0x100 | 0x2000
"""Files that count blocks and inodes, which libext2fs does not keep up to date: quota and project."""

_SUPERBLOCK_END = 2048
_ROOT = 2
_TYPE, _FOLDER, _FILE = 0xF000, 0x4000, 0x8000
_ENCRYPTED = 0x800
_FILE_MODE, _ENTRY_FILE = 0o100644, 1
_INODE = 128
"""Bytes of an inode that are read and written; the library takes care of the rest."""
_NAME_LIMIT = 255

_INITIALISED = 0x2
"""Of ext2fs_fallocate: the blocks count as written, because they will be."""
_WITHOUT_SYNC = 1
_ALL = (1 << 64) - 1


def ext4_problem(staged: Staged, *, replays: bool) -> str | None:
    """Why it must be checked before it is written, as a clause; ``None`` if it need not be.

    ``replays`` says that who writes makes the changes in its journal first, as the kernel does.
    """
    superblock = read_superblock(cast("BinaryIO", staged))
    (state,) = struct.unpack("<H", staged.on_medium(1024 + 58, 2))
    if superblock.incompat & _RECOVER and not replays:
        return "it was not unmounted cleanly: its journal holds changes that would undo what is written now"
    if state & _ERRORS:
        return "the kernel has found errors in it"
    return None if state & _VALID else "it was not unmounted cleanly"


def ext4_spare_sector(staged: Staged) -> int:  # noqa: ARG001  # it is the same for all
    """The offset of the second half of the boot block, which ext4 leaves to boot loaders, and ours does not use."""
    return SECTOR


def ext4_gap(staged: Staged) -> Piece:
    """What is left of the first block behind the superblock."""
    end = read_superblock(cast("BinaryIO", staged)).block_size
    return _SUPERBLOCK_END, max(0, end - _SUPERBLOCK_END)


class Ext4Writer:
    """Changes to the ext4 file system in ``staged``.

    Raises:
        ToolMissing: libext2fs is not installed.
        BootkitError: the file system is damaged, or has features that this libext2fs does not know.
    """

    def __init__(self, staged: Staged) -> None:
        superblock = read_superblock(cast("BinaryIO", staged))
        if superblock.ro_compat & _QUOTAS:
            hint = tr("mount it first: only the kernel keeps its quotas up to date")
            raise BootkitError(tr("an ext4 with quotas cannot be written while it is not mounted"), hint=hint)
        if superblock.incompat & _PROTECTED:
            hint = tr("mount it first: the kernel tells the other computers that it is in use")
            raise BootkitError(
                tr("an ext4 with multiple mount protection cannot be written while it is not mounted"), hint=hint
            )
        self._block_size, self._blocks = superblock.block_size, superblock.blocks
        self._first_block, self._extents = superblock.first_block, bool(superblock.incompat & EXTENTS)
        self._staged = staged
        self._removed: list[int] = []
        self._discarded: list[Piece] = []
        self._old_map = ctypes.c_void_p()
        self._library = Library(staged)
        try:
            self._library("read_bitmaps")
            self._remember_map()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._old_map.value:
            self._library.on_map("free_block_bitmap", self._old_map)
            self._old_map = ctypes.c_void_p()
        self._library.close()

    def reserve(self, size: int, data: Sequence[Piece]) -> Reserved:
        inode = bytearray(_INODE)
        number = ctypes.c_uint32()
        self._library("new_inode", _ROOT, _FILE_MODE, None, ctypes.byref(number))
        now = int(time.time())
        struct.pack_into("<HHIIIIIHH", inode, 0, _FILE_MODE, 0, size & 0xFFFFFFFF, now, now, now, 0, 0, 1)
        struct.pack_into("<I", inode, 108, size >> 32)
        buffer = (ctypes.c_char * _INODE).from_buffer(inode)
        if self._extents:
            handle = ctypes.c_void_p()
            self._library("extent_open2", number, buffer, ctypes.byref(handle))
            self._library.on_map("extent_free", handle)
        self._library("write_new_inode", number, buffer)
        self._library.ask("inode_alloc_stats2", number, 1, 0)
        for first, count in self._block_ranges(size, data):
            self._library("fallocate", _INITIALISED, number, None, _ALL, first, count)
        extents = self._extents_of(number.value)
        self._clear_tail(size, extents)
        return Reserved(size=size, extents=extents, first=number.value)

    def publish(self, path: str, reserved: Reserved) -> None:
        folder, name = self._place(path)
        self._own(reserved.first, folder)
        self._protect(reserved.first, mode_of(path))
        self._name(folder, name, reserved.first, path)

    def rename(self, old: str, new: str) -> None:
        folder, name = self._place(new)
        above, old_name, number = self._file(old)
        if (above, old_name) == (folder, name):
            return
        self._unlink(above, old_name, number)
        self._name(folder, name, number, new)

    def remove(self, path: str) -> None:
        folder, name, number = self._file(path)
        self._unlink(folder, name, number)
        self._removed.append(number)

    def discard(self, path: str) -> None:
        _, _, number = self._file(path)
        (links,) = struct.unpack_from("<H", self._inode(number), 26)
        if links == 1:
            extents = self._extents_of(number)
            self._discarded += [(at, length) for at, length in extents if at is not None]
        self.remove(path)

    def settle(self) -> None:
        self._library("flush2", _WITHOUT_SYNC)
        if self._removed:
            self._staged.end_step()
            for number in self._removed:
                self._let_go(number)
            self._removed.clear()
            self._library("flush2", _WITHOUT_SYNC)

    def room(self, size: int) -> Sequence[Piece]:
        room = Room(size)
        blocks = ((first * self._block_size, count * self._block_size) for first, count in self._free_runs())
        pieces = itertools.chain(self._discarded, blocks)
        while not room.is_enough and (piece := next(pieces, None)) is not None:
            room.add(*piece)
        self._discarded.clear()
        self._remember_map()
        return room.pieces

    def _block_ranges(self, size: int, data: Sequence[Piece]) -> Iterator[tuple[int, int]]:
        """First and number of the blocks that hold data, and the first block of all.

        GRUB 2.06 cannot read a file that begins with a hole ("invalid extent"), and a pure ISO9660 image begins with
        32 KiB of zeros; a hole further on does no harm.
        """
        done = 0
        for start, length in ((0, min(size, 1)), *data):
            first, end = max(done, start // self._block_size), -(-(start + length) // self._block_size)
            if end > first:
                yield first, end - first
                done = end

    def _clear_tail(self, size: int, extents: Sequence[Extent]) -> None:
        """Zeros behind the end of a file in its last block, where Linux expects them when it grows."""
        inside = size % self._block_size
        if inside and extents and extents[-1][0] is not None:
            self._staged.write_past(extents[-1][0] + extents[-1][1], bytes(self._block_size - inside))

    def _place(self, path: str) -> tuple[int, bytes]:
        """The folder of a path, made where it is not there, and its name."""
        *above, name = map(_encoded, parts_of(path))
        here = _ROOT
        for part in above:
            found = self._lookup(here, part)
            if found is None:
                found = self._made_folder(here, part)
            self._require_folder(found, path)
            here = found
        return here, name

    def _file(self, path: str) -> tuple[int, bytes, int]:
        """The folder, the name and the number of a file.

        Raises:
            BootkitError: there is none.
        """
        *above, name = map(_encoded, parts_of(path))
        here = _ROOT
        for part in above:
            found = self._lookup(here, part)
            if found is None:
                raise no_file(path)
            self._require_folder(found, path)
            here = found
        number = self._lookup(here, name)
        if number is None or self._mode(number) & _TYPE == _FOLDER:
            raise no_file(path)
        return here, name, number

    def _name(self, folder: int, name: bytes, number: int, path: str) -> None:
        """Give a file its name: in the record of one that has it, so that there is always one of the two."""
        old = self._lookup(folder, name)
        if old is None:
            self._with_room(folder, lambda: self._library.ask("link", folder, name, number, _ENTRY_FILE))
            return
        if self._mode(old) & _TYPE == _FOLDER:
            raise BootkitError(
                tr("{path} on the stick is a folder", path=path), hint=tr("remove it, or take another name")
            )
        with self._naming(folder):
            self._library.change_name(folder, name, number, _ENTRY_FILE)
        self._removed.append(old)

    def _unlink(self, folder: int, name: bytes, number: int) -> None:
        with self._naming(folder):
            self._library("unlink", folder, name, number, 0)

    def _naming(self, folder: int) -> AbstractContextManager[None]:
        """Names are what is put into the blocks that a folder has.

        The library writes inodes in the same breath, a whole block of them: among them are those that the names mean.
        """
        return self._staged.naming(self._extents_of(folder))

    def _lookup(self, folder: int, name: bytes) -> int | None:
        number = ctypes.c_uint32()
        status = self._library.ask("lookup", folder, name, len(name), None, ctypes.byref(number))
        if status == NOT_FOUND:
            return None
        self._library.require(status)
        return number.value

    def _made_folder(self, above: int, name: bytes) -> int:
        self._with_room(above, lambda: self._library.ask("mkdir", above, 0, name))
        number = self._lookup(above, name)
        assert number is not None  # it was just made
        self._own(number, above)
        return number

    def _with_room(self, folder: int, add: Callable[[], int]) -> None:
        """Add to a folder, which is expanded if it is full: no inode tells of the new block before that is there."""
        with self._naming(folder):
            status = add()
        if status == FOLDER_FULL:
            self._library("expand_dir", folder)
            at, length = self._extents_of(folder)[-1]
            assert at is not None  # it was just made
            new = at + length - self._block_size
            self._staged.write_past(new, self._staged.peek(new, self._block_size))
            with self._naming(folder):
                status = add()
        self._library.require(status)

    def _require_folder(self, number: int, path: str) -> None:
        inode = self._inode(number)
        if _mode_of(inode) & _TYPE != _FOLDER:
            raise is_a_file(path)
        if int.from_bytes(inode[32:36], "little") & _ENCRYPTED:
            raise BootkitError(
                tr("a folder on the way to {path} is encrypted", path=path), hint=tr("take another folder")
            )

    def _own(self, number: int, folder: int) -> None:
        """Give a file or folder the owner of the folder above: who mounts the stick may change it then."""
        inode, above = self._inode(number), self._inode(folder)
        for start, end in ((2, 4), (24, 26), (120, 124)):
            inode[start:end] = above[start:end]
        self._write_inode(number, inode)

    def _protect(self, number: int, mode: int) -> None:
        inode = self._inode(number)
        struct.pack_into("<H", inode, 0, _FILE | mode)
        self._write_inode(number, inode)

    def _let_go(self, number: int) -> None:
        """Free an inode and its blocks, unless it has another name."""
        inode = self._inode(number)
        (links,) = struct.unpack_from("<H", inode, 26)
        struct.pack_into("<H", inode, 26, max(0, links - 1))
        if links > 1:
            self._write_inode(number, inode)
            return
        struct.pack_into("<I", inode, 20, int(time.time()))
        self._write_inode(number, inode)
        buffer = (ctypes.c_char * _INODE).from_buffer(inode)
        if int.from_bytes(inode[104:108], "little"):
            self._library("free_ext_attr", number, None)
            inode[:] = self._inode(number)
        if self._library.ask("inode_has_valid_blocks2", buffer):
            self._library("punch", number, buffer, None, 0, _ALL)
        self._library.ask("inode_alloc_stats2", number, -1, 0)

    def _extents_of(self, number: int) -> tuple[Extent, ...]:
        return Ext4(cast("BinaryIO", self._staged)).extents_of(number)

    def _mode(self, number: int) -> int:
        return _mode_of(self._inode(number))

    def _inode(self, number: int) -> bytearray:
        inode = bytearray(_INODE)
        self._library("read_inode", number, (ctypes.c_char * _INODE).from_buffer(inode))
        return inode

    def _write_inode(self, number: int, inode: bytearray) -> None:
        self._library("write_inode", number, (ctypes.c_char * _INODE).from_buffer(inode))

    def _free_runs(self) -> Iterator[tuple[int, int]]:
        """Blocks that are free and were when the change began."""
        now, last = self._library.block_map(), self._blocks - 1
        at = self._first_block
        while (start := self._next("zero", now, at, last)) is not None:
            at = self._next("set", now, start, last) or last + 1
            while (free := self._next("zero", self._old_map, start, at - 1)) is not None:
                start = self._next("set", self._old_map, free, at - 1) or at
                yield free, start - free

    def _next(self, kind: str, block_map: ctypes.c_void_p, first: int, last: int) -> int | None:
        """The first block from ``first`` to ``last`` that is not used ("zero") or used ("set")."""
        found = ctypes.c_uint64()
        if first > last or self._library.on_map(
            f"find_first_{kind}_block_bitmap2", block_map, first, last, ctypes.byref(found)
        ):
            return None
        return found.value

    def _remember_map(self) -> None:
        if self._old_map.value:
            self._library.on_map("free_block_bitmap", self._old_map)
            self._old_map = ctypes.c_void_p()
        self._library.require(
            self._library.on_map("copy_bitmap", self._library.block_map(), ctypes.byref(self._old_map))
        )


def _mode_of(inode: bytearray) -> int:
    return int.from_bytes(inode[:2], "little")


def _encoded(name: str) -> bytes:
    """``name`` as bytes.

    Raises:
        BootkitError: ext4 has no room for that name.
    """
    encoded = name.encode(errors="surrogateescape")
    if len(encoded) > _NAME_LIMIT:
        raise BootkitError(
            tr("{name} is longer than {name_limit} bytes", name=name, name_limit=_NAME_LIMIT),
            hint=tr("give it a shorter name"),
        )
    return encoded
