"""What a disk or an image file holds, read from its bytes: the partition table and the file systems' own marks.

Needs no udev and no partition nodes, so it is the same for a file and for a device.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.ext4 import read_superblock
from bootkit.formats.fat import Fat
from bootkit.formats.partitions import DiskPartitions, PartitionEntry, read_partitions
from bootkit.formats.reader import Window
from bootkit.formats.signatures import filesystem_at, uuid_at
from bootkit.formats.tree import Tree
from bootkit.model.fields import json_object, parse_json, parse_toml
from bootkit.model.filesystem import EXT4, VFAT, DataFs, FileSystem, file_system
from bootkit.model.places import CUSTOMIZE_FOLDER, IMAGE_FOLDER, STICK_FILE, STICK_RECORD
from bootkit.model.prepare import DATA_LABEL, ESP_LABEL, Layout
from bootkit.system.volume import read_file
from bootkit.system.volumes.unmounted import raw_volume
from bootkit.values import dataclass

_RECORD_LIMIT = 1 << 16


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
        stick = _stick(path, fh, table, partitions)
        return Contents(scheme=table.scheme, partitions=partitions, whole=whole, stick=stick)


def _partitions(fh: BinaryIO, table: DiskPartitions) -> Iterator[FoundPartition]:
    for row in table.partitions:
        kind = filesystem_at(fh, row.start)
        label, uuid = _label_and_uuid(fh, row, file_system(kind))
        yield FoundPartition(
            number=row.number, offset=row.start, size=row.size, filesystem=kind, label=label, uuid=uuid
        )


def _label_and_uuid(fh: BinaryIO, row: PartitionEntry, kind: FileSystem | None) -> tuple[str, str]:
    """Both empty where they cannot be told: a damaged file system is still one that would be lost."""
    try:
        if kind is VFAT:
            fat = Fat(_window(fh, row.start, row.size))
            return fat.label, fat.uuid
        label = read_superblock(_window(fh, row.start, row.size)).label if kind is EXT4 else ""
        return label, uuid_at(fh, row.start, kind) if kind is not None else ""
    except FormatError:
        return "", ""


def _stick(
    path: Path, fh: BinaryIO, table: DiskPartitions, partitions: tuple[FoundPartition, ...]
) -> StickRecord | None:
    """The stick's own record on the partition with the loaders, if the partitions are as bootkit leaves them."""
    data = next((part for part in partitions if part.number == 1), None)
    kind = file_system(data.filesystem) if data is not None else None
    if data is None or kind is None or kind.data_fs is None:
        return None
    if table.scheme == "gpt":
        boot = next((part for part in partitions if part.number == 2 and part.filesystem == VFAT.name), None)
        layout, ours = Layout.SPLIT, boot is not None and boot.label == ESP_LABEL
    else:
        boot, layout, ours = (
            data,
            Layout.SINGLE,
            len(partitions) == 1 and (data.label == DATA_LABEL or _has_record(fh, data)),
        )
    if boot is None or not ours or (version := _version(path, fh, boot, data)) is None:
        return None
    return StickRecord(
        version=version,
        layout=layout,
        data=data,
        boot=boot,
        data_fs=kind.data_fs,
        core=_core_area(layout, partitions),
    )


def of_systemimagekit(path: Path, contents: Contents) -> StickRecord | None:
    """The stick that SystemImageKit made, as what it would be in our single layout; ``None`` if it is none, or is laid out otherwise.

    Source: probonopd/SystemImageKit (eb88063), install.sh: one FAT32 behind an MBR, GRUB in the gap before it.
    """
    if contents.stick is not None or contents.scheme != "mbr" or len(contents.partitions) != 1:
        return None
    (data,) = contents.partitions
    if data.filesystem != VFAT.name or (volume := raw_volume(path, data.offset, data.size, writing=False)) is None:
        return None
    with closing(volume):
        folders = [volume.stat(folder) for folder in (IMAGE_FOLDER, CUSTOMIZE_FOLDER)]
        if not all(folder is not None and folder.is_dir for folder in folders):
            return None
    return StickRecord(
        version="",
        layout=Layout.SINGLE,
        data=data,
        boot=data,
        data_fs=DataFs.FAT32,
        core=_core_area(Layout.SINGLE, contents.partitions),
    )


def _has_record(fh: BinaryIO, boot: FoundPartition) -> bool:
    """Whether a stick that we have not made is ours since an upgrade: its label is the one that it had."""
    if boot.filesystem != VFAT.name:
        return False
    try:
        return bool(Fat(_window(fh, boot.offset, boot.size)).read(STICK_RECORD, _RECORD_LIMIT))
    except FormatError:
        return False


def _version(path: Path, fh: BinaryIO, boot: FoundPartition, data: FoundPartition) -> str | None:
    try:
        tree: Tree = Fat(_window(fh, boot.offset, boot.size))
        version = json_object(parse_json(tree.read(STICK_RECORD, _RECORD_LIMIT), STICK_RECORD), STICK_RECORD).get(
            "bootkit"
        )
    except FormatError:
        # the user may have tidied the EFI system partition: the data partition knows as well
        return _version_of_data(path, data)
    return version if isinstance(version, str) else ""


def _version_of_data(path: Path, data: FoundPartition) -> str | None:
    volume = raw_volume(path, data.offset, data.size, writing=False)
    if volume is None:
        return None
    with closing(volume):
        try:
            text = read_file(volume, STICK_FILE, _RECORD_LIMIT)
            if text is None:
                return None
            document = parse_toml(text.decode(errors="replace"))
        except BootkitError:
            return None
    stick: object = document.get("stick")
    version = stick.get("prepared_by", "") if isinstance(stick, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return version if isinstance(version, str) else ""


def _core_area(layout: Layout, partitions: tuple[FoundPartition, ...]) -> tuple[int, int] | None:
    if layout is Layout.SINGLE:
        return (1, min(part.offset for part in partitions) // 512 - 1)
    bios = next((part for part in partitions if part.number == 3 and not part.filesystem), None)
    return None if bios is None else (bios.offset // 512, bios.size // 512)


def _window(fh: BinaryIO, offset: int, size: int) -> BinaryIO:
    return cast("BinaryIO", Window(fh, offset, size))
