"""How an image boots: a detector's answer."""

from dataclasses import dataclass
from enum import StrEnum

ISO_PATH = "{iso_path}"
"""Slot in a kernel word: the image's path from the root of its partition, with the leading slash."""
STICK_UUID = "{stick_uuid}"
"""Slot in a kernel word: the file-system UUID of that partition, spelled as udev spells it."""


class Firmware(StrEnum):
    """What starts the boot menu. ``GRUB`` sees it as ``$grub_platform`` and ``$grub_cpu``."""

    BIOS = "bios"
    UEFI_X64 = "uefi"
    UEFI_IA32 = "ia32"
    UEFI_ARM64 = "arm64"


ANY_FIRMWARE = frozenset(Firmware)


class Role(StrEnum):
    """What an entry is for; one image offers one ``DEFAULT`` and any number of the others."""

    DEFAULT = "default"
    SAFE = "safe"
    """Safe graphics, fail-safe."""
    CHECK = "check"
    """The distribution's own media check."""
    INSTALL = "install"
    RESCUE = "rescue"
    OTHER = "other"


class EntryKind(StrEnum):
    LINUX = "linux"
    """A kernel and its initrds, by GRUB's ``linux`` and ``initrd``."""
    CONFIGFILE = "configfile"
    """The image's own GRUB menu (``kernel`` names it), which finds its ISO by ``$iso_path`` itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootEntry:
    """One way to start an image. All paths are paths in the image."""

    title: str
    kernel: str
    initrds: tuple[str, ...] = ()
    """In load order: microcode first."""
    cmdline: tuple[str, ...] = ()
    """The kernel's words, unquoted, with the slots ``{iso_path}`` and ``{stick_uuid}`` still open."""
    role: Role = Role.OTHER
    kind: EntryKind = EntryKind.LINUX
    firmware: frozenset[Firmware] = ANY_FIRMWARE
    to_ram: tuple[str, ...] = ()
    """Words that copy the system to RAM, added when the user asks for it; empty if this stack cannot."""
    safe_graphics: tuple[str, ...] = ("nomodeset",)
    """Words added when the user asks for safe graphics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Who an image is, and how it wants to be booted from a file."""

    stack: str
    """The boot stack as upstream spells it: ``casper``, ``live-boot``, ``dmsquash-live``."""
    distro: str
    version: str = ""
    arch: str = ""
    """``x86_64``, ``i686``, ``aarch64``; empty where the image does not tell."""
    edition: str = ""
    """``Desktop``, ``KDE``, ``netinst``: what tells apart two images of one release."""
    entries: tuple[BootEntry, ...] = ()
    """The default first. Empty if the image cannot boot from a file: then ``obstacle`` says why."""
    filesystems: tuple[str, ...] = ()
    """File systems on which this image's initrd finds its ISO file: ``vfat``, ``ext4``, ``exfat``, ``ntfs``, ..."""
    evidence: tuple[str, ...] = ()
    """What was seen that decided, each a clause that can follow "because"."""
    notes: tuple[str, ...] = ()
    """What the user should know, each a sentence."""
    obstacle: str = ""
    """Why it cannot boot from a file, in one sentence."""
    instead: str = ""
    """What to do about the obstacle, in one sentence."""

    @property
    def title(self) -> str:
        """``Ubuntu 24.04.1 LTS Desktop (x86_64)``."""
        name = " ".join(part for part in (self.distro, self.version, self.edition) if part)
        return f"{name} ({self.arch})" if self.arch else name


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMine:
    """A detector's other answer. ``reason`` can follow "because": ``there is no /casper``."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What all detectors said of one image."""

    detection: Detection | None
    """The best answer, ``None`` if nobody knows the image."""
    detector: str = ""
    rejections: tuple[tuple[str, str], ...] = ()
    """The other detectors that were asked, each with its reason."""
