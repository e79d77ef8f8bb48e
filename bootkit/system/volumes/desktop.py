"""A partition of a device that is not mounted, for one who is not root: mounted by udisks as long as it is open.

Source: udisks2 2.9.4, tools/udisksctl.c for what it prints, and udisks/mount_options.conf for the options that it lets users name.
"""

import fcntl
import os
import re
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.system.run import LONG, Argument, run
from bootkit.system.volumes.folder import FolderVolume

_PROGRAM = "udisksctl"
_MOUNTED = re.compile(r"Mounted \S+ at (.+?)\.?\n?")


class DesktopVolume(FolderVolume):
    """The file system on ``node``. udisks itself adds nosuid and nodev.

    Raises:
        ToolMissing: udisks is not installed.
        CommandFailed: it does not mount that for this user.
    """

    def __init__(self, node: Path, *, writing: bool) -> None:
        argv: list[Argument] = [
            _PROGRAM,
            "mount",
            "--no-user-interaction",
            "--options",
            "noexec,noatime",
            "--block-device",
            node,
        ]
        said = run(argv, timeout=LONG).decode(errors="surrogateescape")
        found = _MOUNTED.fullmatch(said)
        if found is None:
            raise BootkitError(
                tr("{node}: udisks does not say where it has mounted it", node=node),
                hint=tr("mount it by the file manager"),
            )
        self._node = node
        try:
            super().__init__(Path(found[1]))
            # the disk may not be opened, so that what others will find mounted is all that can be held
            fcntl.flock(self._root, (fcntl.LOCK_EX if writing else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            super().close()
            raise BootkitError(
                tr("another program is working on {node}", node=node), hint=tr("wait until it has ended")
            ) from error
        except BaseException:
            self._unmount()
            raise
        self.where = os.fspath(node)

    def close(self) -> None:
        super().close()
        self._unmount()

    def _unmount(self) -> None:
        run([_PROGRAM, "unmount", "--no-user-interaction", "--block-device", self._node], timeout=LONG)
