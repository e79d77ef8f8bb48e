"""mklivecd: PCLinuxOS and what is remastered from it.

A shell script is the initrd's /linuxrc. ``bootfromiso=`` is the path without a device (since mklivecd of April 2008, when
it took the place of ``bootfrom=``), and ``root=UUID=`` its partition.

Source, read: mklivecd's RPM changelog 2003-2012. Reported, not read: the words as here (aguslr/multibootusb a5cee8e,
mbusb.d/pclinuxos.d, and others); Mexit/MultiOS-USB has ``root=(loop)``, older grub2-filemanager ``isoboot=``. File
systems beside FAT and ext4 are not known.
"""

from bootkit.detect import (
    ISO_PATH,
    STICK_UUID,
    ChoiceWords,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    QuickRule,
    Stack,
    arch_of,
    boot_entries,
    has_word,
    identify,
    menuless,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
)

ROOT = "/livecd.sqfs"
FIND_ISO = (f"root=UUID={STICK_UUID}", f"bootfromiso={ISO_PATH}")
LIVE = "livecd=livecd"
NAMES = (
    NamePattern("PCLinuxOS", r"^pclinuxos(?:64|32)?-(?P<edition>[a-z]+)-(?P<version>\d{4}\.\d\d)"),
    NamePattern("PCLinuxOS", r"\bPCLinuxOS|\bpclos"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file(ROOT):
        return NotMine(reason=f"there is no {ROOT}")
    entries = usable_entries(iso, read_menus(iso), lambda entry: has_word(entry.cmdline, "livecd"))
    entries = entries or menuless(iso, "/isolinux")
    if not entries:
        return NotMine(reason="no kernel line of its menu says livecd=")
    first = entries[0]
    who = identify(
        (iso.name, iso.volume_id, *(entry.title for entry in entries)),
        NAMES,
        otherwise=iso.volume_id or "mklivecd system",
    )
    return Detection(
        stack="mklivecd",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso) or ("x86_64" if "64" in iso.name else ""),
        edition=who.edition,
        entries=boot_entries(entries, _words, default=first, to_ram=("copy2ram",)),
        filesystems=("vfat", "ext4"),
        evidence=(
            f"{first.source} starts {first.kernel}" if first.source else f"{first.kernel} is there",
            f"{ROOT} is there",
        ),
    )


def _words(entry: MenuEntry) -> tuple[str, ...]:
    kept = without_loader_words(without(entry.cmdline, "root", "bootfromiso", "fromusb"))
    return with_words(kept, *(() if has_word(kept, "livecd") else (LIVE,)), *FIND_ISO)


DETECTOR = Detector(
    name="mklivecd",
    detect=detect,
    rank=25,
    quick=(
        QuickRule(
            requires=(ROOT,),
            kernel=("/isolinux/vmlinuz",),
            initrd=("/isolinux/initrd.gz",),
            cmdline=(LIVE, *FIND_ISO),
        ),
    ),
    stacks=(
        Stack(
            name="mklivecd",
            systems=("PCLinuxOS",),
            source="mklivecd's RPM changelog; aguslr/multibootusb (a5cee8e) (reported)",
            looked_at=(
                LookedAt(
                    system="PCLinuxOS",
                    version="2024.01",
                    when="2026-11",
                    what="Mexit/MultiOS-USB (5a8765a) config/pclinuxos (reported)",
                ),
            ),
            words=ChoiceWords(language=("lang={language}",), keyboard=("keyb={keymap}",)),
        ),
    ),
)
