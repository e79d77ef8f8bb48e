"""Checksum files that lie beside a download, in the formats that distributions publish."""

import re
from dataclasses import dataclass
from pathlib import Path

FILE_LIMIT = 1 << 20
_ALGORITHMS = {64: "sha256", 128: "sha512", 40: "sha1", 32: "md5"}
_GNU = re.compile(r"^([0-9a-fA-F]{32,128})[ \t]+[ *]?(.+)$")
"""``<hex>  name``: sha256sum and its sisters."""
_BSD = re.compile(r"^(SHA256|SHA512|SHA1|MD5) \((.+)\) = ([0-9a-fA-F]+)$")
"""``SHA256 (name) = <hex>``: Fedora's CHECKSUM files, and the BSDs'."""
_BARE = re.compile(r"^[0-9a-fA-F]{32,128}$")
_BESIDE = (
    "SHA256SUMS",
    "SHA256SUMS.txt",
    "sha256sum.txt",
    "sha256sums.txt",
    "SHA512SUMS",
    "SHA512SUMS.txt",
    "CHECKSUM",
)
_SUFFIXES = (".sha256", ".sha256sum", ".sha256.txt", ".sha512", ".sha512sum", ".CHECKSUM")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedChecksum:
    algorithm: str
    """As hashlib calls it."""
    digest: str
    """Lower-case hex."""
    source: str
    """Path of the file it stands in."""


def published_checksum(image: Path) -> PublishedChecksum | None:
    """What a checksum file beside ``image`` says of it; the strongest algorithm that is found, SHA-256 first.

    A file that names other images only says nothing of this one.
    """
    candidates = [image.with_name(image.name + suffix) for suffix in _SUFFIXES]
    candidates += [image.with_name(name) for name in _BESIDE]
    candidates += sorted(image.parent.glob("*CHECKSUM*"))
    found: list[PublishedChecksum] = []
    for candidate in dict.fromkeys(candidates):
        if candidate.is_file() and candidate.stat().st_size <= FILE_LIMIT:
            text = candidate.read_text(errors="replace")
            found += _read(text, image.name, str(candidate), bare=candidate.name.startswith(image.name))
    order = ("sha256", "sha512", "sha1", "md5")
    return min(found, key=lambda checksum: order.index(checksum.algorithm), default=None)


def _read(text: str, name: str, source: str, *, bare: bool) -> list[PublishedChecksum]:
    found: list[PublishedChecksum] = []
    for line in map(str.strip, text.splitlines()):
        if (match := _BSD.match(line)) and Path(match[2]).name == name:
            found.append(PublishedChecksum(algorithm=match[1].lower(), digest=match[3].lower(), source=source))
        elif (match := _GNU.match(line)) and Path(match[2]).name == name and len(match[1]) in _ALGORITHMS:
            digest = match[1].lower()
            found.append(PublishedChecksum(algorithm=_ALGORITHMS[len(digest)], digest=digest, source=source))
        elif bare and _BARE.match(line) and len(line) in _ALGORITHMS:
            found.append(PublishedChecksum(algorithm=_ALGORITHMS[len(line)], digest=line.lower(), source=source))
    return found
