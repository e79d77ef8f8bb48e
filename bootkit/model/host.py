"""The host's disks as raw records, so that a machine can be written down and looked at again in a test."""

from dataclasses import field

from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRecord:
    """One entry of /sys/class/block: a disk, a partition, or what lies on top of them."""

    name: str
    number: str
    """``major:minor``."""
    path: str = ""
    """The device's path in sysfs, which tells the bus: ``/devices/pci.../usb1/.../block/sdb``."""
    partition: int = 0
    """Number of the partition; 0 for anything else."""
    start: int = 0
    """Bytes, of a partition."""
    size: int = 0
    """Bytes."""
    removable: bool = False
    read_only: bool = False
    sector_size: int = 512
    diskseq: int = 0
    vendor: str = ""
    model: str = ""
    serial: str = ""
    card_type: str = ""
    """mmc only: ``SD`` for a card, ``MMC`` for soldered eMMC."""
    holders: tuple[str, ...] = ()
    """Kernel names of what is built on it."""
    backing_file: str = ""
    """Of a loop device."""
    backing_number: str = ""
    """``major:minor`` of the file system that the backing file lies on."""
    udev: dict[str, str] = field(default_factory=dict[str, str])
    """Properties from udev's database; empty where no udevd runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MountRecord:
    """One line of /proc/self/mountinfo."""

    number: str
    """``major:minor`` of the file system; 0:N where it has no device of its own (btrfs, overlay)."""
    target: str
    filesystem: str
    source: str
    source_number: str = ""
    """``major:minor`` of ``source``, if that is a block device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    blocks: tuple[BlockRecord, ...] = ()
    mounts: tuple[MountRecord, ...] = ()
    swaps: tuple[str, ...] = ()
    """``major:minor`` of swap devices, and of the file systems that swap files lie on."""
