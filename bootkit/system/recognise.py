"""What a disk or an image file holds, read from its bytes: the partition table and the file systems' own marks.

Needs no udev and no partition nodes, so it is the same for a file and for a device.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast
from uuid import UUID

from bootkit.errors import FormatError
from bootkit.formats.exfat import Exfat
from bootkit.formats.ext4 import Ext4, read_superblock
from bootkit.formats.fat import Fat
from bootkit.formats.partitions import DiskPartitions, read_partitions
from bootkit.formats.reader import Window, read_at, read_upto
from bootkit.formats.tree import Tree
from bootkit.model.catalog import STICK_FILE
from bootkit.model.fields import json_object, parse_json, parse_toml
from bootkit.model.prepare import DATA_LABEL, ESP_LABEL, DataFs, Layout
from bootkit.system.volume import Volume

STICK_RECORD = "/EFI/BOOT/bootkit.json"
"""Beside the loaders: who prepared the stick, and which data partition the loaders look for."""
_RECORD_LIMIT = 1 << 16
_DATA_FILESYSTEMS = {"vfat": DataFs.FAT32, **{kind.value: kind for kind in DataFs if kind is not DataFs.FAT32}}
_SIGNATURES = (
    (0x438, b"\x53\xef", "ext4"),
    (0x10040, b"_BHRfS_M", "btrfs"),
    (3, b"EXFAT   ", "exfat"),
    (3, b"NTFS    ", "ntfs"),
    (3, b"-FVE-FS-", "BitLocker"),
    (0, b"LUKS\xba\xbe", "crypto_LUKS"),
    (0, b"XFSB", "xfs"),
    (32, b"NXSB", "apfs"),
    (512, b"LABELONE", "LVM2_member"),
    (0x8001, b"CD001", "iso9660"),
    (4086, b"SWAPSPACE2", "swap"),
)

_TREES: Mapping[str, Callable[[BinaryIO], Tree]] = MappingProxyType({"vfat": Fat, "exfat": Exfat, "ext4": Ext4})
_UUID_AT = {"exfat": (100, 4), "ntfs": (0x48, 8), "btrfs": (0x10020, 16)}
"""Offset and size of the serial or UUID in file systems that nothing else is read of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPartition:
    number: int
    offset: int
    size: int
    filesystem: str = ""
    label: str = ""
    uuid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickRecord:
    """A stick that bootkit prepared."""

    version: str
    """Of the bootkit that wrote its loaders."""
    layout: Layout
    data: FoundPartition
    boot: FoundPartition
    """The partition with the loaders; the same as ``data`` in the single layout."""
    data_fs: DataFs
    core: tuple[int, int] | None
    """First sector and number of sectors for the BIOS core image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What was found on a disk."""

    scheme: str = ""
    partitions: tuple[FoundPartition, ...] = ()
    whole: str = ""
    """A file system without a partition table."""
    stick: StickRecord | None = None


def raw_volume(path: Path, offset: int, size: int) -> Volume | None:
    """The file system there as a volume; ``None`` for one that we do not write without mounting it."""
    from bootkit.system.volumes.exfat import ExfatVolume
    from bootkit.system.volumes.ext4 import Ext4Volume
    from bootkit.system.volumes.fat import FatVolume

    with path.open("rb") as fh:
        kind = filesystem_at(cast("BinaryIO", fh), offset)
    match kind:
        case "ext4":
            return Ext4Volume(path, offset, size)
        case "vfat":
            return FatVolume(path, offset, size)
        case "exfat":
            return ExfatVolume(path, offset, size)
        case _:
            return None


