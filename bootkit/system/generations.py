"""The files that start a stick, renewed so that it starts at every moment, and the generation before them kept.

Firmware knows nothing of changes that were begun and are completed by whoever opens the stick next. So the new files are written
where nothing looks for them, and change places with the old ones when all of them are on the medium: a sector of a directory for
each, in which a name leads to the old content or to the new. What GRUB and the others need comes before the shim that starts them,
because a new shim may refuse an old GRUB; on the way back the shim comes first. What was replaced then lies where the new files
were, and the same exchange is the way back.
"""

from collections.abc import Iterable, Mapping

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.places import EFI_FOLDER, OLD_LOADERS_FOLDER, STICK_RECORD
from bootkit.model.plan import RemoveFile, StickPlan, WriteFile
from bootkit.system.changes import apply_changes
from bootkit.system.volume import read_file, walk
from bootkit.system.volumes.fat import FatVolume

_LIMIT = 32 << 20


def renew(volume: FatVolume, files: Mapping[str, bytes]) -> None:
    """Put ``files`` on the partition with the boot loaders; what of it differed is kept.

    Raises:
        BootkitError: there is no room, or the medium fails; the stick starts as before.
    """
    old = {path: read_file(volume, path, _LIMIT) for path in files}
    changed = {path: content for path, content in files.items() if old[path] not in (None, content)}
    added = {path: content for path, content in files.items() if old[path] is None}
    if changed.keys() <= {STICK_RECORD}:
        _apply(volume, {**added, **changed})  # of the same loaders: those before them stay kept
        return
    keep = {kept_as(path): content for path, content in changed.items()}
    _apply(volume, {**added, **keep}, removed=[path for path in kept_files(volume) if path not in keep])
    _exchange(volume, [path for path in changed if not is_first(path)])
    _exchange(volume, [path for path in changed if is_first(path)])


def go_back(volume: FatVolume) -> tuple[str, ...]:
    """Let the loaders that were kept change places with those that took theirs; the paths of those that start now.

    Raises:
        BootkitError: none are kept.
    """
    paths = [path for path in map(_place_of, kept_files(volume)) if volume.stat(path) is not None]
    if not any(map(is_first, paths)):
        hint = "bootkit upgrade keeps those that it replaces by others"
        raise BootkitError(tr("{where} has no boot loaders to go back to", where=volume.where), hint=hint)
    _exchange(volume, [path for path in paths if is_first(path)])
    _exchange(volume, [path for path in paths if not is_first(path)])
    return tuple(paths)


def kept_files(volume: FatVolume) -> tuple[str, ...]:
    """Paths of what is kept."""
    return tuple(path for path, _ in walk(volume, OLD_LOADERS_FOLDER))


def kept_as(path: str) -> str:
    """Where the file is kept that another one took the place of: by its name, outside of /EFI/BOOT by its whole path."""
    folder, _, name = path.rpartition("/")
    return f"{OLD_LOADERS_FOLDER}/{name}" if folder == EFI_FOLDER else f"{OLD_LOADERS_FOLDER}{path}"


def is_first(path: str) -> bool:
    """Whether firmware starts it, by its name."""
    return path.rpartition("/")[2].upper().startswith("BOOT") and path.upper().endswith(".EFI")


def _place_of(kept: str) -> str:
    path = kept.removeprefix(OLD_LOADERS_FOLDER)
    return path if path.count("/") > 1 else f"{EFI_FOLDER}{path}"


def _apply(volume: FatVolume, files: Mapping[str, bytes], removed: Iterable[str] = ()) -> None:
    steps = [RemoveFile(path=path) for path in removed]
    apply_changes(
        StickPlan(steps=(*steps, *(WriteFile(path=path, content=content) for path, content in files.items()))), volume
    )


def _exchange(volume: FatVolume, paths: list[str]) -> None:
    volume.exchange([(path, kept_as(path)) for path in paths])
    volume.flush()
