"""propagator: ALT's images up to the tenth platform; its successor altboot (p11) is recognised, but not started.

propagator is a fork of mdk-stage1 with more words: ``automatic=method:disk,uuid:...,directory:...`` names the
partition and, in place of a folder, the ISO file; ``stagename=`` (altinst, live, rescue) is the squashfs in the image's
root, and stays as the vendor wrote it. Words are split at commas and colons.

altboot keeps the spelling, but ``method:disk`` knows no ``directory:`` there: only downloads may be ISO files.

Source, read: altlinux/mkimage-profiles: features.in/initrd-propagator, initrd-bootchain (config.mk), grub/cfg.in;
klark973/make-initrd-bootchain: bootchain-altboot, bootchain-localdev; ALT Linux Wiki, Propagator (parameters of
``disk``: directory is the path to the distribution or image). Reported, not read: that ``directory:`` may be an ISO file
(a1ive/grub2-filemanager 918524d, rules/iso/loop_detect.sh, and two more lists); NTFS since 9.1 (ALT bug 37080).
"""

import posixpath

from bootkit.detect import (
    ISO_PATH,
    STICK_UUID,
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
    Verdict,
    arch_of,
    boot_entries,
    has_word,
    identify,
    image_name,
    read_menus,
    replaced,
    usable_entries,
    without_loader_words,
    word_value,
)

STAGES = ("/altinst", "/live", "/rescue")
PROPAGATOR = "full.cz"
FIND_ISO = f"method:disk,uuid:{STICK_UUID},directory:{ISO_PATH}"
NAMES = (
    NamePattern("Simply Linux", r"\bSimply(?: Linux)?\b(?:.*?(?P<version>\d+(?:\.\d+)*))?"),
    NamePattern(
        "ALT",
        r"\bALT(?: Linux)?(?:[- ](?P<edition>[A-Z][A-Za-z]+(?: [A-Z]\w*)*))?[- ](?P<version>p?\d+(?:\.\d+)*)\b",
    ),
    NamePattern("ALT", r"^alt-(?P<version>p\d+)-(?P<edition>[a-z0-9-]+?)-(?:latest|\d{8})"),
    NamePattern("ALT", r"\bALT\b"),
)  # fmt: skip


def detect(iso: IsoView) -> Detection | NotMine:
    stage = next((path for path in STAGES if iso.is_file(path)), "")
    if not stage:
        return NotMine(reason=f"there is none of the files {', '.join(STAGES)}")
    entries = usable_entries(iso, read_menus(iso), _is_local)
    if not entries:
        return NotMine(reason="no kernel line of its menu says automatic=method:")
    first = entries[0]
    modern = has_word(first.cmdline, "bootchain") or not posixpath.basename(first.initrds[-1]).startswith(PROPAGATOR)
    who = _who(iso, entries)
    obstacle, instead = _obstacle() if modern else ("", "")
    return Detection(
        stack="altboot" if modern else "propagator",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso, iso.text("/.disk/info")),
        edition=who.edition,
        entries=() if modern else boot_entries(entries, _words, default=first),
        filesystems=() if modern else ("vfat", "ext4"),
        evidence=(
            f"{first.source} starts {first.kernel} with automatic={word_value(first.cmdline, 'automatic')}",
            f"{stage} is a file",
        ),
        obstacle=obstacle,
        instead=instead,
    )


def _is_local(entry: MenuEntry) -> bool:
    return word_value(entry.cmdline, "automatic").startswith(("method:disk", "method:cdrom"))


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return replaced(without_loader_words(entry.cmdline), "automatic", FIND_ISO)


def _obstacle() -> tuple[str, str]:
    return (
        "ALT's altboot opens ISO files that it downloads, but none on a local disk.",
        "Write this image to a stick of its own, or start it with automatic=method:http,type:iso from a server.",
    )


def _who(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Identity:
    info = iso.text("/.disk/info").strip()
    who = identify((info, iso.volume_id, iso.name, *(entry.title for entry in entries)), NAMES)
    if not who.distro:
        return Identity(distro=image_name(iso).name or "ALT", version=image_name(iso).version)
    if who.version[:1].isdigit() and who.edition:
        return Identity(distro=f"{who.distro} {who.edition}", version=who.version)
    return who


DETECTOR = Detector(
    name="propagator",
    detect=detect,
    rank=30,
    quick=(
        QuickRule(
            requires=("/syslinux/alt0/full.cz", "/altinst"),
            kernel=("/syslinux/alt0/vmlinuz",),
            initrd=("/syslinux/alt0/full.cz",),
            cmdline=("fastboot", "lowmem", "stagename=altinst", f"automatic={FIND_ISO}"),
        ),
        QuickRule(
            requires=("/syslinux/alt0/full.cz", "/live"),
            kernel=("/syslinux/alt0/vmlinuz",),
            initrd=("/syslinux/alt0/full.cz",),
            cmdline=("fastboot", "live", "lowmem", "stagename=live", f"automatic={FIND_ISO}"),
        ),
    ),
    stacks=(
        Stack(
            name="propagator",
            systems=("ALT (to p10)", "Simply Linux (to 10)"),
            source="altlinux/mkimage-profiles; ALT Linux Wiki, Propagator",
            looked_at=(
                LookedAt(
                    system="ALT",
                    version="10",
                    when="2026-11",
                    what="altlinux/mkimage-profiles (fc28b26) features.in/initrd-propagator",
                ),
            ),
            words=ChoiceWords(language=("lang={lang}",)),
        ),
        Stack(
            name="altboot",
            systems=("ALT (since p11)",),
            source="klark973/make-initrd-bootchain",
            verdict=Verdict.NO,
            overlay="open the file and say method:cdrom",
            words=ChoiceWords(language=("lang={lang}",)),
        ),
    ),
)
