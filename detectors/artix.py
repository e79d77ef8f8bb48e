"""Artix: archiso's hooks under the name artix, for images without systemd.

Newer images name the medium by ``label=ARTIX_202401`` and keep their root images in /LiveOS, older ones say
``artixbasedir=``. Desktop editions need ``overlay=livefs``, which their menu has. ``img_dev=`` is a path.

Source: artix-linux/artools (b6ef4d1): initcpio/hooks/artix, initcpio/hooks/artix_loop_mnt; its later
lib/iso/initcpio.sh (configure_grub: label=, overlay=livefs); thias/glim (8b87c26) grub2/inc-artix.cfg.
Words of choices: the lines of its own menus.
"""

from bootkit.detect import (
    CALAMARES,
    KEEPS_NOTHING,
    ChoiceWords,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    QuickRule,
    Stack,
    arch_of,
    has_word,
    identify,
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

LABEL = "ARTIX"
KERNEL, INITRD = "/boot/vmlinuz-x86_64", "/boot/initramfs-x86_64.img"
ROOT_IMAGES = ("/LiveOS/rootfs.*", "/artix/*/rootfs.*")
NAMES = (
    NamePattern("Artix", r"^artix-(?P<edition>[a-z]+-[a-z0-9]+)-(?P<version>\d{8})"),
    NamePattern("Artix", r"^ARTIX(?:_(?P<version>\d{6}))?"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    images = [path for pattern in ROOT_IMAGES for path in iso.glob(pattern)]
    if not images:
        return NotMine(reason=f"there is neither {ROOT_IMAGES[0]} nor {ROOT_IMAGES[1]}")
    menu = read_menus(iso)
    entries = usable_entries(iso, menu, lambda entry: _is_artix(entry) and is_local(entry))
    if not menu.linux and iso.volume_id.startswith(LABEL):
        entries = _by_files(iso)
    if not entries:
        return NotMine(reason="its menu starts no kernel of the image with artixbasedir= or label=ARTIX")
    return _detection(iso, entries, images)


def _is_artix(entry: MenuEntry) -> bool:
    words = entry.cmdline
    is_older = has_word(words, "artixbasedir") or has_word(words, "artixlabel")
    return is_older or word_value(words, "label").startswith(LABEL) or word_value(words, "overlay") == "livefs"


def _by_files(iso: IsoView) -> tuple[MenuEntry, ...]:
    """The entry for an image whose menu cannot be read."""
    if not iso.is_file(KERNEL) or not iso.is_file(INITRD):
        return ()
    overlay = ("overlay=livefs",) if iso.glob("/LiveOS/livefs.*") else ()
    words = ("lang=en_US", "keytable=us", "tz=UTC", f"label={iso.volume_id}", *overlay)
    return (MenuEntry(title="Start", kernel=KERNEL, initrds=(*microcode_images(iso, "/boot"), INITRD), cmdline=words),)


def _detection(iso: IsoView, entries: tuple[MenuEntry, ...], images: list[str]) -> Detection:
    first = entries[0]
    who = identify((iso.volume_id, iso.name), NAMES)
    return Detection(
        stack="artix",
        distro="Artix",
        version=who.version,
        arch=arch_of(iso, first.kernel),
        edition=who.edition,
        entries=(
            *live_entries(entries, "artixdevice", check=any(path.endswith((".sha512", ".md5")) for path in images)),
            *own_menu(iso, "img_loop", beside="img_dev"),
        ),
        filesystems=mkinitcpio_filesystems(iso),
        evidence=(f"{images[0]} is there", f"{first.source or 'its label'} leads to {first.kernel}"),
    )


_LOOP = loop_hook_of("artix")

DETECTOR = Detector(
    name="artix",
    detect=detect,
    rank=40,
    quick=(
        QuickRule(
            requires=("/LiveOS/rootfs.*", INITRD),
            kernel=(KERNEL,),
            initrd=(INITRD,),
            cmdline=(*LOOP_WORDS, "label={volume_id}", "overlay=livefs", "lang=en_US", "keytable=us", "tz=UTC"),
        ),
    ),
    stacks=(
        Stack(
            name="artix",
            installers=(CALAMARES,),
            systems=("Artix",),
            source="artix-linux/artools (b6ef4d1)",
            looked_at=(
                LookedAt(
                    system="Artix",
                    version="2026.04",
                    when="2026-11",
                    what="its image, started by CIBU's menu (reported)",
                ),
            ),
            words=ChoiceWords(language=("lang={lang}",), keyboard=("keytable={keymap}",), timezone=("tz={value}",)),
            no_persistence=KEEPS_NOTHING,
            markers=_LOOP.markers,
            scripts=_LOOP.scripts,
            finder=_LOOP.finder,
            takes_modules=True,
            takes_device=True,
            layers=("overlay", "dm_snapshot"),
            roots=("/LiveOS/rootfs.*", "/{artixbasedir:artix}/*/rootfs.*"),
        ),
    ),
)
