"""liveslak: Slackware Live and its children, and Wifislax64, whose initrd is made from it.

``livemedia=<device>:<path>`` names the ISO file. The value is cut at the first ``=`` and at colons, so ``UUID=`` cannot
be said and a path may hold neither. A device path works with every version; the initrd starts udev, so the link by UUID
is there. It looks once, after ``rootdelay=`` seconds (5 by itself). ``scandev`` in place of the device would try every
partition. ``persistence`` and LUKS containers lie beside the live data, which inside an ISO file are read-only.

Source, read: mdrights/LiveSlak (1e41afe, a fork of liveslak 1.3.0): liveinit.tpl (livemedia=, WAIT, toram),
make_slackware_live.sh (KMODS: ext4, vfat, ntfs; the application id), grub.tpl, menu.tpl; liveslak 1.8.2 (38eebc8): exfat
among KMODS, the stick at /mnt/super since dd0327d (August 2022), mounted by whatever type blkid names. The link by UUID as device, for
both: aguslr/multibootusb (a5cee8e) mbusb.d/slackware.d, wifislax.d; Mexit/MultiOS-USB (5a8765a) slackware_live.cfg.
Reported, not read: Wifislax64's initrd, and the old Wifislax, which says ``from=``.
Words of choices: README_initrd.
"""

import re

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
    QuickRule,
    ScriptMark,
    Stack,
    arch_of,
    boot_entries,
    build_date,
    has_word,
    identify,
    initrd_beside,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
)

LIVE_MEDIA = f"livemedia=/dev/disk/by-uuid/{STICK_UUID}:{ISO_PATH}"
OLD_WIFISLAX = "/wifislax"
FILESYSTEMS = ("vfat", "ext4", "ntfs")
EXFAT = ("exfat",)
EXFAT_SINCE = "2025"
"""Build date from which liveslak 1.8.2 can be expected, whose KMODS hold exfat."""
DELAY = "rootdelay=10"
WORDS = ("load_ramdisk=1", "prompt_ramdisk=0", "rw", "printk.time=0")
KERNELS = ("/boot/generic", "/boot/vmlinuz", "/wifislax/vmlinuz")
APPLICATION = re.compile(r"^(\w+)-(\S+) for (\S+) \((.*?) ?Live(?: ([\d.]+))?\)")
NAMES = (
    NamePattern("Wifislax", r"^wifislax(?:64)?[-_](?P<version>\d[\d.]*\d)"),
    NamePattern("Wifislax", r"^wifislax"),
    NamePattern(
        "Slackware Live", r"^slackware(?P<arch>64)?-live-(?:(?P<edition>[a-z]+\d?)-)?(?P<version>\d[\d.]*\d|current)"
    ),
    NamePattern("Slackware Live", r"^LIVESLAK$|\bSlackware\b"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    folder = next((path for path in ("/liveslak", "/wifislax64", OLD_WIFISLAX) if iso.is_dir(path)), "")
    if not folder:
        return NotMine(reason="there is none of /liveslak, /wifislax64 and /wifislax")
    entries = usable_entries(iso, read_menus(iso), lambda entry: "memtest" not in entry.kernel) or _by_files(iso)
    if not entries:
        return NOT_WHOLE
    first = entries[0]
    who = _who(iso)
    old = folder == OLD_WIFISLAX
    return Detection(
        stack="liveslak" if not old else "Linux Live Kit (Wifislax)",
        distro=who.distro or "liveslak live system",
        version=who.version,
        arch=who.arch or ("x86_64" if folder.endswith("64") else arch_of(iso, first.title)),
        edition=who.edition,
        entries=boot_entries(
            entries, lambda entry: _words(entry, old=old), default=first, to_ram=() if old else ("toram",)
        ),
        filesystems=FILESYSTEMS[:2]
        if old
        else (*FILESYSTEMS, *EXFAT)
        if build_date(iso) >= EXFAT_SINCE
        else FILESYSTEMS,
        evidence=(
            f"{folder} is there",
            f"{first.source} starts {first.kernel}" if first.source else f"{first.kernel} is there",
        ),
    )


def _who(iso: IsoView) -> Identity:
    """Name and version by the application id, where liveslak writes ``Slackware-current for x86_64 (XFCE Live 1.3.0)``, else by names."""
    match = APPLICATION.match(iso.facts.application_id)
    if match is not None:
        distro = "Slackware Live" if match[1].lower() == "slackware" else match[1]
        return Identity(distro=distro, version=match[2], arch=match[3], edition=match[4].strip())
    who = identify((iso.volume_id, iso.name), NAMES)
    return Identity(distro=who.distro, version=who.version, edition=who.edition, arch="x86_64" if who.arch else "")


def _by_files(iso: IsoView) -> tuple[MenuEntry, ...]:
    """The entry for an image whose menu cannot be read."""
    for kernel in filter(iso.is_file, KERNELS):
        beside = initrd_beside(iso, kernel) or next(iter(iso.glob(f"{kernel.rpartition('/')[0]}/initrd*")), "")
        if beside:
            return (MenuEntry(title="Start", kernel=kernel, initrds=(beside,), cmdline=WORDS),)
    return ()


def _words(entry: MenuEntry, *, old: bool) -> tuple[str, ...]:
    words = without_loader_words(without(entry.cmdline, "livemedia", "from", "persistence"))
    if old:
        return (f"from={ISO_PATH}", *words)
    return with_words((LIVE_MEDIA, *words), *(() if has_word(words, "rootdelay") else (DELAY,)))


DETECTOR = Detector(
    name="liveslak",
    detect=detect,
    rank=30,
    quick=(
        QuickRule(
            requires=("/liveslak/system/*",),
            kernel=("/boot/generic",),
            initrd=("/boot/initrd.img",),
            cmdline=(LIVE_MEDIA, *WORDS, DELAY),
        ),
        QuickRule(
            requires=("/wifislax64",),
            kernel=("/boot/vmlinuz",),
            initrd=("/boot/initrd.xz",),
            cmdline=(LIVE_MEDIA, *WORDS, DELAY),
        ),
    ),
    stacks=(
        Stack(
            name="liveslak",
            systems=("Slackware Live", "Wifislax64"),
            source="mdrights/LiveSlak (1e41afe)",
            looked_at=(
                LookedAt(system="Slackware Live", version="15.0", when="2026-11", what="mdrights/LiveSlak (1e41afe)"),
            ),
            words=ChoiceWords(
                language=("locale={locale}",),
                keyboard=("kbd={keymap}", "xkb={layout},{variant}"),
                timezone=("tz={value}",),
                host=("hostname={value}",),
            ),
            layers=("overlay",),
            scripts={
                "liveslak": ScriptMark(files=("init",), says=r"\blivemedia="),
                "liveslak-iso": ScriptMark(files=("init",), says=r"\bLIVEPATH\b"),
            },
            finder=FileFinder(
                markers=("liveslak-iso",),
                scripts="liveslak",
                lacking="The init of its initrd takes a device in livemedia=, and no ISO file on it.",
            ),
        ),
        Stack(
            name="Linux Live Kit (Wifislax)",
            systems=("Wifislax (to 4)",),
            source="aguslr/multibootusb (a5cee8e) mbusb.d/wifislax.d (reported)",
            looked_at=(
                LookedAt(
                    system="Wifislax",
                    version="4.12",
                    when="2026-11",
                    what="a1ive/a1ive.github.io (02a86a9) grub2_loopback.md (reported)",
                ),
            ),
        ),
    ),
)
