"""Every file system that bootkit knows, in one value each: the rest of the program asks the value and compares no names.

Sources: Linux 6.1, fs/ (names and modules) and include/uapi/linux/magic.h; blkid(8) for the spelling of UUIDs; UEFI
specification 2.10, 5.3.3 for partition types; Microsoft FAT32 File System Specification 1.03 for the size of a file; the
lists of modules in the signed GRUB images: Debian 12 and 13 (read and booted), grub2.spec and grub.macros of openSUSE,
Fedora and RHEL for theirs.
"""

from collections.abc import Iterable
from enum import StrEnum

from bootkit.values import dataclass


class DataFs(StrEnum):
    """What ``prepare`` makes, in the words of the command line. The first is the one to recommend."""

    EXT4 = "ext4"
    FAT32 = "fat32"
    EXFAT = "exfat"
    NTFS = "ntfs"
    BTRFS = "btrfs"

    @property
    def system(self) -> "FileSystem":
        return _MADE[self]


class Access(StrEnum):
    """Who can do a thing to an image file, or to a device that is not mounted."""

    ANYONE = "anyone"
    """Our own code or a program does it in user space."""
    ROOT = "root"
    """It takes a driver, so it has to be mounted."""
    NOBODY = "nobody"


class UuidForm(StrEnum):
    """How a file system is told apart from others of its kind, and how udev spells that."""

    UUID = "uuid"
    """16 bytes: groups of hex digits in lower case."""
    SHORT_SERIAL = "short serial"
    """4 bytes, the lowest first: ``1234-ABCD``."""
    LONG_SERIAL = "long serial"
    """8 bytes, the lowest first: hex digits in upper case."""

    @property
    def size(self) -> int:
        return {UuidForm.UUID: 16, UuidForm.SHORT_SERIAL: 4, UuidForm.LONG_SERIAL: 8}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What making or mounting a file system takes on the host."""

    name: str
    packages: str
    """Those of Debian, Fedora, Arch and openSUSE, in this order, with strokes between."""
    without_it: str
    """What will not work, as a clause."""


GRUB_VENDORS = frozenset({"almalinux", "centos", "debian", "fedora", "opensuse", "redhat", "rocky", "ubuntu"})
"""Whose signed GRUB is known, by the name of its folder below /EFI."""
_RHEL = frozenset({"almalinux", "centos", "redhat", "rocky"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    name: str
    """As blkid calls it, and as ``mount -t`` takes it."""
    title: str
    """For messages."""
    aliases: tuple[str, ...] = ()
    """Other names under which the kernel shows it as mounted."""
    data_fs: DataFs | None = None
    """Its name at ``prepare``; none if it is not made there."""

    magic: tuple[int, bytes] | None = None
    """Where its mark stands, in bytes, and the mark; none where it takes more than that to tell."""
    uuid_form: UuidForm = UuidForm.UUID
    uuid_at: int | None = None
    """Bytes from its start; none where only a reader finds it."""

    drivers: tuple[str, ...] = ()
    """Modules of the kernel, of which one is enough."""
    charsets: tuple[str, ...] = ()
    """Modules that it asks for when it is mounted; the first is its code page, of the others any will do."""
    charset_in: str = ""
    """The module among whose strings stands the character set that it asks for by itself; empty where it asks for none."""
    has_utf8: bool = False
    """Whether it knows that one character set without a module."""
    helpers: tuple[str, ...] = ()
    """Programs that mount it without a driver of the kernel. The first is the one that ``mount`` itself looks for."""
    helper_mark: str = ""
    """The marker (:class:`bootkit.model.initrd.InitrdFacts`) of initrds that take such a program or nothing."""
    has_named_twin: bool = False
    """Whether a driver may be there that does not answer to ``name``."""

    grub: str = ""
    """GRUB's module; empty if it has none."""
    signed_grubs: frozenset[str] = frozenset()
    """The vendors whose signed GRUB has that module, out of :data:`GRUB_VENDORS`."""

    is_unix: bool = False
    """Whether it knows owners, links and extended attributes: an overlay can lie on it."""
    has_holes: bool = False
    """Whether it leaves zeros out, and sets room aside in one cheap call."""
    spans_disks: bool = False
    """Whether one may lie on several disks, which then have its UUID in common."""
    has_plain_bytes: bool = False
    """Whether it keeps the bytes of a file as they are, at places of the partition that can be told."""
    is_common_ground: bool = False
    """Whether Windows, macOS and Linux write it: for exchange, and where programs that erase disks look for marks."""
    is_usual: bool = False
    """Whether sticks come with it, or are commonly given it: it is tried where none is named."""
    largest_file: int | None = None
    """Bytes; none if no file of today comes near."""
    minimum: int = 64 << 20
    """Bytes of a data partition."""
    mbr_type: str = "83"

    make: Access = Access.NOBODY
    """Who makes one with files in it."""
    read: Access = Access.NOBODY
    write: Access = Access.NOBODY
    mounter: tuple[str, ...] = ()
    """The command that mounts it, to which options, device and folder are added; empty for ``mount -t NAME``."""
    checker: str = ""
    """The command that checks and mends it, as it is typed; for those that anyone can write."""
    is_checked_at_offset: bool = False
    """Whether that takes ``FILE?offset=BYTES`` for a partition inside a file."""
    programs: tuple[Program, ...] = ()
    """What it takes beyond what every host has."""
    cost: str = ""
    """What choosing it means for the user, as ``prepare`` says it."""

    def has_signed_grub(self, vendor: str = "") -> bool:
        """Whether the signed GRUB of ``vendor`` reads it; of one that is not known, whether anybody's does."""
        return vendor in self.signed_grubs if vendor in GRUB_VENDORS else bool(self.signed_grubs)

    @property
    def shown_limit(self) -> str:
        """The limit of a file's size, for people: ``4 GiB``; empty if there is none."""
        return "" if self.largest_file is None else f"{(self.largest_file + 1) >> 30} GiB"

    @property
    def limit_clause(self) -> str:
        """The limit as a clause: ``FAT32 ends at 4 GiB a file``."""
        return f"{self.title} ends at {self.shown_limit} a file"

    def holds(self, size: int) -> bool:
        """Whether a file of ``size`` bytes can be on it."""
        return self.largest_file is None or size <= self.largest_file


