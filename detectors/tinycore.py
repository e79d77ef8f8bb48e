"""Tiny Core: an initrd that is the system, and extensions that lie on the image.

``iso=UUID=<uuid>/<path>`` makes it load the extensions of the image's /cde/onboot.lst; the script runs once, in the
background, so ``waitusb=5:UUID=<uuid>`` has to hold everything up until the stick is there. The file's name has to end
in ``.iso``, in small letters. Words are told by their beginning. ``lst=``, another set of extensions, is not heeded for
an ISO file, so entries that have it are left out. ``cde`` would look for the image on drives and is left out. Core has
no /cde, and nothing to find; no more has dCore.

Source, read: tinycorelinux/Core-scripts (f431c41): usr/bin/fromISOfile, etc/init.d/tc-config (options, waitusb, iso),
etc/init.d/tc-functions (find_mountpoint takes UUID=). Kernel lines: aguslr/multibootusb (a5cee8e) mbusb.d/tinycore.d.
Reported, not read: dCore's image, and that the kernel has FAT and ext4 built in.
Words of choices: the manual of Tiny Core.
"""

import re

from bootkit.detect import (
    ANY_FILESYSTEM,
    ISO_NAME_NOTE,
    ISO_PATH,
    STICK_UUID,
    ChoiceWords,
    Detection,
    Detector,
    FileFinder,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    QuickRule,
    Stack,
    boot_entries,
    has_word,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
    word_value,
)

INITRDS = ("/boot/core.gz", "/boot/corepure64.gz", "/boot/rootfs.gz", "/boot/dCore*.gz", "/boot/tinycore.gz")
KERNELS = ("/boot/vmlinuz", "/boot/vmlinuz64", "/boot/bzImage")
ONBOOT = "/cde/onboot.lst"
FIND_ISO = (f"iso=UUID={STICK_UUID}{ISO_PATH}", f"waitusb=5:UUID={STICK_UUID}")
FILESYSTEMS = ("vfat", "ext4")
LEFT_OUT = "Entries for other sets of extensions are left out: an ISO file is always started with the usual set."


def detect(iso: IsoView) -> Detection | NotMine:
    initrd = next((path for pattern in INITRDS for path in iso.glob(pattern)), "")
    kernel = next(filter(iso.is_file, KERNELS[:2]), "")
    if not initrd or not kernel:
        return NotMine(reason="there is no core.gz or the like with a vmlinuz in /boot")
    has_cde = iso.is_file(ONBOOT)
    all_entries = usable_entries(iso, read_menus(iso), lambda entry: entry.initrds[:1] == (initrd,))
    entries = tuple(entry for entry in all_entries if not has_word(entry.cmdline, "lst"))
    if not entries and not has_cde and "core" not in initrd.lower():
        return NotMine(reason=f"its menu does not start {initrd}, and there is no {ONBOOT}")
    entries = entries or (MenuEntry(title="Start", kernel=kernel, initrds=(initrd,), cmdline=("loglevel=3", "cde")),)
    first = entries[0]
    is_dcore = "dcore" in initrd.lower()
    ours = boot_entries(entries, lambda entry: _words(entry, has_cde=has_cde), default=first)
    return Detection(
        stack="tinycore",
        distro="dCore" if is_dcore else "Tiny Core Linux",
        version=_version(iso),
        arch="x86_64" if "64" in initrd or "64" in first.kernel else "i686",
        edition="" if is_dcore else _edition(iso, all_entries, has_cde=has_cde),
        entries=ours,
        filesystems=FILESYSTEMS if has_cde else ANY_FILESYSTEM,
        evidence=(
            f"{initrd} is there",
            f"{ONBOOT} lists extensions" if has_cde else f"there is no {ONBOOT}, so there is nothing to find",
        ),
        notes=(ISO_NAME_NOTE, *((LEFT_OUT,) if len(all_entries) > len(entries) else ())) if has_cde else (),
    )


def _words(entry: MenuEntry, *, has_cde: bool) -> tuple[str, ...]:
    words = without_loader_words(without(entry.cmdline, "iso", "cde"))
    if not has_cde or not has_word(entry.cmdline, "cde"):
        return words
    return with_words(without(words, "waitusb"), *FIND_ISO)


def _version(iso: IsoView) -> str:
    for text in (iso.name, iso.text("/boot/isolinux/boot.msg")):
        if match := re.search(
            r"(?:Core|CorePlus|TinyCore|CorePure64)\w*[- ]v?(\d+\.\d+(?:\.\d+)?)", text, re.IGNORECASE
        ):
            return match[1]
    return ""


def _edition(iso: IsoView, entries: tuple[MenuEntry, ...], *, has_cde: bool) -> str:
    if not has_cde:
        return "Core"
    plus = any(has_word(entry.cmdline, "lst") or word_value(entry.cmdline, "desktop") for entry in entries)
    return "CorePlus" if plus and "tinycore" not in iso.name.lower() else "TinyCore"


DETECTOR = Detector(
    name="tinycore",
    detect=detect,
    rank=30,
    quick=(
        QuickRule(
            requires=(ONBOOT,),
            kernel=("/boot/vmlinuz64", "/boot/vmlinuz"),
            initrd=("/boot/corepure64.gz", "/boot/core.gz"),
            cmdline=("loglevel=3", *FIND_ISO),
        ),
        QuickRule(
            requires=("/boot/core*.gz",),
            kernel=("/boot/vmlinuz64", "/boot/vmlinuz"),
            initrd=("/boot/corepure64.gz", "/boot/core.gz"),
            cmdline=("loglevel=3",),
        ),
    ),
    stacks=(
        Stack(
            name="tinycore",
            systems=("Tiny Core Linux", "Core", "CorePlus", "dCore"),
            source="tinycorelinux/Core-scripts (f431c41)",
            looked_at=(
                LookedAt(
                    system="CorePlus",
                    version="15",
                    when="2026-06",
                    what="its image, in the tests of linuxboot/heads (aedae4ff)",
                ),
            ),
            markers={"tinycore": ("bin/tce-load",), "tinycore-iso": ("bin/fromISOfile",)},
            finder=FileFinder(
                markers=("tinycore-iso",),
                scripts="tinycore",
                lacking="Its initrd was made without the script fromISOfile, which takes the extensions from an ISO file.",
            ),
            keeps="a folder of a partition, by tce=UUID=...",
            words=ChoiceWords(
                language=("lang={lang}",),
                keyboard=("kmap={keymap}",),
                timezone=("tz={value}",),
                user=("user={value}",),
                host=("host={value}",),
            ),
        ),
    ),
)
