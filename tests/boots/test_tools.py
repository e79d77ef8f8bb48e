"""Programs and installers out of Debian's own packages, started from a stick: what each prints is the proof."""

import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import BootedEntry, boot_targets, choose_targets
from bootkit.model.boot import Firmware
from bootkit.model.prepare import Layout
from bootkit.model.testboot import Stage, TestFirmware
from bootkit.system.boot import boot
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.conftest import Proves
from tests.boots.own_disk import talking_sector

pytestmark = pytest.mark.boots

MACHINES = {TestFirmware.BIOS: Firmware.BIOS, TestFirmware.UEFI: Firmware.UEFI_X64}
NETBOOT = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
PROGRAMS = (
    Path("/usr/lib/memtest86+/memtest86+x64.iso"),
    Path("/boot/memtest86+x64.efi"),
    Path("/boot/memtest86+x64.bin"),
    Path("/usr/lib/ipxe/ipxe.iso"),
    Path("/boot/ipxe.efi"),
    Path("/boot/ipxe.lkrn"),
)
CASES = (
    ("memtest86+x64.iso", TestFirmware.BIOS, "Memtest86+ v"),
    ("memtest86+x64.iso", TestFirmware.UEFI, "Memtest86+ v"),
    ("memtest86+x64.efi", TestFirmware.BIOS, "Memtest86+ v"),
    ("memtest86+x64.efi", TestFirmware.UEFI, "Memtest86+ v"),
    ("memtest86+x64.bin", TestFirmware.BIOS, "Memtest86+ v"),
    ("ipxe.iso", TestFirmware.BIOS, "Open Source Network Boot Firmware"),
    ("ipxe.iso", TestFirmware.UEFI, "Open Source Network Boot Firmware"),
    ("ipxe.efi", TestFirmware.UEFI, "Open Source Network Boot Firmware"),
    ("mini.iso", TestFirmware.BIOS, "Select a language"),
    ("mini.iso", TestFirmware.UEFI, "Select a language"),
)
MENUS = (
    ("rescue.iso", TestFirmware.BIOS, "Memtest86\\+ v"),
    ("tool.iso", TestFirmware.BIOS, "hello from a tool"),
    ("ipxe.lkrn", TestFirmware.BIOS, "Open Source Network Boot Firmware"),
)
"""What starts, although its entry has no sign: menus on images, and a kernel that nobody knows."""
RESCUE = "set timeout=0\nmenuentry 'A test of mine' {\n  linux /boot/memory.efi console=ttyS0,115200\n}\n"
TOOL = 'set timeout=0\nmenuentry \'Greet\' {\n  echo "hello from" "a tool"\n  sleep 1000\n}\n'


@pytest.fixture(scope="module")
def stick() -> Generator[Path]:
    for source in (*PROGRAMS, NETBOOT / "linux"):
        if not source.exists():
            pytest.skip(f"{source} is not installed")
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        work = Path(folder)
        image = work / "stick.img"
        prepare_image(image, 300 * MIB, layout=Layout.SPLIT)
        sources = [*PROGRAMS, mini_iso(work), talking_floppy(work), rescue_iso(work), tool_iso(work)]
        with open_stick(image, writing=True) as opened:
            add_images(opened.volume, plan_additions(opened.volume, sources))
            apply_changes(plan_generation(opened.volume).plan, opened.volume)
        yield image


def mini_iso(work: Path) -> Path:
    """Debian's netboot installer as its mini.iso has it: kernel, initrd and menu at the top."""
    tree = work / "mini"
    (tree / "boot/grub").mkdir(parents=True)
    for name in ("linux", "initrd.gz"):
        shutil.copy(NETBOOT / name, tree / name)
    menu = (NETBOOT / "grub/grub.cfg").read_text().replace("/debian-installer/amd64/", "/")
    (tree / "boot/grub/grub.cfg").write_text(menu)
    path = work / "mini.iso"
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "Debian 12 mini", "-o", str(path), str(tree)]
    subprocess.run(argv, check=True, capture_output=True)
    return path


def rescue_iso(work: Path) -> Path:
    """What grub-mkrescue makes of a program and a menu for it."""
    tree = work / "rescue"
    (tree / "boot/grub").mkdir(parents=True)
    shutil.copy("/boot/memtest86+x64.efi", tree / "boot/memory.efi")
    (tree / "boot/grub/grub.cfg").write_text(RESCUE)
    path = work / "rescue.iso"
    subprocess.run(["grub-mkrescue", "-o", path, tree], check=True, capture_output=True)
    return path


def tool_iso(work: Path) -> Path:
    """A tool made of GRUB alone, as Super Grub2 Disk is: its loopback.cfg starts no Linux."""
    tree = work / "tool"
    (tree / "boot/grub").mkdir(parents=True)
    (tree / "boot/grub/loopback.cfg").write_text(TOOL)
    path = work / "tool.iso"
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "TOOL", "-o", str(path), str(tree)]
    subprocess.run(argv, check=True, capture_output=True)
    return path


def talking_floppy(work: Path) -> Path:
    path = work / "floppy.img"
    path.write_bytes(talking_sector("hello from a floppy").ljust(1440 * 1024, b"\0"))
    return path


@pytest.mark.parametrize(("image", "firmware", "said"), CASES, ids=lambda value: str(value))
def test_a_program_runs(
    image: str, firmware: TestFirmware, said: str, stick: Path, tmp_path: Path, proves: Proves
) -> None:
    proof = run(stick, image, firmware, tmp_path)
    proves(stick, image)
    assert proof.result.ok, (proof.result.reason, *proof.result.tail)
    assert proof.result.stage is Stage.USERSPACE
    assert said in proof.result.pretty_name


def test_memdisk_starts_a_floppy(stick: Path, tmp_path: Path, proves: Proves) -> None:
    proves(stick, "floppy.img")
    with open_stick(stick) as opened:
        (target,) = choose_targets(opened.volume, ["floppy.img"], every=False)
    verdict = boot(stick, entry=target.id_path, sign="hello from a floppy", screenshots=tmp_path)
    assert verdict.ok, (verdict.reason, *verdict.tail)


@pytest.mark.parametrize(("image", "firmware", "said"), MENUS, ids=lambda value: str(value))
def test_a_menu_on_an_image_starts_what_is_on_it(
    image: str, firmware: TestFirmware, said: str, stick: Path, tmp_path: Path, proves: Proves
) -> None:
    if image.endswith(".iso"):
        proves(stick, image)
    with open_stick(stick) as opened:
        (target,) = choose_targets(opened.volume, [image], every=False)
    verdict = boot(stick, entry=target.id_path, firmware=firmware, sign=said, screenshots=tmp_path)
    assert verdict.ok, (verdict.reason, *verdict.tail)


def run(stick: Path, image: str, firmware: TestFirmware, pictures: Path) -> BootedEntry:
    """Boot the first entry of an image that this machine can start."""
    with open_stick(stick) as opened:
        every = choose_targets(opened.volume, [], every=True)
        fitting = [one for one in every if one.path.endswith(f"/{image}") and MACHINES[firmware] in one.entry.firmware]
        (proof,) = boot_targets(opened, fitting[:1], [firmware], pictures=pictures)
    return proof
