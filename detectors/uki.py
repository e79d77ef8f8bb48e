"""Unified kernel images: one EFI application that holds kernel, initrd and kernel line.

systemd-boot starts them from ``/EFI/Linux``, some images have one in the place of the loader; both mostly in the FAT
image for UEFI, and nothing beside; or a menu names one in another place. What is inside runs from RAM, or looks for its medium by the line that is built in.
The first kind starts wherever GRUB can read it. To the second no word and no initrd can be given under Secure Boot, and
no initrd of ours without it: the stub takes both from inside. systemd-boot itself cannot be started from an ISO file:
it looks for entries on the partition that it was read from, and a loop device of GRUB's is none for the firmware.

Source: UAPI group, "Unified Kernel Image" (the sections); systemd 257, src/boot/stub.c (the built-in line counts, and
without a partition no companion files are looked for); GRUB 2.06, grub-core/loader/efi/chainloader.c. Talos: siderolabs/talos
pkg/imager/iso (label ``TALOS_V1_11_0``); GNOME OS: its images' kernel line ``root=live:gnomeos``.
"""

import re
from dataclasses import replace

from bootkit.detect import (
    ANY_FILESYSTEM,
    IN_EFI,
    BootEntry,
    Detection,
    Detector,
    EntryKind,
    FileKind,
    Firmware,
    IsoView,
    LookedAt,
    NotMine,
    Role,
    Stack,
    image_name,
    parse_os_release,
    read_menus,
    split_words,
    word_value,
)

PLACES = ("EFI/Linux/*.efi", "EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/BOOTAA64.EFI")
CPUS = {"x86_64": Firmware.UEFI_X64, "i686": Firmware.UEFI_IA32, "aarch64": Firmware.UEFI_ARM64}
IN_RAM = ("", "tmpfs", "none", "rootfs", "/dev/ram0", "/dev/ram")
"""Values of ``root=`` for which nothing is looked for."""
MEDIUM = re.compile(
    r"(?:boot=(?:live|casper)|rd\.live\.(?:image|dir|squashimg|overlay)(?:=.*)?|coreos\.liveiso=.*|live-media(?:-path)?=.*|cdroot"
    r"|(?:rd\.)?systemd\.gpt_auto(?:=(?:1|yes|true|on))?|[a-z]+iso(?:basedir|label|device|searchuuid|searchfilename)=.*|inst\.stage2=.*"
    r"|findiso=.*|fromiso=.*|img_(?:dev|loop)=.*|(?:mount\.usr|usrhash|roothash)=.*)"
)
"""Words by which an initrd looks for a disk."""
LABEL = re.compile(r"^([A-Z]+)_(V?)(\d+)_(\d+)_(\d+)", re.IGNORECASE)
"""Talos' labels: ``TALOS_V1_11_0``."""
NAMES = {"GNOMEOS": "GNOME OS", "TALOS": "Talos Linux", "Talos": "Talos Linux"}


def detect(iso: IsoView) -> Detection | NotMine:
    if iso.facts.kind is not FileKind.ISO:
        return NotMine(reason="it is no ISO file")
    menu = read_menus(iso)
    linux = [entry for entry in menu.linux if entry.initrds or not _is_program(entry.kernel)]
    if linux:
        return NotMine(reason=f"its menu starts {linux[0].kernel}")
    named = [path for entry in menu.entries for path in (entry.chainloader, entry.kernel) if _is_program(path)]
    placed = [path for place in PLACES for start in ("/", f"{IN_EFI}/") for path in iso.glob(start + place)]
    paths = dict.fromkeys((*map(iso.spelled, filter(iso.is_file, named)), *placed))
    images = [path for path in paths if (kernel := iso.kernel(path)) is not None and kernel.uki is not None]
    if not images:
        return NotMine(reason="it holds no unified kernel image")
    return _detection(iso, tuple(images))


