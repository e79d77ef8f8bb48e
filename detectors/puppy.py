"""Puppy: woof-CE's initrd, whose isoboot script knows everybody's word for an ISO file.

The path comes from ``img_loop=``, ``findiso=``, ``isoloop=`` and others, the device from ``img_dev=``: a partition's
name, a label or a UUID, without ``UUID=``. Without a device every partition is tried. The kernel hands the words to the
initrd as environment variables, so a word with a dot is lost. The script is there since 24 November 2019; what was made
before finds its files on the medium itself only. Sessions are kept in the folder of the ISO file.

Source, read: puppylinux-woof-CE/woof-CE (b7718345; the script came with 8c77c77e): initrd-progs/0initrd/sbin/isoboot,
init (decode_id, ensure_mounted), woof-code/support/mk_iso.sh (menus, loopback.cfg).
Reported, not read: that every kernel mounts FAT32, ext4 and NTFS; which images were made with which woof-CE.
Words of choices: the manual of Puppy (plang, pkeys).
"""

import re
from dataclasses import replace

from bootkit.detect import (
    ISO_PATH,
    STICK_UUID,
    BootEntry,
    ChoiceWords,
    Detection,
    Detector,
    FileFinder,
    Identity,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    QuickRule,
    Role,
    Stack,
    arch_of,
    boot_entries,
    build_date,
    has_word,
    own_menu,
    read_loopback,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
    word_value,
)

KERNEL, INITRD, MICROCODE = "/vmlinuz", "/initrd.gz", "/ucode.cpio"
LOOP_WORDS = (f"img_dev={STICK_UUID}", f"img_loop={ISO_PATH}")
PATH_WORDS = ("img_dev", "iso_dev", "img_loop", "isofrom", "isoloop", "findiso", "find_iso", "iso-scan/filename")
FILESYSTEMS = ("vfat", "ext4", "ntfs")
ISOBOOT = "puppy-isoboot"
"""The marker of an initrd that holds the script."""
OLDER = "Its initrd is older than Puppy's support for ISO files (November 2019)."
ISOBOOT_SINCE = "2019-11-24"
TO_RAM = ("pfix=fsck,copy",)
SFS = re.compile(r"^(?:puppy_)?([a-z][\w-]*?)_v?(\d[\w.-]*)\.sfs$", re.IGNORECASE)
NOT_THE_NAME = ("zdrv", "fdrv", "adrv", "ydrv", "bdrv", "kbuild", "devx", "nlsx", "docx")
EXTRA_SFS = tuple(f"/{name}_*.sfs" for name in NOT_THE_NAME[:5])
CAPITALS = {"fossapup64": "Fossapup64", "bionicpup64": "BionicPup64", "slacko64": "Slacko64", "veket": "Veket"}


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file(KERNEL) or not iso.is_file(INITRD):
        return NotMine(reason=f"there are no {KERNEL} and {INITRD}")
    if not iso.glob("/puppy_*.sfs") and not any(iso.glob(pattern) for pattern in EXTRA_SFS):
        return NotMine(reason="there is neither a puppy_*.sfs nor a zdrv_*.sfs or the like")
    entries = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel == iso.spelled(KERNEL)) or _by_files(iso)
    first = entries[0]
    who = _who(iso)
    can, because, is_sure = _has_isoboot(iso)
    return Detection(
        stack="puppy",
        distro=who.distro,
        version=who.version,
        arch=who.arch or arch_of(iso),
        entries=(*map(_with_copy, boot_entries(entries, _words, default=first)), *own_menu(iso, "img_loop"))
        if can
        else (),
        filesystems=FILESYSTEMS,
        evidence=(f"{iso.spelled(INITRD)} and Puppy's .sfs files are there", because),
        notes=() if is_sure or not can else (
            "If it cannot find its files, its initrd is older than its date, and the image needs to be extracted.",
        ),
        obstacle="" if can else OLDER,
        instead=""
        if can
        else "Copy vmlinuz, initrd.gz and the .sfs files to a folder of a stick and start them with pmedia=usbflash psubdir=FOLDER.",
    )  # fmt: skip


