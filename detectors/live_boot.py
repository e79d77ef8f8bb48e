"""live-boot: Debian live and its many relatives, Kali, Parrot, Clonezilla, GParted, Grml, Tails, LMDE.

The initrd finds its ISO file by ``findiso=``: removable disks first, then all, each mounted read-only, once a second
for a minute; the file's partition stays at /run/live/findiso. (``fromiso=/dev/...`` names the device, but mounts it
read-write. ``live-media=`` beside ``findiso=`` is no help: while that device is missing, ``check_dev`` leaves the whole
round, so a stick with another UUID is never found.) A blank ends the path.

The debian-installer on such an image is another system with another initrd: it looks for a CD and cannot be helped by
words, so its entries are left out.

Decided by the kernel line, not by the folder: LMDE has it in /casper, and Kicksecure's /live is dracut's. ``boot=live``
alone is no proof: MiniOS says it for its running system, Parted Magic for staying on the medium, Chimera's fork has a
detector of its own.

Source, read: live-boot 1:20230131+deb12u1 (Debian 12): 9990-misc-helpers.sh (check_dev, find_livefs), 9990-main.sh,
9990-toram-todisk.sh, 0030-verify-checksums, hooks/live. live-build 20230502: binary_grub_cfg (``findiso`` in the live
entries only, not in the fail-safe ones), binary_disk (/.disk/info). grml-live: media-files/GRMLBASE/boot/grub/header.cfg.
linuxmint/linuxmint issue 635 (loopback.cfg of LMDE 6).
truenas/scale-build (6eaacb40) conf/cd-files/sbin/mount-cd: it looks through /sys/block without loop and dm devices.
Reported, not read: which releases have exfat.ko in the initrd (linuxboot/heads issue 1902 and others); Deepin's two words.
Words of choices: live-config 11.0.3, manual; every word needs ``components`` or its older name ``config``.
Persistence: booted, 20230131.
The finder mounts anything: 20230131, 9990-misc-helpers.sh (booted).
"""

import posixpath
import re

from bootkit.detect import (
    CALAMARES,
    ISO_PATH,
    LIVE_INSTALLER,
    NOT_WHOLE,
    STICK_UUID,
    ChoiceWords,
    Detection,
    Detector,
    DiskInfo,
    FileFinder,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    Persistence,
    QuickRule,
    ScriptMark,
    Stack,
    Verdict,
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
    word_values,
)
from bootkit.detect.dracut import is_live_entry

FIND_ISO = f"findiso={ISO_PATH}"
FROM_ISO = f"fromiso=/dev/disk/by-uuid/{STICK_UUID}{ISO_PATH}"
SEARCHES = ("lib/live/boot/*-misc-helpers.sh", "scripts/live", "scripts/live-helpers")
"""Scripts of its initrd that look through the disks: live-boot 3.0 and later, and before."""
NO_FINDISO = "The live-boot in its initrd knows no findiso=, which names an ISO file."
OWN_WAYS = ("findiso", "fromiso", "isofrom")
"""Words by which it takes an ISO file's path."""
OTHER_WAYS = ("findiso", "fromiso", "isofrom", "live-media", "bootfrom", "live-media-offset", "FSUUID")
"""A vendor's words that say where the medium is; Tails' ``live-media=removable`` forbids a file."""
FILESYSTEMS = ("ext4", "vfat", "btrfs", "xfs")
EXFAT_SINCE = {
    "Debian": (13,), "Kali": (2024, 3), "SparkyLinux": (8,), "GParted Live": (1, 6, 0, 10),
    "Clonezilla": (3, 1, 3, 11), "Finnix": (126,),
}  # fmt: skip
"""First releases with exfat.ko in the initrd."""
NTFS_SINCE = 20210122
"""The first live-boot whose hook takes ntfs-3g along, where the system has it (Debian bug 939034)."""
NAMES = {
    "tails": "Tails", "kali": "Kali", "parrot": "Parrot", "clonezilla": "Clonezilla", "gparted": "GParted Live",
    "drbl": "DRBL Live", "grml": "Grml", "finnix": "Finnix", "q4os": "Q4OS", "sparky": "SparkyLinux",
    "devuan": "Devuan", "lmde": "LMDE", "deepin": "Deepin", "pureos": "PureOS", "truenas": "TrueNAS",
    "debian": "Debian",
}  # fmt: skip
"""By a word in /.disk/info or the volume id, the special ones first: Tails' /.disk/info says Debian."""
EDITION_NOISE = frozenset({"live", "live/install", "live/netinst", "live/cd", "binary", "image", "clonezilla"})
DRACUT = ("kicksecure", "whonix")
"""Labels of images that look the same, but are dracut's."""
TRUENAS = ("/TrueNAS.update", "/TrueNAS-SCALE.update")


