"""libext2fs, the library of e2fsprogs, over a partition that we read and write ourselves.

It knows every feature of ext4. What it reads and writes goes through a :class:`~bootkit.system.staged.Staged`, so that nothing
reaches the medium before all of it does. Source: e2fsprogs 1.47.0, lib/ext2fs/ext2_io.h for the two structures of its input and
output, ext2fs.h for the functions, ext2_err.et for the errors.
"""

import ctypes
import errno
import struct
from collections.abc import Callable
from typing import Any

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.system.run import tool_missing
from bootkit.system.staged import Staged
from bootkit.system.writer import no_room

FOLDER_FULL, NOT_FOUND = 2133571366, 2133571404
_NO_BLOCK, _NO_INODE = 2133571400, 2133571401
_CHANNEL_MAGIC, _MANAGER_MAGIC = 2133571333, 2133571335
_OPEN = 0x1 | 0x200 | 0x20000
"""For writing, with block numbers of 64 bits; only the first copy of the superblock, as the kernel does."""

_Long, _Pointer = ctypes.c_long, ctypes.c_void_p
_Open = ctypes.CFUNCTYPE(_Long, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Pointer))
_OnChannel = ctypes.CFUNCTYPE(_Long, _Pointer)
_SetSize = ctypes.CFUNCTYPE(_Long, _Pointer, ctypes.c_int)
_Blocks = ctypes.CFUNCTYPE(_Long, _Pointer, ctypes.c_ulong, ctypes.c_int, _Pointer)
_Blocks64 = ctypes.CFUNCTYPE(_Long, _Pointer, ctypes.c_ulonglong, ctypes.c_int, _Pointer)
_SetOption = ctypes.CFUNCTYPE(_Long, _Pointer, ctypes.c_char_p, ctypes.c_char_p)

_OnName = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_uint32, ctypes.c_int, _Pointer, ctypes.c_int, ctypes.c_int, _Pointer, _Pointer
)
_CHANGED, _END = 1, 2
_NAME = struct.Struct("<IHBB")
"""``struct ext2_dir_entry_2``: inode, bytes of the record, bytes of the name, type; the name follows."""


class _Manager(ctypes.Structure):
    """``struct struct_io_manager``: how the library reads and writes. What is not set is NULL, which it knows how to do without."""

    _fields_ = (
        ("magic", _Long), ("name", ctypes.c_char_p), ("open", _Open), ("close", _OnChannel), ("set_blksize", _SetSize),
        ("read_blk", _Blocks), ("write_blk", _Blocks), ("flush", _OnChannel), ("write_byte", _Blocks),
        ("set_option", _SetOption), ("get_stats", _Pointer), ("read_blk64", _Blocks64), ("write_blk64", _Blocks64),
        ("discard", _Pointer), ("cache_readahead", _Pointer), ("zeroout", _Pointer), ("reserved", _Long * 14),
    )  # fmt: skip


class _Channel(ctypes.Structure):
    """``struct struct_io_channel``: one opened medium."""

    _fields_ = (
        ("magic", _Long), ("manager", _Pointer), ("name", ctypes.c_char_p), ("block_size", ctypes.c_int),
        ("read_error", _Pointer), ("write_error", _Pointer), ("refcount", ctypes.c_int), ("flags", ctypes.c_int),
        ("reserved", _Long * 14), ("private_data", _Pointer), ("app_data", _Pointer), ("align", ctypes.c_int),
    )  # fmt: skip


class _Filesystem(ctypes.Structure):
    """The beginning of ``struct struct_ext2_filsys``."""

    _fields_ = (
        ("magic", _Long), ("io", _Pointer), ("flags", ctypes.c_int), ("device_name", _Pointer), ("super", _Pointer),
        ("blocksize", ctypes.c_uint), ("fragsize", ctypes.c_int), ("group_desc_count", ctypes.c_uint32),
        ("desc_blocks", ctypes.c_ulong), ("group_desc", _Pointer), ("inode_blocks_per_group", ctypes.c_uint),
        ("inode_map", _Pointer), ("block_map", _Pointer),
    )  # fmt: skip