def _passes_path(iso: IsoView) -> bool:
    menu = read_loopback(iso)
    return menu is not None and any(has_word(entry.cmdline, "img_loop") for entry in menu.linux)


def _has_isoboot(iso: IsoView) -> tuple[bool, str, bool]:
    """Whether its initrd opens an ISO file, why that is believed, and whether it is sure."""
    initrd = iso.initrd(INITRD)
    if initrd is not None and "puppy" in initrd.markers and not initrd.warnings:
        can = ISOBOOT in initrd.markers
        return can, f"{iso.spelled(INITRD)} has {'a' if can else 'no'} sbin/isoboot", True
    if _passes_path(iso):
        return True, "its loopback.cfg passes img_loop", True
    day = build_date(iso)
    return day >= ISOBOOT_SINCE, f"it was made on {day or 'an unknown day'}", False


def _by_files(iso: IsoView) -> tuple[MenuEntry, ...]:
    """The entry for an image whose menu cannot be read: many have one for GRUB4DOS alone."""
    microcode = (iso.spelled(MICROCODE),) if iso.is_file(MICROCODE) else ()
    initrds = (*microcode, iso.spelled(INITRD))
    return (MenuEntry(title="Start", kernel=iso.spelled(KERNEL), initrds=initrds, cmdline=("pmedia=cd", "pfix=fsck")),)


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return with_words(without_loader_words(without(entry.cmdline, *PATH_WORDS)), *LOOP_WORDS)


def _with_copy(entry: BootEntry) -> BootEntry:
    """An entry with the word for a copy to RAM, unless it has a ``pfix=`` of its own, which that would override."""
    plain = set(word_value(entry.cmdline, "pfix").split(",")) <= {"", "fsck", "fsckp"}
    return replace(entry, to_ram=TO_RAM if plain and entry.role is Role.DEFAULT else ())


def _who(iso: IsoView) -> Identity:
    """Name and version by the main .sfs: ``puppy_fossapup64_9.6.sfs``; what has another prefix is a respin with its own name."""
    for path in (*iso.glob("/puppy_*.sfs"), *iso.glob("/*.sfs")):
        match = SFS.match(path.strip("/"))
        if match is not None and match[1].lower() not in NOT_THE_NAME:
            name = CAPITALS.get(match[1].lower(), match[1].capitalize() if match[1].islower() else match[1])
            arch = "x86_64" if "64" in f"{match[1]}{iso.name}" else ""
            return Identity(distro=name if name == "Veket" else f"Puppy {name}", version=match[2], arch=arch)
    return Identity(distro="Puppy Linux")


DETECTOR = Detector(
    name="puppy",
    detect=detect,
    rank=35,
    quick=(
        QuickRule(
            requires=("/puppy_*.sfs", "/boot/grub/loopback.cfg"),
            kernel=(KERNEL,),
            initrd=(INITRD,),
            cmdline=("pmedia=cd", "pfix=fsck", *LOOP_WORDS),
        ),
    ),
    stacks=(
        Stack(
            name="puppy",
            systems=("Puppy (since 2020)", "Fossapup64", "BookwormPup64", "Vanilla Dpup", "Veket"),
            source="puppylinux-woof-CE/woof-CE (b7718345)",
            looked_at=(
                LookedAt(
                    system="Fossapup64", version="9.6", when="2026-11", what="puppylinux-woof-CE/woof-CE (b7718345)"
                ),
            ),
            markers={"puppy": ("DISTRO_SPECS",), ISOBOOT: ("sbin/isoboot",)},
            finder=FileFinder(markers=(ISOBOOT,), scripts="puppy", lacking=OLDER),
            but="images made before November 2019 do not",
            keeps="a save file or folder beside the ISO file",
            words=ChoiceWords(language=("plang={lang}",), keyboard=("pkeys={keymap}",)),
        ),
    ),
)
