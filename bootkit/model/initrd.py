"""What is known of an initrd and of a root file system: enough to say before the reboot which sticks they can read."""

from collections.abc import Collection, Mapping
from dataclasses import field
from types import MappingProxyType

from bootkit.model.filesystem import EXT4, FILE_SYSTEMS, ISO9660, FileSystem, file_system
from bootkit.values import dataclass

USB_HOSTS = ("xhci_pci", "xhci_hcd")
"""Drivers of the USB ports of today's computers, of which one is enough: the second alone in kernels before 3.15."""
OLD_USB_HOSTS = ("ehci_pci", "ehci_hcd")
USB_DISKS = ("usb_storage", "sd_mod")
"""Drivers without which no stick is a disk; ``uas`` is wanted by faster ones beside them."""
SD_CARDS = ("mmc_block", "sdhci_pci")
"""Drivers of the usual slot for SD cards."""
DECOMPRESSORS: Mapping[str, str] = MappingProxyType(
    {
        "gzip": "zlib_inflate",
        "xz": "xz_dec",
        "lzo": "lzo_decompress",
        "lz4": "lz4_decompress",
        "zstd": "zstd_decompress",
    }
)
"""The module that unpacks each compression of squashfs; it is part of the kernel where squashfs is. Source: Linux 6.1, fs/squashfs/Kconfig."""
UNPACKERS = frozenset({"erofs", "squashfs"})
"""Drivers that unpack what they read, each in as many ways as its kernel's configuration has."""
CHECKSUMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "crc32c": ("crc32c_generic", "crc32c_intel", "crc32c", "crc32c_cryptoapi"),
        "crc32": ("crc32_generic", "crc32_pclmul", "crc32", "crc32_cryptoapi"),
    }
)
"""What file systems ask the kernel for by the name of a checksum (``modules.softdep``), and modules of which one is enough."""
_IN_IMAGES = ("erofs", *EXT4.aliases, "fat", "fuse", "loop", "overlay", "squashfs")
_LAYERS = ("aufs", "dm_mod", "dm_snapshot", "overlayfs", "unionfs")
_STICKS = (*USB_HOSTS, *OLD_USB_HOSTS, *USB_DISKS, *SD_CARDS, "uas")
DRIVERS = frozenset(
    (
        *(*_IN_IMAGES, *_LAYERS, *_STICKS, *DECOMPRESSORS.values()),
        *(name for names in CHECKSUMS.values() for name in names),
        *(name for one in (*FILE_SYSTEMS, ISO9660) for name in (*one.drivers, *one.charsets)),
    )
)
"""The kernel's modules that decide whether an image is found and mounted; dashes are written as underscores."""
UEFI_DISPLAYS = frozenset({"efidrm", "efifb", "simpledrm", "simplefb"})
"""Drivers that show something on the screen that UEFI has set up, before the graphics card has its own."""
CHARSET_MODULES = frozenset(one.charset_in for one in FILE_SYSTEMS if one.charset_in)
"""Modules in which the name of the character set stands that a file system asks for by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitrdSegment:
    """One of the archives that an initrd is made of."""

    offset: int
    size: int
    """Bytes in the file, without the padding behind it."""
    compression: str
    """``none`` or the name of the format: ``gzip``, ``xz``, ``lzma``, ``bzip2``, ``lz4``, ``zstd``, ``lzo``."""
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemSupport:
    """How one file system can be mounted."""

    name: str
    """As blkid calls it."""
    by: str
    """``builtin``, ``module``, ``helper`` (a program and FUSE), ``no``, or ``unknown``: the list of what is built into
    the kernel is not there to be asked."""
    driver: str = ""
    """The module or the program."""
    lacks: tuple[str, ...] = ()
    """Modules without which mounting fails although the driver is there; ``fs-ntfs`` where the driver does not answer to
    the name that blkid has for its file system."""

    @property
    def is_readable(self) -> bool:
        return self.by in ("builtin", "module", "helper") and not self.lacks


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelModules:
    """The modules of one place. Names are without ``.ko``, dashes are underscores."""

    modules: tuple[str, ...] = ()
    """Sorted. Of a root file system, those of ``DRIVERS`` and what they depend on."""
    builtin: tuple[str, ...] | None = None
    """Those of ``DRIVERS`` that are part of the kernel; ``None`` if there is no ``modules.builtin``."""
    depends: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """For those of ``DRIVERS`` in ``modules.dep``: what must be inserted before, in this order."""
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    """``modules.alias``: which of ``DRIVERS`` is loaded when a file system of this name is mounted."""
    charsets: dict[str, str] = field(default_factory=dict[str, str])
    """The character set that a module of ``CHARSET_MODULES`` wants where no other is asked for, as the kernel's
    configuration has it: ``fat`` wants ``ascii`` in Debian's, ``iso8859-1`` in Ubuntu's."""
    unpacks: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The compressions that a module of ``UNPACKERS`` was made with, as squashfs names them."""
    softdeps: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """``modules.softdep``: those of ``CHECKSUMS`` that a module asks the kernel for."""
    displays: tuple[str, ...] | None = None
    """Those of ``UEFI_DISPLAYS`` that are part of the kernel; ``None`` if there is no whole ``modules.builtin``."""
    paths: dict[str, str] = field(default_factory=dict[str, str])
    """Of a root file system: where those of ``DRIVERS`` lie that can be read, and what they depend on."""

    @property
    def is_whole(self) -> bool:
        """Whether all that is part of the kernel is known."""
        return self.displays is not None

    def has(self, module: str) -> str:
        """``builtin``, ``module``, ``no`` or ``unknown``."""
        if self.builtin is not None and module in self.builtin:
            return "builtin"
        if module in self.modules:
            return "module"
        return "unknown" if self.builtin is None else "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class InitrdFacts:
    """Everything that was read out of one initrd."""

    size: int
    unpacked: int = 0
    """Bytes of its files."""
    segments: tuple[InitrdSegment, ...] = ()
    maker: str = ""
    """The program that made it, as its project spells it; empty if it left no trace."""
    maker_version: str = ""
    markers: tuple[str, ...] = ()
    """What can be told from single files: ``casper``, ``iso-scan`` ... (:attr:`bootkit.model.stack.Stack.markers`),
    ``live-boot-ntfs-3g``: its scripts want that program for NTFS, and
    ``casper-writable``: they keep changes in what is called ``writable``."""
    kernels: tuple[str, ...] = ()
    """The versions in ``lib/modules``."""
    drivers: KernelModules = field(default_factory=KernelModules)
    """The modules of all its kernels."""
    programs: tuple[str, ...] = ()
    """Those that matter for mounting: ``ntfs-3g``, ``mount.ntfs``, ``mount.exfat-fuse``, ``losetup``, ``dmsetup``,
    ``cryptsetup``, ``busybox``."""
    allowed: tuple[str, ...] | None = None
    """The file systems that its scripts look at, whatever the kernel can; ``None`` if they have no such list."""
    links: dict[str, str] = field(default_factory=dict[str, str])
    """Symbolic links in its root and in ``usr``, and dracut's hooks if they are one, with where they point: a directory
    record in a later archive would replace them."""
    warnings: tuple[str, ...] = ()

    def support(self, filesystem: str, *, builtin: Collection[str] = ()) -> FileSystemSupport:
        """How ``filesystem`` (as blkid calls it) can be mounted from this initrd.

        ``builtin`` is what is known from elsewhere about the same kernel: the root's ``modules.builtin``.
        """
        known = file_system(filesystem)
        return FileSystemSupport(name=filesystem, by="no") if known is None else _support(self, known, builtin)

    def wants_helper(self, filesystem: str) -> bool:
        """Whether its scripts mount ``filesystem`` by a program alone, and never try a driver of the kernel."""
        known = file_system(filesystem)
        return known is not None and known.helper_mark in self.markers


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFacts:
    """Everything that was read out of a root file system in an image."""

    size: int
    filesystem: str = ""
    """``squashfs``, ``erofs`` or ``ext4``; empty if it is none of them."""
    compression: str = ""
    inner: str = ""
    """The path of the file system inside it that is the root in truth: ``/LiveOS/rootfs.img``; empty if it is itself."""
    os_release: str = ""
    """The text of ``usr/lib/os-release``, else of ``etc/os-release``."""
    kernels: dict[str, KernelModules] = field(default_factory=dict[str, KernelModules])
    """By the versions in ``lib/modules``."""
    warnings: tuple[str, ...] = ()


