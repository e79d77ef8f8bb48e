"""Authenticode, the signatures of EFI programs: the digest of a PE file, and what its signatures are of and by whom.

The digest covers the file but for its checksum, the entry of the certificate table, and that table. Sections go in the
order of their bytes, as shim and EDK2 read them, not in that of the section table.

Source: Microsoft, "Windows Authenticode Portable Executable Signature Format" (1.0); UEFI specification 2.10, 32.2.2; shim
16.1, pe.c (generate_hash); RFC 2315, 9.1 (SignedData), 9.3 (what is digested where there are authenticated attributes).
"""

import hashlib
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.der import OCTET_STRING, SEQUENCE, SET, Der, parse_der
from bootkit.formats.reader import read_at, read_upto, size_of
from bootkit.formats.x509 import Certificate, parse_certificate
from bootkit.values import dataclass

_CHUNK = 1 << 20
_FILE_LIMIT = 512 << 20
"""Bytes; a unified kernel image with its initrd has 200 MiB."""
_TABLE_LIMIT = 256 << 10
_HEADERS_LIMIT = 64 << 10
_SIGNATURES_LIMIT = 8
_RECENT = 64
"""Signatures that are not looked into again: a vendor's shim is the same in many images."""
_SECTIONS_LIMIT = 96
_PKCS7 = 2
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_INDIRECT_DATA = bytes.fromhex("2b060104018237020104")
_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_DIGESTS = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature of a PE file."""

    fits: bool
    """Whether it is of this file's SHA-256 digest, and by the key of its signer."""
    chain: tuple[Certificate, ...]
    """The signer's certificate, then all others that come along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the parts of a PE file are that its digest treats in a way of their own; offsets and sizes in bytes."""

    checksum: int
    table_entry: int
    """Of the certificate table among the data directories; 0 if there is none."""
    table: int
    table_size: int
    headers: int
    sections: tuple[tuple[int, int], ...]


def authenticode_digest(fh: BinaryIO) -> str:
    """The file's SHA-256 digest as firmware counts it, in hex.

    Raises:
        FormatError: it is no PE file, or it is damaged.
    """
    return _digest(fh, _layout(fh))


def read_signatures(fh: BinaryIO) -> tuple[str, tuple[Signature, ...]]:
    """The digest and the signatures of a PE file; what is no signature in its table is left out.

    Raises:
        FormatError: it is no PE file, or it is damaged.
    """
    layout = _layout(fh)
    digest = _digest(fh, layout)
    found: list[Signature] = []
    for entry in _entries(read_upto(fh, layout.table, min(layout.table_size, _TABLE_LIMIT))):
        try:
            found.append(_signature(entry, bytes.fromhex(digest)))
        except (FormatError, IndexError, ValueError):
            continue  # shim takes the next one as well
    return digest, tuple(found[:_SIGNATURES_LIMIT])


def _layout(fh: BinaryIO) -> _Layout:
    start = read_upto(fh, 0, _HEADERS_LIMIT)
    try:
        pe = int(struct.unpack_from("<I", start, 0x3C)[0])
        count, optional_size = struct.unpack_from("<H12xH", start, pe + 6)
        optional = pe + 24
        (kind,) = struct.unpack_from("<H", start, optional)
        directories = optional + {0x10B: 96, 0x20B: 112}[kind]
        (rows,) = struct.unpack_from("<I", start, directories - 4)
        (headers,) = struct.unpack_from("<I", start, optional + 60)
        entry = directories + 32 if rows > 4 else 0
        table, table_size = struct.unpack_from("<II", start, entry) if entry else (0, 0)
        sections = [
            struct.unpack_from("<II", start, optional + optional_size + 40 * row + 16)
            for row in range(min(count, _SECTIONS_LIMIT))
        ]
    except (struct.error, KeyError):
        raise FormatError("this is no PE file") from None
    if start[:2] != b"MZ" or start[pe : pe + 4] != b"PE\0\0":
        raise FormatError("this is no PE file")
    return _Layout(
        checksum=optional + 64,
        table_entry=entry,
        table=table,
        table_size=table_size,
        headers=headers,
        sections=tuple(sorted((offset, size) for size, offset in sections if size)),
    )


