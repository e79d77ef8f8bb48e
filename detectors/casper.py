"""casper: Ubuntu, its flavours, and most of what is made from Ubuntu.

The initrd finds its ISO file by ``iso-scan/filename=``: it mounts every partition of every disk, three rounds with
three seconds between, read-write on /isodevice, and takes the first that has the path. No device can be named, and a
blank ends the path. What follows ``---`` (``--`` up to 2014, and Linux Mint still) belongs to the installed system, so
our words stand before it. Ubuntu's initrds are for casper unless told otherwise; derivatives' need ``boot=casper``.

Decided by the kernel line, not by the folder: LMDE keeps live-boot in /casper.

Source, read: casper 1.498 (Ubuntu 24.04) in the fork lucasgertke11-bot/casper_modo_antigo (commit 1fdcc839):
scripts/casper-helpers (is_supported_fs, find_path), scripts/casper (parse_cmdline), debian/changelog (udf since 1.475;
20iso_scan came from the package lupin-casper, was missing in the test images of 22.04, is casper's own since 1.469 and
works since 1.470). scripts/casper-premount/20iso_scan in elementary/os-patches (commit 0ca3b2b8). pop-os/iso:
config/pop-os/21.10.mk (casper without lupin-casper), data/grub/grub.cfg; issues 243, 260 and PR 361.
rescuezilla: src/livecd/image/boot/grub/grub.cfg. linuxmint/linuxmint issue 635 (loopback.cfg of Mint 21.3).
Booted: those scripts in an initrd of Debian's, from FAT32 and from ext4, with the overlay and all that it lays over them.
Reported, not read: Launchpad 1155216 (/isodevice and the installer).
Words of choices: casper 1.498, scripts/casper-bottom/14locales and 19keyboard; scripts/casper, parse_cmdline.
Persistence: booted, 1.498 in an initrd of Debian's; read, 1.461 scripts/casper-helpers (root_persistence_label).
Answer files: subiquity's documentation of autoinstall, cloud-init's of NoCloud; the appendix on preseeding of Debian's guide.
"""

import posixpath

from bootkit.detect import (
    CALAMARES,
    ISO_PATH,
    NOT_WHOLE,
    SUBIQUITY,
    UBIQUITY,
    AnswerFile,
    ChoiceWords,
    Detection,
    Detector,
    DiskInfo,
    FileFinder,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    OlderName,
    Persistence,
    QuickRule,
    ScriptMark,
    Stack,
    before_separator,
    boot_entries,
    has_word,
    image_name,
    loadable,
    loopback_evidence,
    memory_tests,
    menuless,
    own_menu,
    parse_disk_info,
    read_menus,
    version_tuple,
    without,
    without_loader_words,
    word_value,
)

ISO_SCAN = "iso-scan/filename"
FIND_ISO = f"{ISO_SCAN}={ISO_PATH}"
FILESYSTEMS = ("ext4", "vfat", "ntfs", "btrfs", "xfs")
"""The list is fixed in ``is_supported_fs``; exFAT is in none of its versions."""
FIRST_WITH_UDF = (22, 10)
PREMOUNT = "scripts/casper-premount"
"""The folder of what its initrd runs before it looks for the medium, of which a file ORDER names what is run."""
LOADER_OR_CD_WORDS = (ISO_SCAN, "findiso", "cdrom-detect/*")
UBUNTU = frozenset({
    "Ubuntu", "Kubuntu", "Xubuntu", "Lubuntu", "Edubuntu", "Ubuntu MATE", "Ubuntu Budgie", "Ubuntu Studio",
    "Ubuntu Unity", "Ubuntu Cinnamon", "Ubuntu Kylin", "Ubuntu GNOME",
})  # fmt: skip
"""Names whose version is that of Ubuntu itself."""
EDITION_NOISE = frozenset({"live", "live/install", "stable", "beta", "alpha"})


