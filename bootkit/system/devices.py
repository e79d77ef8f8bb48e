"""The host's disks: sysfs and mountinfo for what is, udev's database for names, if there is a udevd.

Devices are told apart by number, never by name: /dev/sda is also how /dev/sdaa begins.
Sources: Linux Documentation/ABI/stable/sysfs-block, proc(5) for mountinfo and swaps, udev's 60-persistent-storage.rules.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from bootkit.errors import DeviceRefused
from bootkit.i18n import tr
from bootkit.model.device import BlockDevice, DiskIdentity, Mount, Partition
from bootkit.model.filesystem import FILE_SYSTEMS, names_of
from bootkit.model.host import BlockRecord, HostRecord, MountRecord

_SECTOR = 512
"""Bytes of the sectors in which sysfs counts, whatever the disk's own are."""
_NO_DISKS = re.compile(r"(sr|ram|zram|fd|dm-|md|bcache|nbd|rbd|drbd|zd)\d*|mmcblk\d+(boot\d+|rpmb)")
_ON_SEVERAL_DISKS = (*names_of(one for one in FILE_SYSTEMS if one.spans_disks), "bcachefs")
_USB_PARENT_LIMIT = 12
_TEXT_LIMIT = 4096


def read_host(root: Path = Path("/")) -> HostRecord:
    """Everything that is known without opening a device; works without udevd and without root."""
    blocks = tuple(_block(root, entry) for entry in sorted((root / "sys/class/block").glob("*")))
    return HostRecord(blocks=blocks, mounts=tuple(_mounts(root)), swaps=tuple(_swaps(root)))


def block_devices(host: HostRecord) -> tuple[BlockDevice, ...]:
    """The whole disks of a host, sorted by name; loop devices only if something is in them."""
    disks = [block for block in host.blocks if not block.partition and not _NO_DISKS.fullmatch(block.name)]
    return tuple(_device(host, disk) for disk in disks if disk.size)


def device_at(host: HostRecord, number: int) -> BlockDevice | None:
    """The whole disk with a device number (``st_rdev``); ``None`` if that is a partition, or nothing."""
    name = f"{os.major(number)}:{os.minor(number)}"
    disk = next((block for block in host.blocks if block.number == name and not block.partition), None)
    return None if disk is None or _NO_DISKS.fullmatch(disk.name) else _device(host, disk)


def find_device(path: Path, host: HostRecord) -> BlockDevice:
    """The whole disk that a node or a link in /dev/disk names.

    Raises:
        DeviceRefused: it is a partition, or no disk that could be a stick.
    """
    number = path.stat().st_rdev
    device = device_at(host, number)
    if device is not None:
        return device
    name = f"{os.major(number)}:{os.minor(number)}"
    block = next((block for block in host.blocks if block.number == name), None)
    if block is not None and block.partition:
        disk = _disk_of(host, block)
        hint = tr("name the disk: /dev/{disk}", disk=disk.name) if disk else ""
        raise DeviceRefused(tr("{path} is a partition, and a stick is a whole disk", path=path), hint=hint)
    raise DeviceRefused(
        tr("{path} is not a disk that could be a stick", path=path), hint=tr("bootkit devices lists the disks")
    )


def chain_numbers(host: HostRecord, disk: BlockRecord) -> frozenset[str]:
    """Numbers of a disk, its partitions, and all that lies on them: LUKS, LVM, md, loop devices on their files.

    A file system on several disks is named by one of them only; the others have its UUID.
    """
    by_name = {block.name: block for block in host.blocks}
    todo = [disk, *_partitions_of(host, disk)]
    seen: dict[str, BlockRecord] = {}
    while todo:
        block = todo.pop()
        if block.name in seen:
            continue
        seen[block.name] = block
        todo += [by_name[name] for name in block.holders if name in by_name]
        todo += _partitions_of(host, block)
        todo += [loop for loop in host.blocks if loop.backing_number and loop.backing_number == block.number]
        todo += _of_one_filesystem(host, block)
    return frozenset(block.number for block in seen.values())


def _of_one_filesystem(host: HostRecord, block: BlockRecord) -> list[BlockRecord]:
    uuid = block.udev.get("ID_FS_UUID", "")
    if not uuid or block.udev.get("ID_FS_TYPE", "") not in _ON_SEVERAL_DISKS:
        return []
    return [other for other in host.blocks if other.udev.get("ID_FS_UUID") == uuid]


