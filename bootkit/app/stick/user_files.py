"""Big files of the user's on the stick, other than images: extensions, homes, AppImages.

They are copied as images are, and what was read is kept beside the other state, so that damage is found later.
"""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from bootkit.errors import AlreadyThere, BootkitError, HostError, host_errors
from bootkit.i18n import tr
from bootkit.model.filesystem import file_system
from bootkit.model.places import SUM_FOLDER
from bootkit.model.plan import CopyImage, RemoveFile, StickPlan, WriteFile
from bootkit.system.changes import Watcher, apply_changes, require_unused
from bootkit.system.volume import Volume, allocated, chunks_of, is_zeros, read_file, sha256_of
from bootkit.units import format_size
from bootkit.values import dataclass

SPARE = 16 << 20
"""Bytes that stay free for the menu, the records and the logs."""
_NO_ROOM = tr("remove what is not needed: bootkit list, bootkit remove IMAGE")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedFile:
    path: str
    verdict: str
    """``good``, ``damaged``, or ``unknown`` where no checksum was kept."""
    sha256: str


def sum_path(path: str) -> str:
    """Where the checksum of a file of the stick is kept, as ``sha256sum`` writes it."""
    return f"{SUM_FOLDER}{path}.sha256"


def plan_copy(volume: Volume, source: Path, path: str, *, sparse: bool = False, replace: bool = False) -> CopyImage:
    """A file of the host for the stick.

    Raises:
        BootkitError: it cannot be read, something of that name is there (unless ``replace``), or there is no room.
    """
    size = _size_of(source)
    if volume.stat(path) is not None and not replace:
        raise there_already(path)
    step = CopyImage(source=str(source), path=path, size=size, sparse=sparse)
    require_fits(volume, path, size)
    require_room(volume, allocated(source) if sparse and has_holes(volume) else size)
    return step


def there_already(path: str) -> BootkitError:
    return BootkitError(
        tr("{path} is on the stick already", path=path), hint=tr("--replace puts this one in its place")
    )


def refuse_what_is_there(
    volume: Volume,
    source: Path,
    path: str,
    *,
    known: str = "",
    replacing: bool = False,
    watcher: Watcher | None = None,
) -> None:
    """Refuse to copy a file onto itself or, unless ``replacing``, over another.

    ``known`` is the SHA-256 of what is there. It is read from there where that is empty, or where what is there may be damaged:
    that is replaced, too.

    Raises:
        AlreadyThere: it is the same file.
        BootkitError: another one is there, or a folder.
    """
    stat = volume.stat(path)
    if stat is None:
        return
    if stat.is_dir:
        raise BootkitError(tr("{path} is a folder on the stick", path=path), hint=tr("give the file another name"))
    if stat.size == source.stat().st_size:
        watcher = watcher or Watcher()
        watcher.begin("comparing", path, stat.size)
        with host_errors(str(source)), source.open("rb") as file:
            digest = sha256_of(chunks_of(file, watcher.progress))
        if not known or replacing:
            watcher.begin("comparing on the stick", path, stat.size)
            with volume.open(path) as file:
                known = sha256_of(chunks_of(file, watcher.progress))
        watcher.end()
        if digest == known:
            raise AlreadyThere(tr("{path} is on the stick already, with the same checksum", path=path))
    if not replacing:
        raise BootkitError(
            tr("another {path} is on the stick already", path=path),
            hint=tr("--replace puts this one in its place; the old one stays until the new one is complete"),
        )


class Places:
    """The places on the stick that files are to have, taken by one after the other before the first is copied.

    ``kind`` says what they are, ``apart`` how two of one name go together, ``freed`` what is removed before, in bytes.
    """

    def __init__(
        self,
        volume: Volume,
        *,
        kind: str,
        apart: str = "give one of them another name",
        replacing: bool = False,
        freed: int = 0,
        watcher: Watcher | None = None,
    ) -> None:
        self._volume = volume
        self._kind = kind
        self._apart = apart
        self._replacing = replacing
        self._taken = -freed
        self._watcher = watcher
        self._names: set[str] = set()

    def take(self, source: Path, path: str, size: int, *, known: str = "") -> int:
        """The bytes of the file whose place it is; 0 where there is none. ``known`` is that one's SHA-256.

        Raises:
            AlreadyThere: the same file has that place.
            BootkitError: another one has it, now or afterwards, or there is no room.
        """
        if path.lower() in self._names:
            raise BootkitError(
                tr("two of the {kind} would both be {path}", kind=self._kind, path=path), hint=self._apart
            )
        old = self._volume.stat(path)
        refuse_what_is_there(self._volume, source, path, known=known, replacing=self._replacing, watcher=self._watcher)
        require_unused(self._volume, path)
        require_fits(self._volume, path.rpartition("/")[2], size)
        require_room(self._volume, self._taken + size)
        replaced = old.size if old is not None else 0
        self._names.add(path.lower())
        self._taken += size - replaced
        return replaced

    def copy(self, source: Path, path: str) -> CopyImage:
        """A file of the host for the stick, as :func:`plan_copy` but for many.

        Raises:
            BootkitError: as :meth:`take`, or it cannot be read.
        """
        size = _size_of(source)
        self.take(source, path, size)
        return CopyImage(source=str(source), path=path, size=size)


