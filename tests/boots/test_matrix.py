"""What is predicted of an image on a file system is what a boot shows, with the cure and without it."""

import os
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.matrix import Cell, Matrix, boot_matrix
from bootkit.model.prepare import DataFs
from bootkit.model.verdict import TestFirmware
from bootkit.units import GIB, MIB
from tests.boots.dracut_iso import cached_dracut_iso
from tests.boots.live_iso import cached_iso, host_suite

pytestmark = pytest.mark.boots


def seen(
    iso: Path, *filesystems: DataFs, firmware: TestFirmware = TestFirmware.BIOS, cure_off: bool = False
) -> list[tuple[DataFs, str, bool]]:
    """Each cell's file system, the overlay that it needed to boot, and whether it booted; they all agree."""
    matrix = Matrix(isos=(iso,), filesystems=filesystems, firmwares=(firmware,), cure_off=cure_off)
    cells = list(boot_matrix(matrix))
    assert [cell for cell in cells if not cell.agrees] == [], [_why(cell) for cell in cells]
    assert all(cell.expected is not None for cell in cells)
    return [(cell.filesystem, cell.prediction.overlay if cell.cured else "", cell.booted) for cell in cells]


def _why(cell: Cell) -> tuple[object, ...]:
    tail = cell.verdict.tail if cell.verdict else ()
    return cell.filesystem, cell.expected, cell.prediction.reason, cell.refusal, tail


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("an NTFS stick that is not mounted takes root")


def test_live_boot_boots_from_exfat_by_the_module_of_its_own_kernel_and_not_without() -> None:
    cells = seen(cached_iso(host_suite()), DataFs.EXFAT, cure_off=True)
    assert cells == [(DataFs.EXFAT, "modules", True), (DataFs.EXFAT, "", False)]


def test_live_boot_boots_from_ntfs_which_its_kernel_has_no_driver_for() -> None:
    needs_root()
    assert seen(cached_iso(host_suite()), DataFs.NTFS) == [(DataFs.NTFS, "map", True)]


def test_dracut_boots_from_exfat_by_itself() -> None:
    assert seen(cached_dracut_iso(host_suite(), "f42"), DataFs.EXFAT) == [(DataFs.EXFAT, "", True)]


def test_kiwi_boots_from_ntfs_which_its_kernel_has_no_driver_for() -> None:
    needs_root()
    assert seen(cached_dracut_iso(host_suite(), "kiwi"), DataFs.NTFS) == [(DataFs.NTFS, "map", True)]


@pytest.fixture(scope="module")
def big_iso() -> Generator[Path]:
    """The live ISO behind a file of more than 4 GiB: its kernel, its initrd and its root lie beyond that, too."""
    with tempfile.TemporaryDirectory(prefix="bootkit-") as name:
        folder = Path(name)
        padding, iso = folder / "padding", folder / "big.iso"
        with padding.open("wb") as file:
            file.truncate(4 * GIB + 200 * MIB)
        argv: list[str | Path] = ["xorriso", "-indev", cached_iso(host_suite()), "-outdev", iso]
        argv += ["-compliance", "iso_9660_level=3", "-map", padding, "/padding.bin"]
        argv += ["-find", "/padding.bin", "-exec", "sort_weight", "1000", "--", "-commit"]
        subprocess.run(argv, check=True, capture_output=True)
        subprocess.run(["fallocate", "--dig-holes", iso], check=True)
        padding.unlink()
        yield iso


def test_an_iso_of_more_than_four_gib_boots_wherever_it_can_lie(big_iso: Path) -> None:
    assert big_iso.stat().st_size > 4 * GIB
    cells = seen(big_iso, DataFs.FAT32, DataFs.EXT4, DataFs.EXFAT)
    assert cells == [(DataFs.FAT32, "", False), (DataFs.EXT4, "", True), (DataFs.EXFAT, "modules", True)]