def detect(iso: IsoView) -> Detection | NotMine:
    menu = read_menus(iso)
    linux = [entry for entry in menu.linux if entry.initrds]
    found = [entry for entry in linux if _is_live_boot(entry)]
    if linux and not found:
        return NotMine(reason=f"no kernel line of its menu says boot=live ({' '.join(linux[0].cmdline) or 'no words'})")
    if not found and not iso.glob("/live/*.squashfs"):
        return NotMine(reason="there is no squashfs in /live")
    if not found and iso.volume_id.lower().startswith(DRACUT):
        return NotMine(reason="its menu cannot be read, and by its label dracut starts it")
    usable = {entry: ready for entry in found or menuless(iso, "/live") if (ready := loadable(iso, entry))}
    if not usable:
        return NOT_WHOLE
    default = usable.get(menu.default_linux) if menu.default_linux is not None else None
    left_out = any(entry not in found and _is_installer(entry) for entry in linux)
    return _detection(iso, tuple(usable.values()), default, left_out=left_out)


def _is_live_boot(entry: MenuEntry) -> bool:
    if word_value(entry.cmdline, "boot") != "live" or word_value(entry.cmdline, "live-media") == "CHIMERA_LIVE":
        return False
    if any(posixpath.basename(initrd).startswith("initrfs") for initrd in entry.initrds):  # Linux Live Kit
        return False
    return not entry.kernel.startswith("/pmagic/") and not is_live_entry(entry)


def _is_installer(entry: MenuEntry) -> bool:
    return entry.kernel.startswith("/install") or "/install" in "".join(entry.initrds)


def _detection(iso: IsoView, usable: tuple[MenuEntry, ...], default: MenuEntry | None, *, left_out: bool) -> Detection:
    first = default or usable[0]
    info = image_name(iso)
    distro = _distro(iso, info)
    version = _version(iso, distro, info)
    to_ram = _to_ram(iso, usable)
    entries = boot_entries(usable, lambda entry: _words(iso, entry), default=first, to_ram=to_ram)
    obstacle, instead = _obstacle(iso)
    return Detection(
        stack="live-boot (TrueNAS)" if obstacle else "live-boot",
        distro=distro,
        version=version,
        arch=info.arch or _arch(iso, first),
        edition=_edition(iso, distro, info),
        entries=() if obstacle else (*entries, *memory_tests(iso), *own_menu(iso, *OWN_WAYS)),
        filesystems=_filesystems(iso, distro, version, first),
        evidence=_evidence(iso, first, info),
        notes=() if obstacle else _notes(distro, usable, left_out=left_out),
        obstacle=obstacle,
        instead=instead,
    )


def _words(iso: IsoView, entry: MenuEntry) -> tuple[str, ...]:
    words = without_loader_words(without(entry.cmdline, *OTHER_WAYS))
    words = words if has_word(words, "boot") else ("boot=live", "components", *words)
    new = [FIND_ISO]
    if has_word(words, "livecd-installer"):
        new.append(FROM_ISO)  # Deepin mixes live-boot with code of casper, which knows this one alone
    folder = posixpath.dirname(entry.kernel)
    if not has_word(words, "live-media-path") and not iso.glob("/live/*.squashfs") and iso.glob(f"{folder}/*.squashfs"):
        new.append(f"live-media-path={folder}")
    return before_separator(words, *new)


def _live_folder(entry: MenuEntry) -> str:
    return "/" + (word_value(entry.cmdline, "live-media-path") or "live").strip("/")


def _to_ram(iso: IsoView, entries: tuple[MenuEntry, ...]) -> tuple[str, ...]:
    """The vendor's own way to copy to RAM, where its menu has one: it knows what the system needs afterwards."""
    for value in (value for entry in entries for value in word_values(entry.cmdline, "toram")):
        if "," in value or iso.is_file(f"{_live_folder(entries[0])}/{value}"):
            return (f"toram={value}",)
    return ("toram",)


