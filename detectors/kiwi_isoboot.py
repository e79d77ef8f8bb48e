"""KIWI's isoboot: openSUSE's live images up to 42, SUSE Studio's, and other images made by the old KIWI.

A shell script is the initrd's /linuxrc. ``isofrom_device=`` and ``isofrom_system=`` name the device and the file; the
device is mounted on /isofrom, whatever its file system. Persistence (``kiwi_hybridpersistent``) would make a partition
on the disk that the image is on, here the loop device: that word is left out.

/config.isoclient alone proves nothing: KIWI's installation images have it, too.

Source, read: OSInside/kiwi-legacy, modules/KIWILinuxRC.sh (searchImageISODevice, runMediaCheck, setupHybridPersistent);
probonopd/SystemImageKit, boot/bin/detect_kiwi.sh (files of the live images); OSInside/kiwi (fb48da9c), the builder of
installation images. Reported, not read: that images from before the words existed (2011) need a hook.
"""

from bootkit.detect import (
    ISO_PATH,
    NOT_WHOLE,
    STICK_UUID,
    ChoiceWords,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    Stack,
    arch_of,
    boot_entries,
    build_date,
    identify,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
    word_value,
)

CONFIG = "/config.isoclient"
FIND_ISO = (f"isofrom_device=/dev/disk/by-uuid/{STICK_UUID}", f"isofrom_system={ISO_PATH}")
LEFT_OUT = ("isofrom", "isofrom_device", "isofrom_system", "kiwi_hybridpersistent")
KNOWS_ISO_FILES_SINCE = "2012"
NAMES = (
    NamePattern("openSUSE", r"\bopenSUSE[-_ ](?P<version>\d+\.\d+)[-_ ](?P<edition>[A-Za-z]+)[-_ ]Live"),
    NamePattern(
        "openSUSE Leap", r"\bopenSUSE[-_ ]Leap[-_ ](?P<version>42\.\d)(?:[-_ ](?P<edition>[A-Za-z]+)[-_ ]Live)?"
    ),
    NamePattern("openSUSE Tumbleweed", r"\bopenSUSE[-_ ]Tumbleweed(?:[-_ ](?P<edition>[A-Za-z]+)[-_ ]Live)?"),
    NamePattern("GeckoLinux", r"\bGeckoLinux"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file(CONFIG):
        return NotMine(reason=f"there is no {CONFIG}")
    if not (iso.glob("/*read-only*") or "UNIONFS_CONFIG" in iso.text(CONFIG)):
        return NotMine(reason=f"{CONFIG} is that of an installation image, not of a live system")
    entries = usable_entries(iso, read_menus(iso), _is_live)
    if not entries:
        return NOT_WHOLE
    first = entries[0]
    who = identify(
        (iso.volume_id, iso.name, *(entry.title for entry in entries)),
        NAMES,
        otherwise=iso.volume_id or "KIWI live system",
    )
    return Detection(
        stack="kiwi isoboot",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso, first.kernel.replace("/", " ")),
        edition=who.edition,
        entries=boot_entries(entries, _words, default=first),
        filesystems=("vfat", "ext4"),
        evidence=(f"{first.source} starts {first.kernel}", f"{CONFIG} is there"),
        notes=_notes(iso),
    )


def _is_live(entry: MenuEntry) -> bool:
    return "/loader/" in entry.kernel and not word_value(entry.cmdline, "root").startswith("install:")


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return with_words(without_loader_words(without(entry.cmdline, *LEFT_OUT)), *FIND_ISO)


def _notes(iso: IsoView) -> tuple[str, ...]:
    if build_date(iso) and build_date(iso) < KNOWS_ISO_FILES_SINCE:
        return ("KIWI learned to look for an ISO file in 2011: an image as old as this one may not find it.",)
    return ()


DETECTOR = Detector(
    name="kiwi isoboot",
    detect=detect,
    rank=35,
    stacks=(
        Stack(
            name="kiwi isoboot",
            systems=("openSUSE live (to 42)", "SUSE Studio images", "GeckoLinux (old)", "Univention live"),
            source="OSInside/kiwi-legacy modules/KIWILinuxRC.sh",
            looked_at=(
                LookedAt(
                    system="openSUSE live",
                    version="13.2",
                    when="2026-11",
                    what="OSInside/kiwi-legacy 7.04.58 (0782da5)",
                ),
            ),
            keeps="a partition, by kiwi_cowdevice= and kiwi_cowsystem=",
            words=ChoiceWords(language=("lang={lang}",)),
        ),
    ),
)
