"""Whether a disk may be overwritten. Pure: a disk and the circumstances in, reasons against it out.

Some reasons no option overrides; the others need ``--allow`` with the reason's key, and the typed confirmation as ever.
"""

from collections.abc import Iterator

from bootkit.i18n import tr
from bootkit.model.device import BlockDevice
from bootkit.units import GIB, format_size
from bootkit.values import dataclass

SYSTEM_MOUNTS = ("/", "/usr", "/boot", "/efi", "/home", "/var", "/nix", "/etc", "/opt", "/srv", "/root")
"""A disk with one of these, or with something below the first group of folders, carries the running system."""
_SYSTEM_TREES = ("/boot/", "/efi/", "/usr/", "/var/", "/nix/", "/home/")
LIVE_MEDIA = (
    "/cdrom",
    "/isodevice",
    "/lib/live/mount/medium",
    "/live/boot-dev",
    "/live/image",
    "/mnt/live",
    "/run/archiso",
    "/run/bootkit/stick",
    "/run/initramfs/isoscan",
    "/run/initramfs/live",
    "/run/initramfs/memory",
    "/run/live",
    "/run/miso",
)
"""Where a running live system keeps the medium that it was started from."""
LARGE = 256 * GIB
"""Bytes; above it a disk is more often a backup than a stick."""
STICK_BUSES = ("usb", "mmc")
_FOREIGN = {
    "BitLocker": "Windows' BitLocker",
    "apfs": tr("a macOS volume"),
    "crypto_LUKS": tr("an encrypted volume"),
    "LVM2_member": tr("a part of an LVM volume group"),
    "linux_raid_member": tr("a part of a RAID"),
    "zfs_member": tr("a part of a ZFS pool"),
    "bcache": tr("a part of a bcache"),
    "bcachefs": tr("a part of a bcachefs"),
    "mpath_member": tr("a part of a multipath device"),
    "ddf_raid_member": tr("a part of a RAID"),
    "isw_raid_member": tr("a part of a RAID"),
}
_MANY_PARTITIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason against a disk; ``reason`` can follow the disk's name: "is mounted on /media/stick"."""

    reason: str
    hint: str = ""
    key: str = ""
    """What ``--allow`` takes to override it; empty if nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a disk's own record does not tell."""

    in_use: tuple[tuple[str, str], ...] = ()
    """What we need ourselves, and the mount point it lies on: ("the running program", "/")."""
    minimum: int = 0
    """Bytes that the target needs; 0 if any size will do."""
    foreign: tuple[str, ...] = ()
    """Kinds of file systems found in the disk's bytes, beside those that udev knows."""
    allowed: frozenset[str] = frozenset()


def safety(device: BlockDevice, circumstances: Circumstances) -> tuple[Refusal, ...]:
    """Every reason against writing to ``device`` that is not overridden, the gravest first; empty if there is none."""
    always = [*_in_use(device, circumstances), *_unfit(device, circumstances)]
    return (
        *always,
        *(refusal for refusal in _doubtful(device, circumstances) if refusal.key not in circumstances.allowed),
    )


def _in_use(device: BlockDevice, circumstances: Circumstances) -> Iterator[Refusal]:
    targets = [mount.target for mount in device.mounts]
    system = sorted(target for target in targets if target in SYSTEM_MOUNTS or target.startswith(_SYSTEM_TREES))
    live = sorted(target for target in targets if target.startswith(LIVE_MEDIA))
    if system:
        yield Refusal(reason=tr("carries the running system: {system}", system=", ".join(system[:3])))
    if live:
        yield Refusal(reason=tr("is the medium that this system was started from ({live})", live=live[0]))
    for what, mount_point in circumstances.in_use:
        if mount_point in targets and not system:
            yield Refusal(reason=tr("carries {what}", what=what), hint=tr("start it from elsewhere"))
    if device.swap:
        yield Refusal(reason=tr("is used as swap"), hint=tr("swapoff -a, if it really is to be overwritten"))
    other = [target for target in targets if target not in system and target not in live]
    if other and not system:
        source = next(mount.source for mount in device.mounts if mount.target == other[0])
        yield Refusal(
            reason=tr("is mounted on {other}", other=", ".join(other[:3])),
            hint=tr("unmount it first: umount {source}", source=source),
        )
    if device.holders and not targets:
        names = ", ".join(device.holders)
        yield Refusal(
            reason=tr("is in use by {names}", names=names),
            hint=tr("close it first: lsblk {node} shows what it is", node=device.node),
        )


def _unfit(device: BlockDevice, circumstances: Circumstances) -> Iterator[Refusal]:
    if device.twins and not device.identity.diskseq:
        twins = ", ".join(device.twins)
        yield Refusal(
            reason=tr("cannot be told from {twins}, which has the same serial number", twins=twins),
            hint=tr("unplug the one that is not meant"),
        )
    if device.read_only:
        yield Refusal(reason=tr("is write-protected"), hint=tr("look for a switch on the stick or card"))
    if device.size < circumstances.minimum:
        yield Refusal(
            reason=tr(
                "is too small: {size}, and {minimum} are needed",
                size=format_size(device.size),
                minimum=format_size(circumstances.minimum),
            ),
            hint=tr("take a larger stick, or --layout single --data-fs fat32, which needs least"),
        )


def _doubtful(device: BlockDevice, circumstances: Circumstances) -> Iterator[Refusal]:
    if device.bus == "loop":
        yield _overridable("loop", tr("is a loop device, not a disk"))
    elif not (device.removable or device.bus == "usb"):
        yield _overridable("fixed", tr("is not a USB stick or a memory card but a fixed disk"))
    if device.size > LARGE:
        yield _overridable("large", tr("has {size}, more than sticks usually have", size=format_size(device.size)))
    kinds = {device.filesystem, *(partition.filesystem for partition in device.partitions), *circumstances.foreign}
    for kind in sorted(kinds & _FOREIGN.keys()):
        yield _overridable("foreign", tr("holds {foreign}", foreign=_FOREIGN[kind]))
    filled = [partition for partition in device.partitions if partition.filesystem]
    if len(filled) > _MANY_PARTITIONS:
        yield _overridable("partitions", tr("has {count} partitions with data", count=len(filled)))


def _overridable(key: str, reason: str) -> Refusal:
    return Refusal(reason=reason, key=key, hint=tr("if it really is to be overwritten, add: --allow {key}", key=key))
