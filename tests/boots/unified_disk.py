"""The installed system of :mod:`tests.boots.disk_image` once more, its root on btrfs and its kernel a unified image on the ESP.

The image is put together from the system's own kernel and initrd as ``ukify`` does it: sections behind those of systemd's stub.
Source: systemd 252, man/systemd-stub.xml ("Assembling Kernel Images").
"""

import subprocess
from pathlib import Path

from bootkit.formats.partitions import read_partitions
from bootkit.system.diskimage import put_back, take_partition
from bootkit.units import MIB
from tests.boots.disk_image import cached_disk_image

STUB = Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")
ROOT_UUID, ESP_UUID = "0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e02", "B007-0002"
ESP_MIB, ROOT_MIB = 64, 700
FSTAB = f"UUID={ROOT_UUID} / btrfs defaults 0 0\nUUID={ESP_UUID} /boot/efi vfat umask=0077 0 1\n"
TABLE = f"label: gpt\nstart=1MiB, size={ESP_MIB}MiB, type=U\nstart={1 + ESP_MIB}MiB, size={ROOT_MIB}MiB, type=L\n"
PLACES = {".osrel": 0x20000, ".cmdline": 0x30000, ".uname": 0x40000, ".linux": 0x2000000, ".initrd": 0x3000000}
"""Where firmware would put the sections; GRUB asks only where they lie in the file."""


def unified_disk(work: Path, suite: str) -> Path:
    """The image of the disk, new in ``work``. Needs root: the files keep their owners."""
    tree = _root_tree(cached_disk_image(suite, "dracut"), work)
    (kernel,) = (tree / "boot").glob("vmlinuz-*")
    version = kernel.name.removeprefix("vmlinuz-")
    unified = _unified(work, tree, kernel, version)
    for path in (kernel, tree / f"boot/initrd.img-{version}", tree / "boot/grub/grub.cfg"):
        path.unlink()
    (tree / "etc/fstab").write_text(FSTAB)
    disk, esp, root = work / "unified.raw", work / "esp", work / "btrfs"
    _run("mkfs.fat", "-C", "-i", ESP_UUID.replace("-", ""), esp, str(ESP_MIB << 10))
    _run("mmd", "-i", esp, "::/EFI", "::/EFI/Linux")
    _run("mcopy", "-i", esp, unified, f"::/EFI/Linux/debian-{version}.efi")
    with root.open("xb") as fh:
        fh.truncate(ROOT_MIB * MIB)
    _run("mkfs.btrfs", "-q", "-U", ROOT_UUID, "--rootdir", tree, root)
    with disk.open("xb") as fh:
        fh.truncate((2 + ESP_MIB + ROOT_MIB) * MIB)
    subprocess.run(["sfdisk", "--quiet", disk], input=TABLE.encode(), check=True)
    put_back(esp, disk, MIB)
    put_back(root, disk, (1 + ESP_MIB) * MIB)
    return disk


def _root_tree(disk: Path, work: Path) -> Path:
    part, tree = work / "ext4", work / "tree"
    with disk.open("rb") as fh:
        row = read_partitions(fh).partitions[-1]
    take_partition(disk, row, part)
    tree.mkdir()
    _run("debugfs", "-R", f"rdump / {tree}", part)
    part.unlink()
    return tree


def _unified(work: Path, tree: Path, kernel: Path, version: str) -> Path:
    cmdline, uname, unified = work / "cmdline", work / "uname", work / "unified.efi"
    cmdline.write_text(f"root=UUID={ROOT_UUID} rw quiet\0")
    uname.write_text(version)
    content = (tree / "usr/lib/os-release", cmdline, uname, kernel, tree / f"boot/initrd.img-{version}")
    words = [
        word
        for (name, place), path in zip(PLACES.items(), content, strict=True)
        for word in ("--add-section", f"{name}={path}", "--change-section-vma", f"{name}={place:#x}")
    ]
    _run("objcopy", *words, STUB, unified)
    return unified


def _run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True, capture_output=True)
