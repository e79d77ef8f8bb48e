import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.errors import ToolMissing, UsageError
from bootkit.model.testboot import TestFirmware
from bootkit.system.firmware import FlashImage, find_flash
from bootkit.system.qemu import Accelerator, VirtualMachine, choose_accelerator, qemu_argv

BIOS = VirtualMachine(
    stick=Path("/tmp/my,stick.img"),
    test_disk=Path("/tmp/t/test.img"),
    folder=Path("/tmp/t"),
    firmware=TestFirmware.BIOS,
    accelerator=Accelerator.TCG,
)
FLASH = FlashImage(code=Path("/fw/code.fd"), variables=Path("/tmp/t/variables"), architecture="x86_64")


def options(machine: VirtualMachine) -> list[tuple[str, str]]:
    words = [str(word) for word in qemu_argv(machine)]
    return list(itertools.pairwise(words))


def test_stick_is_removable_usb_and_never_written() -> None:
    found = options(BIOS)
    assert ("-drive", "if=none,id=stick,format=raw,snapshot=on,file=/tmp/my,,stick.img") in found
    assert ("-device", "usb-storage,drive=stick,removable=on,bootindex=1") in found


def test_machine_has_no_network_and_one_oem_string() -> None:
    words = [str(word) for word in qemu_argv(BIOS)]
    assert "-nodefaults" in words
    assert not any("nic" in word or "netdev" in word for word in words)
    assert [word for word in words if "bootkit-test=" in word] == [
        "type=11,value=bootkit-test=b007c177-7e57-4000-8000-000000000001"
    ]


def test_bios_has_no_flash() -> None:
    assert not any("pflash" in word for _, word in options(BIOS))


def test_uefi_has_code_read_only_and_variables_of_its_own() -> None:
    found = options(replace(BIOS, firmware=TestFirmware.UEFI, flash=FLASH))
    assert ("-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/fw/code.fd") in found
    assert ("-drive", "if=pflash,format=raw,unit=1,file=/tmp/t/variables") in found
    assert ("-machine", "q35") in found


def test_secure_boot_guards_its_variables_by_smm() -> None:
    flash = replace(FLASH, features=frozenset({"secure-boot", "enrolled-keys", "requires-smm"}))
    found = options(replace(BIOS, firmware=TestFirmware.SECUREBOOT, flash=flash))
    assert ("-machine", "q35,smm=on") in found
    assert ("-global", "driver=cfi.pflash01,property=secure,value=on") in found


def test_emulation_counts_instructions_and_kvm_does_not() -> None:
    assert ("-icount", "shift=1,sleep=off") in options(BIOS)
    assert "-icount" not in qemu_argv(replace(BIOS, accelerator=Accelerator.KVM))


def test_environment_decides_on_the_accelerator() -> None:
    assert choose_accelerator({"BOOTKIT_QEMU_ACCEL": "kvm"}) is Accelerator.KVM
    assert choose_accelerator({"BOOTKIT_QEMU_ACCEL": "tcg"}) is Accelerator.TCG
    with pytest.raises(UsageError, match="neither kvm nor tcg"):
        choose_accelerator({"BOOTKIT_QEMU_ACCEL": "hvf"})


def describe(
    folder: Path, name: str, architecture: str, *features: str, device: str = "flash", machine: str = "pc-q35-*"
) -> None:
    code = folder / f"{name}.code"
    code.touch()
    mapping = {
        "device": device,
        "executable": {"filename": str(code), "format": "raw"},
        "nvram-template": {"filename": str(folder / f"{name}.vars"), "format": "raw"},
    }
    targets = [{"architecture": architecture, "machines": ["pc-i440fx-*", machine]}]
    (folder / f"{name}.json").write_text(
        json.dumps({"mapping": mapping, "targets": targets, "features": list(features)})
    )


@pytest.fixture
def descriptors(tmp_path: Path) -> tuple[Path]:
    describe(tmp_path, "40-enrolled", "x86_64", "secure-boot", "enrolled-keys", "requires-smm")
    describe(tmp_path, "50-secure", "x86_64", "secure-boot", "requires-smm")
    describe(tmp_path, "51-ia32", "i386", "secure-boot", "requires-smm")
    describe(tmp_path, "60-plain", "x86_64")
    describe(tmp_path, "61-arm64", "aarch64", machine="virt-*")
    describe(tmp_path, "40-arm64", "aarch64", "secure-boot", "enrolled-keys", machine="virt-*")
    describe(tmp_path, "10-memory", "x86_64", device="memory")
    (tmp_path / "00-broken.json").write_text('{"mapping": [1, 2')
    (tmp_path / "01-odd.json").write_text('["mapping", {"targets": 7}]')
    return (tmp_path,)


@pytest.mark.parametrize(
    ("firmware", "name"),
    [
        (TestFirmware.UEFI, "60-plain.code"),
        (TestFirmware.IA32, "51-ia32.code"),
        (TestFirmware.SECUREBOOT, "40-enrolled.code"),
        (TestFirmware.ARM64, "61-arm64.code"),
    ],
)
def test_takes_the_image_that_suits(descriptors: tuple[Path], firmware: TestFirmware, name: str) -> None:
    assert find_flash(firmware, descriptors).code.name == name


def test_plain_uefi_does_with_secure_boot_switched_off_where_nothing_else_is(descriptors: tuple[Path]) -> None:
    (descriptors[0] / "60-plain.code").unlink()
    assert find_flash(TestFirmware.UEFI, descriptors).code.name == "50-secure.code"


def test_says_so_if_there_is_no_firmware(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="ia32") as caught:
        find_flash(TestFirmware.IA32, (tmp_path,))
    assert "ovmf" in caught.value.hint
