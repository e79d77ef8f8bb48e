"""Catalogues come from xorriso, and are compared with what xorriso reports of them."""

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.formats.eltorito import read_boot_catalog
from bootkit.formats.iso9660 import read_volume_descriptors
from bootkit.formats.partitions import read_partitions

Run = Callable[..., str]
EFI = ("-eltorito-alt-boot", "-e", "efi.img", "-no-emul-boot")


@pytest.fixture(scope="module")
def tree(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    (root / "bios.img").write_bytes(b"\xfa" * 30_000)
    (root / "floppy.img").write_bytes(bytes(1440 << 10))
    run("mkfs.fat", "-C", root / "efi.img", "1440")
    return root


def mastered(run: Run, tree: Path, tmp_path: Path, *options: str | Path) -> Path:
    image = tmp_path / "x.iso"
    run("xorriso", "-as", "mkisofs", "-R", *options, "-o", image, tree)
    return image


def catalogue_of(image: Path) -> list[tuple[str, str, int, int]]:
    with image.open("rb") as fh:
        lba = read_volume_descriptors(fh).boot_catalog
        assert lba is not None
        catalog = read_boot_catalog(fh, lba, partitions=read_partitions(fh).partitions)
    assert catalog.warnings == ()
    return [(entry.platform, entry.emulation, entry.lba, entry.size) for entry in catalog.entries]


def reported(run: Run, image: Path) -> list[tuple[str, str, int, int]]:
    """Platform, emulation, LBA and load size in bytes, as xorriso sees them."""
    told = run("xorriso", "-indev", image, "-report_el_torito", "plain")
    rows = re.findall(r"^El Torito boot img : +\d+ +(\w+) +y +(\w+) +\S+ +\S+ +(\d+) +(\d+)", told, re.MULTILINE)
    platforms = {"BIOS": "bios", "UEFI": "efi"}
    return [(platforms[row[0]], str(row[1]), int(row[3]), int(row[2]) * 512) for row in rows]


def test_bios_and_efi_images(run: Run, tree: Path, tmp_path: Path) -> None:
    run("mkfs.fat", "-C", "-F", "16", tmp_path / "large.img", "36864")
    bios_options = ("-b", "bios.img", "-no-emul-boot", "-boot-load-size", "4")
    efi_options = ("-eltorito-alt-boot", "-e", "large.img", "-no-emul-boot")
    graft = ("-graft-points", f"large.img={tmp_path}/large.img")
    image = mastered(run, tree, tmp_path, *graft, *bios_options, *efi_options)
    bios, efi = catalogue_of(image)
    known = reported(run, image)
    assert bios == known[0]
    assert bios[3] == 2048
    assert efi[:3] == known[1][:3]
    # 36 MiB do not fit into the catalogue's 16 bits; the FAT file system knows better.
    assert efi[3] == 36 << 20


def test_a_floppy_has_its_own_size(run: Run, tree: Path, tmp_path: Path) -> None:
    image = mastered(run, tree, tmp_path, "-b", "floppy.img", *EFI)
    assert [entry[1::2] for entry in catalogue_of(image)] == [("1.44M", 1440 << 10), ("none", 1440 << 10)]


def test_an_appended_esp_outside_of_the_tree(run: Run, tree: Path, tmp_path: Path) -> None:
    image = mastered(
        run, tree, tmp_path, "-append_partition", "2", "0xef", tree / "efi.img", "-appended_part_as_gpt",
        "-b", "bios.img", "-no-emul-boot", "-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot",
    )  # fmt: skip
    _, efi = catalogue_of(image)
    assert efi[3] == 1440 << 10
    with image.open("rb") as fh:
        fh.seek(efi[2] * 2048)
        assert fh.read(4096) == (tree / "efi.img").read_bytes()[:4096]


def catalogue(*rows: bytes) -> bytes:
    validation = bytearray(struct.pack("<BBH24sHBB", 1, 0, 0, b"", 0, 0x55, 0xAA))
    struct.pack_into("<H", validation, 28, -sum(struct.unpack("<16H", validation)) & 0xFFFF)
    return bytes(validation) + b"".join(row.ljust(32, b"\0") for row in rows)


def entry(indicator: int, media: int, sectors: int, lba: int) -> bytes:
    return struct.pack("<BBHBBHI", indicator, media, 0, 0, 0, sectors, lba)


def test_sections_extensions_and_unbootable_entries() -> None:
    data = catalogue(
        entry(0x88, 0, 4, 10),
        struct.pack("<BBH", 0x90, 0xEF, 2),
        entry(0x88, 0x20, 8, 20),
        b"\x44\x20",
        b"\x44\x00",
        entry(0x00, 0, 8, 30),
        struct.pack("<BBH", 0x91, 0x02, 1),
        entry(0x88, 0, 8, 40),
        struct.pack("<BBH", 0x91, 0x02, 1),
        entry(0x88, 0, 8, 50),
    )
    found = read_boot_catalog(io.BytesIO(data + bytes(100 * 2048)), 0)
    assert [(entry.platform, entry.lba, entry.size) for entry in found.entries] == [
        ("bios", 10, 2048), ("efi", 20, 4096), ("mac", 40, 4096),
    ]  # fmt: skip


def test_an_efi_image_that_is_no_fat_ends_where_the_next_one_begins() -> None:
    data = catalogue(entry(0x88, 0, 4, 30), struct.pack("<BBH", 0x91, 0xEF, 1), entry(0x88, 0, 1, 20))
    found = read_boot_catalog(io.BytesIO(data + bytes(100 * 2048)), 0)
    assert [entry.size for entry in found.entries] == [2048, 10 * 2048]


def test_a_hard_disk_ends_with_its_last_partition() -> None:
    disk = bytearray(512)
    disk[450], disk[510:512] = 0x0C, b"\x55\xaa"
    struct.pack_into("<II", disk, 454, 63, 1000)
    found = read_boot_catalog(io.BytesIO(catalogue(entry(0x88, 4, 1, 1)).ljust(2048, b"\0") + disk), 0)
    assert [(entry.emulation, entry.size) for entry in found.entries] == [("harddisk", 1063 * 512)]


def test_a_damaged_catalogue_is_a_warning() -> None:
    wrong = bytearray(catalogue(entry(0x88, 0, 4, 500)))
    wrong[5] ^= 1
    assert read_boot_catalog(io.BytesIO(wrong), 0).warnings == (
        "the checksum of the El Torito boot catalogue is wrong",
        "an El Torito boot image lies behind the end of the file",
    )
    assert read_boot_catalog(io.BytesIO(bytes(4096)), 0).warnings == ("the El Torito boot catalogue is damaged",)
    assert read_boot_catalog(io.BytesIO(b""), 1 << 40).entries == ()
