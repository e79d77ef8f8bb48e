"""linuxrc: the YaST installers of openSUSE up to Leap 15.6, Tumbleweed and SUSE Linux Enterprise up to 15.

linuxrc is ``/init``. ``install=hd:/path?device=disk/by-uuid/...`` mounts the partition, sees that the path is a file and
opens it; without ``device=`` every partition is tried. Its own table of file systems knows no exFAT. Images for the
network (NET) bring no packages and need no ISO file: everything comes from the server written into their initrd.

``mediacheck=1`` runs before the repository is looked for, and on drives: that entry is left out.

Source, read: openSUSE/linuxrc (46dd444, May 2025): url.c (url_set), fstype.c, util.c (util_mount, util_fstype),
auto2.c (auto2_init). Reported, not read: menus of the images (Mexit/MultiOS-USB 5a8765a, config/openSUSE).
Words of choices: linuxrc, file.c.
Answer files: linuxrc's documentation of ``autoyast=``.
"""

import re

from bootkit.detect import (
    ANY_FILESYSTEM,
    ISO_PATH,
    NOT_WHOLE,
    STICK_UUID,
    YAST,
    AnswerFile,
    ChoiceWords,
    Detection,
    Detector,
    Identity,
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
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
)

LOADER = "/boot/*/loader/linux"
FIND_ISO = f"install=hd:{ISO_PATH}?device=disk/by-uuid/{STICK_UUID}"
FILESYSTEMS = ("vfat", "ntfs", "ext4", "btrfs", "xfs")
NAMES = (
    NamePattern("openSUSE Leap", r"\bopenSUSE[- ]Leap[- ](?P<version>\d+\.\d+)(?:-(?P<edition>DVD|NET))?"),
    NamePattern(
        "openSUSE Tumbleweed", r"\bopenSUSE[- ]Tumbleweed(?:-(?P<edition>DVD|NET))?(?:.*?Snapshot(?P<version>\d{8}))?"
    ),
    NamePattern("openSUSE", r"\bopenSUSE[- ](?P<version>\d+\.\d+)(?:-(?P<edition>DVD|NET))?"),
    NamePattern("SUSE Linux Enterprise", r"\bSLE-(?P<version>\d+(?:-SP\d)?)-(?P<edition>Full|Online)"),
    NamePattern("SUSE Linux Enterprise", r"\bSLE[SD]?-?(?P<version>\d+(?:-SP\d)?)-(?P<edition>Server|Desktop)?"),
)
PRODUCT = re.compile(r"^/\s+(?P<name>\D+?)[- ](?P<version>\d[\d.]*)-", re.MULTILINE)
"""A line of /media.1/products: ``/ openSUSE-Leap 15.6-1``."""


def detect(iso: IsoView) -> Detection | NotMine:
    loaders = iso.glob(LOADER)
    if not loaders:
        return NotMine(reason=f"there is no {LOADER}")
    if iso.is_dir("/LiveOS") or iso.is_file("/config.isoclient"):
        return NotMine(reason="it is a live system")
    root = f"/boot/{loaders[0].split('/')[2]}/root"
    signs = tuple(path for path in (root, "/media.1", "/content") if iso.exists(path))
    if not signs:
        return NotMine(reason=f"there is neither {root} nor /media.1")
    entries = usable_entries(iso, read_menus(iso), _is_installer)
    if not entries:
        return NOT_WHOLE
    return _detection(iso, entries, signs)


def _is_installer(entry: MenuEntry) -> bool:
    return not any(has_word(entry.cmdline, word) for word in ("root", "mediacheck"))


def _detection(iso: IsoView, entries: tuple[MenuEntry, ...], signs: tuple[str, ...]) -> Detection:
    first = entries[0]
    who = _who(iso)
    from_network = _is_from_network(iso)

    def words(entry: MenuEntry) -> tuple[str, ...]:
        kept = without_loader_words(entry.cmdline)
        return kept if from_network else with_words(without(kept, "install", "repo"), FIND_ISO)

    return Detection(
        stack="linuxrc",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso, first.kernel.replace("/", " ")),
        edition=who.edition,
        entries=boot_entries(entries, words, default=first),
        filesystems=ANY_FILESYSTEM if from_network else FILESYSTEMS,
        evidence=(f"{first.source} starts {first.kernel}", *(f"{path} is there" for path in signs)),
        notes=("It installs from the network and does not need its ISO file.",) if from_network else (),
    )


def _is_from_network(iso: IsoView) -> bool:
    has_packages = iso.is_dir("/suse") or iso.is_dir("/repodata") or bool(iso.glob("/*/repodata"))
    return not has_packages and "-NET-" in f"{iso.volume_id} {iso.name}"


def _who(iso: IsoView) -> Identity:
    who = identify((iso.volume_id, iso.name, iso.text("/content")), NAMES)
    if who.distro:
        return who
    product = PRODUCT.search(iso.text("/media.1/products"))
    if product is not None:
        return Identity(distro=product["name"].replace("-", " "), version=product["version"])
    return Identity(distro=iso.volume_id or "SUSE installer")


DETECTOR = Detector(
    name="linuxrc",
    detect=detect,
    rank=40,
    quick=(
        QuickRule(
            requires=("/boot/x86_64/root", "/media.1"),
            kernel=("/boot/x86_64/loader/linux",),
            initrd=("/boot/x86_64/loader/initrd",),
            cmdline=(FIND_ISO,),
        ),
    ),
    stacks=(
        Stack(
            name="linuxrc",
            only_installs=True,
            installers=(YAST,),
            systems=(
                "openSUSE Leap installer (to 15.6)",
                "openSUSE Tumbleweed installer",
                "SUSE Linux Enterprise installer (to 15)",
            ),
            source="openSUSE/linuxrc (46dd444)",
            looked_at=(
                LookedAt(
                    system="openSUSE Leap installer",
                    version="15.6",
                    when="2026-11",
                    what="openSUSE/installation-images",
                ),
                LookedAt(
                    system="openSUSE Tumbleweed installer",
                    version="2026.06",
                    when="2026-06",
                    what="its image, in the tests of linuxboot/heads (aedae4ff)",
                ),
            ),
            words=ChoiceWords(language=("lang={lang}",), keyboard=("keytable={keymap}",), host=("hostname={value}",)),
            no_persistence="it is an installer",
            answers=(
                AnswerFile(
                    kind="autoyast",
                    file="autoinst.xml",
                    member="autoinst.xml",
                    words=("autoyast=file:///autoinst.xml",),
                    suffixes=(".xml",),
                    first_words=("<!DOCTYPE profile", "<profile"),
                ),
            ),
        ),
    ),
)
