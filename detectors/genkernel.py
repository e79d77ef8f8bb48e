"""genkernel: Gentoo's live media up to autumn 2024, Pentoo, Sabayon, and what shares its initrd.

``isoboot=`` names the ISO file. The initrd mounts one device after the other (CD drives, then sd, vd, mmcblk and so on;
no device can be named), read-write on /mnt/iso, and opens the first that has the path. It looks once, so a slow stick
needs ``scandelay=``. A blank ends the path. Kernel and initrd keep their names in newer images, which dracut starts:
decided by the kernel line, where ``cdroot`` without ``root=live:`` is genkernel's.

SystemRescueCd up to 5 has a script of its own in the same place that says ``isoloop=``.

Source, read: gentoo/genkernel 4.3.17 (767d9fa9) defaults/linuxrc (parameters; ``docache`` by the rule for ``do*``),
defaults/initrd.scripts (findmediamount, devicelist, determine_fs), doc/genkernel.8.txt. Kernel lines:
aguslr/multibootusb (a5cee8e) mbusb.d/gentoo.d, pentoo.d, sabayon.d, systemrescuecd.d; Mexit/MultiOS-USB (5a8765a)
config/lwRescue (a SystemRescueCd).
gentoo/releng releases/kconfig/amd64 (exFAT is built in since 9c7c7447, 15 December 2023; before that it is a module or
missing, as Btrfs and XFS are). Reported, not read: which file systems the kernels of the others mount beside FAT and ext4.
"""

from bootkit.detect import (
    ISO_PATH,
    KEEPS_NOTHING,
    ChoiceWords,
    Detection,
    Detector,
    FileFinder,
    Identity,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    QuickRule,
    ScriptMark,
    Stack,
    arch_of,
    before_separator,
    boot_entries,
    build_date,
    has_word,
    identify,
    read_menus,
    usable_entries,
    without,
    without_loader_words,
    word_value,
)
from bootkit.detect.dracut import is_live_entry

IMAGES = ("/image.squashfs", "/livecd.squashfs", "/sysrcd.dat")
LOADED = ("loop", "isofs")
"""Modules by which it opens the file; ``mount -o loop`` without a type asks for neither. One that is part of the kernel is
passed over."""
LINUXRC = ("init", "linuxrc")
SYSRCD = "/sysrcd.dat"
FILESYSTEMS = ("vfat", "ext4")
"""The kernel's own configuration decides about the others."""
EXFAT_SINCE = "2023-12-18"
"""Build date of the first weekly images of Gentoo with that kernel."""
DELAY = "scandelay=5"
TO_RAM = ("docache",)
NAMES = (
    NamePattern("SystemRescueCd", r"^SYSRCD|^sysresccd|^systemrescuecd(?:-x86)?-(?P<version>\d[\d.]*\d)|SystemRescueCd"),
    NamePattern("Pentoo", r"^pentoo(?:-(?P<edition>full|core))?(?:-(?P<arch>amd64|x86|i686))?(?:\D*?(?P<version>20\d\d\.\d+))?"),
    NamePattern("Sabayon", r"^Sabayon[_ -](?:Linux[_ -])?(?P<version>\d[\d.]*)?(?:[_-](?P<arch>amd64|x86))?(?:[_-](?P<edition>[A-Z]\w+))?"),
    NamePattern("Gentoo", r"^install-(?P<arch>amd64|x86|i686)-(?P<edition>minimal)-(?P<version>\d{8})"),
    NamePattern("Gentoo", r"^(?P<edition>livegui|admincd|livedvd)-(?P<arch>amd64|x86)\w*?-(?:\w+-)*?(?P<version>\d{8})"),
    NamePattern("Gentoo", r"^Gentoo[ _-]"),
    NamePattern("Gentoo", r"\bgentoo\b"),
)  # fmt: skip


