"""Disks of installed systems, small ones."""

import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bootkit.overlay.pack import pack
from bootkit.units import MIB

UUID = "0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e01"
VERSIONS = ("6.1.0-9-amd64", "6.1.0-10-amd64")
MODULES = ("drivers/block/loop", "drivers/usb/storage/usb-storage", "fs/ext4/ext4")
DiskMaker = Callable[..., Path]

MAKES: Mapping[str, Mapping[str, bytes]] = {
    "initramfs-tools": {"conf/initramfs.conf": b"MODULES=most\n"},
    "dracut": {"usr/lib/dracut/dracut-059-4": b"059-4\n", "usr/lib/systemd/systemd": b"\x7fELF"},
    "dracut without systemd": {"usr/lib/dracut/dracut-059-4": b"059-4\n"},
}
"""By who made an initrd: the files that give that away."""
ASKS: Mapping[str, tuple[str, ...]] = {
    "initramfs-tools": ("usr/sbin/cryptsetup", "usr/lib/cryptsetup/askpass"),
    "dracut": ("usr/lib/systemd/systemd-cryptsetup",),
    "dracut without systemd": ("usr/sbin/cryptsetup", "usr/sbin/cryptroot-ask"),
}
"""What it opens an encrypted root by."""


def initrd_of(version: str, *, usb: bool, asks: bool, maker: str = "initramfs-tools") -> bytes:
    names = [name for name in MODULES if usb or "usb" not in name]
    modules = {f"usr/lib/modules/{version}/kernel/{name}.ko": b"" for name in names}
    listed = {f"usr/lib/modules/{version}/modules.builtin": b"kernel/fs/nls/nls_base.ko\n"}
    programs = {path: b"\x7fELF" for path in ASKS[maker] if asks}
    return pack({**MAKES[maker], **modules, **listed, **programs})


def kernel() -> bytes:
    return bytes(0x202) + b"HdrS" + bytes(0x100)


def unified(sections: Mapping[str, bytes]) -> bytes:
    """A PE file with nothing but the sections of a unified kernel image, each at the next 512 bytes."""
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I4sHH12xHH", 0x40, b"PE\0\0", 0x8664, len(sections), 0, 0)
    rows, content = b"", b""
    for name, data in sections.items():
        at = 4096 + len(content)
        rows += struct.pack("<8sIIII16x", name.encode(), len(data), at, -(-len(data) // 512) * 512, at)
        content += data + bytes(-len(data) % 512)
    return (head + rows).ljust(4096, b"\0") + content


def disk_maker(folder: Path) -> DiskMaker:
    """Makes a raw disk with an ESP and a root of ``mib`` MiB, an ext4 if nothing else is said, as an installer leaves it."""

    def make(
        name: str = "debian.raw",
        *,
        usb: bool = True,
        root: bool = True,
        asks: bool = False,
        maker: str = "initramfs-tools",
        is_cut: bool = False,
        mib: int = 12,
        kind: str = "ext4",
        unified_image: bool = False,
    ) -> Path:
        tree = folder / f"tree-{name}"
        texts = {
            "etc/fstab": f"UUID={UUID} / {kind} defaults 0 1\n",
            "usr/lib/os-release": 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
        }
        if not unified_image:
            texts["boot/grub/grub.cfg"] = (
                f"menuentry 'Debian' {{\nlinux /boot/vmlinuz-{VERSIONS[1]} root=UUID={UUID} ro quiet\n"
                f"initrd /boot/initrd.img-{VERSIONS[1]}\n}}\n"
            )
        files = {path: text.encode() for path, text in texts.items()}
        for version in VERSIONS if root and not unified_image else ():
            files[f"boot/vmlinuz-{version}"] = kernel()
            initrd = initrd_of(version, usb=usb, asks=asks, maker=maker)
            files[f"boot/initrd.img-{version}"] = initrd[: -len(initrd) // 3] if is_cut else initrd
        for path, content in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        part, disk = folder / f"part-{name}", folder / name
        MAKERS[kind](tree, part, mib)
        with disk.open("xb") as fh:
            fh.truncate((mib + 4) * MIB)
        table = f"label: gpt\nstart=1MiB, size=1MiB, type=U\nstart=2MiB, size={mib}MiB, type=L\n"
        subprocess.run(["sfdisk", "--quiet", disk], input=table.encode(), check=True)
        if unified_image:
            _put_unified(disk, folder)
        subprocess.run(
            ["dd", f"if={part}", f"of={disk}", "bs=1M", "seek=2", "conv=notrunc,sparse", "status=none"], check=True
        )
        return disk

    return make


def _make_ext4(tree: Path, part: Path, mib: int) -> None:
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-U", UUID, "-d", tree, part, f"{mib}M"], check=True)


def _make_btrfs(tree: Path, part: Path, mib: int) -> None:
    with part.open("xb") as fh:
        fh.truncate(mib * MIB)
    subprocess.run(["mkfs.btrfs", "-q", "-U", UUID, "--rootdir", tree, part], check=True, capture_output=True)


def _make_xfs(tree: Path, part: Path, mib: int) -> None:
    lines = ["/", "0 0", *_proto(tree)]
    proto = part.with_suffix(".proto")
    proto.write_text("\n".join(lines) + "\n")
    with part.open("xb") as fh:
        fh.truncate(mib * MIB)
    subprocess.run(
        ["mkfs.xfs", "-q", "--unsupported", "-m", f"uuid={UUID}", "-p", proto, part], check=True, capture_output=True
    )


def _proto(folder: Path, name: str = "") -> Iterator[str]:
    """What mkfs.xfs is told to put in."""
    yield f"{name} d--755 0 0".strip()
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _proto(path, path.name)
        else:
            yield f"{path.name} ---644 0 0 {path}"
    yield "$"


MAKERS = {"ext4": _make_ext4, "btrfs": _make_btrfs, "xfs": _make_xfs}


def _put_unified(disk: Path, folder: Path) -> None:
    """Unified kernel images on the ESP, at 1 MiB."""
    offset = f"{disk}@@1M"
    subprocess.run(["mkfs.fat", "--offset", "2048", disk, "1024"], check=True, capture_output=True)
    subprocess.run(["mmd", "-i", offset, "::/EFI", "::/EFI/Linux"], check=True)
    for version in VERSIONS:
        sections = {
            ".osrel": b"ID=debian\n",
            ".cmdline": f"root=UUID={UUID} rw quiet".encode(),
            ".uname": version.encode(),
            ".linux": kernel(),
            ".initrd": initrd_of(version, usb=True, asks=False),
        }
        image = folder / f"debian-{version}.efi"
        image.write_bytes(unified(sections))
        subprocess.run(["mcopy", "-i", offset, image, "::/EFI/Linux/"], check=True)
