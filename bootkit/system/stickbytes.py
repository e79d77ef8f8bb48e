"""The bytes of a whole stick, whichever way it was named."""

import os
import stat
from pathlib import Path

from bootkit.errors import BootkitError, RightsMissing
from bootkit.i18n import tr


def stick_image(where: Path) -> Path:
    """The bytes of the whole stick: the image file or disk itself, or the disk below a mount point or a partition.

    Raises:
        BootkitError: a folder that is no mount, or a disk that may not be read.
    """
    status = where.stat()
    if stat.S_ISREG(status.st_mode):
        return where
    number = status.st_rdev if stat.S_ISBLK(status.st_mode) else status.st_dev
    device = Path("/sys/dev/block", f"{os.major(number)}:{os.minor(number)}")
    if not device.exists():
        raise BootkitError(
            tr("{where} is not on a disk that could be booted", where=where),
            hint=tr("name the device: --stick /dev/sdX"),
        )
    device = device.resolve()
    disk = device.parent if (device / "partition").exists() else device
    node = Path("/dev", disk.name)
    if not os.access(node, os.R_OK):
        hint = tr("copy the stick to a file: sudo dd if={node} of=stick.img bs=4M", node=node)
        raise RightsMissing(tr("{node} may only be read by root", node=node), hint=hint)
    return node