class Library:
    """The file system in ``staged``, opened for writing.

    Raises:
        ToolMissing: libext2fs is not installed.
        BootkitError: the file system is damaged, or has features that this libext2fs does not know.
    """

    def __init__(self, staged: Staged) -> None:
        self._staged = staged
        self._library = _library()
        self._failure: OSError | None = None
        self._manager = self._made_manager()
        self._channel = _Channel(
            magic=_CHANNEL_MAGIC, manager=ctypes.addressof(self._manager), name=b"stick", block_size=1024, refcount=1
        )
        self._fs = _Pointer()
        manager = ctypes.byref(self._manager)
        self.require(self._library.ext2fs_open2(b"stick", None, _OPEN, 0, 0, manager, ctypes.byref(self._fs)))

    def close(self) -> None:
        """Give back what the library holds; nothing is written."""
        if self._fs.value:
            self._library.ext2fs_free(self._fs)
            self._fs = _Pointer()

    def __call__(self, function: str, *words: object) -> None:
        """Call ``ext2fs_function`` with the file system as its first argument.

        Raises:
            BootkitError: it has failed.
        """
        self.require(self.ask(function, *words))

    def ask(self, function: str, *words: object) -> int:
        """The answer of ``ext2fs_function``, called as :meth:`__call__` does."""
        answer: int | None = getattr(self._library, f"ext2fs_{function}")(self._fs, *words)
        return answer or 0

    def change_name(self, folder: int, name: bytes, number: int, kind: int) -> None:
        """Let a name that is in a folder mean another inode.

        Raises:
            BootkitError: the folder cannot be read or written.
        """

        def met(_folder: int, _entry: int, record: int, _at: int, _size: int, _block: int, _private: int) -> int:
            old, length, name_length, old_kind = _NAME.unpack(ctypes.string_at(record, _NAME.size))
            if not old or ctypes.string_at(record + _NAME.size, name_length) != name:
                return 0
            # without the feature that keeps them the types are 0
            changed = _NAME.pack(number, length, name_length, kind if old_kind else 0)
            ctypes.memmove(record, changed, _NAME.size)
            return _CHANGED | _END

        self("dir_iterate2", folder, 0, None, _OnName(met), None)

    def on_map(self, function: str, block_map: ctypes.c_void_p, *words: object) -> int:
        """The answer of one that works on a map of blocks."""
        answer: int | None = getattr(self._library, f"ext2fs_{function}")(block_map, *words)
        return answer or 0

    def block_map(self) -> ctypes.c_void_p:
        """The blocks that are used now."""
        return _Pointer(ctypes.cast(self._fs, ctypes.POINTER(_Filesystem)).contents.block_map)

    def require(self, status: int) -> None:
        """Go on only if the library's answer is no failure.

        Raises:
            BootkitError: it is one.
        """
        if self._failure is not None:
            raise self._failure
        if status in (_NO_BLOCK, _NO_INODE, errno.ENOSPC):
            raise no_room(0)
        if status:
            hint = tr("check it: e2fsck -f names and mends what is damaged")
            raise BootkitError(
                tr("libext2fs cannot change the ext4 file system: error {status}", status=status), hint=hint
            )

    def _made_manager(self) -> _Manager:
        """What the library calls to read and write; it holds no medium of its own."""

        def opened(_name: bytes, _flags: int, channel: Any) -> int:
            channel[0] = _Pointer(ctypes.addressof(self._channel))
            return 0

        def sized(_channel: int, size: int) -> int:
            self._channel.block_size = size
            return 0

        def read(_channel: int, block: int, count: int, data: int) -> int:
            return self._guarded(lambda: self._read(block, count, data))

        def write(_channel: int, block: int, count: int, data: int) -> int:
            return self._guarded(lambda: self._write(block * self._channel.block_size, self._bytes(count), data))

        def write_bytes(_channel: int, at: int, count: int, data: int) -> int:
            return self._guarded(lambda: self._write(at, count, data))

        def done(_channel: int) -> int:
            return 0

        def option(_channel: int, _name: bytes, _value: bytes) -> int:
            return 0

        return _Manager(
            magic=_MANAGER_MAGIC, name=b"bootkit", open=_Open(opened), close=_OnChannel(done), set_blksize=_SetSize(sized),
            read_blk=_Blocks(read), write_blk=_Blocks(write), flush=_OnChannel(done), write_byte=_Blocks(write_bytes),
            set_option=_SetOption(option), read_blk64=_Blocks64(read), write_blk64=_Blocks64(write),
        )  # fmt: skip

    def _guarded(self, act: Callable[[], None]) -> int:
        """The status of a step that the library asked for; an exception, which cannot pass through it, is kept until it returns."""
        try:
            act()
        except OSError as error:
            self._failure = error
            return errno.EIO
        return 0

    def _read(self, block: int, count: int, data: int) -> None:
        content = self._staged.peek(block * self._channel.block_size, self._bytes(count))
        ctypes.memmove(data, content, len(content))

    def _write(self, at: int, size: int, data: int) -> None:
        self._staged.put(at, ctypes.string_at(data, size))

    def _bytes(self, count: int) -> int:
        """Bytes of what the library counts in blocks or, with a minus, in bytes."""
        return -count if count < 0 else count * int(self._channel.block_size)


