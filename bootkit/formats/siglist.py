"""EFI signature lists: what the variables db and dbx hold, and what shims have built in.

Source: UEFI specification 2.10, 32.4.1 (EFI_SIGNATURE_LIST and the types of signatures).
"""

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from bootkit.errors import FormatError
from bootkit.formats.x509 import Certificate, parse_certificate
from bootkit.values import dataclass

if TYPE_CHECKING:
    from uuid import UUID

# GUIDs in the order of their bytes: to import uuid takes longer than to read a list
_X509 = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")
_SHA256 = bytes.fromhex("2616c4c14c509240aca941f936934328")
_HEADER = struct.Struct("<16sIII")
_RECENT = 16
"""Lists that are not read again: a vendor's shim is the same in many images, and has a hundred digests."""
_OWNER = 16
"""Bytes of the GUID before each signature, of whoever put it there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLists:
    certificates: tuple[Certificate, ...] = ()
    digests: tuple[str, ...] = ()
    """Authenticode SHA-256, in hex."""


@lru_cache(maxsize=_RECENT)
def parse_signature_lists(data: bytes) -> SignatureLists:
    """All lists in ``data``, one after the other; other types of signatures are left out.

    Raises:
        FormatError: the sizes do not add up.
    """
    certificates: list[Certificate] = []
    digests: list[str] = []
    for kind, value in _signatures(data):
        if kind == _SHA256:
            digests.append(value.hex())
        elif kind == _X509:
            certificates.append(parse_certificate(value))
    return SignatureLists(certificates=tuple(certificates), digests=tuple(digests))


def signature_lists(certificates: Iterable[bytes], owner: "UUID") -> bytes:
    """A list for each certificate (DER), as firmware keeps them: all signatures of one list have the same size."""
    return b"".join(
        _HEADER.pack(_X509, _HEADER.size + _OWNER + len(der), 0, _OWNER + len(der)) + owner.bytes_le + der
        for der in certificates
    )


def _signatures(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        if at + _HEADER.size > len(data):
            raise FormatError("a list of signatures ends too early", offset=at)
        kind, size, header, each = _HEADER.unpack_from(data, at)
        first = at + _HEADER.size + header
        if size < _HEADER.size + header or at + size > len(data) or each <= _OWNER:
            raise FormatError("a list of signatures has sizes that cannot be", offset=at)
        for place in range(first, at + size - each + 1, each):
            yield kind, data[place + _OWNER : place + each]
        at += size
