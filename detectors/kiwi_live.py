"""kiwi-live: openSUSE's live media up to Leap 15 and Tumbleweed, GeckoLinux, and images that KIWI builds.

KIWI's own dracut module (flags="overlay"). It borrows dracut's iso-scan, so ``iso-scan/filename=`` finds the ISO file,
but it understands no other root than ``root=live:CDLABEL=``. It copies nothing to RAM, and its media check reads the
disk that the ISO file lies on, not the file. With ``rd.live.overlay.persistent`` it writes ``/live_system.cow`` to the
stick, one for all images of this kind: that word is left out.

KIWI builds images for dmsquash-live with the same files and the same menu (flags="dmsquash": Fedora since 42, which has a
menu of its own). What tells them apart is the module in the initrd, wherever that and the kernel lie; where it cannot be
read, the menu: KIWI's own template passes ``$iso_path`` on and has no ``rd.live.check``, Fedora's is the other way round.

Source: OSInside/kiwi 10.3.9 (fb48da9c): dracut/modules.d/55kiwi-live (parse-kiwi-live.sh, kiwi-live-lib.sh,
kiwi-live-checkmedia.sh, module-setup.sh), kiwi/bootloader/template/grub2.py, kiwi/bootloader/config/grub2.py,
kiwi/defaults.py (volume id CDROM). Issues 574 and 585 (iso-scan), 1586 (udev), 1850 (loopback.cfg).
Persistence: booted; read, kiwi 10, kiwi-live-lib.sh.
"""

from bootkit.detect import (
    CALAMARES,
    ISO_PATH,
    NO_MENU_NOTE,
    NOT_WHOLE,
    SYSTEMD_WORDS,
    YAST,
    Detection,
    Detector,
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
    boot_entries,
    build_date,
    has_word,
    identify,
    own_menu,
    read_menus,
    replaced,
    usable_entries,
    without,
    without_loader_words,
    word_value,
)
from bootkit.detect.dracut import (
    ISO_SCAN,
    KIWI_KERNEL,
    KIWI_LIVE,
    KIWI_PERSISTENT,
    UDEV_NOTE,
    dracut_filesystems,
    is_for_kiwi_live,
    is_live_entry,
    is_plain_label,
    is_written_by_kiwi,
    iso_scan_of,
    live_module,
)

