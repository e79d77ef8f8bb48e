"""ISO files to measure with: real ones in shape, empty in content."""

import os
import shutil
import subprocess
from pathlib import Path

from bootkit.formats.partitions import PartitionEntry, read_partitions

MENU = """\
menuentry "Try or Install" {
    linux /casper/vmlinuz boot=casper --- quiet splash
    initrd /casper/initrd
}
"""

_BLOCK = 4096

SHAPES: dict[str, dict[str, str]] = {
    "casper": {
        "casper/vmlinuz": "kernel",
        "casper/initrd": "initrd",
        "casper/filesystem.squashfs": "root",
        ".disk/info": 'Ubuntu 24.04.1 LTS "Noble Numbat" - Release amd64 (20240827.1)\n',
        ".disk/casper-uuid-generic": "5dcd1e4d-3a25-4a0e-a3f3-3e2b3cf2a5a1\n",
        "boot/grub/grub.cfg": MENU,
        "boot/grub/loopback.cfg": MENU.replace("boot=casper", "boot=casper iso-scan/filename=${iso_path}"),
    },
    "live-boot": {
        "live/vmlinuz": "kernel",
        "live/initrd.img": "initrd",
        "live/filesystem.squashfs": "root",
        ".disk/info": "Official Debian GNU/Linux Live 12.7.0 xfce 2024-08-31T10:26\n",
        "boot/grub/grub.cfg": (
            'menuentry "Live system" {\n linux /live/vmlinuz boot=live components quiet splash\n initrd /live/initrd.img\n}\n'
        ),
    },
    "dmsquash-live": {
        "images/pxeboot/vmlinuz": "kernel",
        "images/pxeboot/initrd.img": "initrd",
        "LiveOS/squashfs.img": "root",
        "EFI/BOOT/grub.cfg": (
            'menuentry "Start Fedora-Workstation-Live 40" {\n'
            " linux /images/pxeboot/vmlinuz root=live:CDLABEL=BENCH rd.live.image quiet\n"
            " initrd /images/pxeboot/initrd.img\n}\n"
        ),
    },
    "unknown": {"readme.txt": "nothing to boot here\n"},
}


def make_tree(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def make_iso(tree: Path, image: Path, volume_id: str = "BENCH") -> None:
    """Write an image, its zeros as holes: a 3 GiB file of nothing takes no room."""
    mkisofs = [
        "xorriso", "-as", "mkisofs", "-quiet",
        "-iso-level", "3", "-r", "-J", "-joliet-long",
        "-V", volume_id,
        os.fspath(tree),
    ]  # fmt: skip
    with (
        image.open("wb") as target,
        subprocess.Popen(mkisofs, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as made,
    ):
        subprocess.run(
            ["dd", "bs=1M", "iflag=fullblock", "conv=sparse", "status=none"],
            check=True,
            stdin=made.stdout,
            stdout=target,
        )
        if made.wait():
            raise SystemExit(f"xorriso could not make {image.name}")


def make_shapes(folder: Path, *, shim: Path | None = None) -> list[Path]:
    """One small image of each shape, started with ``shim`` by UEFI."""
    images: list[Path] = []
    for name, files in SHAPES.items():
        make_tree(folder / name, files)
        if shim is not None:
            (folder / name / "EFI/BOOT").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shim, folder / name / "EFI/BOOT/BOOTX64.EFI")
        images.append(folder / f"{name}.iso")
        make_iso(folder / name, images[-1])
    return images


def make_varied(shapes: list[Path], folder: Path, number: int) -> None:
    """An image that has its label, version and titles for itself, out of one of ``shapes``; its zeros as holes."""
    shape = shapes[number % len(shapes)]
    tens, ones = divmod(number, 10)
    content = shape.read_bytes().replace(b"BENCH", b"B%04d" % number)
    for said, own in (
        (b"24.04.1", b"%02d.%02d.%d" % (tens // 100, tens % 100, ones)),
        (b"12.7.0", b"%03d.%d" % (tens, ones) + b"0"),
        (b"Workstation-Live 40", b"Workstation%04d  40" % number),
    ):
        content = content.replace(said, own)
    with (folder / f"{shape.stem}-{number:04}.iso").open("wb") as image:
        for at in range(0, len(content), _BLOCK):
            block = content[at : at + _BLOCK]
            if block.strip(b"\0"):
                image.seek(at)
                image.write(block)
        image.truncate(len(content))


def make_big(folder: Path) -> Path:
    """60,000 files in 30,000 folders, in number as in Debian's pool, and one file of 3 GiB: a casper image."""
    tree = folder / "big"
    make_tree(tree, SHAPES["casper"])
    with (tree / "casper" / "filesystem.squashfs").open("wb") as root:
        root.truncate(3 << 30)
    for package in range(30_000):
        pool = tree / "pool" / "main" / f"{package % 26:02}" / f"package{package:05}"
        pool.mkdir(parents=True)
        for part in ("bin", "doc"):
            (pool / f"package{package:05}-{part}_1.0_amd64.deb").write_bytes(b"")
    image = folder / "big.iso"
    make_iso(tree, image)
    return image


def data_partition(stick: Path) -> PartitionEntry:
    """Where the data of a stick in an image file lie."""
    with stick.open("rb") as file:
        return next(part for part in read_partitions(file).partitions if part.number == 1)
