"""SystemRescue since 6: archiso as it was at version 43, with a menu, words and file systems of its own.

Source: nchevsky/systemrescue-zfs (023ef86, follows SystemRescue 12.00): build.sh (.imageinfo, initrd names),
mkinitcpio.conf (mount.ntfs), efiboot/grub/grubsrcd.cfg and loopback.cfg (img_dev as a path). Its change log: NTFS since
8.03, loopback.cfg since 10.00. exFAT with 11.00: Mexit/MultiOS-USB (5a8765a) docs/Supported_OS.md.
Words of choices: SystemRescue's manual, and systemd's own.
Answer files: SystemRescue's manual, ``sysrescuecfg=``.
"""

import re
from dataclasses import replace

from bootkit.detect import (
    SYSTEMD_WORDS,
    AnswerFile,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    Menu,
    MenuEntry,
    NotMine,
    QuickRule,
    Stack,
    arch_of,
    memory_tests,
    own_menu,
    read_menu,
    read_menus,
    usable_entries,
    version_tuple,
)
from bootkit.detect.mkinitcpio import IMG_DEV, LOOP_WORDS, is_local, live_entries, loop_hook_of

FOLDER = "/sysresccd"
GRUB_MENU = "/boot/grub/grubsrcd.cfg"
"""The entries, in one text that GRUB evaluates; only the loader inside the UEFI partition names it."""
GRUB_VARIABLES = {"grub_platform": "efi", "grub_cpu": "x86_64"}
IMAGE_INFO = f"{FOLDER}/.imageinfo"
MENU_WORD = "archisobasedir=sysresccd"
FILESYSTEMS = ("vfat", "ext4", "btrfs", "xfs", "exfat")
NTFS_SINCE = (8, 3)
SETTINGS_NOTE = (
    "A YAML file on the stick can set it up: add the word sysrescuecfg=/run/archiso/img_dev/ and the file's path."
)
MEDIUM = ("archisodevice", "archisosearchuuid", "archisosearchfilename")


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_dir(FOLDER):
        return NotMine(reason=f"there is no {FOLDER}")
    entries = usable_entries(iso, _menu(iso), lambda entry: MENU_WORD in entry.cmdline and is_local(entry))
    entries = entries or _by_files(iso)
    if not entries:
        return NotMine(reason=f"no kernel and initrd for {MENU_WORD} are in the image")
    return _detection(iso, entries)


def _menu(iso: IsoView) -> Menu:
    menu = read_menu(iso, GRUB_MENU, variables=GRUB_VARIABLES)
    return menu if menu.linux else read_menus(iso)


def _by_files(iso: IsoView) -> tuple[MenuEntry, ...]:
    """The entry for an image whose menu cannot be read."""
    kernels, initrds = iso.glob(f"{FOLDER}/boot/*/vmlinuz"), iso.glob(f"{FOLDER}/boot/*/sysresccd.img")
    if not kernels or not initrds:
        return ()
    microcode = iso.glob(f"{FOLDER}/boot/*ucode.img")
    words = (MENU_WORD, f"archisolabel={iso.volume_id}")
    return (MenuEntry(title="Start", kernel=kernels[0], initrds=(*microcode, initrds[0]), cmdline=words),)


def _detection(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Detection:
    first = entries[0]
    info = _image_info(iso)
    version = info.get("VERSION", "") or iso.text(f"{FOLDER}/VERSION").strip()[:40]
    ntfs = ("ntfs",) if version_tuple(version) >= NTFS_SINCE else ()
    because = f"{IMAGE_INFO} is there" if info else f"{FOLDER} is there"
    return Detection(
        stack="sysrescue",
        distro=info.get("NAME", "") or "SystemRescue",
        version=version,
        arch=info.get("ARCH", "") or arch_of(iso, first.kernel),
        entries=(
            *live_entries(entries, *MEDIUM),
            *memory_tests(iso, _menu(iso)),
            *own_menu(iso, "img_loop", beside="img_dev"),
        ),
        filesystems=(*FILESYSTEMS, *ntfs),
        evidence=(
            because,
            f"{first.source} starts {first.kernel} with {MENU_WORD}" if first.source else f"{first.kernel} is there",
        ),
        notes=(SETTINGS_NOTE,),
    )


def _image_info(iso: IsoView) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*?)\s*$", iso.text(IMAGE_INFO), re.MULTILINE))


DETECTOR = Detector(
    name="sysrescue",
    detect=detect,
    rank=30,
    quick=(
        QuickRule(
            requires=(f"{FOLDER}/boot/*/sysresccd.img",),
            kernel=(f"{FOLDER}/boot/*/vmlinuz",),
            initrd=(f"{FOLDER}/boot/*/sysresccd.img",),
            cmdline=(*LOOP_WORDS, MENU_WORD),
        ),
    ),
    stacks=(
        Stack(
            name="sysrescue",
            systems=("SystemRescue (since 6)",),
            source="nchevsky/systemrescue-zfs (023ef86)",
            looked_at=(
                LookedAt(
                    system="SystemRescue",
                    version="13.01",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
            ),
            keeps="an ext4, btrfs or xfs partition, by cow_device= and cow_directory=",
            words=replace(SYSTEMD_WORDS, keyboard=("setkmap={keymap}",)),
            no_persistence="its initrd cannot write to the partition that its ISO file lies on",
            answers=(
                AnswerFile(
                    kind="sysrescuecfg",
                    file="settings.yaml",
                    words=(f"sysrescuecfg={IMG_DEV}{{path}}",),
                    suffixes=(".yaml", ".yml"),
                    first_words=("---", "global:", "autorun:", "sysconfig:", "autoterminal:"),
                ),
            ),
            layers=("overlay", "dm_snapshot"),
            finder=loop_hook_of("archiso").finder,
            takes_modules=True,
            takes_device=True,
            roots=("/{archisobasedir:sysresccd}/*/airootfs.*fs",),
        ),
    ),
)