def _pools(blocks: Iterable[BlockRecord]) -> frozenset[str]:
    """Names of the ZFS pools that have a part there: udev has them for labels, and mounts name nothing else."""
    return frozenset(
        _udev_text(block, "ID_FS_LABEL") for block in blocks if block.udev.get("ID_FS_TYPE") == "zfs_member"
    )


def _twins(host: HostRecord, disk: BlockRecord) -> tuple[str, ...]:
    serial = _serial(disk)
    others = [block for block in host.blocks if not block.partition and block.size == disk.size]
    # what several ways lead to (multipath) is one disk, and in use
    return tuple(
        f"/dev/{other.name}"
        for other in others
        if serial
        and other.name != disk.name
        and _serial(other) == serial
        and not set(other.holders) & set(disk.holders)
    )


def _device(host: HostRecord, disk: BlockRecord) -> BlockDevice:
    numbers = chain_numbers(host, disk)
    parts = _partitions_of(host, disk)
    pools = _pools((disk, *parts))
    bus = _bus(disk)
    return BlockDevice(
        node=f"/dev/{disk.name}",
        identity=DiskIdentity(by_id=_by_id(disk), serial=_serial(disk), size=disk.size, diskseq=disk.diskseq),
        vendor=clean(_udev_text(disk, "ID_VENDOR") or disk.vendor),
        model=clean(_udev_text(disk, "ID_MODEL") or disk.model),
        size=disk.size,
        sector_size=disk.sector_size,
        removable=disk.removable or disk.card_type in {"SD", "SDcombo"},
        bus=bus,
        read_only=disk.read_only,
        partitions=tuple(_partition(host, part) for part in parts),
        mounts=tuple(_mounted(host, numbers, pools)),
        holders=tuple(sorted({name for block in (disk, *parts) for name in block.holders})),
        swap=any(number in numbers for number in host.swaps),
        filesystem=clean(disk.udev.get("ID_FS_TYPE", "")),
        twins=_twins(host, disk),
    )


def _partition(host: HostRecord, part: BlockRecord) -> Partition:
    return Partition(
        node=f"/dev/{part.name}",
        number=part.partition,
        start=part.start,
        size=part.size,
        filesystem=clean(part.udev.get("ID_FS_TYPE", "")),
        label=clean(_udev_text(part, "ID_FS_LABEL")),
        uuid=clean(part.udev.get("ID_FS_UUID", "")),
        mounts=tuple(_mounted(host, frozenset({part.number}), _pools((part,)))),
    )


def _mounted(host: HostRecord, numbers: frozenset[str], pools: frozenset[str]) -> Iterator[Mount]:
    for mount in host.mounts:
        of_pool = mount.filesystem == "zfs" and mount.source.partition("/")[0] in pools
        if of_pool or mount.number in numbers or mount.source_number in numbers:
            yield Mount(source=clean(mount.source), target=mount.target, filesystem=mount.filesystem)


def _partitions_of(host: HostRecord, disk: BlockRecord) -> list[BlockRecord]:
    """The partitions of a disk, by the place in sysfs, where each is a folder in its disk's."""
    found = [block for block in host.blocks if block.partition and block.path.rpartition("/")[0] == disk.path]
    return sorted(found, key=lambda block: block.partition)


def _disk_of(host: HostRecord, part: BlockRecord) -> BlockRecord | None:
    return next((block for block in host.blocks if block.path == part.path.rpartition("/")[0]), None)


def _bus(disk: BlockRecord) -> str:
    """The bus of a disk, from the path in sysfs; in a USB enclosure that is ``usb``, whatever the disk calls itself."""
    for mark, bus in (
        ("/usb", "usb"),
        ("/mmc_host/", "mmc"),
        ("/nvme", "nvme"),
        ("/virtio", "virtio"),
        ("/ata", "ata"),
    ):
        if mark in disk.path:
            return bus
    return "loop" if disk.name.startswith("loop") else disk.udev.get("ID_BUS", "")


def _serial(disk: BlockRecord) -> str:
    return clean(disk.udev.get("ID_SERIAL_SHORT", "") or disk.serial)


def _by_id(disk: BlockRecord) -> str:
    """The name in /dev/disk/by-id, the one with the bus and the model first."""
    links = [link.rpartition("/")[2] for link in disk.udev.get("DEVLINKS", "").split() if "/by-id/" in link]
    return min(links, key=lambda name: (name.startswith(("wwn-", "nvme-eui", "nvme-nvme")), name), default="")