def _support(initrd: InitrdFacts, kind: FileSystem, builtin: Collection[str]) -> FileSystemSupport:
    helper = next((name for name in kind.helpers if name in initrd.programs), "")
    if initrd.wants_helper(kind.name):
        return FileSystemSupport(name=kind.name, by="helper" if helper else "no", driver=helper)
    if initrd.allowed is not None and kind.name not in initrd.allowed:
        return FileSystemSupport(name=kind.name, by="no")
    answers = {driver: _has(initrd, driver, builtin) for driver in kind.drivers}
    for by in ("builtin", "module"):
        driver = next((name for name, answer in answers.items() if answer == by), "")
        if driver:
            lacks = _lacking(initrd, kind, driver, builtin)
            return FileSystemSupport(name=kind.name, by=by, driver=driver, lacks=lacks)
    if helper and helper == kind.helpers[0]:
        return FileSystemSupport(name=kind.name, by="helper", driver=helper)
    return FileSystemSupport(name=kind.name, by="unknown" if "unknown" in answers.values() else "no")


def _has(initrd: InitrdFacts, driver: str, builtin: Collection[str]) -> str:
    if driver in builtin:
        return "builtin"
    answer = initrd.drivers.has(driver)
    return "no" if answer == "unknown" and builtin else answer


