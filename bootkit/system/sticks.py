"""Find the stick that a command means, and reach its data partition."""

import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from bootkit.errors import BootkitError, FormatError, HostError, RightsMissing, ToolMissing, host_errors
from bootkit.formats.partitions import read_partitions
from bootkit.i18n import tr
from bootkit.model.places import CUSTOMIZE_FOLDER, IMAGE_FOLDER, STICK_FILE
from bootkit.system.medium import Medium, medium_of, mounts, require_unused
from bootkit.system.volume import Volume
from bootkit.system.volumes.desktop import DesktopVolume
from bootkit.system.volumes.folder import FolderVolume
from bootkit.system.volumes.raw import RawVolume
from bootkit.values import dataclass

_ISODEVICE = Path("/isodevice")
_PREPARE = tr("prepare one first: bootkit prepare TARGET (bootkit devices lists what is plugged in)")


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
        mode, medium = path.stat().st_mode, medium_of(path)
    except FileNotFoundError as error:
        raise BootkitError(f"{path}: {error.strerror}", hint=_PREPARE) from error
    except OSError as error:
        raise HostError.of(error, str(path)) from error
    folder = path if stat.S_ISDIR(mode) else _mounted_folder(medium)
    with (
        host_errors(os.fspath(path)),
        _locked(path, medium, folder, writing=writing),
        closing(_volume(path, medium, folder, writing=writing)) as volume,
    ):
        if not _is_stick(volume):
            raise BootkitError(
                tr("{path} is not a bootkit stick: there is no {stick_file} on it", path=path, stick_file=STICK_FILE),
                hint=_PREPARE,
            )
        if isinstance(volume, RawVolume):
            with suppress(BootkitError):  # it may not be written: then it is read as if it were complete
                volume.complete()
        yield Stick(where=path, volume=volume)


def _volume(path: Path, medium: Medium, folder: Path | None, *, writing: bool) -> Volume:
    if folder is not None:
        if writing and os.statvfs(folder).f_flag & os.ST_RDONLY:
            hint = tr(
                "sudo mount -o remount,rw {folder}; if Linux has made it so by itself, unmount it and check "
                "it with fsck",
                folder=folder,
            )
            raise BootkitError(tr("{folder} is mounted read-only", folder=folder), hint=hint)
        return FolderVolume(folder)
    if writing:
        require_unused(path, medium)
    return _raw_volume(path, medium, writing=writing)


def _is_stick(volume: Volume) -> bool:
    """Whether bootkit prepared it, or SystemImageKit, which knows its stick by these two folders."""
    if volume.stat(STICK_FILE) is not None:
        return True
    folders = [volume.stat(path) for path in (IMAGE_FOLDER, CUSTOMIZE_FOLDER)]
    return all(folder is not None and folder.is_dir for folder in folders)


def mounted_sticks() -> tuple[Path, ...]:
    """Where each bootkit stick is mounted: in a live system that runs from one, at /isodevice, whatever its initrd had."""
    found: dict[str, Path] = {}
    for mount in mounts():
        with_stick = mount.target / STICK_FILE.lstrip("/")
        if os.access(with_stick, os.R_OK) and (mount.number not in found or mount.target == _ISODEVICE):
            found[mount.number] = mount.target
    return tuple(found.values())


def _the_mounted_one() -> Path:
    match mounted_sticks():
        case [stick]:
            return stick
        case []:
            hint = tr("plug it in and open it once in the file manager, or name it: --stick PATH")
            raise BootkitError(tr("no bootkit stick is mounted"), hint=hint)
        case several:
            names = ", ".join(map(os.fspath, several))
            raise BootkitError(
                tr("there are several bootkit sticks: {names}", names=names),
                hint=tr("name the one you mean: --stick PATH"),
            )


def _mounted_folder(medium: Medium) -> Path | None:
    """Where the data partition of a stick is mounted."""
    return next((target for target in medium.mounts if (target / STICK_FILE.lstrip("/")).exists()), None)


def desktop_volume(medium: Medium, *, writing: bool) -> Volume | None:
    """The data partition of a device that only udisks may open for this user; ``None`` if it has none, or may not either."""
    for node in medium.devices:
        try:
            volume = DesktopVolume(node, writing=writing)
        except ToolMissing:
            return None
        except BootkitError:
            continue
        if _is_stick(volume):
            return volume
        volume.close()
    return None


def _raw_volume(path: Path, medium: Medium, *, writing: bool) -> Volume:
    """The data partition inside an image file or an unmounted device."""
    # five file systems, of which a mounted stick needs none
    from bootkit.system.volumes.unmounted import by_the_kernel, unmounted_volume

    try:
        with path.open("rb") as fh:
            table = read_partitions(fh)
            for partition in sorted(table.partitions, key=lambda partition: partition.number):
                volume = unmounted_volume(path, partition.start, partition.size, writing=writing)
                if volume is None:
                    continue
                if _is_stick(volume):
                    return by_the_kernel(volume, path, partition.start, partition.size) if writing else volume
                volume.close()
    except PermissionError as error:
        mounted = desktop_volume(medium, writing=writing) if path.is_block_device() else None
        if mounted is not None:
            return mounted
        hint = tr("mount it and name its mount point: --stick FOLDER")
        raise RightsMissing(f"{path}: {error.strerror}", hint=hint) from error
    except FormatError as error:
        raise BootkitError(
            tr("{path} is not a bootkit stick: {message}", path=path, message=error.message), hint=_PREPARE
        ) from error
    is_part = path.is_block_device() and Path("/sys/class/block", path.resolve().name, "partition").exists()
    hint = tr("name the whole of it: --stick {node}", node=medium.node) if is_part else _PREPARE
    raise BootkitError(
        tr("{path} is not a bootkit stick: no partition holds {stick_file}", path=path, stick_file=STICK_FILE),
        hint=hint,
    )


@contextmanager
def _locked(path: Path, medium: Medium, folder: Path | None, *, writing: bool) -> Generator[None]:
    """Hold the stick, whichever of its names was given: the folder in which it is mounted, and the disk or file behind it.

    Who may not open the disk has its folder, and whoever names the disk is led to that folder.
    """
    with ExitStack() as stack:
        for place in filter(None, (folder, medium.node)):
            try:
                descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
            except PermissionError:
                continue
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_EX if writing else fcntl.LOCK_SH) | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BootkitError(
                    tr("another program is working on {path}", path=path), hint=tr("wait until it has ended")
                ) from error
        yield
