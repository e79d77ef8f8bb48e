"""The data partition of an image file or of a device that is not mounted, as a volume."""

from pathlib import Path
from typing import BinaryIO, assert_never, cast

from bootkit.formats.signatures import filesystem_at, uuid_at
from bootkit.model.filesystem import Access, DataFs, FileSystem, file_system
from bootkit.system.volume import Volume
from bootkit.system.volumes.exfat import ExfatVolume
from bootkit.system.volumes.ext4 import Ext4Volume
from bootkit.system.volumes.fat import FatVolume
from bootkit.system.volumes.mounted import MountedVolume
from bootkit.system.volumes.ntfs import NtfsVolume


def unmounted_volume(path: Path, offset: int, size: int, *, writing: bool) -> Volume | None:
    """The file system there as a volume, mounted by us if it takes that; ``None`` if no stick has such a one.

    Raises:
        BootkitError: it has to be mounted, and who runs this may not do so.
    """
    with path.open("rb") as opened:
        fh = cast("BinaryIO", opened)
        kind = file_system(filesystem_at(fh, offset))
        if kind is None:
            return None
        match kind.write if writing else kind.read:
            case Access.ANYONE:
                return _raw(kind, path, offset, size)
            case Access.ROOT:
                uuid = uuid_at(fh, offset, kind)
                return MountedVolume(path, offset, size, kind=kind, uuid=uuid, writing=writing)
            case Access.NOBODY:
                return None
            case access:
                assert_never(access)


def raw_volume(path: Path, offset: int, size: int, *, writing: bool) -> Volume | None:
    """The file system there as a volume that needs no driver; ``None`` if it takes one, or no stick has such a one."""
    with path.open("rb") as fh:
        kind = file_system(filesystem_at(cast("BinaryIO", fh), offset))
    if kind is None or (kind.write if writing else kind.read) is not Access.ANYONE:
        return None
    return _raw(kind, path, offset, size)


def _raw(kind: FileSystem, path: Path, offset: int, size: int) -> Volume | None:
    match kind.data_fs:
        case DataFs.EXT4:
            return Ext4Volume(path, offset, size)
        case DataFs.FAT32:
            return FatVolume(path, offset, size)
        case DataFs.EXFAT:
            return ExfatVolume(path, offset, size)
        case DataFs.NTFS:
            return NtfsVolume(path, offset, size)
        case DataFs.BTRFS | None:
            return None
        case other:
            assert_never(other)
