"""Certificates with RSA keys, and whether one vouches for another.

What is checked is what shim and UEFI firmware check: the signatures. Dates are not: both ignore them, and a certificate
that has expired still starts kernels. Verifying with RSA is one power and a comparison, which the standard library does in
well under a millisecond; a package for it would be the largest dependency of all, for these ten lines.

Source: RFC 5280, 4.1 (certificate); RFC 8017, 8.2.2 and 9.2 (RSASSA-PKCS1-v1_5, the prefixes of the digests); RFC 3279 and
RFC 4055 (algorithm identifiers); shim 16.1, Cryptlib/Pk/CryptPkcs7Verify.c (partial chains, no dates).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bootkit.errors import FormatError
from bootkit.formats.der import BIT_STRING, INTEGER, SEQUENCE, Der, parse_der

_CHAIN_LIMIT = 8
_RSA = bytes.fromhex("2a864886f70d010101")
_SIGNATURES = {
    bytes.fromhex("2a864886f70d010105"): "sha1",
    bytes.fromhex("2a864886f70d01010b"): "sha256",
    bytes.fromhex("2a864886f70d01010c"): "sha384",
    bytes.fromhex("2a864886f70d01010d"): "sha512",
}
"""``sha...WithRSAEncryption`` by the bytes of their identifiers."""
_DIGEST_PREFIXES = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
_COMMON_NAME, _ORGANISATION = bytes.fromhex("550403"), bytes.fromhex("55040a")
_KEY_BITS = range(1024, 16385)


@dataclass(frozen=True)
class Certificate:
    """A certificate; equal to another one of the same bytes."""

    der: bytes

    @cached_property
    def _tbs(self) -> tuple[Der, ...]:
        """The signed part's members, without the version that is left out in old ones."""
        members = parse_der(self.der).member(0, SEQUENCE).members
        return members[1:] if members and members[0].tag == 0xA0 else members

    @property
    def serial(self) -> bytes:
        return self._tbs[0].content

    @property
    def issuer(self) -> bytes:
        """The name of who vouches for it, as DER."""
        return self._tbs[2].raw

    @property
    def subject(self) -> bytes:
        return self._tbs[4].raw

    @property
    def name(self) -> str:
        """What its holder is called: the common name, else the organisation."""
        return common_name(self.subject)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def key(self) -> tuple[int, int]:
        """Modulus and exponent of its RSA key.

        Raises:
            FormatError: it has a key of another kind.
        """
        info = self._tbs[5]
        if info.member(0, SEQUENCE).members[0].content != _RSA:
            raise FormatError(f"the key of {self.name} is no RSA key")
        numbers = parse_der(info.member(1, BIT_STRING).content[1:])
        modulus, exponent = numbers.member(0, INTEGER).integer, numbers.member(1, INTEGER).integer
        if modulus.bit_length() not in _KEY_BITS or not 3 <= exponent < 1 << 33:
            raise FormatError(f"the key of {self.name} has a size that no key has")
        return modulus, exponent

    def vouches_for(self, other: "Certificate") -> bool:
        """Whether ``other`` names this one as its issuer, and bears a signature by its key."""
        if other.issuer != self.subject:
            return False
        body, algorithm, signature = parse_der(other.der).members[:3]
        digest = _SIGNATURES.get(algorithm.members[0].content, "")
        return bool(digest) and self.verifies(digest, hashlib.new(digest, body.raw).digest(), signature.content[1:])

    def verifies(self, algorithm: str, digest: bytes, signature: bytes) -> bool:
        """Whether ``signature`` is one of ``digest`` by its key, by PKCS #1 version 1.5."""
        try:
            modulus, exponent = self.key
        except FormatError:
            return False
        size = (modulus.bit_length() + 7) // 8
        prefix = _DIGEST_PREFIXES.get(algorithm, b"")
        if not prefix or len(signature) != size:
            return False
        block = pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big")
        filling = b"\xff" * (size - 3 - len(prefix) - len(digest))
        return block == b"\0\1" + filling + b"\0" + prefix + digest


def parse_certificate(der: bytes) -> Certificate:
    """The certificate that begins ``der``; its names and its key's kind have been read.

    Raises:
        FormatError: it is none.
    """
    certificate = Certificate(parse_der(der).raw)
    try:
        _ = certificate.serial, certificate.issuer, certificate.name
    except IndexError:
        raise FormatError("a certificate lacks what every certificate has") from None
    return certificate


def chain_to(chain: Sequence[Certificate], anchors: Iterable[Certificate]) -> Certificate | None:
    """The one of ``anchors`` that is, or vouches for, the first certificate of ``chain``; ``None`` if none does.

    The other certificates of ``chain`` may stand between the two, in any order.
    """
    anchors = tuple(anchors)
    here = chain[0] if chain else None
    for _ in range(_CHAIN_LIMIT):
        if here is None:
            return None
        found = next((anchor for anchor in anchors if anchor == here or anchor.vouches_for(here)), None)
        if found is not None:
            return found
        here = next((above for above in chain if above != here and above.vouches_for(here)), None)
    return None


def common_name(name: bytes) -> str:
    """The readable part of a distinguished name."""
    values: dict[bytes, str] = {}
    for row in parse_der(name).members:
        for pair in row.members:
            kind, value = pair.members[:2]
            # BMPString is the one kind of text in two bytes
            text = value.content.decode("utf-16-be" if value.tag == 0x1E else "utf-8", "replace")
            values.setdefault(kind.content, "".join(char for char in text if char.isprintable()))
    return values.get(_COMMON_NAME) or values.get(_ORGANISATION, "")
