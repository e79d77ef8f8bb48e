"""Where the bytes of a file lie on its partition, as the kernel tells.

FIEMAP needs no rights, but not every driver answers (exFAT, FAT and FUSE do not); FIBMAP is answered by those, for root.
Source: Linux 6.1, Documentation/filesystems/fiemap.rst, include/uapi/linux/fiemap.h and fs.h.
"""

import array
import fcntl
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from bootkit.errors import FormatError
from bootkit.formats.ntfs import Ntfs
from bootkit.formats.reader import Extent, clip

_FIEMAP = 0xC020660B
_FIBMAP = 1
_FIGETBSZ = 2
_SYNC = 1
_LAST = 0x0001
_UNKNOWN = 0x0002 | 0x0004 | 0x0008 | 0x0080 | 0x0200 | 0x0400
"""Not yet placed, packed, encrypted, or beside other data: no place of plain bytes on the partition."""
_UNWRITTEN = 0x0800
_BATCH = 256
_HEADER = struct.Struct("=QQIIII")
_EXTENT = struct.Struct("=QQQQQIIII")


def file_extents(path: Path) -> tuple[Extent, ...] | None:
    """The pieces of a file in order, adding up to its size; ``None`` if nobody can tell.

    Raises:
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        for ask in (_by_fiemap, _by_fibmap):
            try:
                return clip(ask(descriptor, size), size)
            except (OSError, ValueError):
                continue
        return None
    finally:
        os.close(descriptor)


def ntfs_extents(device: Path, path: str, host: Path) -> tuple[Extent, ...] | None:
    """What the file table of an NTFS on ``device`` says of ``path``, which is the mounted file ``host``.

    Of ntfs-3g, the kernel can only ask for one block after the other, which takes a minute for a DVD. ``None`` where the
    device cannot be read, as by one who is not root, or holds another file at that path.
    """
    try:
        with device.open("rb") as fh:
            fs = Ntfs(fh)
            entry = fs.find(path)
            return fs.extents(path) if entry is not None and entry.ident == host.stat().st_ino else None
    except (OSError, FormatError):
        return None


def _by_fiemap(descriptor: int, size: int) -> Iterator[Extent]:
    position = 0
    while position < size:
        buffer = bytearray(_HEADER.size + _BATCH * _EXTENT.size)
        _HEADER.pack_into(buffer, 0, position, size - position, _SYNC, 0, _BATCH, 0)
        fcntl.ioctl(descriptor, _FIEMAP, buffer)
        mapped = _HEADER.unpack_from(buffer)[3]
        for number in range(mapped):
            logical, physical, length, _, _, flags, *_ = _EXTENT.unpack_from(
                buffer, _HEADER.size + number * _EXTENT.size
            )
            if flags & _UNKNOWN:
                raise ValueError("an extent has no place on the partition")
            if logical > position:
                yield None, logical - position
            yield (None if flags & _UNWRITTEN else physical), length
            position = logical + length
            if flags & _LAST:
                return
        if not mapped:
            return


def _by_fibmap(descriptor: int, size: int) -> Iterator[Extent]:
    number = array.array("i", [0])
    fcntl.ioctl(descriptor, _FIGETBSZ, number)
    block_size = number[0]
    for block in range(-(-size // block_size)):
        number[0] = block
        fcntl.ioctl(descriptor, _FIBMAP, number)
        yield (number[0] * block_size if number[0] else None), block_size
