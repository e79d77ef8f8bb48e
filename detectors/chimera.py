"""Chimera Linux: a fork of live-boot in a fork of initramfs-tools, without busybox.

Its words are live-boot's: ``findiso=`` looks on removable disks and then on all. ``live-media=CHIMERA_LIVE``, which its
menu has, forbids a file and is left out. The root image is an EROFS.

Source, read: chimera-linux/chimera-live (cd23875): grub/menu.cfg.in, mklive.sh (label, erofs), initramfs-tools/hooks/live
(btrfs, ext4, vfat, and an ``ntfs`` that kernels since 6.9 no longer have), lib/live/boot/9990-misc-helpers.sh,
9990-cmdline-old.
"""

from bootkit.detect import (
    ISO_PATH,
    Detection,
    Detector,
    FileFinder,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    QuickRule,
    Stack,
    arch_of,
    boot_entries,
    identify,
    read_menus,
    usable_entries,
    with_words,
    without,
    without_loader_words,
    word_value,
)

LABEL = "CHIMERA_LIVE"
FIND_ISO = f"findiso={ISO_PATH}"
NO_FINDISO = "The live-boot in its initrd knows no findiso=, which names an ISO file."
FILESYSTEMS = ("vfat", "ext4", "btrfs")
NAMES = (
    NamePattern("Chimera Linux", r"^chimera-linux-(?P<arch>[a-z0-9_]+)-LIVE-(?P<version>\d{8})-(?P<edition>[a-z]+)"),
    NamePattern("Chimera Linux", r"^CHIMERA_LIVE$"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    if not any(iso.is_file(f"/live/filesystem.{kind}") for kind in ("erofs", "squashfs")):
        return NotMine(reason="there is neither /live/filesystem.erofs nor /live/filesystem.squashfs")
    entries = usable_entries(iso, read_menus(iso), lambda entry: word_value(entry.cmdline, "live-media") == LABEL)
    if not entries:
        return NotMine(reason=f"its menu starts no kernel of the image with live-media={LABEL}")
    first = entries[0]
    who = identify((iso.name, iso.volume_id), NAMES)
    return Detection(
        stack="live-boot (Chimera)",
        distro="Chimera Linux",
        version=who.version,
        arch=who.arch or arch_of(iso, first.title),
        edition={"gnome": "GNOME"}.get(who.edition, who.edition.capitalize()),
        entries=boot_entries(entries, _words, default=first, to_ram=("toram",)),
        filesystems=FILESYSTEMS,
        evidence=(f"{first.source} starts {first.kernel} with live-media={LABEL}",),
    )


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return with_words(without_loader_words(without(entry.cmdline, "live-media", "findiso", "fromiso")), FIND_ISO)


DETECTOR = Detector(
    name="chimera",
    detect=detect,
    rank=40,
    quick=(
        QuickRule(
            requires=("/live/filesystem.erofs",),
            kernel=("/live/vmlinuz*",),
            initrd=("/live/initrd",),
            cmdline=("boot=live", "init=/usr/bin/init", FIND_ISO),
        ),
    ),
    stacks=(
        Stack(
            name="live-boot (Chimera)",
            systems=("Chimera Linux",),
            source="chimera-linux/chimera-live (cd23875)",
            looked_at=(
                LookedAt(
                    system="Chimera Linux",
                    version="20250420",
                    when="2026-11",
                    what="chimera-linux/chimera-live (cd23875)",
                ),
            ),
            keeps="a partition of its own, by persistence",
            finder=FileFinder(
                markers=("live-boot",),
                scripts="live-boot",
                parts=(("live-boot-search", "live-boot-findiso"),),
                lacking=NO_FINDISO,
                partial=NO_FINDISO,
            ),
            roots=("/{live-media-path:live}/*.squashfs", "/{live-media-path:live}/*.erofs"),
        ),
    ),
)
