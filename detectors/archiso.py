"""archiso: Arch Linux and most of what is made from it, and the forks that only renamed it.

Decided by the kernel line: ``archisobasedir=`` and its kin, where a fork has its own name in place of archiso
(parabolaiso, hyperiso, kdeosiso, chakraiso). ``archisosearchuuid=`` and ``archisosearchfilename=`` are left out, as in
archiso's own loopback.cfg: since mkinitcpio-archiso 70 they make the hook search once more, among partitions and
drives only, after the loop device is ready. Forks and images from before 2021 get ``earlymodules=loop``.

Since mkinitcpio-archiso 65 an image below 4 GiB goes to RAM by itself if 2 GiB remain.

A profile whose HOOKS lack archiso_loop_mnt (archiso's "baseline") opens no file; bootkit's overlay gives it a device.

Source: archlinux/mkinitcpio-archiso 73 (b206f34): hooks/archiso, hooks/archiso_loop_mnt, CHANGELOG.rst;
archlinux/archiso 88 (52bf735): configs/releng, configs/baseline, archiso/mkarchiso (grubenv); archlinux/mkinitcpio
init_functions. CachyOS/CachyOS-Live-ISO (1003c20), endeavouros-team/EndeavourOS-ISO (765df2f), BlackArch/blackarch-iso
(c0ff16d3). KaOS: KaOSx/live-uefi (d5c3332, November 2024), live-iso/hooks and configs/shared/mkinitcpio.conf. Parabola: its
published kernel lines. Reported, not read: the hooks of Parabola, Hyperbola and Chakra (a1ive/a1ive.github.io, 02a86a9, has their
words), which are taken to be archiso's with
their own name for it.
Booted: those hooks and mkinitcpio's init (2061445) over Debian's programs, from FAT32, with the overlay.
Persistence: mkinitcpio-archiso 73, hooks/archiso. Answer files: archiso's documentation of ``script=``.
The finder mounts anything: archiso 70, archiso_loop_mnt.
"""

import posixpath
import re

from bootkit.detect import (
    ARCHINSTALL,
    CALAMARES,
    FOLDER_MARK,
    LINUX_FILESYSTEMS,
    NEEDS_LINUX_FILESYSTEM,
    NO_MENU_NOTE,
    NOT_WHOLE,
    STICK_UUID,
    SYSTEMD_WORDS,
    AnswerFile,
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
    Stack,
    arch_of,
    build_date,
    has_word,
    identify,
    memory_tests,
    own_menu,
    parse_grubenv,
    read_menus,
    usable_entries,
    word_value,
)
from bootkit.detect.mkinitcpio import (
    IMG_DEV,
    LOOP_WORDS,
    is_local,
    live_entries,
    loop_hook_of,
    microcode_images,
    mkinitcpio_filesystems,
)

ROOT_IMAGES = "/*/*/airootfs.*"
SYSTEMRESCUE = "sysresccd"
COPIES_SINCE = "2022-11"
"""Build date from which mkinitcpio-archiso 65 can be expected."""
COPIES_BELOW = 4 << 30
"""Bytes of a root image from which it is not copied to RAM unasked."""
_BASEDIR = re.compile(r"(?!miso)([a-z]+iso)(?:basedir|label|device|searchuuid|searchfilename)=")

NAMES = (
    NamePattern("Arch Linux", r"^archlinux(?:-(?P<edition>baseline))?$|^ARCH_\d{6}$"),
    NamePattern("EndeavourOS", r"^EndeavourOS_(?P<edition>[A-Z][A-Za-z]+(?:[-_][A-Z][a-z]+)?)|^EOS_\d{6}$"),
    NamePattern("CachyOS", r"^cachyos(?:-(?P<edition>desktop|handheld|kde|gnome|cli))?|^COS_\d{6}$"),
    NamePattern("BlackArch", r"^blackarch(?:-linux)?(?:-(?P<edition>full|slim|netinst(?:all)?))?"),
    NamePattern("ArcoLinux", r"^arcolinux"),
    NamePattern("ArchBang", r"^archbang"),
    NamePattern("Archman", r"^archman"),
    NamePattern("Bluestar Linux", r"^bluestar"),
    NamePattern("Athena OS", r"^athena"),
    NamePattern("blendOS", r"^blendos"),
    NamePattern("HoloISO", r"^holo"),
    NamePattern("Parabola", r"^parabola(?:-\w+?-(?P<edition>\w+?-\w+?)-\d)?|^PARA_\d{6}$"),
    NamePattern("Hyperbola", r"^hyperbola|^HYPER_\d{6}$"),
    NamePattern("KaOS", r"^KAOS(?:[-_](?P<version>[\d.]{7,10}))?"),
    NamePattern("Chakra", r"^chakra"),
    NamePattern("Arch Linux", r"\bArch Linux\b"),
)
KAOS_DEVICE = "kdeosisodevice=/dev/loop0"
"""KaOS' own loop hook attaches the file to the first loop device and leaves it to udev to find a label there."""
DATE_BEHIND = re.compile(r"[_-]20\d{4}(?:\d\d)?$")
"""What archiso's labels end in."""
DATED = re.compile(r"(?P<y>20\d\d)[._-]?(?P<m>\d\d)(?:[._-]?(?P<d>\d\d))?")


