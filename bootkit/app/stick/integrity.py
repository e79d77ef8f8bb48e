"""Whether an image is what was published: checksum files and signatures beside it, and sums inside.

The files beside it are asked where it lies, on the host or on the stick; what they say wrongly or not understandably is told.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.implanted import ImplantedHash, ImplantedMd5
from bootkit.formats.reader import HostFileIO
from bootkit.i18n import tr
from bootkit.probe.checksum import (
    FILE_LIMIT,
    PublishedChecksum,
    Sidecar,
    is_signature,
    read_sidecar,
    sidecar_names,
    signature_names,
)
from bootkit.probe.image import open_image
from bootkit.system.signature import SignatureVerdict, check_signature, host_keyrings
from bootkit.system.volume import Progress, Volume, chunks_of
from bootkit.values import dataclass

MD5_LIST = "/md5sum.txt"
"""In images of Debian's kin: the MD5 of each file."""
_LIST_LIMIT = 32 << 20
_BAD_FILES = 3
"""That are named."""


class Says(StrEnum):
    GOOD = "good"
    WRONG = "wrong"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    """Nobody can say: the key of a signature is in no keyring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What one witness says of an image."""

    source: str
    """``SHA256SUMS``, ``x.iso.sig``, ``implanted MD5``, ``md5sum.txt``."""
    outcome: Says
    detail: str = ""
    """A clause: whose signature, which file, why."""

    @property
    def words(self) -> str:
        return f"{self.source}: {self.outcome}{f', {self.detail}' if self.detail else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The files in an image's folder."""

    names: tuple[str, ...]
    opened: Callable[[str], BinaryIO]
    """Raises BootkitError: it cannot be opened."""

    def read(self, name: str) -> bytes:
        """Raises BootkitError: it cannot be read, or is too large to be what its name says."""
        with self.opened(name) as fh:
            content = fh.read(FILE_LIMIT + 1)
        if len(content) > FILE_LIMIT:
            raise FormatError(tr("it has more than {file_limit} MiB", file_limit=FILE_LIMIT >> 20))
        return content


def neighbours_on_host(image: Path) -> Neighbours:
    folder = image.parent
    names = tuple(sorted(entry.name for entry in os.scandir(folder) if entry.is_file()))
    return Neighbours(names=names, opened=lambda name: cast("BinaryIO", HostFileIO(folder / name)))


