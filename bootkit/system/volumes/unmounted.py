"""The data partition of an image file or of a device that is not mounted, as a volume."""

import logging
import os
import stat
from pathlib import Path
from typing import BinaryIO, assert_never, cast

from bootkit.errors import CommandFailed
from bootkit.formats.signatures import filesystem_at, uuid_at
from bootkit.model.filesystem import Access, DataFs, FileSystem, file_system
from bootkit.system.volume import Volume
from bootkit.system.volumes.mounted import MountedVolume

log = logging.getLogger(__name__)


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
        access = kind.write if writing else kind.read
        match access:
            case Access.ANYONE:
                return _raw(kind, path, offset, size)
            case Access.ROOT:
                uuid = uuid_at(fh, offset, kind)
                return MountedVolume(path, offset, size, kind=kind, uuid=uuid, writing=writing)
            case Access.NOBODY:
                return None
            case _:
                assert_never(access)


def by_the_kernel(volume: Volume, path: Path, offset: int, size: int) -> Volume:
    """The same partition to be written, mounted by us where it is on a device and we are root.

    The kernel's own driver writes best: it has a journal, or keeps the right order. Where it has none for the file system, we do
    it by ourselves.

    Raises:
        BootkitError: the file system must be checked first.
    """
    from bootkit.system.volumes.raw import RawVolume

    kind = file_system(volume.filesystem)
    if kind is None or not isinstance(volume, RawVolume):
        return volume
    if os.geteuid() != 0 or not stat.S_ISBLK(path.stat().st_mode):
        return volume
    volume.complete()
    volume.require_sound()
    try:
        mounted = MountedVolume(path, offset, size, kind=kind, uuid=volume.uuid, writing=True)
    except CommandFailed as error:
        log.info("the kernel does not mount %s: %s", path, error.message)
        return volume
    volume.close()
    return mounted


def raw_volume(path: Path, offset: int, size: int, *, writing: bool, held: bool = False) -> Volume | None:
    """The file system there as a volume that needs no driver; ``None`` if it takes one, or no stick has such a one.

    ``held`` says that the caller has opened the device exclusively.
    """
    with path.open("rb") as fh:
        kind = file_system(filesystem_at(cast("BinaryIO", fh), offset))
    if kind is None or (kind.write if writing else kind.read) is not Access.ANYONE:
        return None
    return _raw(kind, path, offset, size, held=held)


def _raw(kind: FileSystem, path: Path, offset: int, size: int, *, held: bool = False) -> Volume | None:
    # a stick has one of them, and what writes the others takes as long to load as a menu to look through
    data_fs = kind.data_fs
    match data_fs:
        case DataFs.EXT4:
            from bootkit.system.volumes.ext4 import Ext4Volume

            return Ext4Volume(path, offset, size, held=held)
        case DataFs.FAT32:
            from bootkit.system.volumes.fat import FatVolume

            return FatVolume(path, offset, size, held=held)
        case DataFs.EXFAT:
            from bootkit.system.volumes.exfat import ExfatVolume

            return ExfatVolume(path, offset, size, held=held)
        case DataFs.NTFS:
            from bootkit.system.volumes.ntfs import NtfsVolume

            return NtfsVolume(path, offset, size)
        case DataFs.BTRFS | None:
            return None
        case _:
            assert_never(data_fs)
