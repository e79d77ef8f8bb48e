"""What programs say of themselves: unified kernel images and boot loaders, made by the real tools."""

import gzip
import io
import struct
import subprocess
from pathlib import Path

import pytest

from bootkit.formats.kernel import read_kernel
from bootkit.model.kernel import KernelFacts

BOOT = Path("/usr/lib/systemd/boot/efi")
GRUB = Path("/usr/lib/grub/x86_64-efi")
OS_RELEASE = 'NAME="Ember"\nVERSION_ID=4.2\n'

needs_systemd = pytest.mark.skipif(not BOOT.is_dir(), reason="needs systemd-boot-efi")


def read(path: Path) -> KernelFacts:
    with path.open("rb") as fh:
        return read_kernel(fh, path.stat().st_size)


def unified(folder: Path, **sections: bytes) -> Path:
    """A unified kernel image with these sections, as ``objcopy`` makes it of systemd's stub."""
    image = folder / "ember.efi"
    words: list[str] = []
    for place, (name, content) in enumerate(sections.items()):
        part = folder / name
        part.write_bytes(content)
        words += ["--add-section", f".{name}={part}", "--change-section-vma", f".{name}={0x20000 + (place << 20):#x}"]
    subprocess.run(["objcopy", *words, BOOT / "linuxx64.efi.stub", image], check=True)
    return image


@needs_systemd
def test_a_unified_kernel_image_tells_what_it_carries(tmp_path: Path) -> None:
    image = unified(
        tmp_path,
        osrel=OS_RELEASE.encode(),
        cmdline=b"quiet  root=live:ember\n\0",
        uname=b"6.12.1",
        linux=b"MZ kernel" * 100,
        initrd=b"archive" * 1000,
    )
    kernel = read(image)
    assert (kernel.cpu, kernel.signed, kernel.loader) == ("x86_64", False, "")
    assert kernel.uki is not None
    assert (kernel.uki.cmdline, kernel.uki.uname) == ("quiet root=live:ember", "6.12.1")
    assert (kernel.uki.os_release, kernel.uki.initrd) == (OS_RELEASE, 7000)


@needs_systemd
def test_systemds_boot_loader_is_known_as_one() -> None:
    kernel = read(BOOT / "systemd-bootx64.efi")
    assert (kernel.loader, kernel.uki) == ("systemd-boot", None)


@pytest.mark.skipif(not GRUB.is_dir(), reason="needs grub-efi-amd64-bin")
def test_grub_is_known_as_a_boot_loader(tmp_path: Path) -> None:
    image = tmp_path / "grub.efi"
    subprocess.run(["grub-mkimage", "-O", "x86_64-efi", "-p", "/boot/grub", "-o", image, "normal"], check=True)
    assert read(image).loader == "grub"


def test_a_program_with_a_broken_section_table_is_just_a_program(tmp_path: Path) -> None:
    program = tmp_path / "x.efi"
    head = bytearray(0x200)
    head[:2], head[0x3C:0x40], head[0x80:0x84] = b"MZ", (0x80).to_bytes(4, "little"), b"PE\0\0"
    head[0x84:0x88], head[0x94:0x96] = b"\x64\x86\xff\xff", b"\xff\xff"
    program.write_bytes(head)
    assert read(program) == KernelFacts(size=0x200, cpu="x86_64", signed=False)


def test_a_kernel_in_gzip_is_read_as_what_it_unpacks_to() -> None:
    image = Path("/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64/linux").read_bytes()
    packed = gzip.compress(image, 1)
    plain, facts = read_kernel(io.BytesIO(image), len(image)), read_kernel(io.BytesIO(packed), len(packed))
    assert (facts.cpu, facts.size, facts.efi) == ("aarch64", len(packed), plain.efi)
    assert facts.efi is not None
    assert facts.efi.signatures[0].fits


@pytest.mark.parametrize(("method", "tail"), [(b"gzip", 0), (b"zstd22", 4), (b"lzma", 4)])
def test_a_kernel_that_unpacks_itself_tells_the_memory_that_it_takes(method: bytes, tail: int) -> None:
    """A zboot image: its header in front of a program for aarch64."""
    program = bytearray(
        Path("/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64/grubaa64.efi").read_bytes()
    )
    payload, needed = b"packed" * 50 + bytes(-tail % 4), 42 << 20
    content = payload + needed.to_bytes(4, "little")
    struct.pack_into("<4sII8x8s", program, 4, b"zimg", len(program), len(content) - tail, method)
    image = bytes(program) + content
    facts = read_kernel(io.BytesIO(image), len(image))
    assert (facts.cpu, facts.run_size, facts.size) == ("aarch64", needed, len(image))


def test_what_only_begins_like_gzip_is_no_kernel() -> None:
    assert read_kernel(io.BytesIO(b"\x1f\x8b" + bytes(600)), 602) == KernelFacts(size=602)