def detect(iso: IsoView) -> Detection | NotMine:
    menu = read_menus(iso)
    fork = next((name for entry in menu.linux if (name := _fork(entry))), "")
    if not fork:
        return _by_files(iso, menu)
    entries = usable_entries(iso, menu, lambda entry: _fork(entry) == fork and is_local(entry))
    if not entries:
        return NOT_WHOLE
    folder = word_value(entries[0].cmdline, f"{fork}basedir", fork.removesuffix("iso")).strip("/")
    if folder == SYSTEMRESCUE:
        return NotMine(reason="it is SystemRescue, which has words of its own")
    return _detection(iso, entries, fork, folder)


def _fork(entry: MenuEntry) -> str:
    """What stands in place of ``archiso`` in an entry's words; empty if none of them is archiso's or a fork's."""
    return next((match[1] for word in entry.cmdline if (match := _BASEDIR.match(word))), "")


def _by_files(iso: IsoView, menu: Menu) -> Detection | NotMine:
    """The answer for an image whose menu cannot be read."""
    if menu.linux:
        first = menu.linux[0]
        return NotMine(reason=f"its menu starts {first.kernel} without archisobasedir= ({' '.join(first.cmdline)})")
    for image in iso.glob(ROOT_IMAGES):
        folder, arch = image.split("/")[1:3]
        boot = f"/{folder}/boot/{arch}"
        kernels = sorted(iso.glob(f"{boot}/vmlinuz*"), key=len)
        entries = tuple(entry for kernel in kernels if (entry := _pair(iso, kernel, folder)))
        if entries and folder != SYSTEMRESCUE:
            return _detection(iso, entries, "archiso", folder)
    return NotMine(reason=f"it has no menu and no {ROOT_IMAGES} with a kernel")


def _pair(iso: IsoView, kernel: str, folder: str) -> MenuEntry | None:
    here, name = posixpath.split(kernel)
    wanted = (f"{here}/initramfs{name.removeprefix('vmlinuz')}.img", f"{here}/archiso.img")
    initrd = next((path for path in wanted if iso.is_file(path)), "")
    if not initrd:
        return None
    words = (f"archisobasedir={folder}", f"archisolabel={iso.volume_id}")
    initrds = (*microcode_images(iso, f"/{folder}/boot"), initrd)
    return MenuEntry(
        title=f"Start {name.removeprefix('vmlinuz').strip('-')}".strip(), kernel=kernel, initrds=initrds, cmdline=words
    )


def _detection(iso: IsoView, entries: tuple[MenuEntry, ...], fork: str, folder: str) -> Detection:
    first = entries[0]
    env = parse_grubenv(iso.text("/boot/grub/grubenv")) or parse_grubenv(iso.text(f"/{folder}/grubenv"))
    who = _who(iso, entries, folder, env)
    arch = env.get("ARCH", "") or arch_of(iso, first.kernel, first.title)
    images = f"/{folder}/{arch}"
    old = fork != "archiso" or posixpath.basename(first.initrds[-1]) == "archiso.img"
    return Detection(
        stack=fork,
        distro=who.distro,
        version=who.version,
        arch=arch,
        edition=who.edition,
        entries=(
            *live_entries(
                entries,
                f"{fork}device",
                f"{fork}searchuuid",
                f"{fork}searchfilename",
                extra=_extra(first, fork, old=old),
                check=iso.is_file(f"{images}/airootfs.sha512") or iso.is_file(f"{images}/airootfs.md5"),
            ),
            *memory_tests(iso),
            *own_menu(iso, "img_loop", beside="img_dev"),
        ),
        filesystems=mkinitcpio_filesystems(iso),
        evidence=_evidence(first, fork, folder, env),
        notes=_notes(iso, first, f"{images}/airootfs.sfs"),
    )