def detect(iso: IsoView) -> Detection | NotMine:
    folders = {posixpath.dirname(path) for path in iso.glob("/casper*/*.squashfs")}
    if not folders:
        return NotMine(reason="there is no squashfs in a folder /casper*")
    menu = read_menus(iso)
    linux = [entry for entry in menu.linux if entry.initrds]
    if not linux and image_name(iso).name == "LMDE":
        return NotMine(reason="its menu cannot be read, and LMDE has live-boot in /casper")
    found = [entry for entry in linux if _is_casper(entry, folders)]
    if linux and not found:
        return NotMine(reason=f"its menu starts {linux[0].kernel} without casper ({' '.join(linux[0].cmdline)})")
    usable = {entry: ready for entry in found or menuless(iso, *folders) if (ready := loadable(iso, entry))}
    if not usable:
        return NOT_WHOLE
    default = usable.get(menu.default_linux) if menu.default_linux is not None else None
    return _detection(iso, tuple(usable.values()), default)


def _is_casper(entry: MenuEntry, folders: set[str]) -> bool:
    if has_word(entry.cmdline, "boot"):
        return word_value(entry.cmdline, "boot") == "casper"
    return posixpath.dirname(entry.kernel) in folders and not has_word(entry.cmdline, "root")


def _detection(iso: IsoView, usable: tuple[MenuEntry, ...], default: MenuEntry | None) -> Detection:
    first = default or usable[0]
    info = image_name(iso)
    distro, edition = _name(iso, info)
    version = version_tuple(info.version)
    entries = boot_entries(
        _one_language(usable, first),
        lambda entry: _words(iso, entry, distro, version),
        default=first,
        to_ram=("toram",),
    )
    obstacle, instead = _obstacle(distro, version)
    return Detection(
        stack="casper",
        distro=distro,
        version=info.version,
        arch=info.arch,
        edition=edition,
        entries=() if obstacle else (*entries, *memory_tests(iso), *own_menu(iso, ISO_SCAN)),
        filesystems=(*FILESYSTEMS, "udf") if distro in UBUNTU and version >= FIRST_WITH_UDF else FILESYSTEMS,
        evidence=_evidence(iso, first, info),
        notes=() if obstacle else _notes(distro, version, info, usable),
        obstacle=obstacle,
        instead=instead,
    )


def _one_language(entries: tuple[MenuEntry, ...], default: MenuEntry) -> tuple[MenuEntry, ...]:
    """The entries in the default's language alone: Rescuezilla repeats its menu for each of 45."""
    wanted = word_value(default.cmdline, "locale")
    return tuple(entry for entry in entries if word_value(entry.cmdline, "locale") == wanted)


def _words(iso: IsoView, entry: MenuEntry, distro: str, version: tuple[int, ...]) -> tuple[str, ...]:
    words = without_loader_words(without(entry.cmdline, *LOADER_OR_CD_WORDS))
    words = words if has_word(words, "boot") else ("boot=casper", *words)
    folder = posixpath.dirname(entry.kernel)
    new = [FIND_ISO]
    if folder.startswith("/casper_") and not has_word(words, "live-media-path"):
        new.append(f"live-media-path={folder}")
    if layer := _layer(iso, folder, distro, version):
        new.append(f"layerfs-path={layer}")
    return before_separator(words, *new)


def _layer(iso: IsoView, folder: str, distro: str, version: tuple[int, ...]) -> str:
    """The uppermost layer of 23.04's and 23.10's desktop, which their initrds do not name; empty if not needed.

    Without it casper stacks all squashfs files in the order of their names. The initrds of 24.04 and of the server
    since 21.10 have /conf/conf.d/default-layer.conf. Reported in ubuntu-devel-discuss, June 2023, message 019562.
    """
    if distro not in UBUNTU or version[:2] not in ((23, 4), (23, 10)):
        return ""
    layers = [posixpath.basename(path) for path in iso.glob(f"{folder}/*.live.squashfs")]
    return max(layers, key=len, default="")


