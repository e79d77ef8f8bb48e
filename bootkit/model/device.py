"""Disks and partitions as the host sees them."""

from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskIdentity:
    """What must still be true of a disk at the first write, or it is another disk.

    ``node`` (/dev/sdb) is given to whatever is plugged in next; these are not. Empty or 0 where the host cannot tell.
    """

    by_id: str = ""
    """Name in /dev/disk/by-id, without the folder."""
    serial: str = ""
    size: int = 0
    diskseq: int = 0
    """The kernel's count of disks seen since it started; it never comes twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    source: str
    """The node that is mounted: a partition, or what lies on top of one."""
    target: str
    filesystem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """A partition as the host sees it; ``start`` and ``size`` in bytes."""

    node: str
    number: int
    start: int
    size: int
    filesystem: str = ""
    label: str = ""
    uuid: str = ""
    mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDevice:
    """A whole disk."""

    node: str
    identity: DiskIdentity
    vendor: str = ""
    model: str = ""
    size: int
    sector_size: int = 512
    removable: bool = False
    bus: str = ""
    """``usb``, ``mmc``, ``ata``, ``nvme``, ``loop``, ...; empty where the host cannot tell."""
    read_only: bool = False
    partitions: tuple[Partition, ...] = ()
    mounts: tuple[Mount, ...] = ()
    """Everything mounted from it, its partitions and whatever lies on top of them (LUKS, LVM, md)."""
    holders: tuple[str, ...] = ()
    """Kernel names of what is built on it: dm-0, md127."""
    swap: bool = False
    filesystem: str = ""
    """What lies on the disk as a whole, without partitions, as blkid calls it."""
    twins: tuple[str, ...] = ()
    """Nodes of other disks that have the same serial number and size: cheap sticks are all alike."""