def _distro(iso: IsoView, info: DiskInfo) -> str:
    said = f"{info.text} {iso.volume_id}".lower()
    if any(iso.exists(path) for path in TRUENAS):
        return "TrueNAS"
    if iso.exists("/Clonezilla-Live-Version"):  # its volume id is the version alone
        return "Clonezilla"
    if iso.exists("/live/Tails.module"):
        return "Tails"
    known = next((name for word, name in NAMES.items() if word in said), "")
    return known or info.name or "live-boot system"


def _version(iso: IsoView, distro: str, info: DiskInfo) -> str:
    """The version by the distribution's own file, else /.disk/info, the volume id, the image's name; live-build may know none."""
    for path in (*iso.glob("/*-Live-Version"), *iso.glob("/GRML/*/grml-version")):
        if found := re.search(r"\d+\.\d[\d.-]*\d", iso.text(path)):
            return found[0]
    label = parse_disk_info(iso.volume_id)
    if distro == "Tails" and label.version:
        return label.version
    named = parse_disk_info(iso.name.removesuffix(".iso").replace("_", " ").replace("-", " ")).version
    return info.version or label.version or (named if "." in named else info.codename)


def _arch(iso: IsoView, first: MenuEntry) -> str:
    for text in (posixpath.basename(first.kernel), iso.volume_id, iso.name):
        if found := parse_disk_info(re.sub(r"[-_.]", " ", text)).arch:
            return found
    return ""


def _edition(iso: IsoView, distro: str, info: DiskInfo) -> str:
    label = parse_disk_info(iso.volume_id)
    words = (info.edition or (label.edition if label.version and label.name else "")).split()
    rest = " ".join(word for word in words if word.lower() not in EDITION_NOISE and not word.isdigit())
    has_installers_too = distro in {"Debian", "Kali", "Devuan"}
    return f"Live {rest}".strip() if has_installers_too else rest


def _filesystems(iso: IsoView, distro: str, version: str, first: MenuEntry) -> tuple[str, ...]:
    since = EXFAT_SINCE.get(distro)
    exfat = since is not None and version_tuple(version.replace("-", ".")) >= since
    return (*FILESYSTEMS, *(("exfat",) if exfat else ()), *(("ntfs",) if _has_ntfs(iso, first) else ()))


def _has_ntfs(iso: IsoView, first: MenuEntry) -> bool:
    """Whether the initrd mounts NTFS: it took ntfs-3g from a system that had it when the initrd was made."""
    packages = dict(
        re.findall(r"^(\S+)\s+(?:\d+:)?(\d+)", iso.text(f"{_live_folder(first)}/filesystem.packages"), re.M)
    )
    return "ntfs-3g" in packages and int(packages.get("live-boot", "0")) >= NTFS_SINCE


def _evidence(iso: IsoView, first: MenuEntry, info: DiskInfo) -> tuple[str, ...]:
    what = f"{first.source} starts {first.kernel} with boot=live" if first.source else "there is a squashfs in /live"
    says = (f"/.disk/info says {info.text!r}",) if iso.exists("/.disk/info") and info.text else ()
    return (what, *says, *loopback_evidence(iso, *OWN_WAYS))


def _obstacle(iso: IsoView) -> tuple[str, str]:
    if any(iso.exists(path) for path in TRUENAS):
        return (
            "TrueNAS starts, but its installer looks for its CD on disks only and does not see an ISO file.",
            "Write this image to a stick of its own.",
        )
    return "", ""


def _notes(distro: str, entries: tuple[MenuEntry, ...], *, left_out: bool) -> tuple[str, ...]:
    notes: list[str] = []
    if left_out:
        notes.append(
            "The debian-installer in its menu is left out, because it finds no ISO file: "
            "install out of the running live system, or use an installer image."
        )
    if any(has_word(entry.cmdline, "persistence") for entry in entries):
        notes.append(
            "Its persistence needs a partition of its own, labelled 'persistence': "
            "live-boot never uses the one that holds the ISO file."
        )
    if distro == "Tails":
        notes.append(
            "Tails does not support this way to start: it has no persistent storage and cannot upgrade itself."
        )
    return tuple(notes)


