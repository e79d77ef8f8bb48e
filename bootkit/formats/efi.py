"""An EFI program as Secure Boot sees it.

Source: shim 16.1, SBAT.md, sbat_var.S (``.sbatlevel``: version 0, then the offsets of two texts from the byte behind it),
cert.S (``.vendor_cert``: bytes of what it trusts and of what it revokes, then their offsets); both are sections of its file.
"""

import base64
import struct
from functools import lru_cache
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.authenticode import Signature, read_signatures
from bootkit.formats.grubimage import grub_modules
from bootkit.formats.pe import PeFacts, read_pe
from bootkit.formats.reader import read_upto
from bootkit.formats.siglist import SignatureLists, parse_signature_lists
from bootkit.formats.x509 import Certificate, parse_certificate
from bootkit.model.efi import EfiFacts, EfiSignature, ShimFacts

_RECENT = 256
"""Certificates whose text is one in all facts: nearly all images have a shim, and there are few."""
_SECTION_LIMIT = 1 << 20
_MODULES_LIMIT = 32 << 20


def read_efi(fh: BinaryIO, pe: PeFacts | None = None) -> EfiFacts | None:
    """What Secure Boot looks at in the program that begins ``fh``; ``None`` if it is none, or damaged. Reads all of it.

    ``pe`` saves reading its headers once more.

    Raises:
        FormatError: the medium cannot be read.
    """
    pe = pe or read_pe(fh)
    if pe is None:
        return None
    try:
        digest, signatures = read_signatures(fh)
    except FormatError:
        return None  # its parts lie behind its end
    return EfiFacts(
        digest=digest,
        signatures=tuple(map(_signature, signatures)),
        sbat=_section(fh, pe, ".sbat").rstrip(b"\0").decode("utf-8", "replace"),
        shim=_shim(fh, pe) if ".vendor_cert" in pe.sections else None,
        grub_modules=grub_modules(_section(fh, pe, "mods", _MODULES_LIMIT)),
    )


def encoded(certificate: Certificate) -> str:
    """The bytes in base64, as the facts hold them."""
    return _base64(certificate.der)


@lru_cache(maxsize=_RECENT)
def _base64(der: bytes) -> str:
    return base64.b64encode(der).decode("ascii")


def decoded(text: str) -> Certificate:
    """The certificate that :func:`encoded` gave, or somebody else did.

    Raises:
        FormatError: it is none.
    """
    try:
        return parse_certificate(base64.b64decode(text, validate=True))
    except ValueError:
        raise FormatError("this is no certificate in base64") from None


def _signature(signature: Signature) -> EfiSignature:
    return EfiSignature(fits=signature.fits, chain=tuple(map(encoded, signature.chain)))


def _shim(fh: BinaryIO, pe: PeFacts) -> ShimFacts:
    section = _section(fh, pe, ".vendor_cert")
    try:
        trusted_size, revoked_size, trusted_at, revoked_at = struct.unpack_from("<4I", section)
        trusted = section[trusted_at : trusted_at + trusted_size]
        revoked = parse_signature_lists(section[revoked_at : revoked_at + revoked_size])
        trusts = _trusted(trusted)
    except (struct.error, FormatError):
        return ShimFacts()  # it trusts nobody whom we could name
    return ShimFacts(
        trusts=tuple(map(encoded, trusts.certificates)),
        revokes=revoked.digests,
        revoked_certificates=tuple(map(encoded, revoked.certificates)),
        sbat_level=_sbat_level(_section(fh, pe, ".sbatlevel")),
    )


def _trusted(data: bytes) -> SignatureLists:
    """One certificate, or lists of several; a list begins with a GUID, which no certificate's first byte begins."""
    if data[:1] == b"\x30":
        return SignatureLists(certificates=(parse_certificate(data),))
    return parse_signature_lists(data)


def _sbat_level(section: bytes) -> str:
    """The revocations that the shim applies by itself, out of the two texts that it carries."""
    if len(section) < 12:
        return ""
    _version, automatic, _latest = struct.unpack_from("<3I", section)
    return section[4 + automatic :].partition(b"\0")[0].decode("ascii", "replace")


def _section(fh: BinaryIO, pe: PeFacts, name: str, limit: int = _SECTION_LIMIT) -> bytes:
    offset, size = pe.sections.get(name, (0, 0))
    return read_upto(fh, offset, min(size, limit))