def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libext2fs.so.2")
    except OSError:
        raise tool_missing("debugfs") from None
    inode, block, fs, name = ctypes.c_uint32, ctypes.c_uint64, _Pointer, ctypes.c_char_p
    for function, words in {
        "open2": (name, name, ctypes.c_int, ctypes.c_int, ctypes.c_uint, _Pointer, _Pointer),
        "read_bitmaps": (fs,),
        "flush2": (fs, ctypes.c_int),
        "new_inode": (fs, inode, ctypes.c_int, _Pointer, _Pointer),
        "extent_open2": (fs, inode, _Pointer, _Pointer),
        "write_new_inode": (fs, inode, _Pointer),
        "read_inode": (fs, inode, _Pointer),
        "write_inode": (fs, inode, _Pointer),
        "fallocate": (fs, ctypes.c_int, inode, _Pointer, block, block, block),
        "lookup": (fs, inode, name, ctypes.c_int, _Pointer, _Pointer),
        "mkdir": (fs, inode, inode, name),
        "link": (fs, inode, name, inode, ctypes.c_int),
        "unlink": (fs, inode, name, inode, ctypes.c_int),
        "expand_dir": (fs, inode),
        "dir_iterate2": (fs, inode, ctypes.c_int, _Pointer, _OnName, _Pointer),
        "free_ext_attr": (fs, inode, _Pointer),
        "punch": (fs, inode, _Pointer, _Pointer, block, block),
        "copy_bitmap": (_Pointer, _Pointer),
        "find_first_zero_block_bitmap2": (_Pointer, block, block, _Pointer),
        "find_first_set_block_bitmap2": (_Pointer, block, block, _Pointer),
    }.items():
        called = getattr(library, f"ext2fs_{function}")
        called.restype, called.argtypes = _Long, words
    for function, words in {
        "free": (fs,),
        "free_block_bitmap": (_Pointer,),
        "extent_free": (_Pointer,),
        "inode_alloc_stats2": (fs, inode, ctypes.c_int, ctypes.c_int),
    }.items():
        called = getattr(library, f"ext2fs_{function}")
        called.restype, called.argtypes = None, words
    library.ext2fs_inode_has_valid_blocks2.argtypes = (fs, _Pointer)
    return library