ROOT = "/LiveOS/squashfs.img"
LEFT_OUT = (ISO_SCAN, *KIWI_PERSISTENT, "rd.live.cowfile.*", "mediacheck", "rd.live.check")
DEFAULT_LABEL = "CDROM"
AGAMA = "Install-"
NAMES = (
    NamePattern(
        "openSUSE Leap", r"openSUSE[-_ ]Leap[-_ ](?P<version>\d+\.\d+)(?:[-_](?P<edition>\w+?)[-_](?:Live|CD))?"
    ),
    NamePattern("openSUSE Tumbleweed", r"openSUSE[-_ ]Tumbleweed(?:[-_](?P<edition>\w+?)[-_](?:Live|CD))?"),
    NamePattern(
        "openSUSE Tumbleweed", r"openSUSE-Tumbleweed-(?P<edition>\w+)-Live-(?P<arch>\w+)-Snapshot(?P<version>\d{8})"
    ),
    NamePattern("GeckoLinux", r"GeckoLinux[-_ ](?P<edition>(?:STATIC|ROLLING|NEXT)(?:[-_ ][A-Za-z]+)?)"),
    NamePattern("GeckoLinux", r"GeckoLinux_\w+?\.(?P<arch>x86_64)-(?P<version>[\d.]+\d)"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    menu = read_menus(iso)
    if not menu.linux:
        return _by_files(iso, menu)
    if not is_for_kiwi_live(iso, menu):
        return NotMine(reason="neither its initrd nor its menu is for kiwi-live")
    if iso.volume_id.startswith(AGAMA) and not live_module(iso, menu):
        return NotMine(reason=f"its label begins with {AGAMA}, as those of Agama's installers do")
    entries = usable_entries(
        iso, menu, lambda entry: is_live_entry(entry) and not has_word(entry.cmdline, "mediacheck")
    )
    if not entries:
        return NOT_WHOLE
    return _detection(iso, menu, entries)


def _by_files(iso: IsoView, menu: Menu) -> Detection | NotMine:
    """The answer for an image whose menu cannot be read: only a name can tell it from Fedora's."""
    kernel = next(iter(iso.glob(KIWI_KERNEL)), "")
    if not kernel:
        return NotMine(reason=f"its menu cannot be read, and there is no {KIWI_KERNEL}")
    initrd = f"{kernel.removesuffix('linux')}initrd"
    named = iso.volume_id == DEFAULT_LABEL or identify((iso.volume_id, iso.name), NAMES).distro
    if not (named and iso.is_file(ROOT) and iso.is_file(initrd)):
        return NotMine(reason="its menu cannot be read, and its label is none that KIWI's images are known by")
    words = (f"root=live:CDLABEL={iso.volume_id}", "rd.live.image")
    return _detection(iso, menu, (MenuEntry(title="Start", kernel=kernel, initrds=(initrd,), cmdline=words),))


def _words(iso: IsoView, entry: MenuEntry) -> tuple[str, ...]:
    words = without_loader_words(without(entry.cmdline, *LEFT_OUT))
    return (f"{ISO_SCAN}={ISO_PATH}", *replaced(words, "root", f"live:CDLABEL={iso.volume_id}"))


def _detection(iso: IsoView, menu: Menu, entries: tuple[MenuEntry, ...]) -> Detection:
    first = entries[0]
    who = identify((iso.volume_id, iso.facts.application_id, *(entry.title for entry in entries), iso.name), NAMES)
    obstacle, instead = _obstacle(iso)
    ours = boot_entries(entries, lambda entry: _words(iso, entry), default=first)
    return Detection(
        stack="kiwi-live",
        distro=who.distro or (first.title if is_written_by_kiwi(first) else iso.volume_id),
        version=who.version,
        arch=who.arch or arch_of(iso, first.kernel),
        edition=who.edition,
        entries=() if obstacle else (*ours, *(() if _is_persistent(menu) else own_menu(iso, ISO_SCAN))),
        filesystems=dracut_filesystems(iso),
        evidence=_evidence(iso, menu, first),
        notes=() if obstacle else _notes(iso, menu),
        obstacle=obstacle,
        instead=instead,
    )


def _is_persistent(menu: Menu) -> bool:
    return any(has_word(entry.cmdline, KIWI_PERSISTENT[0]) for entry in menu.linux)


def _evidence(iso: IsoView, menu: Menu, first: MenuEntry) -> tuple[str, ...]:
    if not first.source:
        return (f"{first.kernel} is there", f"{ROOT} is there")
    kind = word_value(first.cmdline, "root").partition("=")[0]
    root = f"{first.source} starts {first.kernel} with root={kind}="
    if live_module(iso, menu) == KIWI_LIVE:
        return (root, "its initrd holds kiwi-live")
    if _is_persistent(menu):
        return (root, f"{KIWI_PERSISTENT[0]} is a word of kiwi-live")
    return (root, "its menu passes $iso_path on as KIWI's own template does, and never says rd.live.check")


def _obstacle(iso: IsoView) -> tuple[str, str]:
    if is_plain_label(iso.volume_id):
        return "", ""
    return (
        f"Its initrd knows the image by the label {iso.volume_id!r} only, which GRUB cannot spell to a kernel.",
        "Write this image to a stick of its own.",
    )


def _notes(iso: IsoView, menu: Menu) -> tuple[str, ...]:
    notes: list[str] = [] if menu.linux else [NO_MENU_NOTE]
    if _is_persistent(menu):
        notes.append("It keeps nothing: what it would write to the stick, all images of its kind would share.")
    if any(has_word(entry.cmdline, "mediacheck") for entry in menu.linux):
        notes.append("Its own media check is left out: started from a file it would check the stick.")
    if iso.volume_id == DEFAULT_LABEL:
        notes.append(f"Many images have the label {DEFAULT_LABEL}: start it with no other such medium attached.")
    if "2020-08" <= build_date(iso) < "2024":
        notes.append(UDEV_NOTE)
    return tuple(notes)


DETECTOR = Detector(
    name="kiwi-live",
    detect=detect,
    rank=40,
    quick=(
        QuickRule(
            requires=("/LiveOS/squashfs.img", "/boot/*/loader/linux", "/boot/grub2/grub.cfg"),
            kernel=("/boot/*/loader/linux",),
            initrd=("/boot/*/loader/initrd",),
            cmdline=(f"{ISO_SCAN}={ISO_PATH}", "root=live:CDLABEL={volume_id}", "rd.live.image"),
        ),
    ),
    stacks=(
        Stack(
            name="kiwi-live",
            installers=(YAST, CALAMARES),
            systems=(
                "openSUSE Tumbleweed Live",
                "openSUSE Leap Live (to 15.6)",
                "GeckoLinux",
                "live images built by KIWI",
            ),
            booted="tests/boots/test_persistence.py::test_changes_are_there_at_the_next_boot",
            source="OSInside/kiwi 10.3.9 (fb48da9c)",
            looked_at=(
                LookedAt(
                    system="openSUSE Tumbleweed Live",
                    version="2026.06",
                    when="2026-06",
                    what="its image, in the tests of linuxboot/heads (aedae4ff)",
                ),
                LookedAt(system="openSUSE Leap Live", version="15.6", when="2026-11", what="OSInside/kiwi 9.24"),
            ),
            but="an image whose label has blanks does not",
            keeps="/live_system.cow on the stick, one for all images of this kind, by rd.live.overlay.persistent",
            words=SYSTEMD_WORDS,
            persistence=Persistence(
                file="live_system.cow",
                label="cow",
                words=("rd.live.overlay.persistent", "rd.live.cowfile.path={folder}/live_system.cow"),
                note="KIWI before 10 does not know this place: it makes /live_system.cow, which all its images share",
            ),
            no_answers="it is a live system, whose installer reads none",
            layers=("overlay",),
            takes_modules=True,
            takes_device=True,
            finder=iso_scan_of(KIWI_LIVE),
            markers={KIWI_LIVE: ("sbin/kiwi-live-root", "sbin/kiwi-live-root.sh", "lib/kiwi-live-lib.sh")},
            roots=("/{rd.live.dir:LiveOS}/*.img", "/{rd.live.dir:LiveOS}/{rd.live.squashimg:squashfs.img}"),
        ),
    ),
)