def _lacking(initrd: InitrdFacts, kind: FileSystem, driver: str, builtin: Collection[str]) -> tuple[str, ...]:
    """What is missing beside the driver: modules that it needs, its checksum, its name, its code page, its character set."""
    needed = initrd.drivers.depends.get(driver, ())
    if initrd.drivers.is_whole and kind.charset_in and kind.charset_in not in kind.drivers:
        needed = tuple(dict.fromkeys((*needed, kind.charset_in)))  # vfat is nothing without fat, whatever list is there
    lacks = [name for name in needed if _has(initrd, name, builtin) == "no"]
    for checksum in dict.fromkeys(one for name in (driver, *needed) for one in initrd.drivers.softdeps.get(name, ())):
        names = CHECKSUMS[checksum]
        if all(_has(initrd, name, builtin) == "no" for name in names):
            lacks.append(names[0])
    # ntfs3 answers to "ntfs" since Linux 6.9, where the older driver was removed
    if kind.has_named_twin and initrd.drivers.aliases and kind.name not in initrd.drivers.aliases:
        lacks.append(f"fs-{kind.name}")
    if kind.charsets and _has(initrd, kind.charsets[0], builtin) == "no":
        lacks.append(kind.charsets[0])
    charset = _charset(initrd, kind, builtin)
    return tuple(dict.fromkeys((*lacks, *((charset,) if charset else ()))))


def _charset(initrd: InitrdFacts, kind: FileSystem, builtin: Collection[str]) -> str:
    """The module of the character set that is missing; empty if none is.

    Of a driver that is part of the kernel the usual one cannot be seen from outside, so any of them counts.
    """
    usual = initrd.drivers.charsets.get(kind.charset_in, "")
    if usual:
        module = f"nls_{usual.replace('-', '_')}"
        is_inside = usual == "utf8" and kind.has_utf8
        answer = _has(initrd, module, builtin)
        # a kernel whose code page is a module has no character set inside either: Debian's and Ubuntu's are both so
        is_likely_missing = answer == "unknown" and bool(kind.charsets) and kind.charsets[0] in initrd.drivers.modules
        return module if not is_inside and (answer == "no" or is_likely_missing) else ""
    charsets = kind.charsets[1:]
    return charsets[0] if charsets and all(_has(initrd, name, builtin) == "no" for name in charsets) else ""
