"""What a file that holds a whole disk is kept in: as it is, packed, or in a format of a virtual machine.

Source: QEMU 7.2, docs/interop/qcow2.txt and block/{vdi,vmdk,vhdx,vpc}.c for the marks.
"""

import struct
from enum import StrEnum
from typing import BinaryIO

from bootkit.formats.compression import detect
from bootkit.formats.reader import read_upto, size_of

_QCOW2 = b"QFI\xfb"
_EXTERNAL_DATA = 1 << 2


class DiskFormat(StrEnum):
    """As ``qemu-img`` calls it, or the program that unpacks it."""

    RAW = "raw"
    GZIP = "gzip"
    XZ = "xz"
    ZSTD = "zstd"
    BZIP2 = "bzip2"
    QCOW2 = "qcow2"
    VDI = "vdi"
    VMDK = "vmdk"
    VHDX = "vhdx"
    VHD = "vpc"

    @property
    def is_packed(self) -> bool:
        return self in _PACKED

    @property
    def is_virtual(self) -> bool:
        return self is not DiskFormat.RAW and not self.is_packed


_PACKED = (DiskFormat.GZIP, DiskFormat.XZ, DiskFormat.ZSTD, DiskFormat.BZIP2)


def disk_format(fh: BinaryIO) -> DiskFormat:
    """What ``fh`` is; raw where no mark is known."""
    start = read_upto(fh, 0, 512)
    marks = (
        (0, _QCOW2, DiskFormat.QCOW2),
        (0x40, b"\x7f\x10\xda\xbe", DiskFormat.VDI),
        (0, b"KDMV", DiskFormat.VMDK),
        (0, b"vhdxfile", DiskFormat.VHDX),
        (0, b"conectix", DiskFormat.VHD),
    )
    for at, mark, kind in marks:
        if start[at : at + len(mark)] == mark:
            return kind
    if read_upto(fh, max(0, size_of(fh) - 512), 8) == b"conectix":
        return DiskFormat.VHD  # of a fixed size, with its mark at the end
    packed = detect(start[:16])
    return next((kind for kind in _PACKED if kind == packed), DiskFormat.RAW)


def leads_elsewhere(fh: BinaryIO) -> bool:
    """Whether a qcow2 takes bytes out of another file, of which it says the path: nobody's file is read for a stranger's image."""
    header = read_upto(fh, 0, 80).ljust(80, b"\0")
    if not header.startswith(_QCOW2):
        return False
    version, backing = struct.unpack_from(">IQ", header, 4)
    (features,) = struct.unpack_from(">Q", header, 72)
    return bool(backing) or (version > 2 and bool(features & _EXTERNAL_DATA))
