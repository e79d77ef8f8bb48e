"""miso: Manjaro, and what is built with its tools.

archiso's hooks as of 2014 under another name: ``misobasedir=`` and ``misolabel=``, ``img_dev=`` as a path only; since
August 2019 (ac9e91c) the hook ignores the device and searches every partition for the path, three times, so that a path
should be on one stick alone. The root is an overlay in RAM whatever the words say, so nothing can be kept.

Garuda's newer images have ``root=miso:LABEL=``: a dracut module that waits for a device of that label and never looks
for a file. A loop device over the file, made in dracut's initqueue by bootkit's overlay, bears the label.

Source: manjaro/manjaro-tools (c2a7a41): initcpio/hooks/miso, initcpio/hooks/miso_loop_mnt; manjaro/grub-theme
(d8ab916) cfg/kernels.cfg; garuda-linux/garuda-tools (433ad84): its dracut module miso; thias/glim (8b87c26)
grub2/inc-manjaro.cfg. exFAT with Manjaro 23.1 and Mabox 24.03: Mexit/MultiOS-USB (5a8765a) docs/Supported_OS.md.
Words of choices: the lines of its own menus.
"""

from bootkit.detect import (
    CALAMARES,
    KEEPS_NOTHING,
    MAKES_A_DISK,
    ON_A_DISK,
    ChoiceWords,
    Detection,
    Detector,
    Identity,
    IsoView,
    LookedAt,
    Menu,
    MenuEntry,
    NamePattern,
    NotMine,
    QuickRule,
    Stack,
    arch_of,
    boot_entries,
    identify,
    memory_tests,
    own_menu,
    read_menus,
    usable_entries,
    word_value,
)
from bootkit.detect.mkinitcpio import (
    LOOP_WORDS,
    is_local,
    live_entries,
    loop_hook_of,
    microcode_images,
    mkinitcpio_filesystems,
)

MARK = "/.miso"
KERNEL = "/boot/vmlinuz-*"
NAMES = (
    NamePattern("Manjaro", r"^MANJARO_(?P<edition>[A-Z-]+?)(?:_MINIMAL)?_?(?P<version>\d{3,4})"),
    NamePattern("Manjaro", r"^manjaro-(?P<edition>[a-z]+)-(?P<version>\d+\.\d+(?:\.\d+)?)|^MANJARO"),
    NamePattern("Mabox", r"^mabox-linux-(?P<version>\d\d\.\d\d)|^MABOX"),
    NamePattern("BigLinux", r"^BIGLINUX|^biglinux_(?P<version>\d{4}-\d\d-\d\d)(?:_(?P<edition>\w+?))?[_.]"),
    NamePattern("Garuda Linux", r"^GARUDA_(?P<edition>[A-Z0-9-]+)_|^garuda-"),
)
BASES = {"manjaro": "Manjaro relative", "mabox": "Mabox", "biglinux": "BigLinux", "garuda": "Garuda Linux"}


def detect(iso: IsoView) -> Detection | NotMine:
    menu = read_menus(iso)
    if waiting := usable_entries(iso, menu, _waits_for_a_label):
        return _on_a_disk(iso, waiting)
    entries = usable_entries(iso, menu, lambda entry: _is_miso(entry) and is_local(entry)) or _by_files(iso, menu)
    if not entries:
        return NotMine(reason=f"no entry of its menu has misobasedir=, and there is no {MARK} with a kernel")
    return _detection(iso, entries)


def _is_miso(entry: MenuEntry) -> bool:
    return any(word.startswith(("misobasedir=", "misolabel=")) for word in entry.cmdline)


def _waits_for_a_label(entry: MenuEntry) -> bool:
    return word_value(entry.cmdline, "root").startswith("miso:")


def _by_files(iso: IsoView, menu: Menu) -> tuple[MenuEntry, ...]:
    """Entries for an image whose menu cannot be read."""
    if menu.linux or not iso.exists(MARK) or _folder(iso) == "garuda":  # which has two generations with the same files
        return ()
    return tuple(
        MenuEntry(
            title="Start",
            kernel=kernel,
            initrds=(*microcode_images(iso, "/boot"), initrd),
            cmdline=(f"misobasedir={_folder(iso)}", f"misolabel={iso.volume_id}", "driver=free", "quiet"),
        )
        for kernel in iso.glob(KERNEL)[:1]
        for initrd in iso.glob(f"/boot/initramfs{kernel.removeprefix('/boot/vmlinuz')}.img")
    )


