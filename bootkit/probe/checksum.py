"""Checksum files that lie beside an image, in the formats that distributions publish; plain, or signed in clear.

What such a file says of an image, and that it says what nobody can understand, are both told: it is never passed over.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from bootkit.errors import FormatError
from bootkit.i18n import tr
from bootkit.values import dataclass

FILE_LIMIT = 1 << 20
DIGITS: Mapping[str, int] = MappingProxyType(
    {"sha256": 64, "sha512": 128, "blake2b": 128, "sha384": 96, "sha224": 56, "sha1": 40, "md5": 32}
)
"""Hexadecimal digits of a digest by its algorithm, as hashlib calls it; the best known first."""
SIGNATURES = (".asc", ".sig", ".gpg", ".sign")
"""Behind the name of what they sign."""
_GNU = re.compile(r"([0-9a-fA-F]{16,})[ \t]+[ *]?(.+)")
"""``<hex>  name``: sha256sum and its sisters."""
_BSD = re.compile(r"([A-Za-z0-9-]+) ?\((.+)\) ?= ?([0-9a-fA-F]+)")
"""``SHA256 (name) = <hex>``: Fedora's CHECKSUM files, the BSDs', and openssl's."""
_BARE = re.compile(r"[0-9a-fA-F]{16,}")
_KINDS = r"(?:md5|sha-?(?:1|224|256|384|512)|b2|blake2b?)"
_LIST = re.compile(rf"(?:.*[-_.])?(?:{_KINDS}(?:sums?)?|checksums?|digests)(?:\.txt)?(?:\.asc|\.gpg)?", re.IGNORECASE)
"""Names of lists: SHA256SUMS, sha512sum.txt, Fedora-Workstation-42-1.1-x86_64-CHECKSUM."""
_OWN = re.compile(rf"\.(?:{_KINDS}(?:sums?)?|checksums?|sums?|digests)(?:\.txt)?(?:\.asc|\.gpg)?", re.IGNORECASE)
"""What is put behind an image's name for a file about it alone."""
_ALGORITHM = re.compile(r"md5|sha-?(?:1|224|256|384|512)(?!\d)|b2|blake2b?", re.IGNORECASE)
_CLEAR = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedChecksum:
    algorithm: str
    """As hashlib calls it."""
    digest: str
    """Lower-case hex."""
    source: str
    """Path or name of the file that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """What a checksum file says of one image."""

    name: str
    checksums: tuple[PublishedChecksum, ...] = ()
    """None in a list that is about other images."""
    is_clearsigned: bool = False
    problem: str = ""
    """Why it cannot be understood, a clause; empty if it can."""


def sidecar_names(image: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of a folder's files that may hold the checksum of its file ``image``, its own first."""
    others = sorted(name for name in names if name != image)
    own = [name for name in others if name.startswith(image) and _OWN.fullmatch(name, len(image))]
    return (*own, *(name for name in others if name not in own and _LIST.fullmatch(name)))


def signature_names(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of a folder's files that may hold a signature of its file ``name``."""
    there = set(names)
    return tuple(name + suffix for suffix in SIGNATURES if name + suffix in there)


def read_sidecar(image: str, name: str, content: bytes) -> Sidecar:
    """What the file ``name`` says of the file ``image`` beside it."""
    text = content.decode("utf-8", "replace")
    is_clear = _CLEAR in text
    try:
        found = tuple(_checksums(signed_text(text) if is_clear else text, image, name))
    except FormatError as error:
        return Sidecar(name=name, is_clearsigned=is_clear, problem=error.message)
    return Sidecar(name=name, checksums=found, is_clearsigned=is_clear)


def is_signature(content: bytes) -> bool:
    """Whether a file with the name of a checksum file is a detached signature of one."""
    return content.lstrip().startswith(_SIGNATURE.encode()) or content[:1] in (b"\x88", b"\x89", b"\xc2")


def signed_text(text: str) -> str:
    """What is signed in a message that is signed in clear; what stands around it is nobody's word.

    Raises:
        FormatError: there are several, or its end is missing.

    Source: RFC 9580, 7.
    """
    if text.count(_CLEAR) != 1 or text.count(_SIGNATURE) != 1:
        raise FormatError(tr("it is not one message that is signed in clear"))
    body = text.partition(_CLEAR)[2].partition(_SIGNATURE)[0]
    lines = body.replace("\r\n", "\n").split("\n")
    start = next((number for number, line in enumerate(lines[1:], start=1) if not line.strip()), len(lines))
    return "\n".join(line.removeprefix("- ") for line in lines[start + 1 :])


def _checksums(text: str, image: str, source: str) -> Iterator[PublishedChecksum]:
    """Raises FormatError: a line about the image is no checksum, or no line is one."""
    own = source.startswith(image)
    understood = False
    for line in map(str.strip, text.splitlines()):
        row = _row(line, source, bare=image if own else "")
        if row is None:
            continue
        name, algorithm, digest = row
        understood = True
        if Path(name).name != image:
            continue
        if DIGITS.get(algorithm) != len(digest):
            raise FormatError(
                tr(
                    "{count} digits are no digest of {algorithm}",
                    count=len(digest),
                    algorithm=algorithm or tr("any known algorithm"),
                )
            )
        yield PublishedChecksum(algorithm=algorithm, digest=digest.lower(), source=source)
    if not understood:
        raise FormatError(tr("no line of it is a checksum"))


def _row(line: str, source: str, *, bare: str) -> tuple[str, str, str] | None:
    """Name, algorithm and digest of a line; ``bare`` is the name for a line that has none."""
    if match := _BSD.fullmatch(line):
        return match[2], _algorithm_named(match[1]), match[3]
    if match := _GNU.fullmatch(line):
        digest, name = match[1], match[2]
    elif bare and _BARE.fullmatch(line):
        digest, name = line, bare
    else:
        return None
    return name, _algorithm_of(digest, source), digest


def _algorithm_named(word: str) -> str:
    plain = word.lower().replace("-", "").replace("sha2", "sha") if word.lower().startswith("sha2-") else word.lower()
    plain = plain.replace("-", "")
    return {"blake2b512": "blake2b", "b2": "blake2b", "blake2": "blake2b"}.get(plain, plain)


def _algorithm_of(digest: str, source: str) -> str:
    """By the length, and where two have the same, by the file's name."""
    fits = [name for name, digits in DIGITS.items() if digits == len(digest)]
    said = {_algorithm_named(word) for word in _ALGORITHM.findall(source)}
    return next((name for name in fits if name in said), fits[0] if fits else "")
