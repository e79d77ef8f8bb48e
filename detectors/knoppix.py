"""KNOPPIX. Its /init is a shell script of its own, and ``bootfrom=`` names the medium.

``bootfrom=/dev/sda1/path.iso`` is the documented form; on a stick the name of the partition is not known, and names by
UUID were reported not to work. ``bootfrom=/mnt-iso/`` and the path is what worked for others with 8.x and 9.x.

Reported, not read: aguslr/multibootusb (a5cee8e) mbusb.d/knoppix.d and a published menu for 9.1 for ``/mnt-iso/``,
a1ive/grub2-filemanager (918524d) for ``/dev/*``. The script itself is not public outside the images. File systems beside
FAT and ext4 are not known.
Words of choices: the manual of Knoppix.
"""

import re

from bootkit.detect import (
    ISO_PATH,
    ChoiceWords,
    Detection,
    Detector,
    FileFinder,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    QuickRule,
    ScriptMark,
    Stack,
    boot_entries,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
)

ROOT = "/KNOPPIX/KNOPPIX"
INITRD = "/boot/isolinux/minirt.gz"
FIND_ISO = f"bootfrom=/mnt-iso/{ISO_PATH}"
ELSEWHERE = ("bootfrom", "fromhd", "fromcd", "fromdvd", "tohd")
_VERSION = re.compile(r"(?<![\d.])(\d{1,2}\.\d+(?:\.\d+)?)(?![\d.])")
_EDITION = re.compile(r"KNOPPIX_V[\d.]+(CD|DVD)")


def detect(iso: IsoView) -> Detection | NotMine:
    if not (iso.is_file(ROOT) and iso.is_file(INITRD)):
        return NotMine(reason=f"there is no {ROOT} with {INITRD}")
    entries = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel.startswith("/boot/isolinux/linux"))
    entries = entries or _by_files(iso)
    if not entries:
        return NotMine(reason="there is no kernel in /boot/isolinux")
    first = entries[0]
    texts = (iso.text("/KNOPPIX/knoppix-version"), iso.name.replace("_V", " ").replace("CD", " "), iso.volume_id)
    version = next((match[1] for text in texts if (match := _VERSION.search(text))), "")
    edition = _EDITION.search(iso.name)
    return Detection(
        stack="knoppix",
        distro="KNOPPIX",
        version=version,
        arch="x86_64" if first.kernel.endswith("64") else "i686",
        edition=edition[1] if edition is not None else "",
        entries=boot_entries(entries, words, default=first, to_ram=("toram",)),
        filesystems=("vfat", "ext4"),
        evidence=(
            f"{first.source} starts {first.kernel}" if first.source else f"{first.kernel} is there",
            f"{ROOT} is there",
        ),
        notes=("How it finds its ISO file was reported for 8.x and 9.x; older images may not start.",),
    )


def _by_files(iso: IsoView) -> tuple[MenuEntry, ...]:
    kernels = {"/boot/isolinux/linux64": "Start, 64 bit", "/boot/isolinux/linux": "Start, 32 bit"}
    return tuple(
        MenuEntry(title=title, kernel=kernel, initrds=(INITRD,), cmdline=("lang=en",))
        for kernel, title in kernels.items()
        if iso.is_file(kernel)
    )


def words(entry: MenuEntry) -> tuple[str, ...]:
    return with_words(without_loader_words(without(entry.cmdline, *ELSEWHERE)), FIND_ISO)


DETECTOR = Detector(
    name="knoppix",
    detect=detect,
    rank=20,
    quick=(
        QuickRule(
            requires=(ROOT,),
            kernel=("/boot/isolinux/linux64", "/boot/isolinux/linux"),
            initrd=(INITRD,),
            cmdline=("lang=en", "apm=power-off", "nomce", FIND_ISO),
        ),
    ),
    stacks=(
        Stack(
            name="knoppix",
            systems=("KNOPPIX",),
            source="aguslr/multibootusb (a5cee8e) mbusb.d/knoppix.d (reported)",
            looked_at=(
                LookedAt(
                    system="KNOPPIX",
                    version="9.1",
                    when="2026-11",
                    what="aguslr/multibootusb (a5cee8e) of June 2021 (reported)",
                ),
            ),
            scripts={
                "knoppix": ScriptMark(files=("init", "linuxrc"), says=r"\bKNOPPIX\b"),
                "knoppix-bootfrom": ScriptMark(files=("init", "linuxrc"), says=r"\bbootfrom\b"),
            },
            finder=FileFinder(
                markers=("knoppix-bootfrom",),
                scripts="knoppix",
                lacking="The init of its initrd knows no bootfrom=, which names an ISO file.",
            ),
            words=ChoiceWords(
                language=("lang={language}",),
                keyboard=("keyboard={keymap}", "xkeyboard={layout}"),
                timezone=("tz={value}",),
                host=("hostname={value}",),
            ),
        ),
    ),
)
