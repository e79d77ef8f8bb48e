"""What is predicted of an image on a file system is what a boot shows, with the cure and without it."""

import os
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.matrix import Cell, Matrix, boot_matrix
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.filesystem import DataFs
from bootkit.model.testboot import TestFirmware
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.system.volume import Volume
from bootkit.units import GIB, MIB
from tests.boots.broken_iso import broken_iso, image_of
from tests.boots.dracut_iso import LAYOUTS, cached_dracut_iso
from tests.boots.live_iso import cached_iso, host_suite
from tests.boots.machine import session

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
    tail = cell.result.tail if cell.result else ()
    return cell.filesystem, cell.expected, cell.prediction.reason, cell.refusal, tail


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("an NTFS stick that is not mounted takes root")


@pytest.mark.long
@pytest.mark.parametrize("firmware", [TestFirmware.BIOS, TestFirmware.UEFI])
@pytest.mark.parametrize("filesystem", list(DataFs))
@pytest.mark.parametrize("stack", ["live-boot", *LAYOUTS])
def test_prediction_and_boot_agree_in_every_cell(stack: str, filesystem: DataFs, firmware: TestFirmware) -> None:
    if filesystem in (DataFs.NTFS, DataFs.BTRFS):
        needs_root()
    cured, *uncured = seen(image_of(stack), filesystem, firmware=firmware, cure_off=True)
    overlay = cured[1]
    assert cured == (filesystem, overlay, True)
    assert uncured == ([(filesystem, "", False)] if overlay else [])


@pytest.mark.long
@pytest.mark.parametrize(
    ("stack", "part", "overlay"),
    [
        ("live-boot", "usb_storage", "modules"),
        ("live-boot", "xhci_pci", "modules"),
        ("live-boot", "sd_mod", "modules"),
        ("live-boot", "isofs", "modules"),
        ("live-boot", "squashfs", "modules"),
        ("live-boot", "overlay", "modules"),
        ("live-boot", "loop", "modules"),
        ("live-boot", "crc32c", "modules"),
        ("f42", "cdrom", "modules"),
        ("f41", "overlay", "modules"),
        ("f42", "iso-scan", "finder"),
        ("kiwi", "iso-scan", "finder"),
        ("live-boot", "stack", ""),
        ("f42", "stack", ""),
    ],
)
def test_an_initrd_that_lacks_a_part_boots_with_the_cure_alone(
    stack: str, part: str, overlay: str, tmp_path: Path
) -> None:
    cells = seen(broken_iso(stack, part, tmp_path), DataFs.EXT4, cure_off=True)
    assert cells == [*([(DataFs.EXT4, overlay, True)] if overlay else []), (DataFs.EXT4, "", False)]


def test_live_boot_boots_from_exfat_by_the_module_of_its_own_kernel_and_not_without() -> None:
    cells = seen(cached_iso(host_suite()), DataFs.EXFAT, cure_off=True)
    assert cells == [(DataFs.EXFAT, "modules", True), (DataFs.EXFAT, "", False)]


def test_live_boot_boots_from_ntfs_which_its_kernel_has_no_driver_for() -> None:
    needs_root()
    cells = seen(cached_iso(host_suite()), DataFs.NTFS, firmware=TestFirmware.UEFI)
    assert cells == [(DataFs.NTFS, "map", True)]


def test_dracut_boots_from_exfat_by_itself() -> None:
    assert seen(cached_dracut_iso(host_suite(), "f42"), DataFs.EXFAT) == [(DataFs.EXFAT, "", True)]


def lay_in_pieces(iso: Path, volume: Volume, work: Path) -> None:
    """Add an image where only gaps of 16 MiB are left for it."""
    filler = work / "filler"
    with filler.open("wb") as file:
        file.truncate(16 * MIB)
    count = volume.free() // filler.stat().st_size
    for number in range(count):
        volume.copy_in(filler, f"/filler-{number}", lambda _: None)
    for number in range(0, count, 2):
        volume.remove(f"/filler-{number}")
    add_images(volume, plan_additions(volume, [iso]))
    apply_changes(plan_generation(volume).plan, volume)


@pytest.mark.parametrize(
    "stack", ["kiwi", *(pytest.param(stack, marks=pytest.mark.long) for stack in ("live-boot", "f41", "f42"))]
)
def test_an_image_that_lies_in_pieces_on_ntfs_is_joined_and_the_boot_logs_it(
    stack: str, accelerator: Accelerator
) -> None:
    needs_root()
    iso = image_of(stack)
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        image = Path(folder, "stick.img")
        prepare_image(image, 3 * iso.stat().st_size + 100 * MIB, data_fs=DataFs.NTFS)
        with open_stick(image, writing=True) as opened:
            lay_in_pieces(iso, opened.volume, Path(folder))
            (prediction,) = check_stick(opened).predictions
            assert len(opened.volume.extents(prediction.path) or ()) > 1
            assert prediction.verdict == "boots with overlay map"
            (target,) = choose_targets(opened.volume, [], every=False)
        script = 'while read -r line; do echo "log $line"; done </run/bootkit/log'
        ran = session(image, entry=target.id_path, script=script, accelerator=accelerator)
    assert ran.ended, ran.serial[-4000:]
    said = [line for line in ran.report if "cure: " in line]
    assert len(said) == 1, ran.report
    assert f"cure: {prediction.path} is /dev/mapper/bootkit-iso, mapped on " in said[0]


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
