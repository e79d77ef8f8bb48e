"""An unmounted device, and what only a driver can reach in an image file: mounted by us as long as it is open.

That takes root, a loop device and, for NTFS, ntfs-3g. :mod:`bootkit.system.volumes.ntfs` reads NTFS without any of them.

Where the kernel itself mounts, nobody else sees the mount: it loses its place in the tree as soon as it is there, and lives by
the descriptor that we hold. It is gone with this process, however that ends, and so is the loop device.
"""

import os
import stat
import tempfile
from pathlib import Path

from bootkit.errors import RightsMissing
from bootkit.i18n import tr
from bootkit.model.filesystem import Access, FileSystem
from bootkit.system.medium import partition_node
from bootkit.system.run import LONG, run
from bootkit.system.volumes.folder import FolderVolume

_HARMLESS = "nosuid,nodev,noexec"
"""Nothing on a stick is run or becomes a device of the host."""


class MountedVolume(FolderVolume):
    """The partition of ``size`` bytes at ``offset`` of ``image``.

    Raises:
        BootkitError: who runs this is not root, or there is no loop device left.
        CommandFailed: the partition cannot be mounted.
    """

    def __init__(self, image: Path, offset: int, size: int, *, kind: FileSystem, uuid: str, writing: bool) -> None:
        if os.geteuid() != 0:
            raise RightsMissing(
                tr(
                    "{image} has its data on {title}, which only root can {deed} while it is not mounted",
                    image=image,
                    title=kind.title,
                    deed=_deed(kind),
                ),
                hint=tr("mount the stick and name the mount point"),
            )
        self._own_uuid = uuid
        self._folder = Path(tempfile.mkdtemp(prefix="bootkit-"))
        self._device = ""
        self._is_mounted = False
        self._root = self._claim = -1
        try:
            self._mount(image, offset, size, kind, writing=writing)
            super().__init__(self._folder)
            if not kind.mounter:
                run(["umount", "--lazy", self._folder])
                self._is_mounted = False
        except BaseException:
            self.close()
            raise
        self.filesystem = kind.name
        self.where = os.fspath(image)

    @property
    def uuid(self) -> str:
        return self._own_uuid

    def close(self) -> None:
        super().close()
        if self._is_mounted:
            run(["umount", self._folder], timeout=LONG)
            self._is_mounted = False
        self._let_device_go()
        if self._claim >= 0:
            os.close(self._claim)
            self._claim = -1
        if self._folder.exists():
            self._folder.rmdir()

    def _mount(self, image: Path, offset: int, size: int, kind: FileSystem, *, writing: bool) -> None:
        options = f"{'rw,noatime' if writing else 'ro'},{_HARMLESS}"
        mounter = kind.mounter or ("mount", "-t", kind.name)
        run([*mounter, "-o", options, self._node(image, offset, size, writing=writing), self._folder])
        self._is_mounted = True
        self._let_device_go()

    def _let_device_go(self) -> None:
        """Have the kernel take the loop device away when the last who uses it has gone: at once, or with the mount."""
        if self._device:
            run(["losetup", "--detach", self._device])
            self._device = ""

    def _node(self, image: Path, offset: int, size: int, *, writing: bool) -> Path:
        """The partition as a device: its own node, whose mounts all share one view of it, or else a loop device."""
        if stat.S_ISBLK(image.stat().st_mode):
            node = partition_node(image, offset)
            if node is not None:
                return node
            # nobody may mount it in another way meanwhile
            self._claim = os.open(image, os.O_RDONLY | os.O_EXCL | os.O_CLOEXEC)
        access = [] if writing else ["--read-only"]
        part = ["--offset", str(offset), "--sizelimit", str(size)]
        self._device = run(["losetup", "--find", "--show", *access, *part, image]).decode().strip()
        return Path(self._device)


def _deed(kind: FileSystem) -> str:
    return "write to" if kind.read is Access.ANYONE else "reach"