VFAT = FileSystem(
    name="vfat",
    title="FAT32",
    aliases=("msdos",),
    data_fs=DataFs.FAT32,
    uuid_form=UuidForm.SHORT_SERIAL,
    drivers=("vfat",),
    charsets=("nls_cp437", "nls_ascii", "nls_utf8", "nls_iso8859_1"),
    charset_in="fat",
    grub="fat",
    signed_grubs=GRUB_VENDORS,
    has_plain_bytes=True,
    is_common_ground=True,
    is_usual=True,
    largest_file=(4 << 30) - 1,
    mbr_type="0c",
    make=Access.ANYONE,
    read=Access.ANYONE,
    write=Access.ANYONE,
    checker="fsck.fat -a",
    cost="FAT32: read by everything; no file of 4 GiB or more, no owners or links",
)
EXFAT = FileSystem(
    name="exfat",
    title="exFAT",
    data_fs=DataFs.EXFAT,
    magic=(3, b"EXFAT   "),
    uuid_form=UuidForm.SHORT_SERIAL,
    uuid_at=100,
    drivers=("exfat",),
    charset_in="exfat",
    has_utf8=True,
    grub="exfat",
    has_plain_bytes=True,
    is_common_ground=True,
    is_usual=True,
    mbr_type="07",
    make=Access.ANYONE,
    read=Access.ANYONE,
    write=Access.ANYONE,
    programs=(
        Program(
            name="mkfs.exfat",
            packages="exfatprogs/exfatprogs/exfatprogs/exfatprogs",
            without_it="prepare --data-fs exfat and restore do not work",
        ),
    ),
    checker="fsck.exfat",
    cost="exFAT: big files, Windows and macOS; no Secure Boot, and some images need bootkit's help to find their ISO",
)
NTFS = FileSystem(
    name="ntfs",
    title="NTFS",
    aliases=("ntfs3", "fuseblk"),
    data_fs=DataFs.NTFS,
    is_usual=True,
    magic=(3, b"NTFS    "),
    uuid_form=UuidForm.LONG_SERIAL,
    uuid_at=0x48,
    drivers=("ntfs3", "ntfs"),
    charset_in="ntfs3",
    has_utf8=True,
    helpers=("mount.ntfs", "ntfs-3g"),
    helper_mark="live-boot-ntfs-3g",
    has_named_twin=True,
    # Debian 13's signed GRUB has the module, which it refuses to use with Secure Boot on
    grub="ntfs",
    has_plain_bytes=True,
    mbr_type="07",
    make=Access.ROOT,
    read=Access.ANYONE,
    write=Access.ROOT,
    mounter=("ntfs-3g",),
    programs=(
        Program(
            name="mkfs.ntfs",
            packages="ntfs-3g/ntfsprogs/ntfs-3g/ntfsprogs",
            without_it="prepare --data-fs ntfs does not work",
        ),
        Program(
            name="ntfs-3g",
            packages="ntfs-3g/ntfs-3g/ntfs-3g/ntfs-3g",
            without_it="prepare --data-fs ntfs does not work",
        ),
    ),
    cost="NTFS: big files, Windows; no Secure Boot, and bootkit gets many images to their ISO on it, but not to your own things",
)
EXT4 = FileSystem(
    name="ext4",
    title="ext4",
    aliases=("ext2", "ext3"),
    data_fs=DataFs.EXT4,
    is_usual=True,
    magic=(0x438, b"\x53\xef"),
    uuid_at=0x468,
    drivers=("ext4",),
    grub="ext2",
    signed_grubs=GRUB_VENDORS,
    is_unix=True,
    has_holes=True,
    has_plain_bytes=True,
    make=Access.ANYONE,
    read=Access.ANYONE,
    write=Access.ANYONE,
    checker="e2fsck -f",
    is_checked_at_offset=True,
    cost="ext4: read by every Linux image and every signed GRUB; Windows and macOS do not see it",
)
BTRFS = FileSystem(
    name="btrfs",
    title="btrfs",
    data_fs=DataFs.BTRFS,
    magic=(0x10040, b"_BHRfS_M"),
    uuid_at=0x10020,
    drivers=("btrfs",),
    grub="btrfs",
    signed_grubs=GRUB_VENDORS - _RHEL,
    is_unix=True,
    has_holes=True,
    spans_disks=True,
    # it maps, mirrors and compresses
    has_plain_bytes=False,
    minimum=256 << 20,
    make=Access.ANYONE,
    read=Access.ROOT,
    write=Access.ROOT,
    programs=(
        Program(
            name="mkfs.btrfs",
            packages="btrfs-progs/btrfs-progs/btrfs-progs/btrfsprogs",
            without_it="prepare --data-fs btrfs does not work",
        ),
    ),
    cost="btrfs: checksums and compression; not every image reads it, Windows and macOS do not",
)
XFS = FileSystem(
    name="xfs",
    title="xfs",
    magic=(0, b"XFSB"),
    uuid_at=32,
    drivers=("xfs",),
    grub="xfs",
    signed_grubs=GRUB_VENDORS,
    is_unix=True,
    has_holes=True,
    has_plain_bytes=True,
)
# known, and not made: ext4 is read by every image, this one by those of mkinitcpio and few others, and its fsck does not
# come with most systems; what it is good for, many small writes, a stick of large files does not have
F2FS = FileSystem(
    name="f2fs",
    title="f2fs",
    magic=(0x400, b"\x10\x20\xf5\xf2"),
    uuid_at=0x46C,
    drivers=("f2fs",),
    grub="f2fs",
    signed_grubs=GRUB_VENDORS - {"opensuse"},
    is_unix=True,
    has_holes=True,
    has_plain_bytes=True,
)
UDF = FileSystem(name="udf", title="UDF", drivers=("udf",), grub="udf")

