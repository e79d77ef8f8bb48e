"""Partition tables: MBR with logical partitions, and GPT, on disks, sticks and hybrid images.

Source: UEFI Specification 2.10, chapter 5 (GPT, protective MBR); the chain of extended boot records as Linux 6.1 reads
it in block/partitions/msdos.c.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import read_at, size_of
from bootkit.model.places import TYPE_ESP
from bootkit.values import dataclass

_EXTENDED = (0x05, 0x0F, 0x85)
_PROTECTIVE = 0xEE
# A disk with more is one whose chain bites its tail; Linux gives up at 256 partitions too.
_LOGICAL_LIMIT = 252
_GPT_ENTRY_LIMIT = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionEntry:
    """One row of a partition table. Offsets and sizes are bytes, whatever the sector size."""

    number: int
    scheme: str
    """``mbr`` or ``gpt``."""
    type: str
    """MBR: two hex digits, lower case. GPT: the type GUID in upper case."""
    start: int
    size: int
    name: str = ""
    """GPT only."""
    guid: str = ""
    """GPT: the unique GUID. MBR: disk signature and number as Linux makes a PARTUUID of them."""
    is_active: bool = False
    """MBR: the boot flag. GPT: the legacy BIOS bootable attribute."""

    @property
    def is_esp(self) -> bool:
        return self.type in ("ef", TYPE_ESP)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskPartitions:
    scheme: str
    """``gpt``, ``mbr``, or empty if there is no table."""
    sector_size: int = 512
    disk_guid: str = ""
    """GPT only; lower case, as udev spells it."""
    partitions: tuple[PartitionEntry, ...] = ()
    mbr: tuple[PartitionEntry, ...] = ()
    """The rows of the MBR, also where a GPT rules: a protective row, or those of a hybrid."""
    warnings: tuple[str, ...] = ()


def read_partitions(fh: BinaryIO) -> DiskPartitions:
    """The partition table that rules: GPT if there is a sound one (its backup counts), else MBR.

    Never fails on content: garbage gives no partitions, and what is odd becomes a warning.

    Raises:
        FormatError: the file is smaller than a sector.
    """
    sector = read_at(fh, 0, 512)
    size = size_of(fh)
    mbr = tuple(_mbr(fh, sector, size)) if sector[510:] == b"\x55\xaa" else ()
    # Isohybrid images carry a GPT beside an MBR without a protective row, so the row is no condition.
    for sector_size in (512, 4096):
        table = _gpt(fh, sector_size, size, mbr)
        if table is not None:
            return table
    return DiskPartitions(scheme="mbr" if mbr else "", partitions=mbr, mbr=mbr)


def _mbr(fh: BinaryIO, sector: bytes, size: int) -> Iterator[PartitionEntry]:
    (signature,) = struct.unpack_from("<I", sector, 440)
    rows = list(_rows(sector))
    if any(flag & 0x7F for flag, _, _, _ in rows):
        # A boot sector of a file system ends in 55 AA as well; its code is no table.
        return
    extended = 0
    for number, (flag, kind, first, count) in enumerate(rows, start=1):
        if kind == 0 or count == 0:
            continue
        if kind in _EXTENDED and not extended:
            extended = first
        yield _mbr_partition(number, flag, kind, (first, count), signature)
    if extended:
        yield from _logical(fh, extended, signature, size)


def _rows(sector: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Boot flag, type, first sector, number of sectors."""
    for at in range(446, 510, 16):
        flag, kind, first, count = struct.unpack_from("<B3xB3xII", sector, at)
        yield flag, kind, first, count


def _mbr_partition(number: int, flag: int, kind: int, sectors: tuple[int, int], signature: int) -> PartitionEntry:
    return PartitionEntry(
        number=number,
        scheme="mbr",
        type=f"{kind:02x}",
        start=sectors[0] * 512,
        size=sectors[1] * 512,
        guid=f"{signature:08x}-{number:02x}" if signature else "",
        is_active=flag == 0x80,
    )


