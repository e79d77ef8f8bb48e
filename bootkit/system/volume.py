"""The stick's data partition, whatever way it is reached.

Three ways in, one interface: a mounted folder (:mod:`bootkit.system.volumes.folder`); the bytes of a partition in an image
file or an unmounted device, as ext4, FAT, exFAT or, to be read, NTFS; or such a partition mounted by us for as long as it is
needed (:mod:`bootkit.system.volumes.mounted`), as btrfs or, to be written, NTFS. Nothing above this module knows which it is.
"""

import hashlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import field
from pathlib import Path
from typing import BinaryIO, Protocol

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.reader import Extent
from bootkit.i18n import tr
from bootkit.model.places import GENERATE, HOME_FOLDER, PERSISTENCE_FOLDER, START_PROGRAM
from bootkit.system.holes import DataDigest, Part
from bootkit.values import dataclass

CHUNK = 1 << 20
"""Bytes a reading: 1 MiB is fastest with hashing in the same pass, because it stays in the processor's cache."""
_ZEROS = bytes(CHUNK)
_FIRST = 64

DEPTH_LIMIT = 128
"""Folders one in another; Linux' paths of 4096 bytes end not far behind."""
WALK_LIMIT = 250_000
"""Files and folders of a stick that are looked at; the fullest stick met has a tenth of that."""
_PROGRAMS = (GENERATE, START_PROGRAM)
_PRIVATE = (f"{HOME_FOLDER}/", f"{PERSISTENCE_FOLDER}/")
_MEND = tr("if there are not so many, its file system is damaged: unmount it and run fsck on its partition")

Progress = Callable[[int], None]
"""Called with the bytes done so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStat:
    name: str
    is_dir: bool
    size: int = 0
    mtime_ns: int = 0
    ident: int = field(default=0, compare=False)
    """Of a folder, what is unique to it in a file system that nobody has checked yet; else 0."""


class Volume(Protocol):
    """A data partition. Paths are absolute, with slashes; parents of what is written are made.

    A reader of a path that is written finds the old file or the new one, never a part.
    """

    @property
    def filesystem(self) -> str:
        """As the kernel spells it: ``ext4``, ``vfat``, ``exfat``, ``ntfs``, ``btrfs``."""
        ...

    @property
    def uuid(self) -> str:
        """The file system's UUID as udev spells it; empty where nobody can tell."""
        ...

    @property
    def where(self) -> str:
        """The mount point, or the image file or device, for messages."""
        ...

    def listdir(self, path: str) -> tuple[FileStat, ...]:
        """The members of a folder, sorted by name; empty if it is not there."""
        ...

    def stat(self, path: str) -> FileStat | None: ...

    def open(self, path: str) -> BinaryIO:
        """A file for reading, seekable."""
        ...

    def reread(self, path: str, progress: Progress) -> Iterator[bytes | memoryview]:
        """A file as the medium gives it, in pieces that are good until the next one is asked for."""
        ...

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write small files, all of them before the first takes its place."""
        ...

    def copy_in(self, source: Path, path: str, progress: Progress, *, sparse: bool = False) -> str:
        """Take a big file from the host; room is set aside first, and its beginning never becomes a hole.

        ``sparse`` leaves holes where the source has them, if the file system can, and sets no room aside for them.
        Returns the SHA-256 of what was read from ``source``, in lower-case hex; with ``sparse`` that of
        :class:`~bootkit.system.holes.DataDigest`. Nothing is left of it on an error.
        """
        ...

    def incoming(self, path: str) -> AbstractContextManager[Path] | None:
        """A new file as a path of the host, for programs that write to it; ``None`` where they cannot reach the volume.

        It is gone when the block ends, unless it has got another name by then.
        """
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file of that name is replaced."""
        ...

    def remove(self, path: str) -> None: ...

    def loop(self, path: str) -> str:
        """The node of a loop device of this computer that shows a file; empty if none does."""
        ...

    def extents(self, path: str) -> tuple[Extent, ...] | None:
        """Where the bytes of a file lie, from the start of the partition; ``None`` if nobody can tell."""
        ...

    def data_parts(self, path: str) -> Iterator[Part]:
        """The parts of a file that can be other than zeros, in order; all of it where nobody can tell."""
        ...

    def free(self) -> int:
        """Bytes that can still be written."""
        ...

    def flush(self) -> None:
        """Return when everything written is on the medium, and the next reading comes from there."""
        ...

    def close(self) -> None: ...