def _extra(first: MenuEntry, fork: str, *, old: bool) -> tuple[str, ...]:
    loop = ("earlymodules=loop",) if old and not has_word(first.cmdline, "earlymodules") else ()
    return (*loop, KAOS_DEVICE) if fork == "kdeosiso" else loop


def _who(iso: IsoView, entries: tuple[MenuEntry, ...], folder: str, env: dict[str, str]) -> Identity:
    """Name and version by grubenv (archiso since 2023), the label and the titles; the version is a date, to the day where one tells."""
    texts = (env.get("NAME", ""), iso.volume_id, *(entry.title for entry in entries), iso.name)
    who = identify(texts, NAMES)
    version = env.get("VERSION", "") or iso.text(f"/{folder}/version").strip() or who.version
    dates = [match for text in (version, iso.name, iso.volume_id) if (match := DATED.search(text))]
    if not version and dates:
        version = ".".join(part for part in max(dates, key=lambda match: len(match[0])).groups() if part)
    distro = who.distro or env.get("NAME", "") or DATE_BEHIND.sub("", iso.volume_id) or "archiso"
    return Identity(distro=distro, version=version.split("\n")[0][:40], edition=who.edition.strip())


def _evidence(first: MenuEntry, fork: str, folder: str, env: dict[str, str]) -> tuple[str, ...]:
    start = f"{first.source} starts {first.kernel} with {fork}basedir={folder}"
    seen = [start if first.source else f"{first.kernel} lies beside a root image of archiso"]
    if env.get("NAME"):
        seen.append(f"grubenv says NAME={env['NAME']}")
    return tuple(seen)


def _notes(iso: IsoView, first: MenuEntry, image: str) -> tuple[str, ...]:
    notes: list[str] = []
    copies = build_date(iso) >= COPIES_SINCE and 0 < iso.file_size(image) < COPIES_BELOW
    if copies and word_value(first.cmdline, "copytoram", "auto") == "auto":
        notes.append("It copies itself to RAM where 2 GiB remain free, and lets go of the stick.")
    if not first.source:
        notes.append(NO_MENU_NOTE)
    return tuple(notes)


_ARCHISO, _PARABOLA, _HYPERBOLA, _KAOS, _CHAKRA = map(
    loop_hook_of, ("archiso", "parabolaiso", "hyperiso", "kdeosiso", "chakraiso")
)

