"""What one and the same stick is called: mount points, partitions, a disk, loop devices, and the file behind those.

Source: Linux 6.1, Documentation/ABI/testing/sysfs-block for the folders, proc(5) for mountinfo.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bootkit.errors import DeviceRefused
from bootkit.i18n import tr
from bootkit.values import dataclass

_BLOCK_NUMBERS = Path("/sys/dev/block")
_BLOCK = Path("/sys/block")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleMount:
    number: str
    """Of the device: major:minor."""
    target: Path
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A stick as the host knows it."""

    node: Path | None
    """The image file, or the node of the whole disk; ``None`` for a folder that is no mount, or one without a device."""
    is_file: bool = False
    devices: tuple[Path, ...] = ()
    """Nodes of all block devices that show it or a part of it, those that lie on others included."""
    mounts: tuple[Path, ...] = ()
    """Where one of them is mounted, as far as this process sees."""


def medium_of(path: Path) -> Medium:
    """What lies behind a mount point, a device or an image file.

    Raises:
        OSError: there is nothing.
    """
    status = path.stat()
    if stat.S_ISREG(status.st_mode):
        return _of_file(path.resolve())
    if stat.S_ISBLK(status.st_mode):
        return _of_device(status.st_rdev)
    if path.parent.stat().st_dev == status.st_dev and path.resolve() != Path("/"):
        return Medium(node=None)
    return _of_device(_device_below(status.st_dev))


def require_unused(path: Path, medium: Medium) -> None:
    """Nothing may be written beneath what others have open.

    Raises:
        DeviceRefused: it is mounted, or a loop device shows the file. (Of a device the kernel itself tells, if it is opened
            for oneself alone.)
    """
    if medium.mounts:
        where = ", ".join(map(os.fspath, medium.mounts))
        raise DeviceRefused(
            tr("{path} is mounted at {where}", path=path, where=where),
            hint=tr("unmount it first: sudo umount {mounts}", mounts=medium.mounts[0]),
        )
    own = _disk_of(path) if path.is_block_device() else ""
    others = [device for device in medium.devices if _disk_of(device) != own]
    if medium.is_file and others:
        raise DeviceRefused(
            tr("{path} is in use as {others}", path=path, others=others[0]),
            hint=tr("detach it first: sudo losetup --detach {others}", others=others[0]),
        )


def _disk_of(device: Path) -> str:
    """The name of the loop device of which this is a partition, or its own."""
    return re.sub(r"(?<=\d)p\d+$", "", device.name)


def partition_node(device: Path, offset: int) -> Path | None:
    """The node of what begins ``offset`` bytes behind the start of a device; ``None`` if the kernel shows none."""
    number = device.stat().st_rdev
    folder = (_BLOCK_NUMBERS / f"{os.major(number)}:{os.minor(number)}").resolve()
    if offset == 0:
        return device
    # the kernel counts in 512 bytes, whatever the sectors of the device are
    starts = (start for start in folder.glob("*/start") if int(start.read_text()) * 512 == offset)
    nodes = (Path("/dev", start.parent.name) for start in starts)
    return next((node for node in nodes if node.exists()), None)


def mounts() -> tuple[VisibleMount, ...]:
    """Every mount that this process sees."""
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    return tuple(_mount(line.split()) for line in lines)


def _mount(fields: list[str]) -> VisibleMount:
    source = fields[fields.index("-") + 2]
    return VisibleMount(number=fields[2], target=Path(_unescaped(fields[4])), source=_unescaped(source))


def _unescaped(field: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field


def _device_below(number: int) -> int:
    """The block device of a file system that has a number of its own, as btrfs and those of FUSE have."""
    name = f"{os.major(number)}:{os.minor(number)}"
    if (_BLOCK_NUMBERS / name).exists():
        return number
    for mount in mounts():
        if mount.number == name:
            with suppress(OSError):
                status = Path(mount.source).stat()
                return status.st_rdev if stat.S_ISBLK(status.st_mode) else number
    return number


def _of_device(number: int) -> Medium:
    folder = _BLOCK_NUMBERS / f"{os.major(number)}:{os.minor(number)}"
    if not folder.exists():
        return Medium(node=None)
    folder = folder.resolve()
    disk = folder.parent if (folder / "partition").exists() else folder
    file = _file_behind(disk)
    if file is not None:
        return _of_file(file)
    return _medium(Path("/dev", disk.name), (disk,), is_file=False)


def _of_file(path: Path) -> Medium:
    wanted = path.stat()
    loops: list[Path] = []
    for loop in sorted(_BLOCK.glob("loop*")):
        behind = _file_behind(loop)
        if behind is not None and os.path.samestat(behind.stat(), wanted):
            loops.append(loop.resolve())
    return _medium(path, tuple(loops), is_file=True)


def _medium(node: Path, disks: tuple[Path, ...], *, is_file: bool) -> Medium:
    folders = tuple(folder for disk in disks for folder in _with_parts(disk))
    numbers = {(folder / "dev").read_text().strip() for folder in folders}
    devices = tuple(Path("/dev", folder.name) for folder in folders)
    sources = set(map(os.fspath, devices))
    found = [mount.target for mount in mounts() if mount.number in numbers or mount.source in sources]
    return Medium(node=node, is_file=is_file, devices=devices, mounts=tuple(found))


def _with_parts(folder: Path) -> Iterator[Path]:
    """A device, its partitions, and what others have made of them: LUKS, LVM, RAID."""
    yield folder
    for part in sorted(folder.glob("*/partition")):
        yield from _with_parts(part.parent)
    for holder in sorted((folder / "holders").glob("*")):
        yield from _with_parts(holder.resolve())


def _file_behind(disk: Path) -> Path | None:
    """The file that a loop device shows; ``None`` for anything else, and where this process cannot see the file."""
    try:
        path = Path((disk / "loop/backing_file").read_text(errors="surrogateescape").removesuffix("\n"))
        return path if path.is_file() else None
    except OSError:
        return None