def parts_of(path: str) -> tuple[str, ...]:
    """The names on the way to ``path``, from the top of the partition.

    Raises:
        BootkitError: it would lead elsewhere.
    """
    parts = tuple(part for part in path.split("/") if part)
    if "\0" in path or not {".", ".."}.isdisjoint(parts):
        raise BootkitError(
            tr("{path} is no path on a stick", path=repr(path)),
            hint=tr("name it from the top of the stick, without . and .."),
        )
    return parts


def walk(
    volume: Volume, path: str, *, enters: Callable[[str], bool] = lambda _: True, hidden: bool = False
) -> Generator[tuple[str, FileStat]]:
    """All files below a folder with their paths, folders in order of name; hidden ones only if they are asked for.

    ``enters`` says of the path of each folder whether it is looked into.

    A folder that damage has put into itself is entered once.

    Raises:
        FormatError: there are more than ``WALK_LIMIT`` members, as where damage makes many ways lead to one folder.
    """
    todo = _members(volume, path)
    count = 0
    entered: set[int] = set()
    while todo:
        below, stat = todo.pop()
        if stat.name.startswith(".") and not hidden:
            continue
        if not stat.is_dir:
            yield below, stat
        elif stat.ident not in entered and below.count("/") <= DEPTH_LIMIT and enters(below):
            entered.update({stat.ident} - {0})
            members = _members(volume, below)
            count += len(members)
            if count > WALK_LIMIT:
                raise FormatError(
                    tr(
                        "{where} has more than {walk_limit} files below {path}",
                        where=volume.where,
                        walk_limit=WALK_LIMIT,
                        path=path,
                    ),
                    hint=_MEND,
                )
            todo += members


def _members(volume: Volume, folder: str) -> list[tuple[str, FileStat]]:
    """The members of a folder with their paths, the first one at the end."""
    return [(f"{folder.rstrip('/')}/{stat.name}", stat) for stat in reversed(volume.listdir(folder))]


def mode_of(path: str) -> int:
    """What a file of the stick at ``path`` is to whom: homes and kept changes hold secrets, scripts are to be started."""
    if path in _PROGRAMS:
        return 0o755
    return 0o600 if path.startswith(_PRIVATE) else 0o644


def read_file(volume: Volume, path: str, limit: int) -> bytes | None:
    """The first ``limit`` bytes of a file, ``None`` if it is not there."""
    if volume.stat(path) is None:
        return None
    with volume.open(path) as file:
        return file.read(limit)


def allocated(path: Path) -> int:
    """Bytes that a file of the host takes up: without its holes."""
    status = path.stat()
    return min(status.st_size, status.st_blocks * 512)


def chunks_of(file: BinaryIO, progress: Progress) -> Generator[bytes]:
    """A file in pieces of ``CHUNK`` bytes, with progress reported behind each."""
    done = 0
    while chunk := file.read(CHUNK):
        yield chunk
        done += len(chunk)
        progress(done)


def is_zeros(chunk: bytes | memoryview) -> bool:
    """Whether a piece of a file, of at most ``CHUNK`` bytes, can be a hole instead."""
    # most have shown by the first bytes that they hold something
    return not any(chunk[:_FIRST]) and bytes(chunk) == _ZEROS[: len(chunk)]


def parts_in_chunks(parts: Iterable[Part]) -> Iterator[Part]:
    """The same bytes in parts of at most ``CHUNK``."""
    for start, length in parts:
        for at in range(start, start + length, CHUNK):
            yield at, min(CHUNK, start + length - at)


def data_digest(volume: Volume, path: str, progress: Progress) -> str:
    """The :class:`~bootkit.system.holes.DataDigest` of a file, of which only the parts are read that hold something."""
    digest = DataDigest()
    with volume.open(path) as file:
        for at, length in parts_in_chunks(volume.data_parts(path)):
            file.seek(at)
            digest.add(at, file.read(length))
            progress(at + length)
        return digest.of_size(file.seek(0, os.SEEK_END))


def sha256_of(chunks: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