DETECTOR = Detector(
    name="archiso",
    detect=detect,
    rank=40,
    quick=(
        QuickRule(
            requires=("/arch/x86_64/airootfs.*",),
            kernel=("/arch/boot/x86_64/vmlinuz-linux", "/arch/boot/x86_64/vmlinuz*"),
            initrd=("/arch/boot/x86_64/initramfs-linux.img", "/arch/boot/x86_64/*.img"),
            cmdline=(*LOOP_WORDS, "archisobasedir=arch", "earlymodules=loop"),
        ),
        QuickRule(
            requires=("/blackarch/x86_64/airootfs.*",),
            kernel=("/blackarch/boot/x86_64/vmlinuz*",),
            initrd=("/blackarch/boot/x86_64/*.img",),
            cmdline=(*LOOP_WORDS, "archisobasedir=blackarch"),
        ),
        QuickRule(
            requires=("/parabola/boot/x86_64",),
            kernel=("/parabola/boot/x86_64/vmlinuz*",),
            initrd=("/parabola/boot/x86_64/*.img",),
            cmdline=(*LOOP_WORDS, "parabolaisobasedir=parabola", "earlymodules=loop"),
        ),
        QuickRule(
            requires=("/kdeos/boot/x86_64",),
            kernel=("/kdeos/boot/x86_64/kdeosiso",),
            initrd=("/kdeos/boot/x86_64/kdeosiso.img",),
            cmdline=(*LOOP_WORDS, "kdeosisobasedir=kdeos", "earlymodules=loop", KAOS_DEVICE),
        ),
    ),
    stacks=(
        Stack(
            name="archiso",
            installers=(ARCHINSTALL, CALAMARES),
            systems=(
                "Arch Linux",
                "EndeavourOS",
                "CachyOS",
                "BlackArch",
                "ArcoLinux",
                "ArchBang",
                "Archman",
                "Athena OS",
                "blendOS",
                "Bluestar Linux",
                "Salient OS",
                "HoloISO",
                "ChimeraOS installer",
            ),
            source="archlinux/mkinitcpio-archiso 73 (b206f34)",
            looked_at=(
                LookedAt(
                    system="Arch Linux",
                    version="2026.07",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
                LookedAt(
                    system="CachyOS", version="2026.08", when="2026-11", what="CachyOS/CachyOS-Live-ISO (1003c20)"
                ),
                LookedAt(
                    system="EndeavourOS",
                    version="2026.04",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
            ),
            keeps="an ext4, btrfs or xfs partition, by cow_device= and cow_directory=",
            words=SYSTEMD_WORDS,
            persistence=Persistence(
                file=FOLDER_MARK,
                words=(f"cow_device=/dev/disk/by-uuid/{STICK_UUID}", "cow_directory={folder}", "copytoram=n"),
                filesystems=LINUX_FILESYSTEMS,
                because=NEEDS_LINUX_FILESYSTEM,
            ),
            answers=(
                AnswerFile(
                    kind="archinstall",
                    file="config.json",
                    words=(f"script={IMG_DEV}{{folder}}/run.sh", "copytoram=n"),
                    beside={"run.sh": f"#!/bin/sh\nexec archinstall --config {IMG_DEV}{{folder}}/config.json\n"},
                    suffixes=(".json",),
                    first_words=("{",),
                ),
                AnswerFile(
                    kind="script",
                    file="script",
                    words=(f"script={IMG_DEV}{{path}}", "copytoram=n"),
                    suffixes=(".sh", ".py"),
                    first_words=("#!",),
                ),
            ),
            layers=("overlay", "dm_snapshot"),
            markers=_ARCHISO.markers,
            scripts=_ARCHISO.scripts,
            finder=_ARCHISO.finder,
            takes_modules=True,
            takes_device=True,
            roots=("/{archisobasedir:arch}/*/airootfs.*fs",),
        ),
        Stack(
            name="parabolaiso",
            systems=("Parabola",),
            source="archlinux/mkinitcpio-archiso (b206f34), renamed; its published kernel lines",
            looked_at=(
                LookedAt(system="Parabola", version="2022.04", when="2026-11", what="its published kernel line"),
            ),
            keeps="an ext4, btrfs or xfs partition, by cow_device= and cow_directory=",
            markers=_PARABOLA.markers,
            scripts=_PARABOLA.scripts,
            finder=_PARABOLA.finder,
            takes_modules=True,
            takes_device=True,
            layers=("overlay", "dm_snapshot"),
            roots=("/{parabolaisobasedir:parabola}/*/airootfs.*fs", "/{parabolaisobasedir:parabola}/*/root-image.*fs"),
        ),
        Stack(
            name="hyperiso",
            systems=("Hyperbola",),
            source="archlinux/mkinitcpio-archiso (b206f34), renamed; its published kernel lines",
            looked_at=(
                LookedAt(system="Hyperbola", version="0.4.4", when="2026-11", what="its published kernel line"),
            ),
            keeps="an ext4, btrfs or xfs partition, by cow_device= and cow_directory=",
            markers=_HYPERBOLA.markers,
            scripts=_HYPERBOLA.scripts,
            finder=_HYPERBOLA.finder,
            takes_modules=True,
            takes_device=True,
            layers=("overlay", "dm_snapshot"),
            roots=("/{hyperisobasedir:hyper}/*/airootfs.*fs",),
        ),
        Stack(
            name="kdeosiso",
            markers=_KAOS.markers,
            scripts=_KAOS.scripts,
            finder=_KAOS.finder,
            takes_modules=True,
            takes_device=True,
            layers=("overlay", "dm_snapshot"),
            roots=("/{kdeosisobasedir:kdeos}/*/root-image.*fs",),
            systems=("KaOS",),
            but="its images since October 2022 do not, say its makers; those of 2026, by dracut and Limine, are dmsquash-live's",
            source="KaOSx/live-uefi (d5c3332)",
            looked_at=(LookedAt(system="KaOS", version="2024.11", when="2026-11", what="KaOSx/live-uefi (d5c3332)"),),
            keeps="an ext4, btrfs or xfs partition, by cow_device= and cow_directory=",
        ),
        Stack(
            name="chakraiso",
            markers=_CHAKRA.markers,
            scripts=_CHAKRA.scripts,
            finder=_CHAKRA.finder,
            takes_modules=True,
            takes_device=True,
            layers=("overlay", "dm_snapshot"),
            roots=("/{chakraisobasedir:chakra}/*/root-image.*fs",),
            systems=("Chakra",),
            source="archlinux/mkinitcpio-archiso (b206f34), renamed; reported",
            looked_at=(
                LookedAt(
                    system="Chakra",
                    version="2017.10",
                    when="2026-11",
                    what="a1ive/a1ive.github.io (02a86a9) grub2_loopback.md (reported)",
                ),
            ),
            keeps="an ext4, btrfs or xfs partition, by cow_device= and cow_directory=",
        ),
    ),
)
