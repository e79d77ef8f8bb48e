"""The entries of the menu that lead away from the stick: to what starts the computer's own disks, and to its firmware."""

from pathlib import Path

import pytest

from bootkit.app.verbs.prepare import prepare_image
from bootkit.model.testboot import Stage, TestFirmware
from bootkit.system.boot import boot
from bootkit.system.qemu import Accelerator, VirtualMachine, qemu_argv
from bootkit.system.run import Argument
from bootkit.units import MIB
from tests.boots.own_disk import HELLO, VENDOR, make_own_disk

pytestmark = [pytest.mark.boots, pytest.mark.long]

MEMORY_MIB = 512
SET_UP = "Device Manager"
"""A line of the first page of EDK2's set-up, by which the menu for another start is reached as well."""


@pytest.fixture
def stick(work: Path) -> Path:
    stick = work / "stick.img"
    prepare_image(stick, 180 * MIB)
    return stick


def _require_start(
    stick: Path, entry: str, firmware: TestFirmware, accelerator: Accelerator, sign: str, *disks: Path
) -> None:
    """The entry leads to what shows ``sign``."""
    result = boot(
        stick,
        entry=entry,
        firmware=firmware,
        accelerator=accelerator,
        sign=sign,
        memory_mib=MEMORY_MIB,
        disks=disks,
    )
    assert result.stage is Stage.USERSPACE, (result.reason, *result.tail)


@pytest.mark.parametrize(
    ("firmware", "entry"),
    [
        (TestFirmware.BIOS, "Disk hd2"),
        (TestFirmware.UEFI, f"(hd2,gpt1)/{VENDOR}/shimx64.efi"),
        (TestFirmware.UEFI, f"(hd2,gpt1)/{VENDOR}/grubx64.efi"),
        (TestFirmware.SECUREBOOT, f"(hd2,gpt1)/{VENDOR}/shimx64.efi"),
    ],
)
def test_a_system_on_the_computers_own_disk_starts(
    firmware: TestFirmware, entry: str, stick: Path, work: Path, accelerator: Accelerator
) -> None:
    disk = work / "own.img"
    make_own_disk(disk)
    _require_start(stick, f"disks>{entry}", firmware, accelerator, HELLO, disk)


def test_the_firmware_takes_the_start_back(stick: Path, accelerator: Accelerator) -> None:
    _require_start(stick, "disks>back", TestFirmware.SECUREBOOT, accelerator, SET_UP)


def test_the_set_up_of_the_firmware_is_shown_after_a_restart(
    stick: Path, accelerator: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restarting(machine: VirtualMachine) -> list[Argument]:
        return [word for word in qemu_argv(machine) if word != "-no-reboot"]

    monkeypatch.setattr("bootkit.system.boot.qemu_argv", restarting)
    _require_start(stick, "firmware", TestFirmware.UEFI, accelerator, SET_UP)
