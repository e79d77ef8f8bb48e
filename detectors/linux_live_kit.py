"""Linux Live Kit: Slax, MiniOS, and every system that was made with it, each with a folder of its own name.

``from=`` names the ISO file: the initrd mounts each device that blkid lists, 45 times with a second between, until one
has the path. No device can be named by UUID. A blank ends the path. ``perchdir=`` keeps sessions beside the live data,
which inside an ISO file are read-only, so the entries for sessions are left out.

MiniOS' menu says ``boot=live`` for the programs of the running system; live-boot has no part in it.

Source, read: Tomas-M/linux-live (9825e93): livekitlib (find_data_try, cmdline_value, persistent_changes, copy_to_ram;
``ntfs`` becomes ``ntfs3``), bootfiles of Slax 12; minios-linux/minios-live (128e03dd): linux-live/minioslib (menus,
label), initramfs/livekit-mos (mkinitrfs packs exFAT). exFAT does not work with Slax 12.2 and 15.0.4:
Mexit/MultiOS-USB (5a8765a) docs/Supported_OS.md.
Booted: Linux Live Kit's own init and programs (76c93d0) over Debian's kernel and system, from FAT32, with the overlay.
"""

import posixpath
import re

from bootkit.detect import (
    ISO_PATH,
    Detection,
    Detector,
    FileFinder,
    Identity,
    IsoView,
    LookedAt,
    Menu,
    MenuEntry,
    NamePattern,
    NotMine,
    QuickRule,
    ScriptMark,
    Stack,
    arch_of,
    boot_entries,
    has_word,
    identify,
    read_menu,
    usable_entries,
    without,
    without_loader_words,
)

INITRDS = "/*/boot/initrfs*.img"
MENUS = ("grub/grub.template.cfg", "grub/grub.cfg", "isolinux.cfg", "syslinux/syslinux.cfg", "syslinux.cfg")
"""In the folder ``boot``. MiniOS' grub.cfg has its titles in variables of many languages; the template is in English."""
FROM_ISO = f"from={ISO_PATH}"
WORDS = ("load_ramdisk=1", "prompt_ramdisk=0", "rw", "printk.time=0", "consoleblank=0")
FILESYSTEMS = ("vfat", "ext4", "ntfs")
TO_RAM = ("toram",)
MOST_FOLDERS = 6
NAMES = (
    NamePattern("Slax", r"^slax-(?P<arch>64bit|32bit)?-?(?:(?P<edition>debian|slackware)-)?(?P<version>\d[\d.]*\d)"),
    NamePattern("MiniOS", r"^minios-\w+-(?P<edition>\w+(?:-\w+)?)-(?P<arch>amd64|i386)-(?P<version>\d+\.[\d.]*\d)"),
)
OWN_NAMES = {"slax": "Slax", "minios": "MiniOS", "pyabr": "PyAbr"}
BITS = {"64bit": "x86_64", "32bit": "i686"}


def detect(iso: IsoView) -> Detection | NotMine:
    found = _initrds(iso)
    if not found:
        return NotMine(reason=f"there is no {INITRDS}")
    boot = posixpath.dirname(found[0])
    entries = usable_entries(iso, _menu(iso, boot), _is_plain) or _by_files(iso, boot, found)
    if not entries:
        return NotMine(reason=f"no kernel for {found[0]} is in the image")
    first = entries[0]
    folder = posixpath.basename(posixpath.dirname(boot))
    who = _who(iso, folder)
    return Detection(
        stack="Linux Live Kit",
        distro=who.distro,
        version=who.version,
        arch=who.arch or arch_of(iso, iso.facts.application_id),
        edition=who.edition,
        entries=boot_entries(entries, _words, default=first, to_ram=TO_RAM),
        filesystems=(*FILESYSTEMS, "exfat") if who.distro == "MiniOS" else FILESYSTEMS,
        evidence=(
            f"{first.initrds[0]} is there",
            f"{first.source} starts it" if first.source else "a kernel lies beside it",
        ),
        notes=(
            "Sessions cannot be kept inside an ISO file: add perchdir=/dev/ and a partition's name to keep them there.",
        ),
    )


def _initrds(iso: IsoView) -> tuple[str, ...]:
    """The initrds, without a look into every folder of an image that is no live kit's: those have hardly any other."""
    folders = [node.name.lower() for node in iso.listdir("/") if node.is_dir]
    if len(folders) <= MOST_FOLDERS:
        return iso.glob(INITRDS)
    return tuple(path for name in OWN_NAMES if name in folders for path in iso.glob(INITRDS.replace("*", name, 1)))


def _menu(iso: IsoView, boot: str) -> Menu:
    menus = (read_menu(iso, f"{boot}/{name}") for name in MENUS)
    return next((menu for menu in menus if menu.linux), Menu())


def _is_plain(entry: MenuEntry) -> bool:
    return not has_word(entry.cmdline, "perchdir")


def _by_files(iso: IsoView, boot: str, initrds: tuple[str, ...]) -> tuple[MenuEntry, ...]:
    """The entry for an image whose menu cannot be read, or has sessions only: the kernel with the initrd's version."""
    kernel = posixpath.basename(initrds[0]).removesuffix(".img").replace("initrfs", "vmlinuz")
    if not iso.is_file(f"{boot}/{kernel}"):
        return ()
    return (MenuEntry(title="Start", kernel=f"{boot}/{kernel}", initrds=initrds[:1], cmdline=WORDS),)


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return (FROM_ISO, *without_loader_words(without(entry.cmdline, "from", "perchdir", "perchsize")))


def _who(iso: IsoView, folder: str) -> Identity:
    who = identify((iso.name, iso.volume_id), NAMES)
    distro = OWN_NAMES.get(folder.lower(), folder.capitalize())
    if who.distro != distro:
        return Identity(distro=distro)
    arch = next((BITS[bits] for bits in BITS if re.search(rf"\b{bits}\b", iso.name)), who.arch)
    return Identity(distro=distro, version=who.version, edition=who.edition.capitalize(), arch=arch)


DETECTOR = Detector(
    name="linux-live-kit",
    detect=detect,
    rank=30,
    quick=(
        QuickRule(
            requires=("/*/boot/initrfs*.img",),
            kernel=("/*/boot/vmlinuz", "/*/boot/vmlinuz-*"),
            initrd=("/*/boot/initrfs.img", "/*/boot/initrfs-*.img"),
            cmdline=(FROM_ISO, *WORDS),
        ),
    ),
    stacks=(
        Stack(
            name="Linux Live Kit",
            systems=("Slax", "MiniOS", "PyAbr"),
            source="Tomas-M/linux-live (9825e93)",
            looked_at=(
                LookedAt(system="Slax", version="12.2.0", when="2026-11", what="Tomas-M/linux-live (9825e93)"),
                LookedAt(system="MiniOS", version="5.0.1", when="2026-11", what="minios-linux/minios-live (128e03dd)"),
            ),
            scripts={
                "livekitlib": ScriptMark(files=("lib/livekitlib",), says=r"^\s*find_data_try\s*\("),
                "livekitlib-iso": ScriptMark(files=("lib/livekitlib",), says=r"\bmount\b.*\bloop\b.*/iso\b"),
            },
            finder=FileFinder(
                markers=("livekitlib-iso",),
                scripts="livekitlib",
                lacking="The livekitlib of its initrd opens no ISO file: it takes from= for a folder.",
            ),
            keeps="a folder of a partition, by perchdir=/dev/...",
            layers=("overlay", "aufs"),
        ),
    ),
)