def detect(iso: IsoView) -> Detection | NotMine:
    if not any(iso.is_file(path) for path in IMAGES):
        return NotMine(reason=f"there is none of {', '.join(IMAGES)}")
    menu = read_menus(iso)
    if any(map(is_live_entry, menu.linux)):
        return NotMine(reason="its menu starts dracut (root=live:)")
    is_sysrcd = iso.is_file(SYSRCD)
    entries = usable_entries(iso, menu, lambda entry: is_sysrcd or _is_genkernel(entry))
    if not entries:
        return NotMine(reason="its menu starts no kernel of the image with cdroot")
    first = entries[0]
    texts = (iso.volume_id, iso.name, *(entry.title for entry in entries), first.kernel.rpartition("/")[2])
    who = identify(texts, NAMES)
    word = "isoloop" if is_sysrcd else "isoboot"
    image = word_value(first.cmdline, "loop") or next(path for path in IMAGES if iso.is_file(path))
    return Detection(
        stack="genkernel",
        distro=who.distro or iso.volume_id or "genkernel live system",
        version=who.version,
        arch=who.arch or arch_of(iso, first.kernel, first.title),
        edition=who.edition,
        entries=boot_entries(entries, lambda entry: _words(entry, word), default=first, to_ram=TO_RAM),
        filesystems=(*FILESYSTEMS, "exfat") if _has_exfat(iso, who) else FILESYSTEMS,
        evidence=(f"{image} is there", f"{first.source} starts {first.kernel} the way that genkernel's linuxrc reads"),
    )


def _has_exfat(iso: IsoView, who: Identity) -> bool:
    return (who.distro, who.arch or "x86_64") == ("Gentoo", "x86_64") and build_date(iso) >= EXFAT_SINCE


def _is_genkernel(entry: MenuEntry) -> bool:
    return has_word(entry.cmdline, "cdroot")


def _words(entry: MenuEntry, word: str) -> tuple[str, ...]:
    words = without_loader_words(without(entry.cmdline, "isoboot", "isoloop"))
    delay = () if has_word(words, "scandelay") else (DELAY,)
    loaded = dict.fromkeys((*word_value(words, "doload").split(","), *LOADED))
    words = without(words, "doload")
    return before_separator((f"{word}={ISO_PATH}", *words), *delay, f"doload={','.join(filter(None, loaded))}")


DETECTOR = Detector(
    name="genkernel",
    detect=detect,
    rank=35,
    quick=(
        QuickRule(
            requires=("/image.squashfs", "/isolinux/gentoo*"),  # in /boot it may be dracut's
            kernel=("/isolinux/gentoo", "/isolinux/gentoo64"),
            initrd=("/isolinux/gentoo.igz", "/isolinux/gentoo.xz", "/isolinux/gentoo64.xz"),
            cmdline=(
                f"isoboot={ISO_PATH}",
                "root=/dev/ram0",
                "init=/linuxrc",
                "looptype=squashfs",
                "loop=/image.squashfs",
                "cdroot",
                DELAY,
            ),
        ),
        QuickRule(
            requires=("/image.squashfs", "/isolinux/pentoo"),
            kernel=("/isolinux/pentoo",),
            initrd=("/isolinux/pentoo.igz", "/isolinux/pentoo.xz"),
            cmdline=(
                f"isoboot={ISO_PATH}",
                "root=/dev/ram0",
                "init=/linuxrc",
                "looptype=squashfs",
                "loop=/image.squashfs",
                "cdroot",
                "aufs",
                "max_loop=256",
                DELAY,
            ),
        ),
    ),
    stacks=(
        Stack(
            name="genkernel",
            systems=("Gentoo (to 2024)", "Pentoo", "Sabayon", "SystemRescueCd (to 5)", "LinuxWelt rescue DVD"),
            source="gentoo/genkernel 4.3.17 (767d9fa9)",
            looked_at=(
                LookedAt(
                    system="Gentoo",
                    version="2024.02",
                    when="2026-11",
                    what="gentoo/catalyst 3.0, gentoo/genkernel 4.3.10",
                ),
            ),
            scripts={
                "genkernel": ScriptMark(files=LINUXRC, says=r"\bcdroot\b"),
                "genkernel-iso": ScriptMark(files=LINUXRC, says=r"\biso(?:boot|loop)\b"),
            },
            finder=FileFinder(
                markers=("genkernel-iso",),
                scripts="genkernel",
                lacking="The init of its initrd knows neither isoboot= nor isoloop=, which name an ISO file.",
            ),
            keeps="a partition, by overlayfs=",
            words=ChoiceWords(keyboard=("keymap={layout}",)),
            no_persistence=KEEPS_NOTHING,
        ),
    ),
)
