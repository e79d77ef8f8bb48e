"""Parted Magic and Plop Linux: two systems of their own that both say ``iso_filename=``.

Parted Magic also takes ``uuid=`` of the partition. It copies itself to RAM, unless it is told ``boot=live``, which here
is no word for live-boot; then ``eject=no`` keeps it from letting go of the stick. Plop copies on ``copy2ram``.

Kernel lines, read: Mexit/MultiOS-USB (5a8765a) config/pmagic, config/ploplinux (Plop 24.2 works from exFAT);
aguslr/multibootusb (a5cee8e) mbusb.d/pmagic.d, ploplinux.d; a1ive/grub2-filemanager (918524dc) boot/grubfm/distro.
Reported, not read: both initrds (Parted Magic is sold, not published), and their file systems beside FAT and ext4.
"""

import re

from bootkit.detect import (
    ISO_PATH,
    STICK_UUID,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    QuickRule,
    Stack,
    boot_entries,
    read_menu,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
    word_value,
)

PMAGIC = "/pmagic"
PMAGIC_KERNELS = ("/pmagic/bzImage64", "/pmagic/bzImage")
PMAGIC_INITRDS = ("/pmagic/initrd.img", "/pmagic/fu.img", "/pmagic/m64.img", "/pmagic/m.img")
PMAGIC_MENUS = ("/boot/syslinux/syslinux.cfg", "/boot/isolinux/isolinux.cfg", "/isolinux.cfg")
PLOP_KERNEL, PLOP_INITRD = "/syslinux/kernel/bzImage", "/syslinux/kernel/initramfs.gz"
PLOP_MARK = "/ploplinux"
FIND_ISO = f"iso_filename={ISO_PATH}"
UUID = f"uuid={STICK_UUID}"


def detect(iso: IsoView) -> Detection | NotMine:
    if iso.is_dir(PMAGIC):
        return _parted_magic(iso)
    if iso.is_file(PLOP_KERNEL) and (iso.is_dir(PLOP_MARK) or iso.is_dir("/syslinux/plop")):
        return _plop(iso)
    return NotMine(reason=f"there is neither {PMAGIC} nor {PLOP_KERNEL} with {PLOP_MARK}")


def _parted_magic(iso: IsoView) -> Detection | NotMine:
    menus = (*(read_menu(iso, path) for path in PMAGIC_MENUS), read_menus(iso))
    found = (usable_entries(iso, menu, lambda entry: entry.kernel.startswith(f"{PMAGIC}/")) for menu in menus)
    entries = next(filter(None, found), ()) or _by_files(iso, PMAGIC_KERNELS, PMAGIC_INITRDS)
    if not entries:
        return NotMine(reason="no kernel and initrd of its menu are in /pmagic")
    return Detection(
        stack="pmagic",
        distro="Parted Magic",
        version=_version(iso, r"pmagic[_-](\d{4}_\d\d_\d\d)"),
        arch="x86_64" if iso.is_file(PMAGIC_KERNELS[0]) or not iso.is_file(PMAGIC_INITRDS[2]) else "i686",
        entries=boot_entries(entries, _pmagic_words, default=entries[0]),
        filesystems=("vfat", "ext4", "ntfs"),
        evidence=(f"{PMAGIC} is there", f"{entries[0].source or 'nobody but its place'} names {entries[0].kernel}"),
        notes=("It runs from RAM by itself, unless an entry says boot=live.",),
    )


def _pmagic_words(entry: MenuEntry) -> tuple[str, ...]:
    words = with_words(without_loader_words(without(entry.cmdline, "iso_filename", "uuid")), UUID, FIND_ISO)
    return with_words(words, "eject=no") if word_value(words, "boot") == "live" else words


def _plop(iso: IsoView) -> Detection | NotMine:
    entries = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel == PLOP_KERNEL)
    entries = entries or _by_files(iso, (PLOP_KERNEL,), (PLOP_INITRD,))
    if not entries:
        return NotMine(reason=f"there is no {PLOP_INITRD}")
    words = ("iso_filename",)
    return Detection(
        stack="plop",
        distro="Plop Linux",
        version=_version(iso, r"ploplinux-(\d[\d.]*\d)"),
        arch="x86_64" if "x86_64" in iso.name else "",
        entries=boot_entries(
            entries,
            lambda entry: (FIND_ISO, *without_loader_words(without(entry.cmdline, *words))),
            default=entries[0],
            to_ram=("copy2ram",),
        ),
        filesystems=("vfat", "exfat", "ext4"),
        evidence=(f"{PLOP_KERNEL} is there",),
    )


def _by_files(iso: IsoView, kernels: tuple[str, ...], initrds: tuple[str, ...]) -> tuple[MenuEntry, ...]:
    """The entry for an image whose menu cannot be read."""
    kernel, found = next(filter(iso.is_file, kernels), ""), tuple(filter(iso.is_file, initrds))
    return (MenuEntry(title="Start", kernel=kernel, initrds=found),) if kernel and found else ()


def _version(iso: IsoView, pattern: str) -> str:
    match = re.search(pattern, f"{iso.name} {iso.volume_id}", re.IGNORECASE)
    return match[1].replace("_", "-") if match is not None else ""


DETECTOR = Detector(
    name="iso_filename",
    detect=detect,
    rank=30,
    quick=(
        QuickRule(
            requires=(PLOP_KERNEL, "/syslinux/plop"),
            kernel=(PLOP_KERNEL,),
            initrd=(PLOP_INITRD,),
            cmdline=(FIND_ISO,),
        ),
    ),
    stacks=(
        Stack(
            name="pmagic",
            systems=("Parted Magic",),
            source="Mexit/MultiOS-USB (5a8765a) config/pmagic",
            looked_at=(
                LookedAt(
                    system="Parted Magic",
                    version="2024.09",
                    when="2026-11",
                    what="Mexit/MultiOS-USB (5a8765a) config/pmagic (reported)",
                ),
            ),
        ),
        Stack(
            name="plop",
            systems=("Plop Linux",),
            source="Mexit/MultiOS-USB (5a8765a) config/ploplinux",
            looked_at=(
                LookedAt(
                    system="Plop Linux",
                    version="24.2",
                    when="2026-11",
                    what="Mexit/MultiOS-USB (5a8765a) config/ploplinux (reported)",
                ),
            ),
        ),
    ),
)
