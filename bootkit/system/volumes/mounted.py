"""NTFS and btrfs in an image file or an unmounted device, which only a driver can write: mounted by us as long as it is open.

That takes root, a loop device and, for NTFS, ntfs-3g. :mod:`bootkit.system.volumes.ntfs` reads NTFS without any of them.
"""

import os
import tempfile
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.system.run import run
from bootkit.system.volumes.folder import FolderVolume

MOUNTED = ("ntfs", "btrfs")
"""The file systems that are reached in this way, as blkid calls them."""


class MountedVolume(FolderVolume):
    """The partition of ``size`` bytes at ``offset`` of ``image``.

    Raises:
        BootkitError: who runs this is not root, or there is no loop device left.
        CommandFailed: the partition cannot be mounted.
    """

    def __init__(self, image: Path, offset: int, size: int, *, filesystem: str, uuid: str, writing: bool) -> None:
        if os.geteuid() != 0:
            raise BootkitError(
                f"{image} has its data on {filesystem}, which only root can {_deed(filesystem)} while it is not mounted",
                hint="run it with sudo, or mount the stick and name the mount point",
            )
        self._own_uuid = uuid
        self._folder = Path(tempfile.mkdtemp(prefix="bootkit-"))
        self._device = ""
        self._is_mounted = False
        try:
            self._mount(image, offset, size, filesystem, writing=writing)
        except BaseException:
            self.close()
            raise
        super().__init__(self._folder)
        self.filesystem = filesystem
        self.where = os.fspath(image)

    @property
    def uuid(self) -> str:
        return self._own_uuid

    def close(self) -> None:
        if self._is_mounted:
            run(["umount", self._folder])
            self._is_mounted = False
        if self._device:
            run(["losetup", "--detach", self._device])
            self._device = ""
        if self._folder.exists():
            self._folder.rmdir()

    def _mount(self, image: Path, offset: int, size: int, filesystem: str, *, writing: bool) -> None:
        access = [] if writing else ["--read-only"]
        part = ["--offset", str(offset), "--sizelimit", str(size)]
        self._device = run(["losetup", "--find", "--show", *access, *part, image]).decode().strip()
        options = "rw,noatime" if writing else "ro"
        if filesystem == "ntfs":
            run(["ntfs-3g", "-o", options, self._device, self._folder])
        else:
            run(["mount", "-t", filesystem, "-o", options, self._device, self._folder])
        self._is_mounted = True


def _deed(filesystem: str) -> str:
    return "write to" if filesystem == "ntfs" else "reach"