DETECTOR = Detector(
    name="live-boot",
    detect=detect,
    rank=45,
    quick=(
        QuickRule(
            requires=("/live/*.squashfs",),
            kernel=("/live/vmlinuz", "/live/vmlinuz-*", "/live/vmlinuz1"),
            initrd=("/live/initrd.img", "/live/initrd.img-*", "/live/initrd1.img", "/live/initrd.lz"),
            cmdline=("boot=live", "components", FIND_ISO),
        ),
        QuickRule(
            requires=("/casper/*.squashfs", "/.disk/live-uuid*"),
            kernel=("/casper/vmlinuz",),
            initrd=("/casper/initrd.lz", "/casper/initrd.img"),
            cmdline=("boot=live", "live-media-path=/casper", FIND_ISO),
        ),
    ),
    stacks=(
        Stack(
            name="live-boot",
            installers=(CALAMARES, LIVE_INSTALLER),
            systems=(
                "Debian live",
                "Kali",
                "Parrot",
                "Tails",
                "Clonezilla",
                "GParted Live",
                "DRBL Live",
                "Grml",
                "Finnix",
                "Q4OS",
                "SparkyLinux",
                "Devuan live",
                "Deepin",
                "UOS",
                "PureOS",
                "LMDE",
                "BunsenLabs",
                "Peppermint",
                "Voyager",
                "SolydXK",
                "Vanilla OS",
                "Rescatux",
                "Redo Rescue",
            ),
            source="live-boot 1:20230131+deb12u1 (Debian 12)",
            looked_at=(
                LookedAt(
                    system="LMDE", version="7", when="2026-11", what="its image, started by CIBU's menu (reported)"
                ),
                LookedAt(
                    system="Debian live",
                    version="13.6",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
                LookedAt(system="Grml", version="2026.09", when="2026-11", what="grml-live 0.57.0 (16b656f2)"),
                LookedAt(
                    system="Tails", version="7.10", when="2026-11", what="its image, started by CIBU's menu (reported)"
                ),
                LookedAt(
                    system="Kali", version="2026.2", when="2026-11", what="its image, started by CIBU's menu (reported)"
                ),
                LookedAt(
                    system="GParted Live",
                    version="1.8.0",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
            ),
            but="an installer in the same menu is left out",
            keeps="a partition of its own labelled persistence, by persistence",
            booted="tests/boots/test_live_iso.py::test_a_live_iso_boots_to_userspace",
            words=ChoiceWords(
                needs=("components", "config"),
                language=("locales={locale}",),
                keyboard=("keyboard-layouts={layout}", "keyboard-variants={variant}"),
                timezone=("timezone={value}",),
                user=("username={value}",),
                host=("hostname={value}",),
            ),
            persistence=Persistence(
                file="persistence",
                label="persistence",
                texts={"persistence.conf": "/ union\n"},
                words=("persistence", "bootkit.persistence={folder}/persistence"),
                overlay="live_boot_persistence",
                # 9990-cmdline-old passes over the word where one of them is missing
                unlock=("persistence-encryption=luks",),
                unlocked_by=frozenset({"cryptsetup", "cryptsetup-askpass"}),
                locked_out="its initrd was made without the package cryptsetup-initramfs",
            ),
            no_answers="it is a live system, whose installer reads none",
            layers=("overlay", "aufs", "overlayfs"),
            takes_modules=True,
            takes_device=True,
            markers={"live-boot": ("lib/live/boot/9990-main.sh", "bin/live-boot", "scripts/live")},
            scripts={
                "live-boot-search": ScriptMark(files=SEARCHES, says=r"^\s*(?:find_livefs|check_dev)\s*\("),
                "live-boot-findiso": ScriptMark(files=SEARCHES, says=r"\bFINDISO\b"),
            },
            finder=FileFinder(
                markers=("live-boot",),
                mounts_anything=True,
                scripts="live-boot",
                maker="initramfs-tools",
                parts=(("live-boot-search", "live-boot-findiso"),),
                lacking=NO_FINDISO,
                partial=NO_FINDISO,
            ),
            roots=("/{live-media-path:live}/*.squashfs",),
            layer_list="filesystem.module",
        ),
        Stack(
            name="live-boot (TrueNAS)",
            systems=("TrueNAS SCALE",),
            source="truenas/scale-build (6eaacb40) conf/cd-files/sbin/mount-cd",
            looked_at=(
                LookedAt(
                    system="TrueNAS SCALE", version="24.10", when="2026-11", what="truenas/scale-build (6eaacb40)"
                ),
            ),
            verdict=Verdict.NO,
            overlay="mount the image on /cdrom of the new root before its own mount-cd looks",
        ),
    ),
)
