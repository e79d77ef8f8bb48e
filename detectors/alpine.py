"""Alpine: its initrd searches devices for a repository and knows no ISO file.

``nlplug-findfs`` mounts every block device that the kernel announces, changes included and loop devices as well, and looks
for ``.boot_repository`` and apkovl files on it; no word on the kernel line names a file, and ``alpine_dev=`` is no longer
read. So bootkit's overlay makes a disk of the file beside it. The search ends when the kernel has been quiet for a moment,
which ``usbdelay=`` puts off. Nobody has seen it boot so yet: a guess.

Source, read: alpinelinux/mkinitfs 3.12.0+ (cc4954b): initramfs-init.in (the list of its options, ``usbdelay``,
``alpine_repo``), nlplug-findfs.c, features.d (FAT, ext4; loop and squashfs by ``modules=`` of the vendor's line); the release
file: alpine/aports scripts/mkimage.sh (``.alpine-release`` holds image name, release and date).
"""

import re
from dataclasses import replace

from bootkit.detect import (
    Detection,
    Detector,
    IsoView,
    MenuEntry,
    NotMine,
    Stack,
    Verdict,
    boot_entries,
    read_menus,
    without,
    without_loader_words,
)
from bootkit.detectors._live import MAKES_A_DISK, ON_A_DISK, usable_entries

RELEASE = "/.alpine-release"
SECONDS = 20
"""How long the search goes on; a slow stick shows after 16."""
INSTEAD = (
    "Copy /boot and /apks of the image to the root of a FAT32 or ext4 partition of their own, boot it from the network with "
    "alpine_repo= and modloop=, or write it to a stick of its own"
)
EDITIONS = {"std": "Standard", "extended": "Extended", "virt": "Virtual", "xen": "Xen", "standard": "Standard"}


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file(RELEASE):
        return NotMine(reason=f"there is no {RELEASE}")
    text = iso.text(RELEASE).strip()
    version = re.search(r"-(\d+(?:\.\d+)*(?:[_-](?:alpha|beta|rc)\d*)?|\d{8}|edge)\b", text)
    flavour = re.match(r"alpine-([a-z]+)", text)
    arches = [node.name for node in iso.listdir("/apks") if node.is_dir]
    edition = flavour[1] if flavour is not None else ""
    known = Detection(
        stack="Alpine initrd",
        distro="Alpine Linux",
        version=version[1] if version is not None else "",
        arch=arches[0] if arches else "",
        edition=EDITIONS.get(edition, edition.capitalize()),
        evidence=(f"{RELEASE} says {text.splitlines()[0]!r}" if text else f"{RELEASE} is there",),
    )
    entries = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel.startswith("/boot/"))
    if not entries:
        return replace(known, obstacle="Its menu starts no Linux of the image.", instead=f"{INSTEAD}.")
    return replace(
        known,
        entries=boot_entries(entries, _words, default=entries[0]),
        notes=(
            ON_A_DISK,
            f"If it does not: {INSTEAD[:1].lower()}{INSTEAD[1:]}.",
        ),
        wants_disk=True,
        untested=True,
    )


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return (*without_loader_words(without(entry.cmdline, "usbdelay")), f"usbdelay={SECONDS}")


DETECTOR = Detector(
    name="alpine",
    detect=detect,
    rank=20,
    stacks=(
        Stack(
            name="Alpine initrd",
            systems=("Alpine Linux",),
            source="alpinelinux/mkinitfs 3.12.0+ (cc4954b)",
            verdict=Verdict.GUESS,
            overlay=MAKES_A_DISK,
        ),
    ),
)
