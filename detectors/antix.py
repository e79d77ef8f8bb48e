"""antiX: MX Linux, antiX and what is made with their live tools.

A shell script of their own is ``/init``. ``fromiso=`` is the ISO file's path, whose leading slash is dropped;
``buuid=`` (or ``blab=``, ``bdev=``) names its partition. Without a device only removable disks and CDs are searched, so
ours is always named and the vendor's ``from=`` left out. Words are split at blanks.

Its own loopback.cfg (MX 23.4) finds the UUID by itself, and is right.

Source, read: MX-Linux/mx-iso-template 26.05 (eec1202): initrd/init (find_linuxfs_file, _try_mount),
mx-iso-template/boot/grub/grub.cfg, loopback.cfg, config/common.cfg (set_kopts); initrd/live/README for ``toram``.
Reported, not read: MX 23.4 from a file on exFAT (Mexit/MultiOS-USB 5a8765a, docs/Supported_OS.md); initrds before
that may lack the driver.
Words of choices: mx-iso-template.
Persistence: antiX's init, mx-iso-template 26.05.
"""

from bootkit.detect import (
    ISO_PATH,
    NOT_WHOLE,
    STICK_UUID,
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
    Persistence,
    QuickRule,
    ScriptMark,
    Stack,
    arch_of,
    boot_entries,
    identify,
    image_name,
    loopback_evidence,
    memory_tests,
    menuless,
    own_menu,
    read_menus,
    usable_entries,
    version_tuple,
    with_words,
    without,
    without_loader_words,
)

LINUXFS = "/antiX/linuxfs"
FIND_ISO = (f"buuid={STICK_UUID}", f"fromiso={ISO_PATH}")
LEFT_OUT = (
    "from", "fromiso", "iso", "buuid", "bootuuid", "blab", "blabel", "bootlabel", "bdev", "bootdev",
)  # fmt: skip
"""Other places of the ISO file. ``bdir=``, the squashfs file's folder in it, stays."""
FILESYSTEMS = ("vfat", "ext4", "ntfs", "btrfs", "xfs")
EXFAT_SINCE = (23,)
NAMES = (
    NamePattern(
        "MX Linux", r"\bMX(?: Linux)?[-_ ](?P<version>\d+(?:\.\d+)*)(?:[-_ ](?P<edition>Xfce|KDE|fluxbox|ahs))?"
    ),
    NamePattern("MX Linux", r"\bMX[- ]Live\b|\bMX Linux\b"),
    NamePattern("antiX", r"\bantiX[-_ ](?P<version>\d+(?:\.\d+)*)(?:.*?[-_ ](?P<edition>full|base|core|net)\b)?"),
    NamePattern("antiX", r"\bantiX\b"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file(LINUXFS):
        return NotMine(reason=f"there is no {LINUXFS}")
    entries = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel.startswith("/antiX/"))
    entries = entries or menuless(iso, "/antiX")
    if not entries:
        return NOT_WHOLE
    first = entries[0]
    who = _who(iso, entries)
    exfat = ("exfat",) if version_tuple(who.version) >= EXFAT_SINCE else ()
    return Detection(
        stack="antiX",
        distro=who.distro,
        version=who.version,
        arch=_arch(iso, first),
        edition=who.edition,
        entries=(
            *boot_entries(entries, words, default=first, to_ram=("toram",)),
            *memory_tests(iso),
            *own_menu(iso, "fromiso"),
        ),
        filesystems=(*FILESYSTEMS, *exfat),
        evidence=(
            f"{first.source} starts {first.kernel}" if first.source else f"{first.kernel} is there",
            f"{LINUXFS} is there",
            *loopback_evidence(iso, "fromiso"),
        ),
    )


def words(entry: MenuEntry) -> tuple[str, ...]:
    return with_words(without_loader_words(without(entry.cmdline, *LEFT_OUT)), *FIND_ISO)


def _who(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Identity:
    titles = (entry.title for entry in entries)
    who = identify((iso.text("/version"), iso.text("/.disk/info"), *titles, iso.volume_id, iso.name), NAMES)
    if who.distro:
        return who
    info = image_name(iso)
    return Identity(distro=info.name or "antiX", version=info.version, edition=info.edition)


def _arch(iso: IsoView, first: MenuEntry) -> str:
    said = f"{iso.text('/version')} {first.title} {iso.name}".replace("_", " ").split()
    short = {"x64": "x86_64", "386": "i686", "x64.iso": "x86_64", "386.iso": "i686"}
    return next((short[word] for word in said if word in short), "") or arch_of(iso)


DETECTOR = Detector(
    name="antiX",
    detect=detect,
    rank=20,
    quick=(
        QuickRule(
            requires=(LINUXFS,),
            kernel=("/antiX/vmlinuz", "/antiX/vmlinuz1"),
            initrd=("/antiX/initrd.gz", "/antiX/initrd1.gz"),
            cmdline=FIND_ISO,
        ),
    ),
    stacks=(
        Stack(
            name="antiX",
            systems=("MX Linux", "antiX", "DSL 2024"),
            source="MX-Linux/mx-iso-template 26.05 (eec1202)",
            looked_at=(
                LookedAt(
                    system="antiX", version="23.2", when="2026-11", what="its image, started by CIBU's menu (reported)"
                ),
                LookedAt(
                    system="MX Linux",
                    version="25.2",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
            ),
            keeps="files beside the ISO file, by persist_all and its kin",
            words=ChoiceWords(
                language=("lang={lang}",),
                keyboard=("kbd={layout}", "kbvar={variant}"),
                timezone=("tz={value}",),
                host=("hostname={value}",),
            ),
            persistence=Persistence(
                file="rootfs",
                label="rootfs",
                words=("persist_static_root", f"puuid={STICK_UUID}", "pdir={folder}"),
            ),
            layers=("overlay", "aufs"),
            scripts={
                "antiX": ScriptMark(files=("init",), says="linuxfs"),
                "antiX-fromiso": ScriptMark(files=("init",), says=r"\bfromiso\b"),
            },
            finder=FileFinder(
                markers=("antiX-fromiso",),
                scripts="antiX",
                lacking="The init of its initrd knows no fromiso=, which names an ISO file.",
            ),
            roots=("/{bdir:antiX}/linuxfs",),
        ),
    ),
)
