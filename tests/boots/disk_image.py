#!/usr/bin/env python3
"""Build images of installed systems from Debian's packages, as an installer leaves a disk: inputs of the boot tests.

    tests/boots/disk_image.py --family initramfs-tools|cryptsetup-initramfs|dracut [--out disk.raw] [--suite bookworm]

A GPT with an EFI system partition and an ext4 root that fstab names by their UUIDs, Debian's own kernel with the initrd that
its package makes, and GRUB's menu in the shape that update-grub gives it. What makes it quick is only what is left out, as in
:mod:`tests.boots.live_iso`. In ``/root/kernel.deb`` lies a package with the same kernel and initrd under a higher version, to be
installed inside: making a real initrd takes longer than everything else in an emulator.

Cached by :mod:`tests.boots.cache`. Needs root: the file system keeps its owners.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.boots.cache import cached
from tests.boots.live_iso import (
    EXCLUDED,
    KERNEL_MODULES,
    LIBRARIES,
    MASKED,
    apt_settings,
    debian_sources,
    host_suite,
)

PACKAGES = (
    "linux-image-amd64",
    "bash",
    "dbus",
    "e2fsprogs",
    "kmod",
    "passwd",
    "sudo",
    "systemd-sysv",
    "udev",
    "zstd",
)
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "initramfs-tools": ("initramfs-tools",),
    "cryptsetup-initramfs": ("initramfs-tools", "cryptsetup-initramfs"),
    "dracut": ("dracut", "dmsetup", "cryptsetup"),
}
"""What makes the initrd, with what a full system has beside it."""
ASKS = 'mkdir -p "$1/etc/cryptsetup-initramfs" && echo CRYPTSETUP=y >"$1/etc/cryptsetup-initramfs/conf-hook"'
"""Without it, Debian's initrd can open only what was encrypted when it was made."""
MODULES = (*KERNEL_MODULES, "drivers/md/dm-", "drivers/md/persistent-data")
NEWER = "99.0.0-1-amd64"
"""The version that the second kernel is called by."""
ROOT_UUID = "0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e01"
ESP_UUID = "B007-0001"
ESP_MIB, SPARE_MIB = 16, 160
"""Of the root, so much stays free."""
MIB = 1 << 20
FSTAB = f"""\
UUID={ROOT_UUID} / ext4 errors=remount-ro 0 1
UUID={ESP_UUID} /boot/efi vfat umask=0077 0 1
"""
MENU = """\
set default="0"
menuentry 'Debian GNU/Linux' --class debian --class gnu-linux --class gnu --class os {{
	insmod gzio
	insmod part_gpt
	insmod ext2
	search --no-floppy --fs-uuid --set=root {uuid}
	echo	'Loading Linux {release} ...'
	linux	/boot/vmlinuz-{release} root=UUID={uuid} ro quiet
	echo	'Loading initial ramdisk ...'
	initrd	/boot/initrd.img-{release}
}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--family", choices=tuple(FAMILIES), required=True)
    parser.add_argument(
        "--out", type=Path, help="where to put the image; without it only the cached file's path is printed"
    )
    parser.add_argument("--suite", default=host_suite(), help="Debian release (default: this machine's)")
    options = parser.parse_args()
    cached = cached_disk_image(options.suite, options.family)
    if options.out is None:
        sys.stdout.write(f"{cached}\n")
    else:
        subprocess.run(["cp", "--sparse=always", "--", cached, options.out], check=True)


def cached_disk_image(suite: str, family: str) -> Path:
    """The image in the cache, built if it is not there yet."""
    shared = repr((EXCLUDED, MODULES, LIBRARIES, MASKED, suite))
    recipe = Path(__file__).read_bytes() + shared.encode()
    return cached(f"disk-{suite}-{family}", ".raw", recipe, lambda work: build(work, suite, family))


def build(work: Path, suite: str, family: str) -> Path:
    """Make the image below ``work``."""
    if os.geteuid() != 0:
        raise SystemExit("disk_image: run this as root: the file system inside keeps its owners")
    root = work / "root"
    root.mkdir()
    bootstrap(root, suite, family)
    release = next((root / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-")
    (root / "etc/fstab").write_text(FSTAB)
    (root / "etc/hostname").write_text("installed\n")
    (root / "boot/efi").mkdir()
    (root / "boot/grub").mkdir()
    (root / "boot/grub/grub.cfg").write_text(MENU.format(uuid=ROOT_UUID, release=release))
    newer_kernel(work, root, release)
    return disk_of(work, root)


def bootstrap(root: Path, suite: str, family: str) -> None:
    excluded = [*EXCLUDED, *(f"{lib}/modules/*/kernel/*" for lib in LIBRARIES)]
    included = [f"{lib}/modules/*/kernel/{path}*" for lib in LIBRARIES for path in MODULES]
    masks = " ".join(f'"$1/etc/systemd/system/{unit}"' for unit in MASKED)
    command: list[str | Path] = [
        "mmdebstrap", "--variant=minbase", f"--include={','.join((*PACKAGES, *FAMILIES[family]))}", "--quiet",
        *(f"--dpkgopt=path-exclude={path}" for path in excluded),
        *(f"--dpkgopt=path-include={path}" for path in included),
        "--dpkgopt=force-confold",
        f"--essential-hook={ASKS}",
        *(f"--aptopt={setting}" for setting in apt_settings()),
        f'--customize-hook=for unit in {masks}; do ln -sf /dev/null "$unit"; done',
        suite, root, "-",
    ]  # fmt: skip
    subprocess.run(command, input=debian_sources(suite).encode(), stdout=sys.stderr, check=True)


def newer_kernel(work: Path, root: Path, release: str) -> None:
    """A package that installs what a newer kernel's would: kernel, initrd and, for the same kernel, no modules."""
    tree = work / "kernel"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "boot").mkdir()
    (tree / "DEBIAN/control").write_text(
        f"Package: linux-image-{NEWER}\nVersion: 99\nArchitecture: amd64\nMaintainer: bootkit's tests <nobody@example.org>\n"
        "Description: the kernel once more, under a higher version\n"
    )
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(root / f"boot/{name}-{release}", tree / f"boot/{name}-{NEWER}")
    subprocess.run(
        ["dpkg-deb", "-Znone", "--build", tree, root / "root/kernel.deb"], stdout=subprocess.DEVNULL, check=True
    )


def disk_of(work: Path, root: Path) -> Path:
    """The partitions with their file systems, and the table in front of them."""
    used = int(subprocess.run(["du", "-sm", root], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[0])
    root_mib = used + used // 8 + SPARE_MIB
    image, esp, ext4 = work / "disk.raw", work / "esp", work / "ext4"
    subprocess.run(
        ["mkfs.fat", "-C", "-i", ESP_UUID.replace("-", ""), esp, str(ESP_MIB << 10)],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-U", ROOT_UUID, "-d", root, ext4, f"{root_mib}M"], check=True, stdout=sys.stderr
    )
    with image.open("xb") as disk:
        disk.truncate((1 + ESP_MIB + root_mib + 1) * MIB)
    table = f"label: gpt\nstart=1MiB, size={ESP_MIB}MiB, type=U\nstart={1 + ESP_MIB}MiB, size={root_mib}MiB, type=L\n"
    subprocess.run(["sfdisk", "--quiet", image], input=table.encode(), check=True)
    for part, at in ((esp, 1), (ext4, 1 + ESP_MIB)):
        subprocess.run(
            ["dd", f"if={part}", f"of={image}", "bs=1M", f"seek={at}", "conv=notrunc,sparse", "status=none"], check=True
        )
    return image


if __name__ == "__main__":
    main()