def read_contents(path: Path) -> Contents:
    """What ``path`` holds; nothing for an empty file, and never an error for garbage.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as opened:
        fh = cast("BinaryIO", opened)
        try:
            table = read_partitions(fh)
        except FormatError:
            return Contents()
        whole = filesystem_at(fh, 0)
        partitions = tuple(_partitions(fh, table))
        stick = _stick(fh, table, partitions)
        return Contents(scheme=table.scheme, partitions=partitions, whole=whole, stick=stick)


def _partitions(fh: BinaryIO, table: DiskPartitions) -> Iterator[FoundPartition]:
    for row in table.partitions:
        kind, label, uuid = filesystem_at(fh, row.start), "", ""
        try:
            if kind == "ext4":
                superblock = read_superblock(_window(fh, row.start, row.size))
                label, uuid = superblock.label, superblock.uuid
            elif kind == "vfat":
                fat = Fat(_window(fh, row.start, row.size))
                label, uuid = fat.label, fat.uuid
            elif kind in _UUID_AT:
                uuid = uuid_at(fh, row.start, kind)
        except FormatError:
            # a damaged file system is still one that would be lost
            pass
        yield FoundPartition(
            number=row.number, offset=row.start, size=row.size, filesystem=kind, label=label, uuid=uuid
        )


def uuid_at(fh: BinaryIO, offset: int, kind: str) -> str:
    """The UUID of the file system at ``offset``, an exFAT, NTFS or btrfs, as udev spells it."""
    at, size = _UUID_AT[kind]
    raw = read_at(fh, offset + at, size)
    match kind:
        case "exfat":
            text = raw[::-1].hex().upper()
            return f"{text[:4]}-{text[4:]}"
        case "ntfs":
            return raw[::-1].hex().upper()
        case _:
            return str(UUID(bytes=raw))


def _stick(fh: BinaryIO, table: DiskPartitions, partitions: tuple[FoundPartition, ...]) -> StickRecord | None:
    """The stick's own record on the partition with the loaders, if the partitions are as bootkit leaves them."""
    data = next((part for part in partitions if part.number == 1), None)
    if data is None or data.filesystem not in _DATA_FILESYSTEMS:
        return None
    if table.scheme == "gpt":
        boot = next((part for part in partitions if part.number == 2 and part.filesystem == "vfat"), None)
        layout, ours = Layout.SPLIT, boot is not None and boot.label == ESP_LABEL
    else:
        boot, layout, ours = data, Layout.SINGLE, data.label == DATA_LABEL and len(partitions) == 1
    if boot is None or not ours or (version := _version(fh, boot, data)) is None:
        return None
    return StickRecord(
        version=version,
        layout=layout,
        data=data,
        boot=boot,
        data_fs=_DATA_FILESYSTEMS[data.filesystem],
        core=_core_area(layout, partitions),
    )


def _version(fh: BinaryIO, boot: FoundPartition, data: FoundPartition) -> str | None:
    try:
        tree: Tree = Fat(_window(fh, boot.offset, boot.size))
        version = json_object(parse_json(tree.read(STICK_RECORD, _RECORD_LIMIT), STICK_RECORD), STICK_RECORD).get(
            "bootkit"
        )
    except FormatError:
        # the user may have tidied the EFI system partition: the data partition knows as well
        return _version_of_data(fh, data)
    return version if isinstance(version, str) else ""


def _version_of_data(fh: BinaryIO, data: FoundPartition) -> str | None:
    window = _window(fh, data.offset, data.size)
    try:
        tree: Tree = _TREES.get(data.filesystem, Ext4)(window)
        document = parse_toml(tree.read(STICK_FILE, _RECORD_LIMIT).decode(errors="replace"))
    except FormatError:
        return None
    stick: object = document.get("stick")
    version = stick.get("prepared_by", "") if isinstance(stick, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return version if isinstance(version, str) else ""


def _core_area(layout: Layout, partitions: tuple[FoundPartition, ...]) -> tuple[int, int] | None:
    if layout is Layout.SINGLE:
        return (1, min(part.offset for part in partitions) // 512 - 1)
    bios = next((part for part in partitions if part.number == 3 and not part.filesystem), None)
    return None if bios is None else (bios.offset // 512, bios.size // 512)


def filesystem_at(fh: BinaryIO, offset: int) -> str:
    """As blkid calls it; empty if none is known."""
    head = read_upto(fh, offset, 0x10100)
    for at, magic, name in _SIGNATURES:
        if head[at : at + len(magic)] == magic:
            return name
    is_boot_sector = head[510:512] == b"\x55\xaa"
    return "vfat" if is_boot_sector and (head[82:87] == b"FAT32" or head[54:57] == b"FAT") else ""


def _window(fh: BinaryIO, offset: int, size: int) -> BinaryIO:
    return cast("BinaryIO", Window(fh, offset, size))
