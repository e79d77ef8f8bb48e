"""Disks of installed systems, small ones."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from bootkit.overlay.pack import pack
from bootkit.units import MIB

UUID = "0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e01"
VERSIONS = ("6.1.0-9-amd64", "6.1.0-10-amd64")
MODULES = ("drivers/block/loop", "drivers/usb/storage/usb-storage", "fs/ext4/ext4")
DiskMaker = Callable[..., Path]


ASKS = ("usr/sbin/cryptsetup", "usr/lib/cryptsetup/askpass")
"""What an initrd opens an encrypted root by."""


def initrd_of(version: str, *, usb: bool, asks: bool) -> bytes:
    names = [name for name in MODULES if usb or "usb" not in name]
    modules = {f"usr/lib/modules/{version}/kernel/{name}.ko": b"" for name in names}
    listed = {f"usr/lib/modules/{version}/modules.builtin": b"kernel/fs/nls/nls_base.ko\n"}
    programs = {path: b"\x7fELF" for path in ASKS if asks}
    return pack({"conf/initramfs.conf": b"MODULES=most\n", **modules, **listed, **programs})


def kernel() -> bytes:
    return bytes(0x202) + b"HdrS" + bytes(0x100)


def disk_maker(folder: Path) -> DiskMaker:
    """Makes a raw disk with an ESP and an ext4 root of ``mib`` MiB, as an installer leaves it."""

    def make(
        name: str = "debian.raw", *, usb: bool = True, root: bool = True, asks: bool = False, mib: int = 12
    ) -> Path:
        tree = folder / f"tree-{name}"
        texts = {
            "etc/fstab": f"UUID={UUID} / ext4 errors=remount-ro 0 1\n",
            "usr/lib/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
            "boot/grub/grub.cfg": f"menuentry 'Debian' {{\nlinux /boot/vmlinuz-{VERSIONS[1]} root=UUID={UUID} ro quiet\n"
            f"initrd /boot/initrd.img-{VERSIONS[1]}\n}}\n",
        }
        files = {path: text.encode() for path, text in texts.items()}
        for version in VERSIONS if root else ():
            files[f"boot/vmlinuz-{version}"] = kernel()
            files[f"boot/initrd.img-{version}"] = initrd_of(version, usb=usb, asks=asks)
        for path, content in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        part, disk = folder / f"part-{name}", folder / name
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-U", UUID, "-d", tree, part, f"{mib}M"], check=True)
        with disk.open("xb") as fh:
            fh.truncate((mib + 4) * MIB)
        table = f"label: gpt\nstart=1MiB, size=1MiB, type=U\nstart=2MiB, size={mib}MiB, type=L\n"
        subprocess.run(["sfdisk", "--quiet", disk], input=table.encode(), check=True)
        with disk.open("r+b") as fh:
            fh.seek(2 * MIB)
            fh.write(part.read_bytes())
        return disk

    return make