def _size_of(source: Path) -> int:
    try:
        size = source.stat().st_size
    except OSError as error:
        raise HostError.of(error, str(source)) from error
    if not source.is_file():
        raise BootkitError(tr("{source} is no file", source=source))
    return size


def require_fits(volume: Volume, name: str, size: int) -> None:
    """Refuse a file that is too large for the stick's file system.

    Raises:
        BootkitError: it is.
    """
    known = file_system(volume.filesystem)
    if known is not None and not known.holds(size):
        hint = tr("a stick whose data partition is ext4 takes it: bootkit prepare TARGET --data-fs ext4")
        raise BootkitError(
            tr("{name} has {size}; {limit_clause}", name=name, size=format_size(size), limit_clause=known.limit_clause),
            hint=hint,
        )


def has_holes(volume: Volume) -> bool:
    """Whether a file with holes takes less room there than its size."""
    known = file_system(volume.filesystem)
    return known is None or known.has_holes


def require_room(volume: Volume, size: int) -> None:
    """Refuse a file for which there is no room.

    Raises:
        BootkitError: there is less room than ``size`` and what stays spare.
    """
    free = volume.free()
    if size + SPARE > free:
        message = tr(
            "{where} has {free} free; {size} are needed",
            where=volume.where,
            free=format_size(free),
            size=format_size(size + SPARE),
        )
        raise BootkitError(message, hint=_NO_ROOM)


def fill_warning(volume: Volume, name: str, size: int) -> str:
    """What there is to say of a file with holes that may grow to ``size`` bytes; empty if nothing."""
    free = volume.free()
    return (
        f"the stick has {format_size(free)} free: {name} cannot be filled before there is more room"
        if size > free
        else ""
    )


def copy(volume: Volume, step: CopyImage, watcher: Watcher | None = None, *, keep_sum: bool = True) -> str:
    """Copy, read back, compare; returns the SHA-256. A file that changes with every boot needs none kept."""
    digest = apply_changes(StickPlan(steps=(step,)), volume, watcher)[step.path]
    if keep_sum:
        name = step.path.rpartition("/")[2]
        content = f"{digest}  {name}\n".encode()
        apply_changes(StickPlan(steps=(WriteFile(path=sum_path(step.path), content=content),)), volume)
    return digest


def plan_file_removal(volume: Volume, paths: Sequence[str]) -> StickPlan:
    """The files and their checksums go.

    Raises:
        BootkitError: one is in use.
    """
    for path in paths:
        require_unused(volume, path)
    steps = [RemoveFile(path=path) for path in paths]
    steps += [RemoveFile(path=sum_path(path)) for path in paths if volume.stat(sum_path(path)) is not None]
    return StickPlan(steps=tuple(steps))


def verify_files(volume: Volume, paths: Sequence[str], watcher: Watcher | None = None) -> tuple[VerifiedFile, ...]:
    """Read files from the medium and compare them with what is known of them."""
    watcher = watcher or Watcher()
    volume.flush()
    answers: list[VerifiedFile] = []
    for path in paths:
        stat = volume.stat(path)
        watcher.begin("reading", path, stat.size if stat else 0)
        with volume.open(path) as file:
            digest = sha256_of(chunks_of(file, watcher.progress))
        watcher.end()
        known = (read_file(volume, sum_path(path), 1 << 12) or b"").split()
        verdict = "unknown" if not known else "good" if known[0] == digest.encode() else "damaged"
        answers.append(VerifiedFile(path=path, verdict=verdict, sha256=digest))
    return tuple(answers)


def take_out(volume: Volume, path: str, target: Path, watcher: Watcher | None = None) -> str:
    """Copy a file of the stick to the host, zeros as holes; returns its SHA-256."""
    watcher = watcher or Watcher()
    digest = hashlib.sha256()
    stat = volume.stat(path)
    watcher.begin("reading", path, stat.size if stat else 0)
    try:
        # a file that is new is its owner's alone: it may be somebody's home
        with volume.open(path) as reader, open(target, "wb", opener=partial(os.open, mode=0o600)) as writer:
            for chunk in chunks_of(reader, watcher.progress):
                digest.update(chunk)
                if not is_zeros(chunk):
                    writer.write(chunk)
                else:
                    writer.seek(len(chunk), 1)
            writer.truncate()
    except OSError as error:
        raise BootkitError(
            f"{target}: {error.strerror}", hint=tr("another folder: TMPDIR=FOLDER bootkit ...")
        ) from error
    finally:
        watcher.end()
    return digest.hexdigest()


def bring_out(volume: Volume, path: str, target: Path, watcher: Watcher | None = None) -> tuple[Path, str]:
    """Copy a file of the stick to a new one of the host, there as a whole or not at all; returns it with its SHA-256.

    In a folder it is called as on the stick.

    Raises:
        BootkitError: ``target`` is there already, or has no room.
    """
    if target.is_dir():
        target /= path.rpartition("/")[2]
    if target.exists():
        raise BootkitError(tr("{target} is there already", target=target), hint=tr("name a file that is not"))
    part = target.with_name(f".{target.name}.part")
    try:
        digest = take_out(volume, path, part, watcher)
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink()
    return target, digest