def _folder(iso: IsoView) -> str:
    """The folder of the root images: ``misobasedir``."""
    return next((image.split("/")[1] for image in iso.glob("/*/*/rootfs.sfs")), "manjaro")


def _detection(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Detection:
    first = entries[0]
    folder = word_value(first.cmdline, "misobasedir", "manjaro").strip("/")
    who = _who(iso, folder)
    arch = arch_of(iso, first.kernel)
    return Detection(
        stack="miso",
        distro=who.distro,
        version=who.version,
        arch=arch,
        edition=who.edition,
        entries=(
            *live_entries(entries, "misodevice", check=iso.is_file(f"/{folder}/{arch}/rootfs.md5")),
            *memory_tests(iso),
            *own_menu(iso, "img_loop"),
        ),
        filesystems=mkinitcpio_filesystems(iso),
        evidence=(f"{first.source or MARK} leads to {first.kernel} with misobasedir={folder}",),
    )


def _on_a_disk(iso: IsoView, entries: tuple[MenuEntry, ...]) -> Detection:
    first = entries[0]
    who = _who(iso, word_value(first.cmdline, "misobasedir", "garuda"))
    return Detection(
        stack="miso (dracut)",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso, first.kernel),
        edition=who.edition,
        entries=boot_entries(entries, default=first),
        evidence=(f"{first.source} starts {first.kernel} with root={word_value(first.cmdline, 'root')}",),
        notes=(ON_A_DISK,),
        wants_disk=True,
    )


def _who(iso: IsoView, folder: str) -> Identity:
    who = identify((iso.volume_id, iso.name), NAMES)
    edition = who.edition if len(who.edition) < 4 or not who.edition.isupper() else who.edition.capitalize()
    edition = {"KDE": "KDE", "XFCE": "Xfce", "GNOME": "GNOME"}.get(who.edition.upper(), edition)
    version = who.version
    if version.isdigit() and len(version) in (3, 4):
        version = ".".join(filter(None, (version[:2], version[2:3], version[3:])))
    return Identity(distro=who.distro or BASES.get(folder, folder), version=version, edition=edition)


_LOOP = loop_hook_of("miso")

DETECTOR = Detector(
    name="miso",
    detect=detect,
    rank=40,
    quick=(
        QuickRule(
            requires=(MARK, "/boot/initramfs-x86_64.img"),
            kernel=("/boot/vmlinuz-x86_64",),
            initrd=("/boot/initramfs-x86_64.img",),
            cmdline=(*LOOP_WORDS, "misolabel={volume_id}", "driver=free", "quiet"),
        ),
    ),
    stacks=(
        Stack(
            name="miso",
            installers=(CALAMARES,),
            mounts_all=True,  # since August 2019 miso_loop_mnt passes over the device in img_dev=
            systems=("Manjaro", "Mabox", "BigLinux", "Garuda Linux (old)"),
            source="manjaro/manjaro-tools (c2a7a41)",
            looked_at=(
                LookedAt(
                    system="Manjaro",
                    version="23.1",
                    when="2026-11",
                    what="manjaro/manjaro-tools (c2a7a41) and its menu of 2023",
                ),
                LookedAt(
                    system="Mabox",
                    version="2026.08",
                    when="2026-11",
                    what="musqz/mabox-snapshot, which uses the hooks of manjaro-tools-iso",
                ),
            ),
            words=ChoiceWords(language=("lang={lang}",), keyboard=("keytable={keymap}",), timezone=("tz={value}",)),
            no_persistence=KEEPS_NOTHING,
            layers=("overlay", "aufs"),
            markers=_LOOP.markers,
            scripts=_LOOP.scripts,
            takes_modules=True,
            takes_device=True,
            finder=_LOOP.finder,
            roots=("/{misobasedir:manjaro}/*/*.sfs",),
        ),
        Stack(
            name="miso (dracut)",
            systems=("Garuda Linux",),
            source="garuda-linux/garuda-tools (433ad84)",
            looked_at=(
                LookedAt(
                    system="Garuda Linux", version="2021.11", when="2026-11", what="garuda-linux/garuda-tools (433ad84)"
                ),
            ),
            overlay=MAKES_A_DISK,
            roots=("/{misobasedir:garuda}/*/*.sfs",),
        ),
    ),
)
