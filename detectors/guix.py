"""Guix System: its initrd is one program in Guile, which waits for a disk and opens no ISO file.

The kernel line names the disk by UUID or label, ``root=``, and the system to load from it, ``gnu.load=``. The program looks
at every disk of /proc/partitions, loop devices included, once a second and 21 times, reads their superblocks itself, and
fails then. There is no shell in its initrd and no driver for FAT, but the loop device and ext4 are part of the kernel: so
bootkit's overlay opens the file on ext4, and elsewhere maps it by the place of its bytes on the stick. Nothing of the
user's is laid over the system, because nothing can be called between the root and its boot program.

The kernel and the initrd lie in folders of the store that only the menu names.

Source, read: GNU Guix gnu/build/linux-boot.scm (eb06d514, of 2026; boot-system, switch-root), gnu/build/file-systems.scm
(0dd74167; disk-partitions, canonicalize-device-spec), gnu/system/linux-initrd.scm (01f07072; no module for ext4),
gnu/packages/aux-files/linux-libre/7.1-x86_64.conf (480aa4c1; BLK_DEV_LOOP=y, VFAT_FS=m).
How the overlay opens the file was booted with an initrd whose init is no shell script either (tests/boots/test_no_shell.py).
Reported, not read: that older kernels of Guix have the loop device built in, too.
"""

import re

from bootkit.detect import (
    MAKES_A_DISK,
    ON_A_DISK,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    NotMine,
    Stack,
    arch_of,
    boot_entries,
    has_word,
    read_menus,
    usable_entries,
)

STACK = "Guix initrd"
VERSION = re.compile(r"guix-system(?:-install)?-(\d+(?:\.\d+)+(?:rc\d+)?)", re.IGNORECASE)


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_dir("/gnu/store"):
        return NotMine(reason="there is no /gnu/store")
    entries = usable_entries(iso, read_menus(iso), lambda entry: has_word(entry.cmdline, "gnu.load"))
    if not entries:
        return NotMine(reason="its menu starts no kernel of the image with gnu.load=/gnu/store/...")
    version = VERSION.search(iso.name)
    return Detection(
        stack=STACK,
        distro="Guix System",
        version=version[1] if version else "",
        arch=arch_of(iso, iso.name),
        entries=boot_entries(entries, default=entries[0]),
        filesystems=("ext4",),
        evidence=("/gnu/store is there", f"{entries[0].source} has gnu.load=, as its initrd needs it"),
        notes=(
            ON_A_DISK,
            "Nothing of the stick's is laid over it: neither home nor extensions.",
        ),
        wants_disk=True,
    )


DETECTOR = Detector(
    name="guix",
    detect=detect,
    rank=30,
    stacks=(
        Stack(
            name=STACK,
            systems=("Guix System",),
            source="GNU Guix (eb06d514) gnu/build/linux-boot.scm",
            looked_at=(
                LookedAt(
                    system="Guix System", version="1.5.0", when="2026-11", what="GNU Guix (eb06d514), which is newer"
                ),
            ),
            but="nothing of the user's is laid over it",
            overlay=MAKES_A_DISK,
        ),
    ),
)
