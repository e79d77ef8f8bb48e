"""What a GRUB image has built in, read from Debian's signed one and from one that is made here."""

import subprocess
from pathlib import Path

import pytest

from bootkit.formats.efi import read_efi
from bootkit.formats.grubimage import grub_modules
from bootkit.model.filesystem import DataFs

SIGNED = Path("/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")


def modules_of(path: Path) -> tuple[str, ...]:
    with path.open("rb") as fh:
        facts = read_efi(fh)
    assert facts is not None
    return facts.grub_modules


def test_debians_signed_grub_has_what_is_told_of_it() -> None:
    found = modules_of(SIGNED)
    assert {"linux", "loopback", "tpm", "iso9660"} <= set(found)
    for kind in DataFs:
        assert (kind.system.grub in found) is kind.system.has_signed_grub("debian"), kind


@pytest.mark.parametrize("platform", ["x86_64-efi", "i386-efi"])
def test_the_modules_of_both_word_sizes_are_read(platform: str, tmp_path: Path) -> None:
    image = tmp_path / "grub.efi"
    argv: list[str | Path] = [
        "grub-mkimage",
        "-O",
        platform,
        "-p",
        "/boot/grub",
        "-o",
        image,
        "exfat",
        "ntfs",
        "normal",
    ]
    subprocess.run(argv, check=True, capture_output=True)
    assert {"exfat", "ntfs", "normal"} <= set(modules_of(image))


def test_what_is_no_module_section_has_none() -> None:
    section = b"mimg" + bytes(4) + (24).to_bytes(8, "little") + (1 << 20).to_bytes(8, "little")
    assert grub_modules(b"") == grub_modules(b"MZ" * 40) == grub_modules(section) == ()
    damaged = section + (0).to_bytes(4, "little") + (72).to_bytes(4, "little") + b"\x7fELF\2\1" + b"\xff" * 58
    assert grub_modules(damaged) == ()
