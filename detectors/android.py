"""Android-x86 and what is made from it: Bliss OS, LineageOS for PCs, Remix OS.

``iso-scan/filename=`` names the ISO file: the init mounts each disk and partition, for ever, until one has the path. It
is evaluated by a shell. Bliss' init of 2025 looks for it below ``SRC=``, which it takes from GRUB's BOOT_IMAGE unless it
is said; the others set it themselves. ``DATA=`` names where the data lie, and without it they are in RAM. An NTFS
partition is mounted by ntfs-3g, the others by what the kernel has.

The installer of Bliss looks for the image's files on the partition itself before it opens the ISO file, so its entries
are left out. PrimeOS and Phoenix OS have another init: see ``own_medium``.

Source, read: initrd/init of shugaoye/platform_bootable_newinstaller (009e101f) and of
Bliss-Bass/platform_bootable_newinstaller (844395e6, check_root), there also Android.mk (label),
boot/isolinux/isolinux.cfg and install/grub2/efi/boot/android.cfg; BlissOS/bootable_aaropa (4a4ef7f2) initrd/init, and
its pull request 3. Kernel lines: aguslr/multibootusb (a5cee8e)
mbusb.d/android.d, remixos.d.
Reported, not read: Remix OS' init, and which kernels mount exFAT.
"""

from bootkit.detect import (
    ISO_PATH,
    Detection,
    Detector,
    FileFinder,
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
    read_menus,
    usable_entries,
    without,
    without_loader_words,
)

KERNEL, INITRD = "/kernel", "/initrd.img"
SYSTEMS = ("/system.sfs", "/system.efs", "/system.img")
MENU = "/isolinux/isolinux.cfg"
"""The menu to read: its titles and words are whole, those for GRUB are put together by functions."""
FIND_ISO = (f"iso-scan/filename={ISO_PATH}", "SRC=/")
FILESYSTEMS = ("vfat", "ext4", "ntfs")
INSTALLS = ("INSTALL", "AUTO_INSTALL", "OEM_INSTALL", "AUTO_UPDATE")
NAMES = (
    NamePattern("Bliss OS", r"^Bliss(?:[- ]?(?:OS|Bass))?[- ]?v?(?P<version>\d{1,2}\.[\d.]*\d)?"),
    NamePattern("LineageOS", r"^(?:LineageOS|cm-x86|CyanogenMod)[- ]?(?:x86[- ])?(?P<version>\d[\d.]*\d)?"),
    NamePattern("Remix OS", r"^Remix[_ ]?OS(?:.*?(?P<version>\d\d\d\d\d+|\d[\d.]*\d))?"),
    NamePattern("Android-x86", r"^Android-x86 (?:LiveCD )?(?P<version>\d[\w.-]*)"),
    NamePattern("Android-x86", r"^android-x86(?:_64)?[-_](?P<version>\d[\d.]*(?:-r\d+)?)"),
    NamePattern("Android-x86", r"\bAndroid-x86\b"),
)
FOREIGN = ("prime", "phoenix")


def detect(iso: IsoView) -> Detection | NotMine:
    system = next(filter(iso.is_file, SYSTEMS), "")
    if not system or not iso.is_file(KERNEL) or not iso.is_file(INITRD):
        return NotMine(reason=f"there are no {KERNEL} and {INITRD} with a /system.sfs or the like")
    if any(word in f"{iso.volume_id} {iso.name}".lower() for word in FOREIGN):
        return NotMine(reason="its name is that of a system with an init of its own")
    who = identify((iso.volume_id, iso.name), NAMES)
    is_bliss = who.distro == "Bliss OS"
    entries = usable_entries(iso, _menu(iso), lambda entry: _is_wanted(entry, is_bliss=is_bliss))
    entries = entries or (
        MenuEntry(
            title="Start",
            kernel=iso.spelled(KERNEL),
            initrds=(iso.spelled(INITRD),),
            cmdline=("root=/dev/ram0", "quiet"),
        ),
    )
    first = entries[0]
    return Detection(
        stack="android-x86",
        distro=who.distro or iso.volume_id or "Android-x86",
        version=who.version,
        arch=arch_of(iso, iso.volume_id, iso.name),
        entries=boot_entries(entries, _words, default=first),
        filesystems=FILESYSTEMS,
        evidence=(f"{KERNEL}, {INITRD} and {system} are there",),
        notes=_notes(is_bliss=is_bliss),
    )


def _menu(iso: IsoView) -> Menu:
    menu = read_menu(iso, MENU)
    return menu if menu.linux else read_menus(iso)


def _is_wanted(entry: MenuEntry, *, is_bliss: bool) -> bool:
    return entry.kernel.lower() == KERNEL and not (is_bliss and any(has_word(entry.cmdline, word) for word in INSTALLS))


def _words(entry: MenuEntry) -> tuple[str, ...]:
    empty = tuple(word for word in entry.cmdline if word.endswith("="))
    return (*FIND_ISO, *without_loader_words(without(entry.cmdline, "SRC", "iso-scan/filename", *empty)))


def _notes(*, is_bliss: bool) -> tuple[str, ...]:
    forgets = "It keeps nothing between sessions unless DATA= names a folder or a container on a partition."
    if is_bliss:
        return (forgets, "Its installer is left out: it may not find its image inside an ISO file.")
    return (forgets,)


DETECTOR = Detector(
    name="android-x86",
    detect=detect,
    rank=35,
    quick=tuple(
        QuickRule(
            requires=(system, KERNEL),
            kernel=(KERNEL,),
            initrd=(INITRD,),
            cmdline=(*FIND_ISO, "root=/dev/ram0", "androidboot.selinux=permissive", "quiet"),
        )
        for system in SYSTEMS
    ),
    stacks=(
        Stack(
            name="android-x86",
            systems=("Android-x86", "Bliss OS", "LineageOS for PCs", "Remix OS"),
            source="Bliss-Bass/platform_bootable_newinstaller (844395e6)",
            looked_at=(
                LookedAt(
                    system="Bliss OS",
                    version="15.9",
                    when="2026-11",
                    what="Bliss-Bass/platform_bootable_newinstaller (844395e6)",
                ),
            ),
            scripts={
                "android-x86": ScriptMark(files=("init",), says=r"\bsystem\.sfs\b"),
                "android-x86-iso": ScriptMark(files=("init",), says=r"\biso-scan/filename="),
            },
            finder=FileFinder(
                markers=("android-x86-iso",),
                scripts="android-x86",
                lacking="The init of its initrd knows no iso-scan/filename=, which names an ISO file.",
            ),
            keeps="a folder or a container that DATA= names",
        ),
    ),
)
