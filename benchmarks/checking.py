"""Predicting what boots: the first time, when the initrds have to be unpacked, and from the records after that."""

import os
import random
import subprocess
from pathlib import Path

from images import SHAPES, make_iso, make_tree
from measure import BOOTKIT, Argv, bytes_read, forget, goal, median, mib, run, seconds, table

IMAGES = 20
WITHIN = 1.0
VERSION = "6.1.0-9-amd64"
MODULES = 1200
MODULE_SIZE = 40 << 10
DRIVERS = ("block/loop", "ext4/ext4", "fat/vfat", "nls/nls_ascii", "nls/nls_cp437", "squashfs/squashfs")
SAID = (0, 6, 7, 8)
"""Exit statuses: a folder of this computer is on whatever file system it has."""


def measure(folder: Path) -> None:
    image = make_live_image(folder)
    initrd = (folder / "tree/live/initrd.img").stat().st_size
    stick = folder / "stick"
    (stick / "boot/bootkit").mkdir(parents=True)
    (stick / "boot/bootkit/stick.toml").write_text("[stick]\n", encoding="utf-8")
    (stick / "boot/iso").mkdir()
    for number in range(IMAGES):
        os.link(image, stick / f"boot/iso/debian-{number:02}.iso")
    command: Argv = [BOOTKIT, "check", "--stick", stick]
    forget(image)
    first = run(command, ok=SAID)
    run([BOOTKIT, "generate", "--stick", stick])
    again = median(command, runs=9, ok=SAID)
    read = bytes_read(command, ".iso", ok=SAID)
    rows = [
        ["the first time", seconds(first.seconds), seconds(first.cpu), mib(first.peak), ""],
        ["from the records", seconds(again.seconds), seconds(again.cpu), mib(again.peak), f"{read:,}"],
    ]
    table(
        f"check: {IMAGES} live images, each with an initrd of {mib(initrd)}",
        ["", "wall", "CPU", "peak", "bytes of images read"],
        rows,
    )
    work = f"check of {IMAGES} live images, from the records"
    goal(work, seconds(again.seconds), f"within {WITHIN} s", met=again.seconds <= WITHIN)
    goal(f"{work}: read of them", f"{read:,} bytes", "nothing", met=read == 0)


def make_live_image(folder: Path) -> Path:
    """A live-boot image with as many modules in its initrd as Debian's has, in zstd."""
    tree, root = folder / "tree", folder / "initrd"
    make_tree(tree, SHAPES["live-boot"])
    modules = f"usr/lib/modules/{VERSION}"
    make_tree(
        root,
        {
            "conf/initramfs.conf": "MODULES=most\n",
            "usr/lib/live/boot/9990-main.sh": "#!/bin/sh\n",
            f"{modules}/modules.builtin": "kernel/fs/isofs/isofs.ko\n",
            **{f"{modules}/kernel/fs/{name}.ko": "driver\n" for name in DRIVERS},
        },
    )
    dice = random.Random(1)
    for number in range(MODULES):
        path = root / modules / f"kernel/drivers/m{number % 40}/m{number}.ko"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dice.randbytes(MODULE_SIZE // 4) + bytes(MODULE_SIZE * 3 // 4))
    pack = 'cd "$1" && find . | cpio -o -H newc --quiet | zstd -q -3 -f -o "$2"'
    subprocess.run(["sh", "-c", pack, "sh", root, tree / "live/initrd.img"], check=True)
    image = folder / "live.iso"
    make_iso(tree, image)
    return image
