"""What is known of a file system is whole, and nothing passes over one that is not known."""

from enum import StrEnum
from pathlib import Path
from typing import cast

import pytest

from bootkit.model.filesystem import (
    EXT4,
    FILE_SYSTEMS,
    Access,
    DataFs,
    FileSystem,
    blkid_name,
    file_system,
    filesystem_title,
)
from bootkit.model.prepare import MakeFilesystem, Purpose
from bootkit.system.makefs import make_filesystem


class OneMore(StrEnum):
    """As if one were added to the enum, and to its value, and forgotten by who makes it."""

    SIXTH = "sixth"

    @property
    def system(self) -> FileSystem:
        return EXT4


@pytest.mark.parametrize("kind", list(DataFs))
def test_all_that_prepare_needs_to_know_is_said(kind: DataFs) -> None:
    (known,) = [one for one in FILE_SYSTEMS if one.data_fs is kind]
    assert kind.system is known
    assert known.cost.startswith(f"{known.title}: ")
    assert Access.NOBODY not in (known.make, known.read, known.write)
    assert known.grub
    assert known.checker or known.write is not Access.ANYONE
    assert known.drivers


def test_names_of_the_kernel_and_of_blkid_lead_to_the_same_value() -> None:
    assert file_system("ext3") is file_system("ext4") is EXT4
    assert [blkid_name(name) for name in ("fuseblk", "msdos", "iso9660", "overlay")] == ["ntfs", "vfat", "", ""]
    assert [filesystem_title(name) for name in ("vfat", "ntfs3", "zfs")] == ["FAT32", "NTFS", "zfs"]
    names = [name for one in FILE_SYSTEMS for name in (one.name, *one.aliases)]
    assert len(set(names)) == len(names)


def test_a_signed_grub_is_judged_by_its_vendor_where_that_is_known() -> None:
    assert DataFs.BTRFS.system.has_signed_grub("debian")
    assert not DataFs.BTRFS.system.has_signed_grub("rocky")
    assert DataFs.BTRFS.system.has_signed_grub("a vendor that nobody has met")
    assert not DataFs.EXFAT.system.has_signed_grub()


def test_a_file_system_that_nobody_knows_how_to_make_is_an_error(tmp_path: Path) -> None:
    step = MakeFilesystem(
        partition=1,
        purpose=Purpose.DATA,
        kind=cast("DataFs", OneMore.SIXTH),
        label="BOOTKIT",
        uuid="",
        offset=1 << 20,
        size=1 << 20,
    )
    (stage := tmp_path / "stage").mkdir()
    with pytest.raises(AssertionError, match="sixth"):
        make_filesystem(step, (), tmp_path / "image", stage, sparse=True)