def _udev_text(block: BlockRecord, key: str) -> str:
    """Text as the device gave it, which udev keeps with hex escapes under KEY_ENC."""
    encoded = block.udev.get(f"{key}_ENC", "")
    decoded = re.sub(r"\\x([0-9a-fA-F]{2})", lambda match: chr(int(match[1], 16)), encoded)
    return (decoded or block.udev.get(key, "")).strip()


def clean(text: str) -> str:
    """Text of a device for a person: what could move the cursor or turn the line around is gone.

    Covers control characters, line and paragraph separators, and Unicode's bidirectional and other format characters.
    """
    return " ".join("".join(char if char.isprintable() else " " for char in text[:_TEXT_LIMIT]).split())


def _block(root: Path, entry: Path) -> BlockRecord:
    path = entry.resolve()
    number = _text(entry / "dev")
    partition = int(_text(entry / "partition") or 0)
    backing = _text(entry / "loop/backing_file")
    parent = path.parent if partition else path
    return BlockRecord(
        name=entry.name,
        number=number,
        path=f"/{path.relative_to((root / 'sys').resolve())}",
        partition=partition,
        start=int(_text(entry / "start") or 0) * _SECTOR,
        size=int(_text(entry / "size") or 0) * _SECTOR,
        removable=_text(entry / "removable") == "1",
        read_only=_text(entry / "ro") == "1",
        sector_size=int(_text(parent / "queue/logical_block_size") or _SECTOR),
        diskseq=int(_text(parent / "diskseq") or 0),
        vendor=_vendor(entry),
        model=_text(entry / "device/model") or _text(entry / "device/name"),
        serial=_text(entry / "serial") or _text(entry / "device/serial") or _usb_serial(path),
        card_type=_text(entry / "device/type") if entry.name.startswith("mmcblk") else "",
        holders=tuple(sorted(holder.name for holder in (entry / "holders").glob("*"))),
        backing_file=backing,
        backing_number=_backing_number(backing),
        udev=_udev(entry.name) if root == Path("/") else {},
    )


def _vendor(entry: Path) -> str:
    """The vendor's name, which SCSI and USB give; empty for the number of PCI and virtio, which tells nobody anything."""
    vendor = _text(entry / "device/vendor")
    return "" if vendor.startswith("0x") else vendor


def _usb_serial(path: Path) -> str:
    """The serial number of the USB device that a disk belongs to: the first parent that has one."""
    if "/usb" not in str(path):
        return ""
    for parent in list(path.parents)[:_USB_PARENT_LIMIT]:
        if (parent / "idVendor").exists():
            return _text(parent / "serial")
    return ""


def _backing_number(backing: str) -> str:
    with suppress(OSError):
        if backing:
            device = Path(backing).stat().st_dev
            return f"{os.major(device)}:{os.minor(device)}"
    return ""


def _udev(name: str) -> dict[str, str]:
    """Properties that udev has of a device; none where there is no udevd or no libudev."""
    try:
        pyudev: Any = import_module("pyudev")  # it has no types of its own
    except ImportError:
        return {}
    try:
        device = pyudev.Devices.from_name(pyudev.Context(), "block", name)
        properties = {str(key): str(value) for key, value in device.properties.items()}
    except (OSError, LookupError, pyudev.DeviceNotFoundError):
        return {}
    wanted = re.compile(r"ID_(BUS|VENDOR|MODEL|SERIAL|SERIAL_SHORT|VENDOR_ENC|MODEL_ENC|FS_.*)|DEVLINKS")
    return {key: value for key, value in properties.items() if wanted.fullmatch(key)}


def _mounts(root: Path) -> Iterator[MountRecord]:
    for line in _lines(root / "proc/self/mountinfo"):
        fields = line.split(" ")
        with suppress(ValueError, IndexError):
            separator = fields.index("-")
            source = _unescaped(fields[separator + 2])
            yield MountRecord(
                number=fields[2],
                target=_unescaped(fields[4]),
                filesystem=fields[separator + 1],
                source=source,
                source_number=_node_number(source),
            )


def _swaps(root: Path) -> Iterator[str]:
    for line in _lines(root / "proc/swaps")[1:]:
        path = _unescaped(line.split()[0])
        number = _node_number(path) or _backing_number(path)
        if number:
            yield number


def _node_number(path: str) -> str:
    with suppress(OSError):
        if path.startswith("/"):
            status = Path(path).stat()
            if stat.S_ISBLK(status.st_mode):
                return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    return ""


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as fh:
            return fh.read(_TEXT_LIMIT).decode(errors="replace").strip().rstrip("\0").strip()
    except OSError:
        return ""


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
