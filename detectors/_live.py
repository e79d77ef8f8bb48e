"""What the detectors of dracut's and mkinitcpio's live systems do in the same way. No detector itself."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bootkit.detect import (
    IsoView,
    Menu,
    MenuEntry,
    NotMine,
    Role,
    clean_title,
    role_of,
)

ISO_SCAN = "iso-scan/filename"
"""dracut's word for the ISO file; its value ends up unquoted in a shell command."""
DRACUT_FILESYSTEMS = ("vfat", "ext4", "btrfs", "xfs")
"""An initrd made without ``--hostonly`` has all of the kernel's own drivers."""
EXFAT_SINCE = "2023-06"
"""Build date of the first images whose dracut initrds were reported to find their ISO file on exFAT: Leap 15.5, then
Fedora 39, EL 8.9 and EL 9.3."""
UDEV_NOTE = (
    "dracut before 060 may overlook the opened ISO file: if it ends in an emergency shell, type "
    "'udevadm trigger --action=add' there."
)
"""dracut's commit 7b530f26: with newer kernels attaching a file raises no event by which udev learns of its label."""
NO_MENU_NOTE = "Its menu could not be read: the kernel's words are the usual ones of its stack."
NOT_WHOLE = NotMine(reason="no kernel and initrd of its menu are in the image")
ISO_NAME_NOTE = "The file's name has to end in .iso, in small letters."

_ARCHES = {"amd64": "x86_64", "x64": "x86_64", "i386": "i686", "i486": "i686", "i586": "i686", "arm64": "aarch64"}
_ARCH = re.compile(r"(?<![A-Za-z0-9])(x86_64|amd64|i[3-6]86|aarch64|arm64|riscv64|ppc64le|s390x)(?![A-Za-z0-9])")
_PLATFORM = re.compile(r"\s*\((?:U?EFI|BIOS)\)|,?\s+(?:U?EFI|BIOS)\b")
_PLAIN_LABEL = re.compile(r"[A-Za-z0-9#+.:=@_-]+")
_STAMP = re.compile(r"(?:19|20)\d\d-\d\d-\d\d-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    distro: str = ""
    version: str = ""
    edition: str = ""
    arch: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """How images of a distribution give themselves away."""

    distro: str
    pattern: str
    """Searched whatever the case; its groups ``version``, ``edition`` and ``arch`` are taken where they match."""


def identify(texts: Iterable[str], names: tuple[Name, ...], *, otherwise: str = "") -> Identity:
    """Who an image is, by the first text in which a name is found; what that text lacks is taken from later ones.

    ``otherwise`` is the distribution's name if there is none.
    """
    found = Identity()
    for text in filter(None, texts):
        for name in names:
            match = re.search(name.pattern, text, re.IGNORECASE) if found.distro in ("", name.distro) else None
            if match is not None:
                groups = {key: value or "" for key, value in match.groupdict().items()}
                found = Identity(
                    distro=name.distro,
                    version=found.version or _version(groups.get("version", "")),
                    edition=found.edition or re.sub(r"[-_.]+", " ", groups.get("edition", "")).strip(),
                    arch=found.arch or plain_arch(groups.get("arch", "")),
                )
    return replace(found, distro=found.distro or otherwise)


def _version(text: str) -> str:
    return re.sub(r"^(\d+)[-_](\d+)$", r"\1.\2", text.strip("-._"))


def plain_arch(name: str) -> str:
    return _ARCHES.get(name.lower(), name.lower())


def arch_of(iso: IsoView, *texts: str) -> str:
    """The architecture that one of ``texts`` names, else that of the image's UEFI loader; empty if neither tells."""
    for text in (*texts, iso.volume_id, iso.name):
        if match := _ARCH.search(text):
            return plain_arch(match[1])
    loaders = {"/EFI/BOOT/BOOTX64.EFI": "x86_64", "/EFI/BOOT/BOOTAA64.EFI": "aarch64"}
    return next((arch for path, arch in loaders.items() if iso.is_file(path)), "")


def built(iso: IsoView) -> str:
    """When the image was made, ``2024-03-14``, to compare; empty if it does not say."""
    return iso.uuid[:10] if _STAMP.match(iso.uuid) else ""


def dracut_filesystems(iso: IsoView, *, btrfs: bool = True) -> tuple[str, ...]:
    found = DRACUT_FILESYSTEMS if btrfs else tuple(name for name in DRACUT_FILESYSTEMS if name != "btrfs")
    return (*found, "exfat") if built(iso) >= EXFAT_SINCE else found


def is_plain_label(label: str) -> bool:
    r"""Whether a volume id is also the name of its link in /dev/disk/by-label.

    udev writes every other character as ``\x20``, and GRUB's ``linux`` cannot pass a single backslash.
    Source: systemd 257, src/shared/device-nodes.c, encode_devnode_name; GRUB 2.06, grub-core/lib/cmdline.c; booted.
    """
    return _PLAIN_LABEL.fullmatch(label) is not None


def usable_entries(iso: IsoView, menu: Menu, wanted: Callable[[MenuEntry], bool]) -> tuple[MenuEntry, ...]:
    """The wanted entries of a menu whose files are there, titles without UEFI and BIOS.

    The first is what the menu starts by itself, unless that is a media check or the like.
    """
    ready = {entry: usable for entry in menu.linux if wanted(entry) and (usable := _ready(iso, entry))}
    if not ready:
        return ()
    first = min(ready, key=lambda entry: (not _is_usual(entry), entry is not menu.default_linux))
    return (ready.pop(first), *ready.values())


def _is_usual(entry: MenuEntry) -> bool:
    return role_of(entry) in (Role.DEFAULT, Role.INSTALL, Role.OTHER)


def _ready(iso: IsoView, entry: MenuEntry) -> MenuEntry | None:
    """The entry without microcode images that are not there, and with those that are in front; ``None`` if in vain."""
    microcode = tuple(path for path in entry.initrds if is_microcode(path))
    initrds = tuple(path for path in entry.initrds if path not in microcode)
    if not initrds or not all(iso.is_file(path) for path in (entry.kernel, *initrds)):
        return None
    title = _PLATFORM.sub("", clean_title(entry.title))
    return replace(entry, title=title, initrds=(*filter(iso.is_file, microcode), *initrds))


def is_microcode(path: str) -> bool:
    return "ucode" in path.rpartition("/")[2]


ON_A_DISK = "Its initrd opens no ISO file: it boots only with the overlay that bootkit loads behind it."
"""The note of an image that ``wants_disk``."""
MAKES_A_DISK = "makes a disk of the file"
"""What its overlay does."""
