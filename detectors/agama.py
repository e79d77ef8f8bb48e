"""Agama: the installers of openSUSE Leap 16, SLES 16 and Tumbleweed.

Plain dmsquash-live (KIWI's flags="dmsquash"). ``root=live:LABEL=Install-...`` is written into the initrd, so the kernel
line need not name a root; Leap 16.0's does, by the same label, ``Install-Leap-16.0-x86_64``. ``iso-scan/filename=`` alone is enough, and the image must keep the label it was built with.

Source: agama-project/agama (f0b1e9c1d): live/src/config.sh (10-liveroot.conf), live/src/fix_bootconfig (volume id),
live/config-cdroot/fix_bootconfig.x86_64 (menu), live/src/agama-installer.kiwi. Leap 16 from a file on exFAT:
Mexit/MultiOS-USB (5a8765a) docs/Supported_OS.md.
"""

from dataclasses import replace

from bootkit.detect import (
    AGAMA,
    ISO_PATH,
    SYSTEMD_WORDS,
    ChoiceWords,
    Detection,
    Detector,
    Identity,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    Stack,
    arch_of,
    boot_entries,
    has_word,
    identify,
    own_menu,
    read_menus,
    usable_entries,
    without,
    without_loader_words,
    word_value,
)
from bootkit.detect.dracut import DMSQUASH_LIVE, ISO_SCAN, KIWI_LIVE, dracut_filesystems, iso_scan_of, live_module

LABEL = "Install-"
ROOT = "/LiveOS/squashfs.img"
NAMES = (
    NamePattern("openSUSE Leap", r"^Leap[-_](?P<version>\d+\.\d+).*?(?P<edition>online|offline)-installer"),
    NamePattern("openSUSE Leap Micro", r"^(?:Install-)?Leap-Micro(?:-(?P<version>\d+\.\d+))?"),
    NamePattern("openSUSE Leap", r"^Install-Leap(?:-(?P<version>\d+\.\d+))?"),
    NamePattern("openSUSE Tumbleweed", r"^Install-(?:openSUSE|Tumbleweed)|openSUSE.*Tumbleweed"),
    NamePattern("SUSE Linux Enterprise", r"^SLES?[-_](?P<version>\d+\.\d+)"),
    NamePattern("SUSE Linux Enterprise", r"^Install-(?:SUSE-)?SLES?(?:-(?P<version>\d+\.\d+))?"),
)  # fmt: skip


def detect(iso: IsoView) -> Detection | NotMine:
    labelled = iso.volume_id.startswith(LABEL)
    if not iso.is_file(ROOT):
        return NotMine(reason=f"there is no {ROOT}")
    menu = read_menus(iso)
    if live_module(iso, menu) == KIWI_LIVE:
        return NotMine(reason="its initrd holds KIWI's own live module")
    entries = usable_entries(iso, menu, lambda entry: _has_no_root(entry) or _is_own(entry))
    if not entries and not menu.linux and labelled:
        entries = _by_files(iso)
    if not entries:
        return NotMine(reason="every entry of its menu names another root, or starts no file of the image")
    if labelled:
        return _detection(iso, entries)
    if not any("agama" in word for entry in entries for word in entry.cmdline) and not any(map(_is_own, entries)):
        return NotMine(reason=f"its label does not begin with {LABEL}, and nothing in its menu says agama")
    return replace(
        _detection(iso, entries),
        entries=(),
        notes=(),
        obstacle=f"Its initrd looks for the label that it was built with, and {iso.volume_id!r} is not that.",
        instead="Take the image as its makers publish it.",
    )


def _by_files(iso: IsoView) -> tuple[MenuEntry, ...]:
    """The entry for an image whose menu cannot be read: its initrd knows all that it needs."""
    pairs = [(path, f"{path.removesuffix('linux')}initrd") for path in iso.glob("/boot/*/loader/linux")]
    return tuple(
        MenuEntry(title="Install", kernel=kernel, initrds=(initrd,)) for kernel, initrd in pairs if iso.is_file(initrd)
    )


def _has_no_root(entry: MenuEntry) -> bool:
    return not has_word(entry.cmdline, "root") and not has_word(entry.cmdline, "install")


def _is_own(entry: MenuEntry) -> bool:
    """Whether an entry names the root that the initrd would look for by itself: Leap 16.0 as published."""
    return word_value(entry.cmdline, "root").startswith((f"live:CDLABEL={LABEL}", f"live:LABEL={LABEL}"))


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return (f"{ISO_SCAN}={ISO_PATH}", *without_loader_words(without(entry.cmdline, ISO_SCAN)))


def _detection(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Detection:
    first = entries[0]
    who = _who(iso)
    return Detection(
        stack="agama",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso, first.kernel),
        edition=who.edition,
        entries=(
            *boot_entries(entries, _words, default=first, to_ram=("rd.live.ram=1",)),
            *own_menu(iso, ISO_SCAN),
        ),
        filesystems=dracut_filesystems(iso),
        evidence=(
            f"its label is {iso.volume_id!r}",
            f"{ROOT} is there",
            _root_evidence(first),
        ),
        notes=("It looks for its image by the label it was built with: a relabelled copy does not start.",),
    )


def _root_evidence(first: MenuEntry) -> str:
    if not first.source:
        return f"{first.kernel} is there"
    named = word_value(first.cmdline, "root")
    return f"{first.source} says root={named}" if named else f"{first.source} names no root: the initrd does"


def _who(iso: IsoView) -> Identity:
    who = identify((iso.volume_id, iso.name), NAMES)
    return who if who.distro else Identity(distro="Agama", edition=iso.volume_id.removeprefix(LABEL))


DETECTOR = Detector(
    name="agama",
    detect=detect,
    rank=35,
    stacks=(
        Stack(
            name="agama",
            only_installs=True,
            installers=(AGAMA,),
            systems=(
                "openSUSE Leap 16 installer",
                "SUSE Linux Enterprise 16 installer",
                "openSUSE Tumbleweed Agama installer",
            ),
            source="agama-project/agama (f0b1e9c1d)",
            looked_at=(
                LookedAt(
                    system="openSUSE Leap 16 installer",
                    version="16.0",
                    when="2026-11",
                    what="agama-project/agama (f0b1e9c1d)",
                ),
            ),
            words=ChoiceWords(keyboard=SYSTEMD_WORDS.keyboard),
            finder=iso_scan_of(DMSQUASH_LIVE),
            no_persistence="it is an installer",
            no_answers="agama looks for it on the network or on a partition labelled OEMDRV only",
        ),
    ),
)
