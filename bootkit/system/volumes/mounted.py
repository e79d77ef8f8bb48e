"""What only a driver can reach in an image file or an unmounted device: mounted by us as long as it is open.

That takes root, a loop device and, for NTFS, ntfs-3g. :mod:`bootkit.system.volumes.ntfs` reads NTFS without any of them.
"""

import os
import tempfile
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.model.filesystem import Access, FileSystem
from bootkit.system.run import LONG, run
from bootkit.system.volumes.folder import FolderVolume


class MountedVolume(FolderVolume):
    """The partition of ``size`` bytes at ``offset`` of ``image``.

    Raises:
        BootkitError: who runs this is not root, or there is no loop device left.
        CommandFailed: the partition cannot be mounted.
    """

    def __init__(self, image: Path, offset: int, size: int, *, kind: FileSystem, uuid: str, writing: bool) -> None:
        if os.geteuid() != 0:
            raise BootkitError(
                f"{image} has its data on {kind.title}, which only root can {_deed(kind)} while it is not mounted",
                hint="run it with sudo, or mount the stick and name the mount point",
            )
        self._own_uuid = uuid
        self._folder = Path(tempfile.mkdtemp(prefix="bootkit-"))
        self._device = ""
        self._is_mounted = False
        try:
            self._mount(image, offset, size, kind, writing=writing)
        except BaseException:
            self.close()
            raise
        super().__init__(self._folder)
        self.filesystem = kind.name
        self.where = os.fspath(image)

    @property
    def uuid(self) -> str:
        return self._own_uuid

    def close(self) -> None:
        if self._is_mounted:
            run(["umount", self._folder], timeout=LONG)
            self._is_mounted = False
        if self._device:
            run(["losetup", "--detach", self._device])
            self._device = ""
        if self._folder.exists():
            self._folder.rmdir()

    def _mount(self, image: Path, offset: int, size: int, kind: FileSystem, *, writing: bool) -> None:
        access = [] if writing else ["--read-only"]
        part = ["--offset", str(offset), "--sizelimit", str(size)]
        self._device = run(["losetup", "--find", "--show", *access, *part, image]).decode().strip()
        options = "rw,noatime" if writing else "ro"
        mounter = kind.mounter or ("mount", "-t", kind.name)
        run([*mounter, "-o", options, self._device, self._folder])
        self._is_mounted = True


def _deed(kind: FileSystem) -> str:
    return "write to" if kind.read is Access.ANYONE else "reach"
