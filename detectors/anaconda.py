"""Anaconda: the installation images of Fedora, RHEL, Rocky, Alma, Oracle and CentOS, and Fedora's ostree systems.

``inst.stage2=hd:UUID=...:/path`` makes the initrd mount the stick read-only and open the ISO file itself: no label of
the opened file is waited for, so dracut's old trouble with udev does not matter. ``inst.repo=`` in the same form is the
package source of images that bring packages. The path must end in ``.iso`` in small letters to be taken for a file. A
``root=`` would switch all of that off. The stick's own disk must not look like a dd'ed image (ISO9660 on the whole
disk): its partitions are skipped then.

``rd.live.check`` looks at the device that was named, here the stick, which is no ISO9660 and passes unread: the check
entries find the image the other way, ``iso-scan/filename=`` and its label.

Two layouts of the menu: isolinux and /EFI/BOOT/grub.cfg, since Fedora 42 and EL 10 /boot/grub2/grub.cfg. EL 6 and older
have an initrd of another kind and no ``inst.`` words.

Source, read: rhinstaller/anaconda 45.21 (8eddd3c95d): dracut/parse-anaconda-repo.sh, repo-genrules.sh,
anaconda-diskroot, anaconda-lib.sh (find_runtime, anaconda_live_root_dir, disk_to_dev_path,
dev_is_on_disk_with_iso9660), pyanaconda/modules/payloads/source/utils.py. weldr/lorax (ba5acecf):
share/templates.d/99-generic/config_files/x86. Mexit/MultiOS-USB (5a8765a): config/fedora/fedora.cfg (the check's way).
Reported, not read: file systems, as in ``dmsquash_live``.
Words of choices: anaconda 45, docs/boot-options.rst.
Answer files: docs/boot-options.rst.
The finder mounts anything: anaconda-lib.sh of anaconda 45.21 (booted).
"""

from bootkit.detect import (
    ANACONDA,
    ISO_PATH,
    NO_MENU_NOTE,
    STICK_UUID,
    AnswerFile,
    ChoiceWords,
    Detection,
    Detector,
    FileFinder,
    Identity,
    IsoView,
    LookedAt,
    Menu,
    MenuEntry,
    NamePattern,
    NotMine,
    QuickRule,
    Role,
    Stack,
    arch_of,
    boot_entries,
    has_word,
    identify,
    parse_treeinfo,
    plain_arch,
    read_menus,
    role_of,
    usable_entries,
    without,
    without_loader_words,
)
from bootkit.detect.dracut import ISO_SCAN, dracut_filesystems, is_plain_label

