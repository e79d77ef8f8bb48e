"""dmsquash-live: Fedora's live media, and most of what dracut starts from an ISO.

``iso-scan/filename=`` makes the initrd mount each partition once, read-only, until one has the file; the loop device
then carries the label (or UUID) that ``root=live:`` waits for. No device can be named, and the path runs through a
shell. The image's own words are kept and only added to: an image whose squashfs is the root itself needs
``rd.live.overlay.overlayfs=1`` with dracut 059, and says so.

Decided by the kernel line: Kicksecure looks like live-boot (/live, even ``boot=live``), Gentoo keeps the names of its
genkernel days. Two layouts of Fedora: /images/pxeboot (lorax, to 41) and /boot/x86_64/loader (KIWI, since 42; what is
KIWI's own initrd is ``kiwi_live``). A squashfs.img may be an EROFS image.

AerynOS keeps kernel and initrd in the FAT image for UEFI and nowhere else: GRUB opens that as a second loop device.

OpenMandriva has its own copy, the module liveiso: ``live:LABEL=`` and ``live:UUID=`` only, no RAM, no media check, and
an iso-scan without the trigger for udev.

Source: dracut-ng 111 (02e7ae10): modules.d/70dmsquash-live (iso-scan.sh, parse-dmsquash-live.sh,
dmsquash-live-root.sh), NEWS.md; dracut 059: 90dmsquash-live, 90overlayfs; booted with 059, 106 and 112. Menus of
weldr/lorax (ba5acecf), Nobara-Project/nobara-images (ab64ebb), ublue-os/titanoboa (8a4e6f1), ublue-os/bazzite
(7efd4174) installer/iso.yaml, t2linux/fedora-kiwi-descriptions (50717b9), void-linux/void-mklive (90028e0), gentoo/catalyst
(df01e21b) targets/support/iso-bootloader-setup.sh, AerynOS/img-tests (ac5377e) desktop,
derivative-maker build-steps.d/2800_create-lb-iso, OpenMandrivaAssociation/omdv-build-iso (f4702f8) dracut/90liveiso and
grub2-menus, thias/glim (8b87c26) for Calculate, Mexit/MultiOS-USB (5a8765a) for file systems.
Persistence: booted, dracut 059.
The finder mounts anything: dracut 059 to 112, iso-scan.sh (booted).
"""

import posixpath
from dataclasses import replace

from bootkit.detect import (
    ANACONDA,
    CALAMARES,
    ISO_PATH,
    NO_MENU_NOTE,
    NOT_WHOLE,
    STICK_UUID,
    SYSTEMD_WORDS,
    Detection,
    Detector,
    Identity,
    IsoView,
    LookedAt,
    Menu,
    MenuEntry,
    NamePattern,
    NotMine,
    Persistence,
    QuickRule,
    Role,
    Stack,
    arch_of,
    boot_entries,
    build_date,
    clean_title,
    has_word,
    identify,
    loopback_evidence,
    memory_tests,
    own_menu,
    read_menus,
    replaced,
    role_of,
    usable_entries,
    without,
    without_loader_words,
    word_value,
)
from bootkit.detect.dracut import (
    DMSQUASH_LIVE,
    ISO_SCAN,
    ISO_SCAN_MARKERS,
    UDEV_NOTE,
    dracut_filesystems,
    is_for_kiwi_live,
    is_live_entry,
    is_plain_label,
    iso_scan_of,
)

FIND_ISO = f"{ISO_SCAN}={ISO_PATH}"
LEFT_OUT = (ISO_SCAN, "findiso", "fromiso", "rd.live.overlay", "rd.live.overlay.cowfs")
"""Other places of the ISO file, and a persistent overlay on a medium that is not there."""
CHECK = "rd.live.check"
TO_RAM = ("rd.live.ram=1",)
ROOT = "/LiveOS/squashfs.img"
OVERLAYFS = "rd.live.overlay.overlayfs=1"
LABELS = ("CDLABEL", "LABEL")
LIVEISO = "liveiso-root"
"""The marker of OpenMandriva's initrds."""
LIVEISO_INITRD = "/boot/liveinitrd.img"
LIVEISO_FILESYSTEMS = ("vfat", "ext4", "btrfs")
UNKNOWN_DRIVERS = frozenset({"Calculate Linux", "Redcore Linux"})
"""Their initrds follow a kernel configuration of their own; only FAT and ext4 are sure."""
ENTERPRISE = frozenset({"Rocky Linux", "AlmaLinux", "CentOS", "Red Hat Enterprise Linux", "Oracle Linux"})
"""Their kernels have no btrfs."""
NO_TRIGGER = "OpenMandriva Lx"

