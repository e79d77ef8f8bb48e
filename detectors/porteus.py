"""Porteus and PorteuX: a kernel with all file systems built in, and an initrd of its own.

``from=`` names the ISO file, whose name has to end in ``.iso``, and is searched on every device. Porteus also knows
``from=UUID:...``, PorteuX does not say so. A blank ends the path. ``changes=`` names a place on the medium, which an ISO file has no room for, and a missing one
stops the start with a question: it is left out, so every session is a fresh one.

Source, read: porteux/porteux: iso/boot/syslinux/porteux.cfg (62ee41c5), iso/boot/docs/cheatcodes.txt (2cb8a822),
iso/porteux/create-iso.sh (10b39e41, label), issue 13 (from= with a path alone, by a user); the head of its linuxrc, in
sfjro/aufs-standalone issue 31. Porteus: thias/glim (8b87c26) grub2/inc-porteus.cfg (not on virtio disks),
aguslr/multibootusb (a5cee8e) mbusb.d/porteus.d.
Reported, not read: Porteus' linuxrc, and that exFAT, NTFS and Btrfs are built into its kernel. The start from an ISO file
needs an initrd, which Porteus Kiosk keeps to itself: see ``own_medium``.
Words of choices: the manual of Porteus.
"""

import re

from bootkit.detect import (
    FOLDER_MARK,
    ISO_NAME_NOTE,
    ISO_PATH,
    LINUX_FILESYSTEMS,
    NEEDS_LINUX_FILESYSTEM,
    NOT_WHOLE,
    STICK_UUID,
    ChoiceWords,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    Menu,
    MenuEntry,
    NamePattern,
    NotMine,
    Persistence,
    QuickRule,
    Stack,
    arch_of,
    boot_entries,
    identify,
    read_menu,
    read_menus,
    usable_entries,
    without,
    without_loader_words,
)

FOLDERS = ("/porteus", "/porteux")
MENUS = ("/boot/syslinux/porteus.cfg", "/boot/syslinux/porteux.cfg")
PLACES = ("/boot/syslinux", "/porteus", "/boot")
FROM_ISO = f"from={ISO_PATH}"
FILESYSTEMS = ("vfat", "exfat", "ntfs", "ext4", "btrfs", "xfs")
TO_RAM = ("copy2ram",)
LONGEST_ACRONYM = 5
"""Letters of the longest desktop that is spelled in capitals: GNOME, LXQt and XFCE, but not Cinnamon and OpenBox."""
NAMES = (
    NamePattern("PorteuX", r"^porteux-(?:v?(?P<version>\d[\d.]*\d)-)?(?:(?P<edition>[a-z]+)-)?"),
    NamePattern("Porteus", r"^Porteus-(?P<edition>[A-Za-z]+)-v(?P<version>\d[\w.]*?)-(?P<arch>x86_64|i[4-6]86)"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    folder = next((path for path in FOLDERS if iso.glob(f"{path}/base/*.xzm")), "")
    if not folder:
        return NotMine(reason="there are no modules (.xzm) in /porteus/base or /porteux/base")
    entries = usable_entries(iso, _menu(iso), lambda entry: "plop" not in entry.kernel) or _by_files(iso)
    if not entries:
        return NOT_WHOLE
    first = entries[0]
    who = identify((iso.name, iso.volume_id), NAMES)
    distro = "PorteuX" if folder.endswith("x") else "Porteus"
    marker = re.search(r"porteus-v(\d[\d.]*\d)-(\w+)\.cfg", " ".join(node.name for node in iso.listdir(folder)))
    return Detection(
        stack="porteus",
        distro=distro,
        version=who.version or (marker[1] if marker is not None else ""),
        arch=who.arch or (marker[2] if marker is not None else arch_of(iso, first.title)),
        edition=who.edition.upper() if len(who.edition) <= LONGEST_ACRONYM else who.edition.capitalize(),
        entries=boot_entries(entries, _words, default=first, to_ram=TO_RAM),
        filesystems=FILESYSTEMS,
        evidence=(
            f"there are modules in {folder}/base",
            f"{first.source} starts {first.kernel}" if first.source else f"{first.kernel} is there",
        ),
        notes=(
            ISO_NAME_NOTE,
            "It keeps nothing between sessions unless changes= names a folder or a container on a partition.",
        ),
    )


def _menu(iso: IsoView) -> Menu:
    own = (read_menu(iso, path) for path in MENUS)
    return next((menu for menu in own if menu.linux), None) or read_menus(iso)


def _by_files(iso: IsoView) -> tuple[MenuEntry, ...]:
    """The entry for an image whose menu cannot be read."""
    for place in PLACES:
        kernels, initrds = iso.glob(f"{place}/vmlinuz"), iso.glob(f"{place}/initrd.*")
        if kernels and initrds:
            return (MenuEntry(title="Start", kernel=kernels[0], initrds=initrds[:1]),)
    return ()


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return (FROM_ISO, *without_loader_words(without(entry.cmdline, "from", "changes")))


DETECTOR = Detector(
    name="porteus",
    detect=detect,
    rank=30,
    quick=tuple(
        QuickRule(
            requires=(f"{folder}/base/*.xzm",),
            kernel=("/boot/syslinux/vmlinuz", "/porteus/vmlinuz"),
            initrd=("/boot/syslinux/initrd.*", "/porteus/initrd.*"),
            cmdline=(FROM_ISO,),
        )
        for folder in FOLDERS
    ),
    stacks=(
        Stack(
            name="porteus",
            systems=("Porteus", "PorteuX"),
            source="porteux/porteux (2cb8a822); aguslr/multibootusb (a5cee8e)",
            looked_at=(
                LookedAt(system="Porteus", version="5.01", when="2026-11", what="its porteus.cfg, as published"),
                LookedAt(system="PorteuX", version="2.4", when="2026-11", what="porteux/porteux (62ee41c5)"),
            ),
            keeps="a folder or a container on a partition, by changes=",
            words=ChoiceWords(keyboard=("kmap={keymap}",), timezone=("timezone={value}",)),
            persistence=Persistence(
                file=FOLDER_MARK,
                words=(f"changes=UUID:{STICK_UUID}{{folder}}",),
                filesystems=LINUX_FILESYSTEMS,
                because=NEEDS_LINUX_FILESYSTEM,
            ),
            layers=("aufs", "overlay"),
        ),
    ),
)