STAGE2 = "/images/install.img"
XEN = "/images/pxeboot/xen.gz"
KERNEL, INITRD = "/images/pxeboot/vmlinuz", "/images/pxeboot/initrd.img"
ISO = f"hd:UUID={STICK_UUID}:{ISO_PATH}"
FIND_ISO = f"inst.stage2={ISO}"
FIND_PACKAGES = f"inst.repo={ISO}"
CHECK = "rd.live.check"
LEFT_OUT = ("inst.stage2", "inst.repo", "root", ISO_SCAN, CHECK)
WITHOUT_BTRFS = ("Red Hat", "Rocky", "Alma", "CentOS", "Oracle", "EuroLinux")
COMMON_VARIANTS = frozenset({"BaseOS", "AppStream", "Minimal"})
NAMES = (
    NamePattern("Fedora", r"^Fedora-(?P<edition>Silverblue|Kinoite|IoT)\b.*?-(?P<version>\d+)"),
    NamePattern("Fedora", r"^Fedora-\w+-(?:dvd|netinst|ostree)-(?P<arch>\w+)-(?P<version>\d+)"),
    NamePattern("Red Hat Enterprise Linux", r"^RHEL-(?P<version>\d+[-.]\d+)"),
    NamePattern("CentOS", r"^CentOS[- ](?P<version>(?:Stream[- ])?\d+)"),
    NamePattern("Rocky Linux", r"^Rocky-(?P<version>\d+[-.]\d+)"),
    NamePattern("AlmaLinux", r"^AlmaLinux-(?P<version>\d+[-.]\d+)"),
    NamePattern("Oracle Linux", r"^OL-(?P<version>\d+[-.]\d+)"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file(STAGE2):
        return NotMine(reason=f"there is no {STAGE2}")
    if iso.is_file(XEN):
        return NotMine(reason=f"it starts by {XEN}")
    menu = read_menus(iso)
    entries = usable_entries(iso, menu, _is_installer) or _by_files(iso, menu)
    if not entries:
        return NotMine(reason="no kernel line of its menu says inst.stage2= or inst.repo=")
    return _detection(iso, entries)


def _is_installer(entry: MenuEntry) -> bool:
    return has_word(entry.cmdline, "inst.stage2") or has_word(entry.cmdline, "inst.repo")


def _by_files(iso: IsoView, menu: Menu) -> tuple[MenuEntry, ...]:
    if menu.linux or not (iso.is_file(KERNEL) and iso.is_file(INITRD)):
        return ()
    return (MenuEntry(title="Install", kernel=KERNEL, initrds=(INITRD,)),)


def _detection(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Detection:
    first = entries[0]
    who = _who(iso, entries)
    found = (FIND_ISO, FIND_PACKAGES) if _has_packages(iso) else (FIND_ISO,)

    def words(entry: MenuEntry) -> tuple[str, ...]:
        rest = without_loader_words(without(entry.cmdline, *LEFT_OUT))
        checks = entry is not first and role_of(entry, first) is Role.CHECK
        return (*_opened(iso), *rest, CHECK) if checks else (*found, *rest)

    start = f"{first.source} starts {first.kernel} with inst.stage2= or inst.repo="
    return Detection(
        stack="anaconda",
        distro=who.distro,
        version=who.version,
        arch=who.arch or arch_of(iso, first.title),
        edition=who.edition,
        entries=boot_entries(entries, words, default=first),
        filesystems=dracut_filesystems(iso, btrfs=not who.distro.startswith(WITHOUT_BTRFS)),
        evidence=(start if first.source else f"{first.kernel} is there", f"{STAGE2} is there"),
        notes=_notes(iso, first),
    )


def _opened(iso: IsoView) -> tuple[str, str]:
    """The words by which dracut opens the ISO file and the installer finds what is in it."""
    place = f"LABEL={iso.volume_id}" if is_plain_label(iso.volume_id) else f"UUID={iso.uuid}"
    return f"{ISO_SCAN}={ISO_PATH}", f"inst.stage2=hd:{place}"


def _has_packages(iso: IsoView) -> bool:
    return iso.is_dir("/repodata") or bool(iso.glob("/*/repodata"))


def _who(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Identity:
    tree = parse_treeinfo(iso.text("/.treeinfo"))
    label = identify((iso.volume_id, iso.name), NAMES)
    title = identify((entry.title for entry in entries), (TITLE,))
    variant = tree.variant if tree.variant not in COMMON_VARIANTS else ""
    words = (variant or label.edition, _kind(iso))
    return Identity(
        distro=tree.name or label.distro or title.edition or iso.volume_id,
        version=tree.version or label.version or title.version,
        edition=" ".join(word for word in words if word),
        arch=plain_arch(tree.arch) or label.arch,
    )


TITLE = NamePattern("installer", r"^Install (?P<edition>.+?)(?: (?P<version>\d[\w.]*))?$")


def _kind(iso: IsoView) -> str:
    if iso.is_dir("/ostree") or iso.is_dir("/container"):
        return ""
    if "minimal" in f"{iso.volume_id} {iso.name}".lower():
        return "minimal"
    return "DVD" if _has_packages(iso) else "netinst"


def _notes(iso: IsoView, first: MenuEntry) -> tuple[str, ...]:
    notes: list[str] = []
    if not iso.name.endswith(".iso"):
        notes.append("Its installer knows an ISO file by a name that ends in .iso: rename it.")
    if not first.source:
        notes.append(NO_MENU_NOTE)
    return tuple(notes)


DETECTOR = Detector(
    name="anaconda",
    detect=detect,
    rank=40,
    quick=(
        QuickRule(requires=(STAGE2, "/BaseOS"), kernel=(KERNEL,), initrd=(INITRD,), cmdline=(FIND_ISO, FIND_PACKAGES)),
        QuickRule(
            requires=(STAGE2, "/repodata"), kernel=(KERNEL,), initrd=(INITRD,), cmdline=(FIND_ISO, FIND_PACKAGES)
        ),
        QuickRule(requires=(STAGE2,), kernel=(KERNEL,), initrd=(INITRD,), cmdline=(FIND_ISO,)),
    ),
    stacks=(
        Stack(
            name="anaconda",
            only_installs=True,
            installers=(ANACONDA,),
            systems=(
                "Fedora Server",
                "Fedora Everything",
                "Fedora Silverblue",
                "Fedora Kinoite",
                "Fedora IoT",
                "Red Hat Enterprise Linux",
                "CentOS Stream",
                "Rocky Linux",
                "AlmaLinux",
                "Oracle Linux",
                "EuroLinux",
                "openEuler",
                "MIRACLE LINUX",
                "NavyLinux",
                "Bazzite (installer)",
            ),
            source="rhinstaller/anaconda 45.21 (8eddd3c95d)",
            looked_at=(
                LookedAt(
                    system="Fedora Everything",
                    version="44",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
                LookedAt(
                    system="Fedora Silverblue",
                    version="44",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
                LookedAt(system="Fedora Server", version="44", when="2026-11", what="weldr/lorax 46.0 (ba5acecf)"),
                LookedAt(system="Rocky Linux", version="9.4", when="2026-11", what="weldr/lorax 34"),
                LookedAt(system="Oracle Linux", version="10", when="2026-11", what="weldr/lorax 40"),
            ),
            words=ChoiceWords(language=("inst.lang={locale}",), keyboard=("inst.keymap={keymap}",)),
            no_persistence="it is an installer",
            answers=(
                AnswerFile(
                    kind="kickstart",
                    file="ks.cfg",
                    member="ks.cfg",
                    words=("inst.ks=file:/ks.cfg",),
                    suffixes=(".ks", "ks.cfg"),
                    first_words=("%packages", "autopart", "clearpart", "rootpw", "#version=", "ostreesetup"),
                ),
            ),
            wants_iso_suffix=True,
            skips_former_iso=True,
            markers={"anaconda": ("lib/anaconda-lib.sh",)},
            finder=FileFinder(markers=("anaconda",), mounts_anything=True, maker="dracut"),
        ),
    ),
)