NAMES = (
    NamePattern("Fedora", r"^Fedora-(?P<edition>.+?)-(?:Desktop-)?Live-(?:(?P<arch>x86_64|aarch64)-)?(?P<version>\d+|rawh\w*)"),
    NamePattern("Nobara", r"^Nobara-(?P<version>\d+)(?:-(?P<edition>[A-Za-z][A-Za-z-]*?)(?:-\d|\.iso|$))?"),
    NamePattern("Bazzite", r"\bbazzite(?:-(?P<edition>[a-z-]+?)-(?:stable|testing|live)\b)?"),
    NamePattern("Bluefin", r"\bbluefin(?:-(?P<edition>[a-z-]+?)-(?:stable|gts|lts|latest|testing|live|amd64|x86_64))?"),
    NamePattern("Aurora", r"\baurora(?:-(?P<edition>[a-z-]+?)-(?:stable|latest|testing|live|amd64|x86_64))?\b"),
    NamePattern("Rocky Linux", r"\bRocky(?: Linux)?[- ](?P<version>\d+(?:[._-]\d+)?)-(?P<edition>[A-Z][A-Za-z]+(?:-Lite)?)\b"),
    NamePattern("Rocky Linux", r"\bRocky(?:-(?P<edition>[A-Z][A-Za-z]+(?:-Lite)?))?(?: Linux)?[- ](?P<version>\d+(?:[._-]\d+)?)"),
    NamePattern("AlmaLinux", r"\bAlmaLinux[- ](?P<version>\d+(?:[._]\d+)?)(?:-(?P<arch>\w+))?-Live-(?P<edition>[A-Za-z-]+)"),
    NamePattern("AlmaLinux", r"\bAlmaLinux\b(?: (?P<version>\d+(?:\.\d+)?))?"),
    NamePattern("CentOS", r"\bCentOS[- ](?P<edition>Stream-)?(?P<version>\d+)"),
    NamePattern("Red Hat Enterprise Linux", r"\bRHEL-(?P<version>\d+(?:[.-]\d+)?)"),
    NamePattern("Void Linux", r"^VOID_LIVE$"),
    NamePattern("Void Linux", r"^void-live-(?P<arch>[a-z0-9_]+?)(?:-musl)?-(?P<version>\d{8})(?:-(?P<edition>\w+))?"),
    NamePattern("Solus", r"^Solus(?:Live)?[-_ ]?(?P<edition>Budgie|GNOME|KDE|Plasma|MATE|Xfce)?[-_ ]?(?:Release-)?(?P<version>\d[\d.-]+\d)?"),
    NamePattern("AerynOS", r"AERYN ?OS(?:LIVE)?\b(?: (?P<version>\d{4}\.\d\d))?"),
    NamePattern("Calculate Linux", r"^(?P<edition>CL[A-Z]{1,4})-(?P<version>\d{8})"),
    NamePattern("Calculate Linux", r"\bCalculate\b"),
    NamePattern("Gentoo", r"^Gentoo-(?P<arch>amd64|arm64|x86|i686)-(?P<version>\d{8})"),
    NamePattern("Gentoo", r"^(?P<edition>livegui|admincd|install)-(?P<arch>amd64|arm64)-(?:minimal-)?(?P<version>\d{8})"),
    NamePattern("Kicksecure", r"\bkicksecure(?:-(?P<edition>LXQt|Xfce|CLI))?(?:-(?P<version>\d+(?:\.\d+)+))?"),
    NamePattern("Whonix", r"\bwhonix(?:-host)?(?:-(?P<edition>LXQt|Xfce|CLI))?(?:-(?P<version>\d+(?:\.\d+)+))?"),
    NamePattern("OpenMandriva Lx", r"^OpenMandriva(?:Lx)?[._-](?P<version>\d+(?:\.\d+)*|ROME|cooker)(?:-\w+?-(?P<edition>\w+?))?(?:\.|$)"),
    NamePattern("ROSA", r"^ROSA[.-](?:FRESH[.-])?(?P<edition>[A-Z]+)?[.-]?(?P<version>R?\d+(?:\.\d+)*)?"),
    NamePattern("Pop!_OS", r"^pop[_-]os[ _](?P<version>\d\d\.\d\d)(?:_(?P<arch>amd64|arm64)_(?P<edition>nvidia)?)?"),
    NamePattern("KaOS", r"^KaOS-(?P<version>\d{4}\.\d\d(?:\.\d\d)?)|^KAOS_\d{8}$"),
    NamePattern("Redcore Linux", r"\bRedcore\b"),
    NamePattern("Ultramarine", r"\bUltramarine\b(?:.*?(?P<version>\d+))?"),
    NamePattern("Harvester", r"\bHarvester\b"),
)  # fmt: skip
EDITIONS = {"WS": "Workstation", "Workstation": "Workstation", "SoaS": "Sugar on a Stick", "install": "minimal"}


