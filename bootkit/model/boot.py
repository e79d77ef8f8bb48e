"""How an image boots: a detector's answer."""

from enum import StrEnum

from bootkit.model.places import MEMDISK, WIMBOOT
from bootkit.values import dataclass

ISO_PATH = "{iso_path}"
"""Slot in a kernel word: the image's path from the root of its partition, with the leading slash."""
STICK_UUID = "{stick_uuid}"
"""Slot in a kernel word: the file-system UUID of that partition, spelled as udev spells it."""

IN_EFI = "efi:"
"""Prefix of a path in the image's FAT image for UEFI (El Torito)."""
IN_UNIFIED = "unified:"
"""Prefix of a list of blocks (``140+16060``, sectors of 512 bytes) in a unified kernel image that the menu has opened."""
ON_STICK = "stick:"
"""Prefix of a path on the stick's data partition instead of in the image."""
IMAGE_FILE = ON_STICK + ISO_PATH
"""The image itself, as a file of the stick: a program, a floppy, a disc for memdisk."""


class Firmware(StrEnum):
    """What starts the boot menu. ``GRUB`` sees it as ``$grub_platform`` and ``$grub_cpu``."""

    BIOS = "bios"
    UEFI_X64 = "uefi"
    UEFI_IA32 = "ia32"
    UEFI_ARM64 = "arm64"

    @property
    def label(self) -> str:
        """As people are told of it, everywhere; plain "UEFI" is any of the three."""
        return _FIRMWARE_TITLES[self]


_FIRMWARE_TITLES = {
    Firmware.BIOS: "BIOS",
    Firmware.UEFI_X64: "64-bit UEFI",
    Firmware.UEFI_IA32: "32-bit UEFI",
    Firmware.UEFI_ARM64: "ARM UEFI",
}


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
    PERSISTENT = "persistent"
    """Keeps its changes on the stick, and stands before the default one: an installed system's own, or made where the user
    asked for it."""
    OTHER = "other"


class EntryKind(StrEnum):
    LINUX = "linux"
    """A kernel and its initrds, by GRUB's ``linux`` and ``initrd``."""
    LINUX16 = "linux16"
    """A program with Linux's boot header that wants the BIOS (iPXE), by ``linux16`` and ``initrd16``."""
    CONFIGFILE = "configfile"
    """The image's own GRUB menu (``kernel`` names it), which finds its ISO by ``$iso_path`` itself."""
    CHAINLOADER = "chainloader"
    """An EFI application that needs no file beside it: it cannot see what the image holds."""
    MULTIBOOT = "multiboot"
    MULTIBOOT2 = "multiboot2"
    """Xen and other kernels that take ``modules``."""
    KOPENBSD = "kopenbsd"
    KNETBSD = "knetbsd"
    MEMDISK = "memdisk"
    """``kernel`` is a floppy, disk or disc image that memdisk holds in RAM; the words are memdisk's."""
    WIMBOOT = "wimboot"
    """``kernel`` is a Windows image (boot.wim) that wimboot holds in RAM; the words are wimboot's."""

    @property
    def tool(self) -> str:
        """The program on the stick that loads ``kernel``; empty if GRUB does."""
        return {EntryKind.MEMDISK: MEMDISK, EntryKind.WIMBOOT: WIMBOOT}.get(self, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A Multiboot module: for Xen the first is the Linux kernel, the second its initrd."""

    path: str
    cmdline: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BootEntry:
    """One way to start an image. Paths are paths in the image; those with ``efi:`` and ``stick:`` lie elsewhere."""

    title: str
    kernel: str
    initrds: tuple[str, ...] = ()
    """In load order: microcode first."""
    modules: tuple[Module, ...] = ()
    """For Multiboot and BSD kernels; the words may have slots. The words of the user's choices go to the first."""
    image_as: str = ""
    """Name under which this initrd wants the whole image in its root: the image follows the initrds as a cpio member."""
    cmdline: tuple[str, ...] = ()
    """The kernel's words, unquoted, with the slots ``{iso_path}`` and ``{stick_uuid}`` still open."""
    role: Role = Role.OTHER
    kind: EntryKind = EntryKind.LINUX
    firmware: frozenset[Firmware] = ANY_FIRMWARE
    devicetree: str = ""
    """The description of the board that its menu loads with the kernel, on ARM; empty if the firmware's is meant."""
    to_ram: tuple[str, ...] = ()
    """Words that copy the system to RAM, added when the user asks for it; empty if this stack cannot."""
    safe_graphics: tuple[str, ...] = ("nomodeset",)
    """Words added when the user asks for safe graphics."""
    sign: str = ""
    """What it prints on the screen or the serial line when it runs (a regular expression), for programs that no initrd
    can bear witness for; empty for a live system. It must not fit what the menu shows."""

    wipes: str = ""
    """What it destroys without a question, in a sentence: unattended installers, programs that erase disks. Empty if it
    asks before, or destroys nothing."""
    newest_in: str = ""
    """The folder of an installed system in which the menu looks for its newest kernel when the entry is started;
    ``kernel`` and ``initrds`` are then those that were the newest when somebody looked. Empty if they are taken as they are."""
    answers: str = ""
    """The answer file of the stick that it is for, as KIND/NAME; in no record of an image."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file that is loaded, in order."""
        return (self.kernel, *self.initrds, *(module.path for module in self.modules))

    @property
    def stick_files(self) -> tuple[str, ...]:
        """Files that have to be on the stick beside the image."""
        own = (path.removeprefix(ON_STICK) for path in self.paths if path.startswith(ON_STICK) and path != IMAGE_FILE)
        return (*((self.kind.tool,) if self.kind.tool else ()), *own)

    @property
    def needs_path(self) -> bool:
        """Whether the image's path goes through the kernel's command line, or through the image's own menu."""
        words = (*self.cmdline, *(word for module in self.modules for word in module.cmdline))
        return self.kind is EntryKind.CONFIGFILE or any(ISO_PATH in word for word in words)


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
    """File systems on which this image's initrd finds its ISO file: ``vfat``, ``ext4``, ``exfat``, ``ntfs``, ...; if it
    ``wants_disk``, those that its kernel is known to read in any case."""
    evidence: tuple[str, ...] = ()
    """What was seen that decided, each a clause that can follow "because"."""
    notes: tuple[str, ...] = ()
    """What the user should know, each a sentence."""
    obstacle: str = ""
    """Why it cannot boot from a file, in one sentence."""
    instead: str = ""
    """What to do about the obstacle, in one sentence."""
    wants_disk: bool = False
    """Its initrd looks for a disk and never opens a file: bootkit's overlay makes a disk of the ISO file before it does."""
    is_written: bool = False
    """The file is the disk of an installed system, which writes to it."""
    marks: tuple[str, ...] = ()
    """Empty files that it wants on a FAT or exFAT partition of its stick, to know the stick by."""
    untested: bool = False
    """A guess: nobody knows the image, and its entries may fail."""

    @property
    def keeps_changes(self) -> bool:
        """Whether the entry that keeps changes stands before the others."""
        return bool(self.entries) and self.entries[0].role is Role.PERSISTENT

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
