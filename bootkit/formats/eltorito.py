"""El Torito: the boot catalogue of an optical image.

Source: "El Torito" Bootable CD-ROM Format Specification 1.0 (1995), section 2; UEFI Specification 2.10, 13.3.2.1 for
platform 0xEF and for the sector count of 0 or 1 that means "until the end".
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.formats.partitions import PartitionEntry
from bootkit.formats.reader import read_upto, size_of
from bootkit.model.iso import ElToritoEntry
from bootkit.values import dataclass

SECTOR = 2048
_PLATFORMS = {0x00: "bios", 0x01: "ppc", 0x02: "mac", 0xEF: "efi"}
_EMULATIONS = {0: "none", 1: "1.2M", 2: "1.44M", 3: "2.88M", 4: "harddisk"}
_FLOPPIES = {"1.2M": 1200 << 10, "1.44M": 1440 << 10, "2.88M": 2880 << 10}
# The specification has no limit; images carry two or three entries, and 64 rows fill a sector.
_ROW_LIMIT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BootCatalog:
    entries: tuple[ElToritoEntry, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    platform: int
    media: int
    sectors: int
    lba: int


def read_boot_catalog(fh: BinaryIO, lba: int, *, partitions: tuple[PartitionEntry, ...] = ()) -> BootCatalog:
    """The bootable entries of the catalogue in sector ``lba``.

    ``partitions`` are those of the same image: a hybrid's ESP tells how long the EFI boot image is. Never fails on
    content: what is odd becomes a warning.
    """
    catalog = read_upto(fh, lba * SECTOR, _ROW_LIMIT * 32)
    if len(catalog) < 64 or catalog[0] != 1 or catalog[30:32] != b"\x55\xaa":
        return BootCatalog(warnings=("the El Torito boot catalogue is damaged",))
    warnings: list[str] = []
    if sum(struct.unpack("<16H", catalog[:32])) & 0xFFFF:
        warnings.append("the checksum of the El Torito boot catalogue is wrong")
    rows = tuple(_rows(catalog))
    end = size_of(fh)
    if any(row.lba * SECTOR >= end for row in rows):
        warnings.append("an El Torito boot image lies behind the end of the file")
    starts = sorted(row.lba * SECTOR for row in rows)

    def available(row: _Row) -> int:
        return max(0, next((start for start in starts if start > row.lba * SECTOR), end) - row.lba * SECTOR)

    return BootCatalog(
        entries=tuple(_entry(fh, row, partitions, available(row)) for row in rows), warnings=tuple(warnings)
    )


def _rows(catalog: bytes) -> Iterator[_Row]:
    rows = [catalog[at : at + 32] for at in range(32, len(catalog) - 31, 32)]
    if rows[0][0] == 0x88:
        yield _row(rows[0], catalog[1])
    platform = left = 0
    is_last = False
    is_extension = False
    for row in rows[1:]:
        if is_extension and row[0] == 0x44:
            is_extension = bool(row[1] & 0x20)
        elif left:
            left -= 1
            is_extension = bool(row[1] & 0x20)
            if row[0] == 0x88:
                yield _row(row, platform)
        elif row[0] in (0x90, 0x91) and not is_last:
            is_last = row[0] == 0x91
            platform, left = row[1], struct.unpack_from("<H", row, 2)[0]
        else:
            return


def _row(row: bytes, platform: int) -> _Row:
    media, sectors, lba = struct.unpack_from("<xB4xHI", row)
    return _Row(platform=platform, media=media & 0x0F, sectors=sectors, lba=lba)


def _entry(fh: BinaryIO, row: _Row, partitions: tuple[PartitionEntry, ...], available: int) -> ElToritoEntry:
    platform = _PLATFORMS.get(row.platform, f"{row.platform:#04x}")
    emulation = _EMULATIONS.get(row.media, f"{row.media:#x}")
    offset = row.lba * SECTOR
    size = row.sectors * 512
    if emulation in _FLOPPIES:
        size = _FLOPPIES[emulation]
    elif emulation == "harddisk":
        size = _disk_size(fh, offset) or size
    elif platform == "efi" or row.sectors <= 1:
        size = _efi_size(fh, row, partitions, available)
    return ElToritoEntry(platform=platform, emulation=emulation, lba=row.lba, size=size)


def _efi_size(fh: BinaryIO, row: _Row, partitions: tuple[PartitionEntry, ...], available: int) -> int:
    # The catalogue has 16 bits for the size in units of 512 bytes, which an image of 32 MiB overflows, and mastering
    # tools write 0 or 1 there.
    offset = row.lba * SECTOR
    known = fat_size(read_upto(fh, offset, 512))
    same = next((partition.size for partition in partitions if partition.start == offset), 0)
    counted = row.sectors * 512 if row.sectors > 1 else 0
    return known or same or counted or available


def _disk_size(fh: BinaryIO, offset: int) -> int:
    sector = read_upto(fh, offset, 512)
    if sector[510:] != b"\x55\xaa":
        return 0
    rows = [struct.unpack_from("<II", sector, at + 8) for at in range(446, 510, 16) if sector[at + 4]]
    return max((int(first) + int(count) for first, count in rows), default=0) * 512


def fat_size(sector: bytes) -> int:
    """Bytes of the FAT file system that begins with this sector; 0 if none does."""
    if len(sector) < 512 or sector[510:512] != b"\x55\xaa" or sector[0] not in (0xEB, 0xE9):
        return 0
    bytes_per_sector, per_cluster, reserved, fats = struct.unpack_from("<HBHB", sector, 11)
    if bytes_per_sector not in (512, 1024, 2048, 4096) or not (per_cluster and reserved and fats):
        return 0
    small, large = struct.unpack_from("<H11xI", sector, 19)
    return int((small or large) * bytes_per_sector)
