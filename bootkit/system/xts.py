"""AES-XTS as dm-crypt has it, by the libcrypto that Python's own ``hashlib`` uses.

The kernel's cipher code (AF_ALG) is not in every kernel and closed in many sandboxes, ``openssl enc`` refuses XTS, and what
qemu-img and nbdkit know is LUKS1. Source: OpenSSL 3.0, EVP_EncryptInit(3); Linux 6.1, drivers/md/dm-crypt.c
(crypt_iv_plain64_gen).
"""

import ctypes
from functools import cache
from typing import Self

from bootkit.errors import BootkitError, ToolMissing
from bootkit.i18n import tr

SECTOR = 512
KEY_SIZE = 64
"""Bytes: two keys of AES-256."""
_LIBRARIES = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so")
_Pointer, _Bytes = ctypes.c_void_p, ctypes.c_char_p


class Xts:
    """The cipher ``aes-xts-plain64`` with one key, for as long as the block lasts.

    Raises:
        ToolMissing: libcrypto is not installed.
    """

    def __init__(self, key: bytes) -> None:
        self._library = _library()
        self._context = _Pointer(self._library.EVP_CIPHER_CTX_new())
        self._set(self._library.EVP_aes_256_xts(), key, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._library.EVP_CIPHER_CTX_free(self._context)  # it clears the key

    def encrypted(self, data: bytes, sector: int) -> bytes:
        """``data``, whole sectors of which the first has the number ``sector``."""
        size = len(data)
        source = ctypes.cast(_Bytes(data), _Pointer).value or 0
        target = ctypes.create_string_buffer(size)
        to, written = ctypes.addressof(target), ctypes.byref(ctypes.c_int())
        update = self._library.EVP_EncryptUpdate
        for at in range(0, size, SECTOR):
            self._set(None, None, (sector + at // SECTOR).to_bytes(16, "little"))
            if update(self._context, to + at, written, source + at, SECTOR) != 1:
                raise _failed()
        return target.raw

    def _set(self, cipher: int | None, key: bytes | None, tweak: bytes | None) -> None:
        if self._library.EVP_EncryptInit_ex(self._context, cipher, None, key, tweak) != 1:
            raise _failed()


def _failed() -> BootkitError:
    return BootkitError(
        tr("libcrypto cannot encrypt by AES-XTS"),
        hint=tr("its settings may forbid it: openssl list -cipher-algorithms"),
    )


@cache
def _library() -> ctypes.CDLL:
    library = _first_library()
    integer = ctypes.c_int
    for function, (answer, words) in {
        "EVP_CIPHER_CTX_new": (_Pointer, ()),
        "EVP_CIPHER_CTX_free": (None, (_Pointer,)),
        "EVP_aes_256_xts": (_Pointer, ()),
        "EVP_EncryptInit_ex": (integer, (_Pointer, _Pointer, _Pointer, _Bytes, _Bytes)),
        "EVP_EncryptUpdate": (integer, (_Pointer, _Pointer, _Pointer, _Pointer, integer)),
    }.items():
        called = getattr(library, function)
        called.restype, called.argtypes = answer, words
    return library


def _first_library() -> ctypes.CDLL:
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise ToolMissing(tr("libcrypto is not installed"), hint=tr("it is part of OpenSSL (Debian: libssl3)"))