def _name(iso: IsoView, info: DiskInfo) -> tuple[str, str]:
    """Distribution and edition, in the distribution's own spelling."""
    label = parse_disk_info(iso.volume_id)
    words = (label.edition if label.version else "") or info.edition
    edition = " ".join(word for word in words.split() if word.lower() not in EDITION_NOISE)
    flavour, _, variant = info.name.rpartition("-")
    if variant in {"Server", "Minimal"}:
        return flavour, variant
    match info.name:
        case "Ubuntu":
            return "Ubuntu", edition or "Desktop"
        case name if name.startswith("Ubuntu-"):
            return name.replace("-", " "), edition
        case "Pop_OS":
            return "Pop!_OS", edition
        case "neon":
            return "KDE neon", edition
        case name:
            return name or "casper live system", edition


def _evidence(iso: IsoView, first: MenuEntry, info: DiskInfo) -> tuple[str, ...]:
    how = "with boot=casper" if word_value(first.cmdline, "boot") == "casper" else "and its squashfs lies beside it"
    what = f"{first.source} starts {first.kernel} {how}" if first.source else f"{first.kernel} lies beside a squashfs"
    says = (f"/.disk/info says {info.text!r}",) if iso.exists("/.disk/info") and info.text else ()
    return (what, *says, *loopback_evidence(iso, ISO_SCAN))


def _obstacle(distro: str, version: tuple[int, ...]) -> tuple[str, str]:
    if distro == "Pop!_OS" and version < (22, 4):
        return (
            "The initrd of Pop!_OS before 22.04 lacks casper's iso-scan script and cannot look for an ISO file.",
            "Use Pop!_OS 22.04 or newer, or write this image to a stick of its own.",
        )
    return "", ""


def _notes(distro: str, version: tuple[int, ...], info: DiskInfo, entries: tuple[MenuEntry, ...]) -> tuple[str, ...]:
    notes: list[str] = []
    if any("ubiquity" in word or "/preseed/" in word for entry in entries for word in entry.cmdline):
        notes.append(
            "Its installer wants to unmount the stick: copy the system to RAM when it starts, "
            "or run 'sudo umount -l -r -f /isodevice' before installing."
        )
    if distro in UBUNTU and version[:2] == (22, 4) and {"alpha", "beta"} & set(info.text.lower().split()):
        notes.append("Test images of 22.04 before 15 April 2022 cannot find an ISO file; the release can.")
    if distro == "KDE neon" and version < (22, 4):
        notes.append("Images of KDE neon on Ubuntu 20.04 and older may lack casper's iso-scan script and not start.")
    return tuple(notes)


def _cloud_config(content: bytes) -> bytes:
    """What subiquity alone would read, as what cloud-init reads: behind a first line, and below a key."""
    lines = content.splitlines(keepends=True)
    if not any(line.startswith(b"autoinstall:") for line in lines):
        content = b"autoinstall:\n" + b"".join(b"  " + line for line in lines)
    return content if content.startswith(b"#cloud-config") else b"#cloud-config\n" + content