def _digest(fh: BinaryIO, layout: _Layout) -> str:
    size = size_of(fh)
    if size > _FILE_LIMIT:
        raise FormatError("a PE file of this size is not looked at")
    digest = hashlib.sha256()
    for offset, length in _digested(layout, size):
        for at in range(offset, offset + length, _CHUNK):
            digest.update(read_at(fh, at, min(_CHUNK, offset + length - at)))
    return digest.hexdigest()


def _digested(layout: _Layout, size: int) -> Iterator[tuple[int, int]]:
    """The parts that count, in order: headers, sections, and what lies behind the sections before the certificates."""
    yield 0, layout.checksum
    after_checksum = layout.checksum + 4
    if layout.table_entry:
        yield after_checksum, layout.table_entry - after_checksum
        after_entry = layout.table_entry + 8
        yield after_entry, max(layout.headers - after_entry, 0)
    else:
        yield after_checksum, max(layout.headers - after_checksum, 0)
    yield from layout.sections
    counted = layout.headers + sum(length for _, length in layout.sections)
    yield counted, max(size - counted - layout.table_size, 0)


def _entries(table: bytes) -> Iterator[bytes]:
    """The PKCS #7 structures of a certificate table, each at a multiple of 8 bytes."""
    at = 0
    while at + 8 <= len(table):
        length, _revision, kind = struct.unpack_from("<IHH", table, at)
        if not 8 < length <= len(table) - at:
            return
        if kind == _PKCS7:
            yield table[at + 8 : at + length]
        at += (length + 7) // 8 * 8


@lru_cache(maxsize=_RECENT)
def _signature(entry: bytes, digest: bytes) -> Signature:
    """One PKCS #7 structure as a signature. Source: RFC 2315, 7 (ContentInfo), 9.1 (SignedData), 9.2 (SignerInfo)."""
    outer = parse_der(entry)
    if outer.members[0].content != _SIGNED_DATA:
        raise FormatError("this is no signed data")
    signed = outer.member(1, 0xA0).member(0, SEQUENCE)
    content = signed.member(2, SEQUENCE)
    if content.members[0].content != _INDIRECT_DATA:
        raise FormatError("this signs something else than a program")
    signed_of = content.member(1, 0xA0).member(0, SEQUENCE)
    carried = signed.context(0)
    certificates = tuple(parse_certificate(member.raw) for member in (carried.members if carried else ()))
    (signer,) = signed.members[-1].members  # a second one would have to be trusted as well, and nobody makes such
    issuer, serial = signer.member(1, SEQUENCE).members[:2]
    by = next(one for one in certificates if (one.issuer, one.serial) == (issuer.raw, serial.content))
    fits = _says(signed_of) == digest and _signed_by(by, signer, signed_of.content)
    return Signature(fits=fits, chain=(by, *(one for one in certificates if one != by)))


def _says(indirect: Der) -> bytes:
    """The digest that is in the signed data; empty if it is none of SHA-256, which shim does not take."""
    algorithm, digest = indirect.member(1, SEQUENCE).members[:2]
    is_sha256 = _DIGESTS.get(algorithm.members[0].content) == "sha256"
    return digest.content if is_sha256 and digest.tag == OCTET_STRING else b""


def _signed_by(certificate: Certificate, signer: Der, content: bytes) -> bool:
    """Whether the signer's key signed ``content``, by way of the attributes where there are some."""
    algorithm = _DIGESTS.get(signer.member(2, SEQUENCE).members[0].content, "")
    if not algorithm:
        return False
    digest = hashlib.new(algorithm, content).digest()
    attributes = signer.context(0)
    if attributes is not None:
        said = [
            row.member(1, SET).members[0].content
            for row in attributes.members
            if row.members[0].content == _MESSAGE_DIGEST
        ]
        if said != [digest]:
            return False
        # what is signed are the attributes as a set, not under the tag that they have in their place
        digest = hashlib.new(algorithm, bytes((SET,)) + attributes.raw[1:]).digest()
    signature = next(member for member in reversed(signer.members) if member.tag == OCTET_STRING)
    return certificate.verifies(algorithm, digest, signature.content)
