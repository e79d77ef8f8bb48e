"""Alpine: its initrd searches devices for a repository and knows no ISO file.

``nlplug-findfs`` mounts every block device that the kernel announces, changes included and loop devices as well, and looks
for ``.boot_repository`` and apkovl files on it; no word on the kernel line names a file, and ``alpine_dev=`` is no longer
read. So bootkit's overlay makes a disk of the file beside it. The search ends when the kernel has announced nothing for
six seconds; until the stick has shown up, the overlay makes it announce something. (``usbdelay=`` is no help: its seconds
begin when a repository was found.)

Before it looks at a device it calls ``/sbin/mdev`` and waits for it: ours makes every disk but the stick read-only.

The Xen flavour's menu starts its Linux as a module of Xen, which cannot be added to; it is started without Xen.

Source, read: alpinelinux/mkinitfs 3.12.0+ (cc4954b, 0316297): initramfs-init.in (the list of its options, ``usbdelay``,
``alpine_repo``), nlplug-findfs.c (the wait begins anew with each message of the kernel), features.d (FAT, ext4; loop and
squashfs by ``modules=`` of the vendor's line); the release file: alpine/aports scripts/mkimage.sh (``.alpine-release``
holds image name, release and date). Booted: mkinitfs' init and nlplug-findfs (cc4954b), from ext4 and FAT32.
"""

import re
from dataclasses import replace

from bootkit.detect import (
    MAKES_A_DISK,
    ON_A_DISK,
    SETUP_DISK,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    Stack,
    boot_entries,
    read_menus,
    usable_entries,
)

RELEASE = "/.alpine-release"
INSTEAD = (
    "Copy /boot and /apks of the image to the root of a FAT32 or ext4 partition of their own, boot it from the network with "
    "alpine_repo= and modloop=, or write it to a stick of its own"
)
WITHOUT_XEN = "It starts without Xen, to which nothing can be added: for the hypervisor write it to a stick of its own."
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
    menu = read_menus(iso)
    without_xen = replace(menu, entries=tuple(_without_xen(entry) for entry in menu.entries))
    entries = usable_entries(iso, without_xen, lambda entry: entry.kernel.startswith("/boot/"))
    if not entries:
        return replace(known, obstacle="Its menu starts no Linux of the image.", instead=f"{INSTEAD}.")
    return replace(
        known,
        entries=boot_entries(entries, default=entries[0]),
        notes=(
            ON_A_DISK,
            *((WITHOUT_XEN,) if any(entry.is_xen for entry in menu.entries) else ()),
        ),
        filesystems=("vfat", "ext4"),
        wants_disk=True,
    )


def _without_xen(entry: MenuEntry) -> MenuEntry:
    """The Linux that an entry starts as a module of Xen, by itself."""
    if not entry.is_xen or len(entry.modules) < 2:
        return entry
    linux, initrd, *_more = entry.modules
    return replace(entry, loader="linux", kernel=linux.path, cmdline=linux.cmdline, initrds=(initrd.path,), modules=())


DETECTOR = Detector(
    name="alpine",
    detect=detect,
    rank=20,
    stacks=(
        Stack(
            name="Alpine initrd",
            installers=(SETUP_DISK,),
            mounts_all=True,  # nlplug-findfs, for a repository or an overlay file
            systems=("Alpine Linux",),
            source="alpinelinux/mkinitfs 3.12.0+ (cc4954b)",
            looked_at=(
                LookedAt(
                    system="Alpine Linux",
                    version="3.23",
                    when="2026-11",
                    what="alpinelinux/mkinitfs (cc4954b), of the week before its release",
                ),
            ),
            overlay=MAKES_A_DISK,
        ),
    ),
)
