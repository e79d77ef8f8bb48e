"""GRUB's BIOS boot code, made ready for its place: the bytes that grub-bios-setup would change, and no others.

Source: GRUB 2.06, grub-core/boot/i386/pc/{boot,diskboot}.S and include/grub/i386/pc/boot.h for the offsets,
util/setup.c for the values; the result was compared byte by byte with that of ``grub-bios-setup --no-rs-codes``.
"""

import struct

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.prepare import SECTOR

_KERNEL_SECTOR = 0x5C
_BOOT_DRIVE = 0x64
_DRIVE_CHECK = 0x66
_CODE_END = 0x1B8
"""Behind it: the disk's signature and the partition table."""
_TABLE_END = 0x1FE
_BLOCKLIST = SECTOR - 12


def boot_sector(boot_img: bytes, old_sector: bytes, *, core_sector: int) -> bytes:
    """Sector 0 that loads the core image from ``core_sector``; signature and partition table are those of the old one.

    Raises:
        BootkitError: ``boot_img`` is not GRUB's boot.img.
    """
    if len(boot_img) != SECTOR or boot_img[_TABLE_END:] != b"\x55\xaa":
        raise BootkitError(
            tr("GRUB's boot.img is not a boot sector"), hint=tr("reinstall the package that brings it: bootkit doctor")
        )
    sector = bytearray(boot_img)
    struct.pack_into("<Q", sector, _KERNEL_SECTOR, core_sector)
    # 0xff: the drive that the BIOS started from, whatever its number is today
    sector[_BOOT_DRIVE] = 0xFF
    # a jump that trusts only drive numbers of floppies becomes two nops, as for any hard disk
    sector[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    sector[_CODE_END:_TABLE_END] = old_sector[_CODE_END:_TABLE_END]
    return bytes(sector)


def with_core(sector: bytes, core_sector: int) -> bytes:
    """The same boot sector, loading the core image from elsewhere."""
    return sector[:_KERNEL_SECTOR] + struct.pack("<Q", core_sector) + sector[_KERNEL_SECTOR + 8 :]


def loads_from(sector: bytes) -> int:
    """The sector from which a boot sector of :func:`boot_sector` loads the core image."""
    return int(struct.unpack_from("<Q", sector, _KERNEL_SECTOR)[0])


def is_core_at(first_sector: bytes, core_sector: int) -> bool:
    """Whether a core image begins there that :func:`core_image` made for this very place."""
    return len(first_sector) == SECTOR and first_sector[_BLOCKLIST:][:8] == struct.pack("<Q", core_sector + 1)


def core_halves(first: int, limit: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Two places in the room for core images, each its first sector and number of sectors: one starts, one is kept."""
    half = limit // 2
    return (first, half), (first + half, limit - half)


def core_image(core: bytes, *, core_sector: int, limit: int) -> bytes:
    """The core image that loads its own rest from behind ``core_sector``; padded to whole sectors.

    Raises:
        BootkitError: it is longer than ``limit`` sectors.
    """
    padded = bytearray(core + bytes(-len(core) % SECTOR))
    if len(padded) > limit * SECTOR:
        raise BootkitError(
            tr(
                "GRUB's core image takes {count} sectors, and there is room for {limit}",
                count=len(padded) // SECTOR,
                limit=limit,
            )
        )
    struct.pack_into("<Q", padded, _BLOCKLIST, core_sector + 1)
    return bytes(padded)