DETECTOR = Detector(
    name="casper",
    detect=detect,
    rank=40,
    quick=(
        QuickRule(
            requires=("/casper/*.squashfs", "/.disk/casper-uuid*"),  # LMDE has the folder, not the uuid
            kernel=("/casper/vmlinuz", "/casper/vmlinuz.efi"),
            initrd=("/casper/initrd", "/casper/initrd.lz", "/casper/initrd.gz"),
            cmdline=("boot=casper", FIND_ISO),
        ),
    ),
    stacks=(
        Stack(
            name="casper",
            installers=(SUBIQUITY, UBIQUITY, CALAMARES),
            systems=(
                "Ubuntu",
                "Ubuntu Server",
                "Kubuntu",
                "Xubuntu",
                "Lubuntu",
                "Ubuntu MATE",
                "Ubuntu Budgie",
                "Ubuntu Studio",
                "Ubuntu Cinnamon",
                "Ubuntu Unity",
                "Edubuntu",
                "Ubuntu Kylin",
                "Linux Mint",
                "Pop!_OS",
                "elementary OS",
                "Zorin OS",
                "KDE neon",
                "Linux Lite",
                "BackBox Linux",
                "Bodhi Linux",
                "TUXEDO OS",
                "Rescuezilla",
                "Boot-Repair-Disk",
                "ESET SysRescue",
                "Dr.Web LiveDisk",
                "Avira Rescue System",
                "PureOS (since 11)",
            ),
            source="casper 1.498 (lucasgertke11-bot/casper_modo_antigo, 1fdcc839)",
            looked_at=(
                LookedAt(
                    system="KDE neon",
                    version="2026.07",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
                LookedAt(
                    system="Ubuntu Server",
                    version="26.04",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
                LookedAt(
                    system="Ubuntu",
                    version="26.04",
                    when="2026-06",
                    what="its image, in the tests of linuxboot/heads (aedae4ff)",
                ),
                LookedAt(
                    system="Linux Mint",
                    version="22.3",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
                LookedAt(system="Pop!_OS", version="24.04", when="2026-11", what="pop-os/iso (e4eed85)"),
                LookedAt(
                    system="PureOS",
                    version="11",
                    when="2026-06",
                    what="its image, in the tests of linuxboot/heads (aedae4ff)",
                ),
            ),
            but="Pop!_OS before 22.04 does not: its initrd lacks iso-scan; since 26.04 it is made with dracut, not casper",
            keeps="a partition labelled writable (casper-rw before 20.04), by persistent",
            words=ChoiceWords(
                language=("locale={locale}",),
                keyboard=(
                    "console-setup/layoutcode={layout}",
                    "console-setup/variantcode={variant}",
                    "keyboard-configuration/layoutcode={layout}",
                    "keyboard-configuration/variantcode={variant}",
                ),
                user=("username={value}",),
                host=("hostname={value}",),
            ),
            persistence=Persistence(
                file="writable",
                label="writable",
                older=OlderName(name="casper-rw", scripts="casper", without="casper-writable"),
                words=("persistent", "persistent-path={folder}"),
                filesystems=("vfat",),
                because="casper looks for a file with changes on FAT only",
            ),
            answers=(
                AnswerFile(
                    kind="preseed",
                    file="preseed.cfg",
                    member="preseed.cfg",
                    words=("automatic-ubiquity", "noprompt"),
                    suffixes=(".seed", ".preseed", "preseed.cfg"),
                    first_words=("d-i ", "ubiquity ", "#_preseed_V1"),
                    needs_word="ubiquity",
                ),
                AnswerFile(
                    kind="autoinstall",
                    file="user-data",
                    words=("autoinstall", "ds=nocloud;s=file:///isodevice{folder}/"),
                    beside={"meta-data": ""},
                    suffixes=("user-data", ".yaml", ".yml"),
                    first_words=("#cloud-config", "autoinstall:"),
                    without_word="ubiquity",
                    distro="ubuntu",
                    needs_stick=True,
                    rewritten=_cloud_config,
                ),
            ),
            layers=("overlay", "aufs", "overlayfs"),
            takes_modules=True,
            takes_device=True,
            markers={
                "casper": ("scripts/casper",),
                "casper-iso-scan": (f"{PREMOUNT}/20iso_scan",),
                "casper-premount-order": (f"{PREMOUNT}/ORDER",),
                "lupin": ("scripts/lupin-helpers", "scripts/lupin_init*"),
            },
            finder=FileFinder(
                markers=("casper-iso-scan", "lupin"),
                scripts="casper",
                maker="initramfs-tools",
                lacking="Its initrd was made without casper's script 20iso_scan, which looks for an ISO file.",
                parts=(("casper-premount-order", "casper-iso-scan-ordered"),),
                partial=f"Its initrd holds casper's script 20iso_scan, which looks for an ISO file, but {PREMOUNT}/ORDER does not name it.",
            ),
            scripts={"casper-iso-scan-ordered": ScriptMark(files=(f"{PREMOUNT}/ORDER",), says="20iso_scan")},
            roots=("/{live-media-path:casper}/*.squashfs",),
            layer_word="layerfs-path",
        ),
    ),
)
