"""Zstandard and lz4 by the libraries of the host, where Python has no module for them.

On a stick the program has none: a compiled module fits one version of Python. The libraries themselves are in every
system with systemd, kmod or dpkg.

Source: zstd 1.5.4, lib/zstd.h, and lz4 1.9.4, lib/lz4.h, of which these functions are the stable part.
"""

import ctypes
from weakref import finalize

from bootkit.errors import FormatError

_PIECE = 128 << 10
_WINDOW_LOG_MAX, _WINDOW_LOG = 100, 27
"""The parameter that limits the window, and its value: 128 MiB, as the kernel has it."""


class LibraryError(Exception):
    """The library refuses the data; the message is its own."""


class _Buffer(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("size", ctypes.c_size_t), ("position", ctypes.c_size_t))


class ZstdStream:
    """One Zstandard frame, with the interface of the decompressors of the standard library.

    Raises:
        FormatError: there is no library.
    """

    def __init__(self) -> None:
        self._library = _zstd()
        self._stream = self._library.ZSTD_createDStream()
        finalize(self, self._library.ZSTD_freeDStream, self._stream)
        self._call("ZSTD_DCtx_setParameter", self._stream, _WINDOW_LOG_MAX, _WINDOW_LOG)
        self._pending = b""
        self._is_full = False
        self.eof = False

    @property
    def needs_input(self) -> bool:
        return not (self.eof or self._is_full or self._pending)

    @property
    def unused_data(self) -> bytes:
        return self._pending if self.eof else b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        packed = self._pending + data
        source = ctypes.create_string_buffer(packed, len(packed)) if packed else None
        given = _Buffer(ctypes.cast(source, ctypes.c_void_p) if source else None, len(packed), 0)
        unpacked: list[bytes] = []
        left = max_length
        self._is_full = False
        while left and not self.eof:
            room = ctypes.create_string_buffer(min(left, _PIECE))
            taken = _Buffer(ctypes.cast(room, ctypes.c_void_p), len(room), 0)
            self.eof = self._call("ZSTD_decompressStream", self._stream, ctypes.byref(taken), ctypes.byref(given)) == 0
            unpacked.append(room.raw[: taken.position])
            left -= taken.position
            # what it holds back although it has taken everything, it gives when it is asked once more
            self._is_full = taken.position == taken.size
            if not self._is_full and given.position == given.size:
                break
        self._pending = packed[given.position :]
        return b"".join(unpacked)

    def _call(self, name: str, *arguments: object) -> int:
        answer = int(getattr(self._library, name)(*arguments))
        if self._library.ZSTD_isError(answer):
            raise LibraryError(self._library.ZSTD_getErrorName(answer).decode(errors="replace"))
        return answer


def unpack_lz4_block(data: bytes, limit: int) -> bytes:
    """One block of at most ``limit`` bytes.

    Raises:
        LibraryError: it is damaged, or longer.
        FormatError: there is no library.
    """
    library = _loaded("lz4", "liblz4.so.1")
    room = ctypes.create_string_buffer(max(limit, 1))
    size = library.LZ4_decompress_safe(data, room, len(data), limit)
    if size < 0:
        raise LibraryError(f"the block is wrong near byte {-size}")
    return room.raw[:size]


def _zstd() -> ctypes.CDLL:
    library = _loaded("Zstandard", "libzstd.so.1")
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_freeDStream.argtypes = (ctypes.c_void_p,)
    library.ZSTD_DCtx_setParameter.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
    library.ZSTD_DCtx_setParameter.restype = ctypes.c_size_t
    library.ZSTD_decompressStream.argtypes = (ctypes.c_void_p, ctypes.POINTER(_Buffer), ctypes.POINTER(_Buffer))
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    library.ZSTD_isError.argtypes = (ctypes.c_size_t,)
    library.ZSTD_getErrorName.argtypes = (ctypes.c_size_t,)
    library.ZSTD_getErrorName.restype = ctypes.c_char_p
    return library


def _loaded(format_name: str, name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        raise FormatError(f"{format_name} data cannot be unpacked here", hint=f"this system has no {name}") from error
