"""Images that are no ISO files, by their first bytes."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.model.iso import FileKind, IsoFacts
from bootkit.probe.image import open_image

MEMTEST = Path("/boot/memtest86+x64.efi")
IPXE = Path("/usr/lib/ipxe/ipxe.efi")


def look(path: Path) -> IsoFacts:
    with open_image(path) as view:
        view.listdir("/")
        return view.facts


def efi_application(machine: int = 0x8664, subsystem: int = 10) -> bytes:
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    return head + b"PE\0\0" + struct.pack("<H", machine) + bytes(86) + struct.pack("<H", subsystem) + bytes(4000)


@pytest.mark.parametrize(("machine", "cpu"), [(0x8664, "x86_64"), (0x14C, "i686"), (0xAA64, "aarch64")])
def test_knows_what_an_efi_application_runs_on(machine: int, cpu: str, tmp_path: Path) -> None:
    path = tmp_path / "x.efi"
    path.write_bytes(efi_application(machine) + "UEFI Interactive Shell".encode("utf-16-le"))
    facts = look(path)
    assert (facts.kind, facts.cpu, facts.banner) == (FileKind.EFI, cpu, "UEFI Interactive Shell")


@pytest.mark.parametrize(
    "content",
    [efi_application(subsystem=3), b"MZ" + bytes(0x3A) + b"\xff" * 4 + bytes(4000), b"MZ" + bytes(9), b"readme"],
    ids=["windows program", "lost header", "short", "text"],
)
def test_what_is_no_program_for_a_firmware_is_no_image(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.efi"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="is not an ISO image"):
        look(path)


def test_knows_a_windows_image(tmp_path: Path) -> None:
    (tmp_path / "boot.wim").write_bytes(b"MSWIM\0\0\0" + bytes(4000))
    assert look(tmp_path / "boot.wim").kind is FileKind.WIM


@pytest.mark.skipif(not MEMTEST.exists(), reason="memtest86+ is not installed")
def test_knows_a_program_that_is_both() -> None:
    facts = look(MEMTEST)
    assert (facts.kind, facts.cpu) == (FileKind.LINUX, "x86_64")
    assert facts.banner.startswith("Memtest86+ v")


@pytest.mark.skipif(not IPXE.exists(), reason="ipxe is not installed")
def test_knows_ipxe() -> None:
    assert look(IPXE).banner == "iPXE"


@pytest.mark.skipif(shutil.which("mcopy", path="/usr/bin:/usr/sbin") is None, reason="mtools is not installed")
def test_looks_into_floppies_and_disks(tmp_path: Path) -> None:
    (tmp_path / "KERNEL.SYS").write_bytes(b"kernel")
    floppy, disk = tmp_path / "dos.img", tmp_path / "disk.img"
    tools = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    subprocess.run(["mkfs.fat", "-C", floppy, "1440", "-n", "DOS"], check=True, capture_output=True, env=tools)
    subprocess.run(["mcopy", "-i", floppy, tmp_path / "KERNEL.SYS", "::/"], check=True, env=tools)
    row = struct.pack("<4xB3xII", 6, 1, 2880)
    disk.write_bytes(bytes(446) + row.ljust(64, b"\0") + b"\x55\xaa" + floppy.read_bytes())
    for path, kind in ((floppy, FileKind.FLOPPY), (disk, FileKind.DISK)):
        facts = look(path)
        assert (facts.kind, facts.filesystem) == (kind, "vfat")
        assert [node.name for node in facts.dirs["/"]] == ["KERNEL.SYS"]


def test_a_floppy_needs_no_file_system(tmp_path: Path) -> None:
    (tmp_path / "game.img").write_bytes(b"\xfa" + bytes(1440 * 1024 - 1))
    facts = look(tmp_path / "game.img")
    assert (facts.kind, facts.filesystem, facts.dirs) == (FileKind.FLOPPY, "none", {"/": ()})