def _detection(iso: IsoView, images: tuple[str, ...]) -> Detection:
    free = tuple(path for path in images if not _medium(_inside(iso, path)[0]))
    first = (free or images)[0]
    kernel = iso.kernel(first)
    cmdline, os_release = _inside(iso, first)
    distro, version = _who(iso, os_release)
    words = f"its kernel line is {cmdline!r}" if cmdline else "it has no kernel line inside"
    found = Detection(
        stack="unified kernel image",
        distro=distro,
        version=version,
        arch=kernel.cpu if kernel is not None else "",
        evidence=(f"{first} is a unified kernel image", words),
    )
    if not free:
        return replace(
            found,
            obstacle=f"Its kernel image looks for a disk by {_medium(cmdline)}, which is built in, and opens no ISO file.",
            instead="Write this image to a stick of its own.",
        )
    return replace(found, entries=_entries(iso, free), filesystems=ANY_FILESYSTEM)


def _inside(iso: IsoView, path: str) -> tuple[str, str]:
    """The kernel line that is built into a unified kernel image, and its os-release."""
    kernel = iso.kernel(path)
    assert kernel is not None
    assert kernel.uki is not None  # that is how it was found
    return kernel.uki.cmdline, kernel.uki.os_release


def _is_program(path: str) -> bool:
    """Whether a menu names an application of UEFI in the image, which may be a unified kernel image in a place of its own."""
    return path.lower().endswith(".efi") and path.startswith(("/", IN_EFI))


def _medium(cmdline: str) -> str:
    """The word by which it looks for a disk; empty if it runs from RAM."""
    words = split_words(cmdline)
    root = word_value(words, "root")
    if root not in IN_RAM:
        return f"root={root}"
    return next((word for word in words if MEDIUM.fullmatch(word)), "")


def _who(iso: IsoView, os_release: str) -> tuple[str, str]:
    """Name and version: by the os-release inside, else by the label."""
    said = parse_os_release(os_release)
    info = image_name(iso)
    label = LABEL.match(iso.volume_id)
    version = f"{label[2].lower()}{label[3]}.{label[4]}.{label[5]}" if label is not None else info.version
    name = said.name or (label[1] if label is not None else info.name) or iso.name.rpartition(".")[0]
    return NAMES.get(name, name), said.version_id or version


def _entries(iso: IsoView, images: tuple[str, ...]) -> tuple[BootEntry, ...]:
    """An entry for each kind of machine that there is an image for, and for further images of the same kind."""
    found: dict[str, BootEntry] = {}
    for path in images:
        kernel = iso.kernel(path)
        firmware = CPUS.get(kernel.cpu) if kernel is not None else None
        if firmware is None or any(iso.kernel(known) == kernel for known in found):
            continue  # the one in the loader's place is often a copy
        said = parse_os_release(_inside(iso, path)[1])
        title = said.pretty_name or said.name or path.rpartition("/")[2].rpartition(".")[0]
        taken = [entry.title for entry in found.values() if firmware in entry.firmware]
        found[path] = BootEntry(
            title=f"{title} ({len(taken) + 1})" if title in taken else title,
            kernel=path,
            kind=EntryKind.CHAINLOADER,
            role=Role.OTHER if found else Role.DEFAULT,
            firmware=frozenset({firmware}),
            safe_graphics=(),
        )
    return tuple(found.values())


DETECTOR = Detector(
    name="uki",
    detect=detect,
    rank=90,
    stacks=(
        Stack(
            name="unified kernel image",
            systems=("Talos Linux (since 1.11)", "other images with a unified kernel image"),
            source="systemd 257 src/boot; siderolabs/talos pkg/imager",
            looked_at=(
                LookedAt(system="Talos Linux", version="1.11", when="2026-11", what="siderolabs/talos pkg/imager"),
            ),
            but="on UEFI only, and one that looks for its medium (GNOME OS) does not",
        ),
    ),
)