def neighbours_on_stick(volume: Volume, image: str) -> Neighbours:
    folder = image.rpartition("/")[0]
    names = tuple(stat.name for stat in volume.listdir(folder or "/") if not stat.is_dir)
    return Neighbours(names=names, opened=lambda name: volume.open(f"{folder}/{name}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What is said of an image by the files beside it, before it is read."""

    checksums: tuple[PublishedChecksum, ...] = ()
    signatures: dict[str, tuple[Testimony, ...]] = field(default_factory=dict[str, tuple[Testimony, ...]])
    """What the signatures of each checksum file say, by its name."""
    problems: tuple[Testimony, ...] = ()
    own_signatures: tuple[tuple[str, bytes], ...] = ()
    """Name and content of the signatures of the image itself."""

    @property
    def algorithms(self) -> frozenset[str]:
        return frozenset(checksum.algorithm for checksum in self.checksums)


def read_claims(image: str, beside: Neighbours, keyrings: Sequence[Path] = ()) -> Claims:
    """``image`` is a file's name. ``keyrings`` are asked beside those of the host."""
    checksums: list[PublishedChecksum] = []
    problems: list[Testimony] = []
    signatures: dict[str, tuple[Testimony, ...]] = {}
    for name in sidecar_names(image, beside.names):
        try:
            content = beside.read(name)
        except BootkitError as error:
            problems.append(Testimony(source=name, outcome=Says.UNREADABLE, detail=error.message))
            continue
        if is_signature(content):
            continue
        said = read_sidecar(image, name, content)
        if said.problem:
            problems.append(Testimony(source=name, outcome=Says.UNREADABLE, detail=said.problem))
        elif said.checksums:
            checksums += said.checksums
            signatures[name] = tuple(_signatures_of(said, content, beside, keyrings))
    own = tuple((name, beside.read(name)) for name in signature_names(image, beside.names))
    return Claims(checksums=tuple(checksums), signatures=signatures, problems=tuple(problems), own_signatures=own)


def _signatures_of(said: Sidecar, content: bytes, beside: Neighbours, keyrings: Sequence[Path]) -> Iterator[Testimony]:
    if said.is_clearsigned:
        yield _signature(said.name, content, None, keyrings)
    for name in signature_names(said.name, beside.names):
        yield _signature(name, beside.read(name), (content,), keyrings)


def _signature(source: str, content: bytes, signed: Iterable[bytes] | None, keyrings: Sequence[Path]) -> Testimony:
    try:
        found = check_signature(content, signed, (*keyrings, *host_keyrings()))
    except BootkitError as error:
        detail = f"{error.message}; {error.hint}" if error.hint else error.message
        return Testimony(source=source, outcome=Says.UNKNOWN, detail=detail)
    return Testimony(source=source, outcome=_OUTCOMES[found.verdict], detail=found.words)


_OUTCOMES = {
    SignatureVerdict.GOOD: Says.GOOD,
    SignatureVerdict.WRONG: Says.WRONG,
    SignatureVerdict.UNKNOWN: Says.UNKNOWN,
}


class Digests:
    """Several digests of one image, out of one reading."""

    def __init__(self, algorithms: Iterable[str], implanted: ImplantedMd5 | None = None) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._implanted = None if implanted is None else ImplantedHash(implanted)

    @property
    def is_asked(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self._hashes) or self._implanted is not None

    def update(self, chunk: bytes) -> None:
        for one in self._hashes.values():
            one.update(chunk)
        if self._implanted is not None:
            self._implanted.update(chunk)

    def hexdigest(self, algorithm: str) -> str:
        return self._hashes[algorithm].hexdigest()

    def findings(self, claims: Claims) -> Iterator[Testimony]:
        """What the files beside the image turn out to be worth, and the sum inside."""
        yield from claims.problems
        for checksum in claims.checksums:
            is_right = self.hexdigest(checksum.algorithm) == checksum.digest
            outcome = Says.GOOD if is_right else Says.WRONG
            detail = "" if is_right else f"the image has another {checksum.algorithm.upper()}"
            yield Testimony(source=checksum.source, outcome=outcome, detail=detail)
            yield from claims.signatures.get(checksum.source, ())
        if self._implanted is not None:
            is_right = self._implanted.is_right
            yield Testimony(source="implanted MD5", outcome=Says.GOOD if is_right else Says.WRONG)


def own_signatures(
    claims: Claims, chunks: Callable[[], Iterable[bytes]], keyrings: Sequence[Path]
) -> Iterator[Testimony]:
    """Those of the image itself, which is read once more for each."""
    for name, content in claims.own_signatures:
        yield _signature(name, content, chunks(), keyrings)


def chunks_from_start(file: BinaryIO, progress: Progress) -> Iterator[bytes]:
    """The whole of an open file, wherever it stood."""
    file.seek(0)
    yield from chunks_of(file, progress)


def files_inside(fh: BinaryIO, *, name: str, size: int, progress: Progress) -> Testimony | None:
    """The files of an image compared with its own list of their MD5; ``None`` if it has none."""
    with open_image(fh, name=name, size=size) as view:
        if not view.is_file(MD5_LIST):
            return None
        bad: list[str] = []
        count = done = 0
        for line in view.read(MD5_LIST, _LIST_LIMIT).decode("utf-8", "replace").splitlines():
            digest, _, path = line.strip().partition("  ")
            if len(digest) != 32 or not path:
                continue
            count += 1
            path = f"/{path.removeprefix('./').lstrip('/')}"
            try:
                with view.open(path) as file:
                    found = hashlib.md5(usedforsecurity=False)
                    for chunk in chunks_of(file, lambda _: None):
                        found.update(chunk)
                        done += len(chunk)
                        progress(min(done, size))
            except FormatError:
                bad.append(path)
                continue
            if found.hexdigest() != digest.lower():
                bad.append(path)
    if bad:
        return Testimony(
            source="md5sum.txt",
            outcome=Says.WRONG,
            detail=f"of {count} files {len(bad)} differ: {', '.join(bad[:_BAD_FILES])}",
        )
    return Testimony(source="md5sum.txt", outcome=Says.GOOD, detail=f"all of its {count} files") if count else None
