"""Find the stick that a command means, and reach its data partition."""

import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bootkit.errors import BootkitError, FormatError, host_errors
from bootkit.formats.partitions import read_partitions
from bootkit.model.places import CUSTOMIZE_FOLDER, IMAGE_FOLDER, STICK_FILE
from bootkit.system.volume import Volume
from bootkit.system.volumes.folder import FolderVolume
from bootkit.system.volumes.unmounted import unmounted_volume

_PREPARE = "prepare one first: bootkit prepare TARGET (bootkit devices lists what is plugged in)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stick:
    """A stick and the way to its data partition."""

    where: Path
    """What the user named: a mount point, an image file or a device."""
    volume: Volume


@contextmanager
def open_stick(where: Path | None, *, writing: bool = False) -> Generator[Stick]:
    """The stick that is meant; ``None`` means the only one that is mounted.

    This is the border to the host: whatever the kernel refuses while a stick is open becomes an error that names it.

    Raises:
        BootkitError: there is none, there are several, it is no bootkit stick, or another bootkit is writing to it.
    """
    path = where or _the_mounted_one()
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise BootkitError(f"{path}: {error.strerror}", hint=_PREPARE) from error
    with (
        host_errors(os.fspath(path)),
        _locked(path, writing=writing),
        closing(_volume(path, mode, writing=writing)) as volume,
    ):
        if not _is_stick(volume):
            raise BootkitError(f"{path} is not a bootkit stick: there is no {STICK_FILE} on it", hint=_PREPARE)
        yield Stick(where=path, volume=volume)


def _volume(path: Path, mode: int, *, writing: bool) -> Volume:
    if stat.S_ISDIR(mode):
        return FolderVolume(path)
    if stat.S_ISBLK(mode) and (mounted := _mounted_folder(path)) is not None:
        return FolderVolume(mounted)
    return _raw_volume(path, writing=writing)


def _is_stick(volume: Volume) -> bool:
    """Whether bootkit prepared it, or SystemImageKit, which knows its stick by these two folders."""
    if volume.stat(STICK_FILE) is not None:
        return True
    folders = [volume.stat(path) for path in (IMAGE_FOLDER, CUSTOMIZE_FOLDER)]
    return all(folder is not None and folder.is_dir for folder in folders)


def mounted_sticks() -> tuple[Path, ...]:
    """The mount points that carry a bootkit stick."""
    found: list[Path] = []
    for _, target in _mounts():
        with_stick = target / STICK_FILE.lstrip("/")
        if os.access(with_stick, os.R_OK) and target not in found:
            found.append(target)
    return tuple(found)


def _the_mounted_one() -> Path:
    match mounted_sticks():
        case [stick]:
            return stick
        case []:
            hint = "plug it in and open it once in the file manager, or name it: --stick PATH"
            raise BootkitError("no bootkit stick is mounted", hint=hint)
        case several:
            names = ", ".join(map(os.fspath, several))
            raise BootkitError(f"there are several bootkit sticks: {names}", hint="name the one you mean: --stick PATH")


def _mounts() -> list[tuple[str, Path]]:
    """(major:minor, mount point) of every mount."""
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    return [(fields[2], Path(_unescaped(fields[4]))) for fields in map(str.split, lines)]


def _unescaped(field: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field


def _mounted_folder(node: Path) -> Path | None:
    """Where a device's data partition is mounted: the device itself, or one of its partitions.

    Compares device numbers: /dev/sda is also how /dev/sdaa begins.
    """
    device = node.stat().st_rdev
    name = f"{os.major(device)}:{os.minor(device)}"
    below = Path("/sys/dev/block", name)
    numbers = {name, *(part.read_text().strip() for part in below.glob("*/dev"))}
    targets = [target for number, target in _mounts() if number in numbers]
    return next((target for target in targets if (target / STICK_FILE.lstrip("/")).exists()), None)


def _raw_volume(path: Path, *, writing: bool) -> Volume:
    """The data partition inside an image file or an unmounted device."""
    try:
        with path.open("rb") as fh:
            table = read_partitions(fh)
            for partition in sorted(table.partitions, key=lambda partition: partition.number):
                volume = unmounted_volume(path, partition.start, partition.size, writing=writing)
                if volume is None:
                    continue
                if _is_stick(volume):
                    return volume
                volume.close()
    except PermissionError as error:
        hint = f"run it as root, or mount it and name the mount point: --stick {path}"
        raise BootkitError(f"{path}: {error.strerror}", hint=hint) from error
    except FormatError as error:
        raise BootkitError(f"{path} is not a bootkit stick: {error.message}", hint=_PREPARE) from error
    raise BootkitError(f"{path} is not a bootkit stick: no partition holds {STICK_FILE}", hint=_PREPARE)


@contextmanager
def _locked(path: Path, *, writing: bool) -> Generator[None]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if writing else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BootkitError(f"another program is working on {path}", hint="wait until it has ended") from error
        yield
    finally:
        os.close(descriptor)
