"""CoreOS live images: Fedora CoreOS, RHCOS, SCOS.

Their initrd waits for a device with the label that ``coreos.liveiso=`` names and knows nothing of ISO files. Without
that word it is the same initrd that starts from the network, and takes the whole system (rootfs.img) as a further
initrd: GRUB loads all three out of the image, and no ISO file has to be found. ignition.img is where
``coreos-installer iso ignition embed`` puts a configuration; it is empty otherwise.

Source, read: coreos/fedora-coreos-config (2d0fce6d, October 2024): live/EFI/fedora/grub.cfg, live/isolinux/isolinux.cfg,
overlay.d/05core/usr/lib/dracut/modules.d/35coreos-live (live-generator, coreos-livepxe-rootfs.sh).
"""

from dataclasses import replace

from bootkit.detect import (
    ANY_FILESYSTEM,
    NOT_WHOLE,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NamePattern,
    NotMine,
    Stack,
    arch_of,
    boot_entries,
    identify,
    read_menus,
    usable_entries,
    without,
    without_loader_words,
)

IGNITION = "/images/ignition.img"
ROOTFS = "/images/pxeboot/rootfs.img"
NAMES = (
    NamePattern("Fedora CoreOS", r"^fedora-coreos-(?P<version>\d[\d.]*\d)"),
    NamePattern("RHEL CoreOS", r"^rhcos-(?P<version>\d[\d.-]*\d)"),
    NamePattern("CentOS Stream CoreOS", r"^scos-(?P<version>\d[\d.-]*\d)"),
)


def detect(iso: IsoView) -> Detection | NotMine:
    if not (iso.is_file(IGNITION) and iso.is_file(ROOTFS)):
        return NotMine(reason=f"there is no {IGNITION} with {ROOTFS}")
    found = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel.startswith("/images/pxeboot/"))
    if not found:
        return NOT_WHOLE
    entries = tuple(replace(entry, initrds=_initrds(entry)) for entry in found)
    first = entries[0]
    who = identify((iso.volume_id, iso.name), NAMES, otherwise=iso.volume_id or "CoreOS")
    mib = iso.file_size(ROOTFS) >> 20
    return Detection(
        stack="coreos",
        distro=who.distro,
        version=who.version,
        arch=arch_of(iso, first.title),
        entries=boot_entries(entries, _words, default=first),
        filesystems=ANY_FILESYSTEM,
        evidence=(f"{first.source} starts {first.kernel}", f"{IGNITION} and {ROOTFS} are there"),
        notes=(
            f"It starts as from a network: GRUB loads the whole system, {mib} MiB, and afterwards the stick is free.",
            "It needs 4 GiB of RAM or more.",
        ),
    )


def _initrds(entry: MenuEntry) -> tuple[str, ...]:
    own = tuple(path for path in entry.initrds if path not in (ROOTFS, IGNITION))
    return (*own, ROOTFS, IGNITION)


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return without_loader_words(without(entry.cmdline, "coreos.liveiso", "coreos.liveiso.fromram"))


DETECTOR = Detector(
    name="coreos",
    detect=detect,
    rank=20,
    stacks=(
        Stack(
            name="coreos",
            systems=("Fedora CoreOS", "RHEL CoreOS", "CentOS Stream CoreOS"),
            source="coreos/fedora-coreos-config (2d0fce6d)",
            looked_at=(
                LookedAt(system="Fedora CoreOS", version="43", when="2026-11", what="its kernel line, as published"),
            ),
        ),
    ),
)
