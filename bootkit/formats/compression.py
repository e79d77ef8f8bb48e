"""Compressed data out of images, with hard limits: nothing here gives more bytes than it was asked for.

gzip, xz, lzma and bzip2 are the standard library's. Zstandard is too from Python 3.14 on; before that ``backports.zstd``
is the same module under another name, and like the others it stops at ``max_length`` bytes, which ``zstandard``'s
one-shot interface does not. lz4 comes from ``lz4``, of which the block format alone is needed: the kernel knows only
the "legacy" frames, a list of blocks. Where Python lacks these modules, as on a stick, the host's own libraries do it
(:mod:`bootkit.formats.shared_libraries`). LZO is read by :mod:`bootkit.formats.lzo`.
"""

import bz2
import lzma
import sys
import time
import zlib
from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from bootkit.errors import FormatError

MEMORY_LIMIT = 256 << 20
"""Bytes that a decompressor may take for its dictionary; ``xz -9`` wants 65 MiB, and the kernel stops at 128 MiB."""
LZ4_BLOCK = 8 << 20
"""Bytes of a block of the legacy format at most. Source: Linux 6.1, lib/decompress_unlz4.c."""
_LZ4_PACKED = LZ4_BLOCK + LZ4_BLOCK // 255 + 16
"""Bytes of such a block that cannot be compressed."""
_LZ4_MAGIC = b"\x02\x21\x4c\x18"

_MAGICS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x1f\x9e", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (_LZ4_MAGIC, "lz4"),
    (b"BZh", "bzip2"),
    (b"\x89LZO", "lzo"),
    (b"\x5d\0", "lzma"),
)


def detect(start: bytes) -> str:
    """The name of the format that data with this ``start`` has; empty if none is known.

    Source: Linux 6.1, lib/decompress.c, whose magic numbers are the same but shorter.
    """
    return next((name for magic, name in _MAGICS if start.startswith(magic)), "")


class Budget:
    """What unpacking one thing may cost in all. The clock runs from the moment it is made.

    ``output`` is in bytes, ``seconds`` in seconds of wall time.
    """

    def __init__(self, *, output: int, seconds: float) -> None:
        self._left = output
        self._output = output
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def spend(self, size: int) -> None:
        """Takes ``size`` bytes away.

        Raises:
            FormatError: there are not so many left, or the time is over.
        """
        self._left -= size
        if self._left < 0:
            raise FormatError(f"it unpacks to more than {self._output >> 20} MiB: the rest is not looked at")
        if time.monotonic() > self._end:
            raise FormatError(f"unpacking takes longer than {self._seconds:g} seconds: the rest is not looked at")


class Decompressor(Protocol):
    """What the incremental decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Unpacker:
    """One compressed stream, fed piece by piece; :attr:`eof` at its own end, whatever follows."""

    def __init__(self, name: str) -> None:
        """Begins a stream of the format ``name``.

        Raises:
            FormatError: the format is not read here.
        """
        self._name = name
        self._inner, self._error = _decompressor(name)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    @property
    def unused_data(self) -> bytes:
        """What was fed behind the end of the stream."""
        return self._inner.unused_data

    @property
    def may_end(self) -> bool:
        """The stream is whole if no more input comes: lz4's legacy format has no end mark."""
        return self.eof or (isinstance(self._inner, _Lz4Legacy) and self._inner.is_between)

    def unpack(self, data: bytes, limit: int) -> bytes:
        """At most ``limit`` more bytes (for lz4 at most one block more).

        Raises:
            FormatError: the data are damaged.
        """
        try:
            return self._inner.decompress(data, limit)
        except (self._error, OSError, EOFError, ValueError) as error:
            raise FormatError(f"the {self._name} data are damaged: {error}") from error


def unpack_block(name: str, data: bytes, limit: int) -> bytes:
    """One whole compressed block, of which the size is known from elsewhere; at most ``limit`` bytes.

    ``name`` is as for :class:`Unpacker`, and ``zlib``, ``lz4block`` and ``lzo1x`` for data without any frame.

    Raises:
        FormatError: the data are damaged, cut short or too long.
    """
    match name:
        case "lzo1x":
            from bootkit.formats.lzo import unpack_lzo1x

            return unpack_lzo1x(data, limit)
        case "lz4block":
            return _lz4_block(data, limit)
        case _:
            unpacker = Unpacker(name)
            unpacked = unpacker.unpack(data, limit + 1)
            if len(unpacked) > limit or not unpacker.eof:
                raise FormatError(f"the {name} data are damaged: a block has no end where it must")
            return unpacked