def _logical(fh: BinaryIO, extended: int, signature: int, size: int) -> Iterator[PartitionEntry]:
    here, number = extended, 5
    seen: set[int] = set()
    while here not in seen and number < 5 + _LOGICAL_LIMIT and (here + 1) * 512 <= size:
        seen.add(here)
        sector = read_at(fh, here * 512, 512)
        if sector[510:] != b"\x55\xaa":
            return
        following = 0
        for flag, kind, first, count in list(_rows(sector))[:2]:
            if kind in _EXTENDED:
                following = extended + first
            elif kind and count:
                yield _mbr_partition(number, flag, kind, (here + first, count), signature)
                number += 1
        if not following:
            return
        here = following


def _gpt(fh: BinaryIO, sector_size: int, size: int, mbr: tuple[PartitionEntry, ...]) -> DiskPartitions | None:
    warnings: list[str] = []
    for place, at in (("primary", sector_size), ("backup", size // sector_size * sector_size - sector_size)):
        try:
            return _gpt_at(fh, at, sector_size, (mbr, warnings))
        except FormatError as error:
            if place == "primary" and not any(row.type == f"{_PROTECTIVE:02x}" for row in mbr):
                # Only a protective row says that a GPT was meant: do not resurrect a stale backup.
                return None
            warnings.append(f"the {place} GPT cannot be used: {error.message}")
    return None


def _gpt_at(
    fh: BinaryIO, offset: int, sector_size: int, context: tuple[tuple[PartitionEntry, ...], list[str]]
) -> DiskPartitions:
    mbr, warnings = context
    header = read_at(fh, offset, 92)
    signature, header_size, checksum = struct.unpack_from("<8s4xII", header)
    if signature != b"EFI PART":
        raise FormatError("there is no GPT header", offset=offset)
    if not 92 <= header_size <= sector_size:
        raise FormatError(f"a GPT header of {header_size} bytes", offset=offset)
    whole = read_at(fh, offset, header_size)
    first, count, entry_size, array_checksum = struct.unpack_from("<QIII", header, 72)
    if not 128 <= entry_size <= 4096 or count > _GPT_ENTRY_LIMIT:
        raise FormatError(f"a GPT of {count} rows of {entry_size} bytes", offset=offset)
    if zlib.crc32(whole[:16] + bytes(4) + whole[20:]) != checksum:
        warnings.append("the checksum of the GPT header is wrong")
    array = read_at(fh, first * sector_size, count * entry_size)
    if zlib.crc32(array) != array_checksum:
        warnings.append("the checksum of the GPT's rows is wrong")
    return DiskPartitions(
        scheme="gpt",
        sector_size=sector_size,
        disk_guid=_guid(header[56:72]),
        partitions=tuple(_gpt_rows(array, entry_size, sector_size)),
        mbr=mbr,
        warnings=tuple(warnings),
    )


def _gpt_rows(array: bytes, entry_size: int, sector_size: int) -> Iterator[PartitionEntry]:
    for number, at in enumerate(range(0, len(array), entry_size), start=1):
        kind, unique, first, last, attributes = struct.unpack_from("<16s16sQQQ", array, at)
        if kind == bytes(16) or last < first:
            continue
        yield PartitionEntry(
            number=number,
            scheme="gpt",
            type=_guid(kind).upper(),
            start=first * sector_size,
            size=(last - first + 1) * sector_size,
            name=array[at + 56 : at + 128].decode("utf-16-le", "replace").partition("\0")[0],
            guid=_guid(unique),
            is_active=bool(attributes & 4),
        )


def _guid(data: bytes) -> str:
    # As uuid.UUID(bytes_le=data) would spell it; that module would be most of what this one costs to import.
    first, second, third = struct.unpack_from("<IHH", data)
    return f"{first:08x}-{second:04x}-{third:04x}-{data[8:10].hex()}-{data[10:16].hex()}"
