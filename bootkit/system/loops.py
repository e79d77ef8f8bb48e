"""Files that the kernel shows as loop devices: the image that the running system was started from, its home, its extensions.

Source: Linux 6.1, include/uapi/linux/loop.h; drivers/block/loop.c for what ``LOOP_GET_STATUS64`` tells of the file.
"""

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

_BLOCK = Path("/sys/block")
_GET_STATUS64, _STATUS_SIZE = 0x4C05, 232


def loop_of(file: os.stat_result) -> str:
    """The node of a loop device that shows a file; empty if none does."""
    return next((f"/dev/{name}" for name, shown in _shown() if shown == (file.st_dev, file.st_ino)), "")


def _shown() -> list[tuple[str, tuple[int, int]]]:
    """Each loop device that is in use, with the device and the inode of its file."""
    found: list[tuple[str, tuple[int, int]]] = []
    for folder in sorted(_BLOCK.glob("loop*/loop")):
        name = folder.parent.name
        with suppress(OSError):
            found.append((name, _by_the_driver(Path("/dev", name))))
        # the path is that of who made the device, perhaps in an initrd; but btrfs tells the driver another number than us
        with suppress(OSError):
            file = Path((folder / "backing_file").read_text(errors="surrogateescape").removesuffix("\n")).stat()
            found.append((name, (file.st_dev, file.st_ino)))
    return found


def _by_the_driver(node: Path) -> tuple[int, int]:
    descriptor = os.open(node, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = fcntl.ioctl(descriptor, _GET_STATUS64, bytes(_STATUS_SIZE))
    finally:
        os.close(descriptor)
    device, inode = struct.unpack_from("<QQ", status)
    return device, inode
