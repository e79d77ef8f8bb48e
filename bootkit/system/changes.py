"""Carry out a plan for the data partition of a stick: the only module that changes files on one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bootkit.errors import BootkitError, host_errors
from bootkit.i18n import tr
from bootkit.model.plan import CopyImage, KeepOld, RemoveFile, RenameFile, StickPlan, WriteFile
from bootkit.system.volume import Progress, Volume, data_digest, read_file, sha256_of
from bootkit.values import dataclass

_KEEP_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Who wants to know how far a long step is; ``begin`` gets a word for the phase, the path and its bytes."""

    begin: Callable[[str, str, int], None] = lambda _phase, _path, _size: None
    progress: Progress = lambda _done: None
    end: Callable[[], None] = lambda: None


def apply_changes(plan: StickPlan, volume: Volume, watcher: Watcher | None = None) -> dict[str, str]:
    """Take the steps in order; returns the checksum that ``copy_in`` gave of each image, by its path on the stick.

    Small files that follow one another are written together: each is complete before the first takes its place.

    Raises:
        BootkitError: a file that would go is in use; nothing was changed.
    """
    _require_none_used(plan, volume)
    watcher = watcher or Watcher()
    digests: dict[str, str] = {}
    pending: dict[str, bytes] = {}
    for step in plan.steps:
        match step:
            case WriteFile(path=path, content=content):
                pending[path] = content
            case KeepOld(path=path, old=old):
                before = read_file(volume, path, _KEEP_LIMIT)
                if before is not None:
                    pending[old] = before
            case RemoveFile(path=path):
                _write(volume, pending)
                _remove(volume, path)
            case RenameFile(old=old, path=path):
                _write(volume, pending)
                volume.rename(old, path)
            case CopyImage():
                _write(volume, pending)
                digests[step.path] = _copy(step, volume, watcher)
    _write(volume, pending)
    if plan.steps:
        volume.flush()
    return digests


def _require_none_used(plan: StickPlan, volume: Volume) -> None:
    for step in plan.steps:
        match step:
            case RemoveFile(path=path) | CopyImage(path=path) | RenameFile(old=path):
                require_unused(volume, path)
            case WriteFile() | KeepOld():
                pass


def require_unused(volume: Volume, path: str) -> None:
    """Refuse to take away or replace what the running system works with: the image that it was started from, its home.

    Raises:
        BootkitError: a loop device shows the file.
    """
    if node := volume.loop(path):
        hint = tr("if the system runs from it, start another one first; else: sudo losetup --detach {node}", node=node)
        raise BootkitError(tr("{path} is in use as {node}", path=path, node=node), hint=hint)


def _write(volume: Volume, pending: dict[str, bytes]) -> None:
    if pending:
        volume.write(pending)
        pending.clear()


def _remove(volume: Volume, path: str) -> None:
    if volume.stat(path) is not None:  # what an interrupted write has left goes with the next write of the same file
        volume.remove(path)


def _copy(step: CopyImage, volume: Volume, watcher: Watcher) -> str:
    """Copy under a hidden name, read back from the medium, compare, and only then give it its name."""
    part = part_path(step.path)
    digest = step.arrived
    if not digest:
        watcher.begin("copying", step.path, step.size)
        digest = volume.copy_in(Path(step.source), part, watcher.progress, sparse=step.sparse)
    try:
        volume.flush()
        watcher.begin("checking", step.path, step.size)
        require_same(volume, part, digest, watcher.progress, sparse=step.sparse)
        volume.rename(part, step.path)
    except BaseException:
        if volume.stat(part) is not None:
            volume.remove(part)
        raise
    finally:
        watcher.end()
    return digest


def part_path(path: str) -> str:
    """The hidden name of a file until it is complete and was read back."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.{name}.part"


def incoming(volume: Volume, path: str) -> AbstractContextManager[Path] | None:
    """A file of the host for what is to be at ``path``, under its hidden name; ``None`` where programs cannot reach the volume.

    It is gone when the block ends, unless a :class:`CopyImage` has taken it: see ``arrived`` there.
    """
    return volume.incoming(part_path(path))


def checksum_of(volume: Volume, path: str, progress: Progress, *, sparse: bool) -> str:
    """The checksum that ``copy_in`` gives, of what is there now.

    Raises:
        BootkitError: it cannot be read.
    """
    if sparse:
        return data_digest(volume, path, progress)
    with host_errors(f"{volume.where}{path}"):
        return sha256_of(volume.reread(path, progress))


def require_same(volume: Volume, path: str, digest: str, progress: Progress, *, sparse: bool) -> None:
    """Refuse a stick that does not keep what is written to it. The caller has flushed the volume.

    Raises:
        BootkitError: the medium gives back something else.
    """
    if checksum_of(volume, path, progress, sparse=sparse) != digest:
        hint = tr("nothing else was changed; try once more, and if it happens again the stick is damaged or a fake")
        raise BootkitError(tr("{where} does not give back what was written to it", where=volume.where), hint=hint)
