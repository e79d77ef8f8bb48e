"""What may become a stick, or is one: a disk or an image file, and what it holds."""

import os
import shlex
import stat
import sys
from dataclasses import replace
from pathlib import Path

from bootkit.errors import BootkitError, DeviceRefused, HostError, UsageError
from bootkit.i18n import tr
from bootkit.model.device import BlockDevice
from bootkit.model.prepare import Target
from bootkit.plan.safety import Circumstances, Refusal, safety
from bootkit.system.devices import clean, find_device, read_host
from bootkit.system.medium import medium_of
from bootkit.system.recognise import Contents, StickRecord, read_contents
from bootkit.units import MIB, format_size


def look_at_target(path: Path, size: int | None, circumstances: Circumstances) -> tuple[Target, Contents]:
    """What lies under ``path``; ``size`` in bytes is for an image file that is to be made or to grow.

    Raises:
        DeviceRefused: a safety rule speaks against it.
        UsageError: a size is missing, or makes no sense.
        BootkitError: it cannot be read.
    """
    # an absolute path is never taken for an option by the programs that get it
    path = Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow /dev/disk/by-id
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _new_file(path, size), Contents()
    except OSError as error:
        raise HostError.of(error, str(path)) from error
    if stat.S_ISREG(mode):
        return _old_file(path, size)
    if not stat.S_ISBLK(mode):
        raise DeviceRefused(
            tr("{path} is neither a disk nor a file", path=path), hint=tr("bootkit devices lists the disks")
        )
    if size is not None:
        raise UsageError(tr("{path} has the size it has", path=path), hint=tr("--size is for image files"))
    return _disk(path, circumstances)


def _new_file(path: Path, size: int | None) -> Target:
    folder = path.parent.resolve()
    if folder.is_relative_to("/dev") and not folder.is_relative_to("/dev/shm"):  # noqa: S108  # not made by us
        raise DeviceRefused(tr("there is no {path}", path=path), hint=tr("bootkit devices lists the disks"))
    if not path.parent.is_dir():
        raise BootkitError(tr("there is no folder {parent}", parent=path.parent))
    if size is None:
        raise UsageError(
            tr("{path} does not exist", path=path), hint=tr("for a new image file, say how large: --size 8G")
        )
    return Target(path=os.fspath(path), size=size // MIB * MIB)


def _old_file(path: Path, size: int | None) -> tuple[Target, Contents]:
    held = path.stat().st_size
    if not held and size is None:
        raise UsageError(tr("{path} is empty", path=path), hint=tr("say how large it shall become: --size 8G"))
    contents = _read_contents(path)
    target = Target(
        path=os.fspath(path),
        size=(size or held) // MIB * MIB,
        exists=held > 0,
        title="image file",
        contents=_told(contents),
        confirm=(clean(path.name),) if held else (),
    )
    return target, contents


def _disk(path: Path, circumstances: Circumstances) -> tuple[Target, Contents]:
    device = find_device(path, read_host())
    circumstances = replace(circumstances, in_use=our_needs())
    refused = safety(device, circumstances)
    if not [refusal for refusal in refused if not refusal.key]:
        # only what nobody uses is opened; its bytes may tell of more than udev does
        contents = _read_contents(path)
        foreign = (contents.whole, *(part.filesystem for part in contents.partitions))
        refused = safety(device, replace(circumstances, foreign=foreign))
    else:
        contents = Contents()
    if refused:
        raise refusal_error(device, refused)
    identity = device.identity
    words = (device.model, identity.serial[-4:], identity.by_id, identity.serial)
    target = Target(
        path=device.node,
        size=device.size // MIB * MIB,
        is_device=True,
        exists=True,
        identity=identity,
        sector_size=device.sector_size,
        title=clean(f"{device.vendor} {device.model}"),
        contents=_told(contents),
        confirm=(device.node,)
        if device.twins
        else tuple(dict.fromkeys(word for word in words if word)) or (device.node,),
        twins=device.twins,
    )
    return target, contents


def refusal_error(device: BlockDevice, refused: tuple[Refusal, ...]) -> DeviceRefused:
    """All reasons in one error; the way out is that of the gravest."""
    reasons = "; it ".join(refusal.reason for refusal in refused)
    title = clean(f"{device.vendor} {device.model}")
    keys = [refusal.key for refusal in refused]
    hint = refused[0].hint
    if all(keys):
        hint = "if it really is to be overwritten, add: " + " ".join(f"--allow {key}" for key in keys)
    return DeviceRefused(f"{device.node}{f' ({title})' if title else ''} {reasons}", hint=hint)


def our_needs() -> tuple[tuple[str, str], ...]:
    """What must stay readable while we run, and the mount point that carries it."""
    needs = (
        ("the folder you are in", Path.cwd()),
        ("the running program", Path(sys.executable)),
        ("bootkit", Path(__file__)),
    )
    return tuple((what, _mount_point(path)) for what, path in needs)


def _mount_point(path: Path) -> str:
    here = path.resolve()
    while not _is_mount(here) and here != here.parent:
        here = here.parent
    return os.fspath(here)


def _is_mount(path: Path) -> bool:
    try:
        return path.is_mount()
    except OSError:  # it lies where we may not look; what it is mounted from, its parents tell
        return False


def _read_contents(path: Path) -> Contents:
    try:
        return read_contents(path)
    except OSError as error:
        raise HostError.of(error, f"{path} cannot be read") from error


def _told(contents: Contents) -> tuple[str, ...]:
    if not contents.partitions:
        return (f"a file system without partitions: {contents.whole}",) if contents.whole else ()
    return tuple(
        clean(f"partition {part.number}: {format_size(part.size)} {part.filesystem or 'unknown'} {part.label}")
        for part in contents.partitions
    )


def stick_record_of(path: Path, contents: Contents) -> StickRecord:
    if contents.stick is None:
        raise DeviceRefused(tr("{path} is not a stick that bootkit prepared", path=path), hint=_what_else(path))
    return contents.stick


def _what_else(path: Path) -> str:
    if path.is_file() and path.suffix.lower() == ".iso":
        return f"an ISO file goes onto a stick as it is: bootkit add {shlex.quote(os.fspath(path))}"
    return "nothing was changed; bootkit devices lists the disks, and prepare makes a stick of one: all on it is lost"


def disk_of(stick: Path) -> Path:
    """The whole disk, or the image file, that a stick lies on; ``stick`` is also a mount point or a partition.

    Raises:
        BootkitError: it is gone, or a folder that lies on no disk of its own.
    """
    try:
        node = medium_of(stick).node
    except OSError as error:
        raise HostError.of(error, str(stick)) from error
    if node is None:
        raise DeviceRefused(
            tr("{stick} is a folder, and no disk of its own", stick=stick), hint=tr("bootkit devices lists the disks")
        )
    return node