def detect(iso: IsoView) -> Detection | NotMine:
    menu = read_menus(iso)
    if not any(is_live_entry(entry) for entry in menu.linux):
        return _by_files(iso, menu)
    if is_for_kiwi_live(iso, menu):
        return NotMine(reason="it is for KIWI's own live module")
    entries = usable_entries(iso, menu, is_live_entry)
    if not entries:
        return NOT_WHOLE
    return _detection(iso, entries)


def _by_files(iso: IsoView, menu: Menu) -> Detection | NotMine:
    """The answer for an image whose menu cannot be read."""
    if menu.linux:
        first = menu.linux[0]
        return NotMine(reason=f"its menu starts {first.kernel} without root=live: ({' '.join(first.cmdline)})")
    if not iso.is_file(ROOT) or iso.is_file("/images/install.img"):
        return NotMine(reason="it has no menu and no /LiveOS/squashfs.img")
    for kernel_pattern, initrd_pattern in PLACES:
        kernels, initrds = iso.glob(kernel_pattern), iso.glob(initrd_pattern)
        if kernels and initrds:
            words = (f"root=live:CDLABEL={iso.volume_id}", "rd.live.image", *_overlay_words(iso))
            return _detection(iso, (MenuEntry(title="Start", kernel=kernels[0], initrds=initrds[:1], cmdline=words),))
    return NotMine(reason="it has /LiveOS/squashfs.img, but no kernel and initrd in the usual places")


def _overlay_words(iso: IsoView) -> tuple[str, ...]:
    """What a menu would say: a squashfs that is the root itself needs it with dracut 059, and later ones do not mind."""
    root = iso.root(ROOT)
    return (OVERLAYFS,) if root is not None and root.filesystem in ("squashfs", "erofs") and not root.inner else ()