ISO9660 = FileSystem(name="iso9660", title="ISO 9660", magic=(0x8001, b"CD001"), drivers=("isofs",), grub="iso9660")

FILE_SYSTEMS = (VFAT, EXFAT, NTFS, EXT4, BTRFS, XFS, F2FS, UDF)
"""All that a stick can have, in the order in which they are listed: what most computers read comes first."""

_MADE = {kind: next(one for one in FILE_SYSTEMS if one.data_fs is kind) for kind in DataFs}

USUAL = tuple(kind for kind in DataFs if kind.system.is_usual)
EXCHANGE = tuple(sorted(kind for kind in DataFs if kind.system.is_common_ground))
_NAMED = {name: one for one in (*FILE_SYSTEMS, ISO9660) for name in (one.name, *one.aliases)}


def file_system(name: str) -> FileSystem | None:
    """The one that blkid or the kernel calls ``name``; ``None`` if it is not known."""
    return _NAMED.get(name)


def filesystem_title(name: str) -> str:
    """The name in messages: ``FAT32`` for ``vfat``, and ``name`` itself where it is not known."""
    known = file_system(name)
    return known.title if known is not None else name


def blkid_name(mounted: str) -> str:
    """What blkid calls a file system that the kernel has mounted; empty for what no stick has."""
    known = file_system(mounted)
    return known.name if known in FILE_SYSTEMS else ""


def drivers_of(name: str) -> tuple[str, ...]:
    """The kernel's modules for a file system, of which one is enough; empty if it is not known."""
    known = file_system(name)
    return known.drivers if known is not None else ()


def charsets_of(name: str) -> tuple[str, ...]:
    """The modules that mounting it asks for."""
    known = file_system(name)
    return known.charsets if known is not None else ()


def names_of(systems: Iterable[FileSystem]) -> tuple[str, ...]:
    """Their names as blkid spells them."""
    return tuple(one.name for one in systems)
