"""Which file system lies at a place of a disk, by its mark, and the identifier that it was given.

Source: blkid of util-linux 2.38, libblkid/src/superblocks/, for the marks of what is no file system.
"""

from typing import BinaryIO, assert_never
from uuid import UUID

from bootkit.formats.reader import read_at, read_upto
from bootkit.model.filesystem import FILE_SYSTEMS, ISO9660, VFAT, FileSystem, UuidForm

_FOREIGN = (
    (3, b"-FVE-FS-", "BitLocker"),
    (0, b"LUKS\xba\xbe", "crypto_LUKS"),
    (32, b"NXSB", "apfs"),
    (512, b"LABELONE", "LVM2_member"),
    (4086, b"SWAPSPACE2", "swap"),
)
_MARKS = (*((*one.magic, one.name) for one in (*FILE_SYSTEMS, ISO9660) if one.magic is not None), *_FOREIGN)
_HEAD = max(at + len(mark) for at, mark, _ in _MARKS)


def filesystem_at(fh: BinaryIO, offset: int) -> str:
    """What lies at ``offset`` bytes, as blkid calls it; empty if none is known."""
    head = read_upto(fh, offset, _HEAD)
    for at, mark, name in _MARKS:
        if head[at : at + len(mark)] == mark:
            return name
    is_boot_sector = head[510:512] == b"\x55\xaa"
    return VFAT.name if is_boot_sector and (head[82:87] == b"FAT32" or head[54:57] == b"FAT") else ""


def uuid_at(fh: BinaryIO, offset: int, kind: FileSystem) -> str:
    """The UUID of the file system of that ``kind`` at ``offset`` bytes, as udev spells it; empty where it is not told."""
    if kind.uuid_at is None:
        return ""
    raw = read_at(fh, offset + kind.uuid_at, kind.uuid_form.size)
    form = kind.uuid_form
    match form:
        case UuidForm.SHORT_SERIAL:
            text = raw[::-1].hex().upper()
            return f"{text[:4]}-{text[4:]}"
        case UuidForm.LONG_SERIAL:
            return raw[::-1].hex().upper()
        case UuidForm.UUID:
            return str(UUID(bytes=raw))
        case _:
            assert_never(form)
