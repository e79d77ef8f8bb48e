"""Sticks fresh from ``prepare`` show their menu, on every layout, data file system and firmware."""

import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.prepare import prepare_image
from bootkit.model.filesystem import DataFs
from bootkit.model.prepare import Layout, LoaderChoice
from bootkit.model.testboot import Stage, TestFirmware
from bootkit.system.boot import STAGE_LIMITS, boot
from bootkit.units import MIB

pytestmark = pytest.mark.boots


@pytest.fixture
def stick() -> Generator[Path]:
    # QEMU's sockets lie beside it, and the path of a socket is short
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "stick.img")


@pytest.mark.parametrize("firmware", [one for one in TestFirmware if one is not TestFirmware.ARM64])
@pytest.mark.parametrize("layout", list(Layout))
def test_the_menu_comes_up(layout: Layout, firmware: TestFirmware, stick: Path) -> None:
    prepare_image(stick, 180 * MIB, layout=layout)
    verdict = boot(stick, entry="none", firmware=firmware, until=Stage.MENU, memory_mib=512)
    assert verdict.ok, verdict.reason


@pytest.mark.parametrize("firmware", [TestFirmware.BIOS, TestFirmware.UEFI])
@pytest.mark.parametrize("data_fs", [DataFs.FAT32, DataFs.EXFAT, DataFs.BTRFS])
def test_the_menu_comes_up_from_other_file_systems(data_fs: DataFs, firmware: TestFirmware, stick: Path) -> None:
    prepare_image(stick, 400 * MIB, data_fs=data_fs)
    verdict = boot(stick, entry="none", firmware=firmware, until=Stage.MENU, memory_mib=512)
    assert verdict.ok, verdict.reason


def test_the_menu_comes_up_by_a_built_loader(stick: Path) -> None:
    prepare_image(stick, 180 * MIB, loader=LoaderChoice.BUILT)
    verdict = boot(stick, entry="none", firmware=TestFirmware.UEFI, until=Stage.MENU, memory_mib=512)
    assert verdict.ok, verdict.reason


def test_nothing_starts_a_stick_that_is_half_written(stick: Path) -> None:
    prepare_image(stick, 180 * MIB)
    with stick.open("r+b") as fh:
        fh.write(bytes(440))
    soon = {**STAGE_LIMITS, Stage.FIRMWARE: 4.0}
    verdict = boot(stick, entry="none", until=Stage.MENU, memory_mib=512, limits=soon)
    assert not verdict.ok