def _detection(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Detection:
    first = entries[0]
    who = _who(iso, entries)
    stack = "liveiso" if iso.is_file(LIVEISO_INITRD) else "dmsquash-live"
    return Detection(
        stack=stack,
        distro=who.distro,
        version=who.version,
        arch=who.arch or arch_of(iso, first.kernel, first.title),
        edition=EDITIONS.get(who.edition, who.edition),
        entries=(
            *boot_entries(
                entries,
                lambda entry: _words(iso, entry, checks=entry is not first and role_of(entry) is Role.CHECK),
                default=first,
                to_ram=() if stack == "liveiso" else TO_RAM,
            ),
            *memory_tests(iso),
            *own_menu(iso, ISO_SCAN),
        ),
        filesystems=_filesystems(iso, stack, who.distro),
        evidence=_evidence(iso, first),
        notes=_notes(iso, who, first),
    )


def _words(iso: IsoView, entry: MenuEntry, *, checks: bool) -> tuple[str, ...]:
    """The kernel's words. Fedora's menu may keep ``nomodeset`` in a variable, which a submenu sees only if it is exported."""
    words = without_loader_words(without(entry.cmdline, *LEFT_OUT, *(() if checks else (CHECK,))))
    if "basic graphics" in entry.title and not has_word(words, "nomodeset"):
        words = (*words, "nomodeset")
    return (FIND_ISO, *replaced(words, "root", f"live:{_live_root(iso, word_value(words, 'root'))}"))


def _live_root(iso: IsoView, root: str) -> str:
    """The device of ``root=live:`` by a label that the image has and GRUB can spell, else by its UUID."""
    kind, _, name = root.removeprefix("live:").partition("=")
    if (kind == "UUID" and name == iso.uuid) or (kind in LABELS and name == iso.volume_id and is_plain_label(name)):
        return f"{kind}={name}"
    if is_plain_label(iso.volume_id):
        return f"{'CDLABEL' if kind == 'CDLABEL' else 'LABEL'}={iso.volume_id}"
    return f"UUID={iso.uuid}"


def _who(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Identity:
    titles = tuple(entry.title for entry in entries)
    who = identify((iso.volume_id, iso.facts.application_id, *titles, iso.name), NAMES)
    if who.distro:
        return who
    return Identity(distro=iso.volume_id or clean_title(iso.name))


def _filesystems(iso: IsoView, stack: str, distro: str) -> tuple[str, ...]:
    if stack == "liveiso":
        return LIVEISO_FILESYSTEMS
    if distro in UNKNOWN_DRIVERS:
        return ("vfat", "ext4")
    return dracut_filesystems(iso, btrfs=distro not in ENTERPRISE)


def _evidence(iso: IsoView, first: MenuEntry) -> tuple[str, ...]:
    folder = "/" + word_value(first.cmdline, "rd.live.dir", "LiveOS").strip("/")
    image = posixpath.join(folder, word_value(first.cmdline, "rd.live.squashimg", "squashfs.img"))
    root = f"root={word_value(first.cmdline, 'root')}"
    start = f"{first.source} starts {first.kernel} with {root}" if first.source else f"{first.kernel} is there"
    return (start, *((f"{image} is there",) if iso.is_file(image) else ()), *loopback_evidence(iso, ISO_SCAN))


def _notes(iso: IsoView, who: Identity, first: MenuEntry) -> tuple[str, ...]:
    notes: list[str] = []
    if not is_plain_label(iso.volume_id):
        notes.append(f"GRUB cannot spell its label {iso.volume_id!r} to a kernel, so the initrd looks for its UUID.")
    if who.distro == NO_TRIGGER or "2022-08" <= build_date(iso) < "2024":
        notes.append(UDEV_NOTE)
    if not first.source:
        notes.append(NO_MENU_NOTE)
    return tuple(notes)


PLACES = (
    ("/images/pxeboot/vmlinuz", "/images/pxeboot/initrd.img"),
    ("/boot/*/loader/linux", "/boot/*/loader/initrd"),
    ("/boot/vmlinuz", "/boot/initramfs.img"),
    ("/boot/vmlinuz", "/boot/initrd"),
    ("/boot/kernel", "/boot/initrd.img"),
    ("/isolinux/vmlinuz0", "/isolinux/initrd0.img"),
)
"""Kernel and initrd: lorax, KIWI, titanoboa, Void, Solus, Fedora to 20."""

DETECTOR = Detector(
    name="dmsquash-live",
    detect=detect,
    rank=45,
    quick=tuple(
        QuickRule(
            requires=(ROOT, kernel),
            kernel=(kernel,),
            initrd=(initrd,),
            cmdline=(FIND_ISO, "root=live:CDLABEL={volume_id}", "rd.live.image", OVERLAYFS),
        )
        for kernel, initrd in PLACES
    ),
    stacks=(
        Stack(
            name="dmsquash-live",
            installers=(ANACONDA, CALAMARES),
            systems=(
                "Fedora Workstation and spins",
                "Rocky Linux Live",
                "AlmaLinux Live",
                "CentOS Live",
                "Nobara",
                "Bazzite",
                "Bluefin",
                "Aurora",
                "Ultramarine",
                "Void Linux",
                "Solus",
                "AerynOS",
                "Gentoo (since 2024)",
                "Calculate Linux",
                "Kicksecure",
                "Whonix-Host",
                "Redcore Linux",
                "Harvester",
                "Elemental",
                "Pop!_OS (since 26.04)",
                "KaOS (since 2026)",
                "ROSA (old)",
            ),
            booted="tests/boots/test_overlays.py::test_a_stick_that_cannot_be_written_gives_what_it_can",
            source="dracut-ng 111 (02e7ae10), dracut 059",
            looked_at=(
                LookedAt(
                    system="Pop!_OS",
                    version="26.04",
                    when="2026-11",
                    what="pop-os/iso, pull request 368 of July 2026, from casper to dracut",
                ),
                LookedAt(
                    system="Fedora Workstation",
                    version="44",
                    when="2026-11",
                    what="t2linux/fedora-kiwi-descriptions (50717b9), a copy of Fedora's",
                ),
                LookedAt(system="Nobara", version="43", when="2026-11", what="Nobara-Project/nobara-images (ab64ebb)"),
                LookedAt(system="Bazzite", version="44", when="2026-11", what="ublue-os/bazzite (7efd4174) installer"),
                LookedAt(system="AerynOS", version="2026.07", when="2026-11", what="AerynOS/img-tests (ac5377e)"),
                LookedAt(
                    system="Kicksecure",
                    version="18.1",
                    when="2026-06",
                    what="its image, in the tests of linuxboot/heads (aedae4ff)",
                ),
                LookedAt(
                    system="KaOS",
                    version="2026",
                    when="2026-11",
                    what="its makers' news of dracut and Limine (reported)",
                ),
                LookedAt(
                    system="Void Linux", version="2026.04", when="2026-11", what="void-linux/void-mklive (90028e0)"
                ),
            ),
            keeps="a partition or a container file, by rd.live.overlay= (rd.overlay= since dracut-ng 110)",
            words=SYSTEMD_WORDS,
            # the changed files of an overlay rather than a snapshot: it serves both layouts of LiveOS, and its size is no trap
            persistence=Persistence(
                file="overlay.img",
                folders=("overlayfs", "ovlwork"),
                words=(f"rd.live.overlay=UUID={STICK_UUID}:{{folder}}/overlay.img", "rd.live.overlay.overlayfs=1"),
            ),
            no_answers="the installer of a live system ignores it",
            layers=("dm_snapshot", "overlay"),
            takes_modules=True,
            takes_device=True,
            markers={
                DMSQUASH_LIVE: ("sbin/dmsquash-live-root", "sbin/dmsquash-live-root.sh"),
                **ISO_SCAN_MARKERS,
            },
            finder=iso_scan_of(DMSQUASH_LIVE),
            roots=("/{rd.live.dir:LiveOS}/*.img", "/{rd.live.dir:LiveOS}/{rd.live.squashimg:squashfs.img}"),
        ),
        Stack(
            name="liveiso",
            systems=("OpenMandriva Lx",),
            source="OpenMandrivaAssociation/omdv-build-iso (f4702f8)",
            looked_at=(
                LookedAt(
                    system="OpenMandriva Lx",
                    version="5.0",
                    when="2026-11",
                    what="OpenMandrivaAssociation/omdv-build-iso (f4702f8)",
                ),
            ),
            words=replace(SYSTEMD_WORDS, host=()),
            no_answers="the installer of a live system ignores it",
            layers=("dm_snapshot", "overlay"),
            takes_modules=True,
            takes_device=True,
            markers={LIVEISO: ("sbin/liveiso-root", "sbin/liveiso-root.sh")},
            finder=iso_scan_of(LIVEISO),
            roots=("/{rd.live.dir:LiveOS}/*.img",),
        ),
    ),
)
