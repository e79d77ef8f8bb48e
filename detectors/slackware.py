"""Slackware's installer: the initrd is the installer, and boots from anywhere. The packages are another matter.

``setup`` asks where they are: on a CD drive, a partition, the network, or "a pre-mounted directory". It opens no ISO
file, so the user mounts the stick and the ISO in the installer's shell and names the directory.

Kernel lines, read: Mexit/MultiOS-USB (5a8765a) config/slackware/slackware_install.cfg (works with -current's DVD);
aguslr/multibootusb (a5cee8e) mbusb.d/slackware.d.
Reported, not read: the installer, and that the huge kernel has FAT, ext4, Btrfs and NTFS built in.
"""

import re

from bootkit.detect import (
    ANY_FILESYSTEM,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    QuickRule,
    Stack,
    Verdict,
    boot_entries,
    read_menus,
    usable_entries,
    without_loader_words,
)

PACKAGES = ("/slackware64", "/slackware", "/slackwareaarch64")
KERNELS = ("/kernels/huge.s/bzImage", "/kernels/generic.s/bzImage", "/kernels/hugesmp.s/bzImage")
INITRD = "/isolinux/initrd.img"
WORDS = ("load_ramdisk=1", "prompt_ramdisk=0", "rw", "printk.time=0", "SLACK_KERNEL=huge.s")
HOW = (
    "Its packages are not found by themselves: before 'setup', mount the stick's partition and the ISO file in the shell "
    "(mount -o loop,ro), and choose 'pre-mounted directory' as source."
)


def detect(iso: IsoView) -> Detection | NotMine:
    kernel = next(filter(iso.is_file, KERNELS), "")
    if not kernel or not iso.is_file(INITRD):
        return NotMine(reason=f"there are no {KERNELS[0]} and {INITRD}")
    entries = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel.startswith("/kernels/"))
    entries = entries or (MenuEntry(title="Install", kernel=kernel, initrds=(INITRD,), cmdline=WORDS),)
    first = entries[0]
    packages = next(filter(iso.is_dir, PACKAGES), "")
    return Detection(
        stack="slackware installer",
        distro="Slackware",
        version=_version(iso),
        arch="x86_64" if packages == PACKAGES[0] else "i686" if packages == PACKAGES[1] else "",
        edition="" if packages else "mini",
        entries=boot_entries(entries, lambda entry: without_loader_words(entry.cmdline), default=first),
        filesystems=ANY_FILESYSTEM,
        evidence=(f"{kernel} and {INITRD} are there", *((f"{packages} holds packages",) if packages else ())),
        notes=(HOW,) if packages else ("It fetches its packages from the network.",),
    )


def _version(iso: IsoView) -> str:
    """The version, which the announcement carries in its name; -current has none."""
    announced = re.search(r"ANNOUNCE\.(\d+)[._](\d+)", " ".join(node.name for node in iso.listdir("/")))
    if announced is not None:
        return f"{announced[1]}.{announced[2]}"
    named = re.search(r"slackware\w*-(\d+\.\d+|current)", iso.name, re.IGNORECASE)
    return named[1] if named is not None else ""


DETECTOR = Detector(
    name="slackware",
    detect=detect,
    rank=35,
    quick=(
        QuickRule(
            requires=("/kernels/huge.s/bzImage", INITRD),
            kernel=("/kernels/huge.s/bzImage",),
            initrd=(INITRD,),
            cmdline=WORDS,
        ),
    ),
    stacks=(
        Stack(
            name="slackware installer",
            only_installs=True,
            systems=("Slackware",),
            source="Mexit/MultiOS-USB (5a8765a) config/slackware",
            looked_at=(
                LookedAt(
                    system="Slackware",
                    version="15.0",
                    when="2026-11",
                    what="Mexit/MultiOS-USB (5a8765a) config/slackware (reported)",
                ),
            ),
            verdict=Verdict.HELPED,
            but="the user mounts the packages by hand",
        ),
    ),
)