def _decompressor(name: str) -> tuple[Decompressor, type[Exception]]:
    match name:
        case "gzip":
            return _Zlib(16 + zlib.MAX_WBITS), zlib.error
        case "zlib":
            return _Zlib(zlib.MAX_WBITS), zlib.error
        case "xz":
            return lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY_LIMIT), lzma.LZMAError
        case "lzma":
            return lzma.LZMADecompressor(lzma.FORMAT_ALONE, MEMORY_LIMIT), lzma.LZMAError
        case "bzip2":
            return bz2.BZ2Decompressor(), OSError
        case "zstd":
            return _zstd()
        case "lz4":
            return _Lz4Legacy(), FormatError
        case _:
            raise FormatError(f"{name} compression is not read by bootkit")


def _zstd() -> tuple[Decompressor, type[Exception]]:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        from bootkit.formats.shared_libraries import LibraryError, ZstdStream

        return ZstdStream(), LibraryError
    # The library itself refuses windows above 128 MiB, as the kernel does.
    return zstd.ZstdDecompressor(), zstd.ZstdError


class _Zlib:
    """zlib with the interface of the others."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)
        self._is_full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not (self.eof or self._is_full or self._inner.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        unpacked = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # zlib may hold back bytes for which there was no room although it has taken all of its input.
        self._is_full = len(unpacked) >= max_length
        return unpacked


class _Lz4Legacy:
    """Blocks behind their sizes, to the end of the input or a size of zero.

    Source: Linux 6.1, lib/decompress_unlz4.c: streams may follow each other, and four zeros behind the last are padding.
    Before commit 2c484419efc0 (5.11) zeros are damage, and nothing but lz4 can follow.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self.eof = False

    @property
    def unused_data(self) -> bytes:
        return bytes(self._pending) if self.eof else b""

    @property
    def is_between(self) -> bool:
        return len(self._pending) < 4

    @property
    def needs_input(self) -> bool:
        return not self.eof and (self.is_between or len(self._pending) < 4 + self._size() <= 4 + _LZ4_PACKED)

    def _size(self) -> int:
        return 0 if self._pending.startswith(_LZ4_MAGIC) else int.from_bytes(self._pending[:4], "little")

    def decompress(self, data: bytes, _max_length: int, /) -> bytes:
        self._pending += data
        while self._pending.startswith(_LZ4_MAGIC):
            del self._pending[:4]
        if self.is_between:
            return b""
        size = self._size()
        if size == 0:
            self.eof = True
            return b""
        if size > _LZ4_PACKED:
            raise FormatError(f"the lz4 data are damaged: a block of {size} bytes")
        if len(self._pending) < 4 + size:
            return b""
        block = bytes(self._pending[4 : 4 + size])
        del self._pending[: 4 + size]
        return _lz4_block(block, LZ4_BLOCK)


class _Lz4Blocks(Protocol):
    LZ4BlockError: type[Exception]

    def decompress(self, source: bytes, uncompressed_size: int, /) -> bytes: ...


def _lz4_block(data: bytes, limit: int) -> bytes:
    unpack, failures = _lz4()
    try:
        return unpack(data, limit)
    except failures as error:
        raise FormatError(f"the lz4 data are damaged: {error}") from error


def _lz4() -> tuple[Callable[[bytes, int], bytes], tuple[type[Exception], ...]]:
    """A function that unpacks one block of at most so many bytes, and the errors by which it refuses."""
    try:
        # The library has no types of its own, so the one function that is used has them here.
        library = cast("_Lz4Blocks", import_module("lz4.block"))
    except ImportError:
        from bootkit.formats.shared_libraries import LibraryError, unpack_lz4_block

        return unpack_lz4_block, (LibraryError,)
    return library.decompress, (library.LZ4BlockError, ValueError, OverflowError)
