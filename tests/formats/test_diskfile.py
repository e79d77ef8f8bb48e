"""What a file that holds a whole disk is kept in."""

import subprocess
from pathlib import Path

import pytest

from bootkit.formats.diskfile import DiskFormat, disk_format, leads_elsewhere
from bootkit.units import MIB


@pytest.mark.parametrize("kind", [kind for kind in DiskFormat if kind.is_virtual])
def test_knows_what_qemu_img_makes(kind: DiskFormat, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", kind, disk, "4M"], check=True)
    with disk.open("rb") as fh:
        assert disk_format(fh) is kind
        assert not leads_elsewhere(fh)


def test_a_vhd_of_a_fixed_size_has_its_mark_at_the_end(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "vpc", "-o", "subformat=fixed", disk, "4M"], check=True)
    with disk.open("rb") as fh:
        assert disk_format(fh) is DiskFormat.VHD


@pytest.mark.parametrize("program", ["gzip", "xz", "zstd", "bzip2"])
def test_knows_what_is_packed(program: str, tmp_path: Path) -> None:
    packed = subprocess.run([program, "-c"], input=bytes(MIB), stdout=subprocess.PIPE, check=True).stdout
    disk = tmp_path / "disk"
    disk.write_bytes(packed)
    with disk.open("rb") as fh:
        assert disk_format(fh) == program
        assert disk_format(fh).is_packed


def test_all_else_is_raw(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(MIB))
    with disk.open("rb") as fh:
        assert disk_format(fh) is DiskFormat.RAW


def test_a_qcow2_may_take_its_bytes_from_elsewhere(tmp_path: Path) -> None:
    secret, disk = tmp_path / "secret", tmp_path / "disk"
    secret.write_bytes(bytes(MIB))
    words: list[str | Path] = ["-b", secret, "-F", "raw"]
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *words, disk], check=True)
    with disk.open("rb") as fh:
        assert leads_elsewhere(fh)
    other = tmp_path / "other"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={secret}", other, "1M"], check=True)
    with other.open("rb") as fh:
        assert leads_elsewhere(fh)
