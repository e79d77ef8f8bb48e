"""BIOS boot code: the bytes that grub-bios-setup changes, and no others."""

import struct

import pytest

from bootkit.errors import BootkitError
from bootkit.system.bootcode import boot_sector, core_image

BOOT_IMG = bytes(range(256)) + bytes(254) + b"\x55\xaa"
OLD_SECTOR = b"\xee" * 510 + b"\x55\xaa"


def changed(before: bytes, after: bytes) -> set[int]:
    return {at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new}


def test_the_boot_sector_differs_in_core_sector_drive_check_and_table_only() -> None:
    sector = boot_sector(BOOT_IMG, OLD_SECTOR, core_sector=2048)
    assert struct.unpack_from("<Q", sector, 0x5C) == (2048,)
    assert (sector[0x64], sector[0x66:0x68]) == (0xFF, b"\x90\x90")
    assert changed(BOOT_IMG, sector) <= {*range(0x5C, 0x65), 0x66, 0x67, *range(0x1B8, 0x1FE)}
    assert sector[0x1B8:] == OLD_SECTOR[0x1B8:]


def test_the_core_image_differs_in_its_first_block_list_entry_only() -> None:
    core = bytes(700)
    image = core_image(core, core_sector=2048, limit=2)
    assert struct.unpack_from("<Q", image, 0x1F4) == (2049,)
    assert len(image) == 1024
    assert changed(core, image[:700]) == {0x1F4, 0x1F5}


def test_a_core_image_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(BootkitError, match="takes 3 sectors"):
        core_image(bytes(1025), core_sector=1, limit=2)


def test_what_is_no_boot_sector_is_not_written() -> None:
    with pytest.raises(BootkitError, match="not a boot sector"):
        boot_sector(bytes(512), OLD_SECTOR, core_sector=1)
