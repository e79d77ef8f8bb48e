"""Preparing a stick: what the user wishes, what the host offers, and the steps that would be taken.

Everything is decided here, down to identifiers and sectors: a plan that nobody applies is the dry run.
"""

from dataclasses import field
from enum import StrEnum

from bootkit.model.boot import Firmware
from bootkit.model.device import DiskIdentity
from bootkit.model.efi import EfiFacts
from bootkit.model.filesystem import DataFs
from bootkit.model.plan import WriteFile
from bootkit.values import dataclass

SECTOR = 512
"""Bytes. Disks with other logical sectors are refused."""
DATA_LABEL = "BOOTKIT"
ESP_LABEL = "BOOTKIT-ESP"
EXCHANGE_LABEL = "EXCHANGE"


class Layout(StrEnum):
    SPLIT = "split"
    """GPT: data, ESP and BIOS boot partition apart."""
    SINGLE = "single"
    """MBR: one FAT32 partition is ESP and data in one."""


class LoaderChoice(StrEnum):
    AUTO = "auto"
    """Signed where the host has it and it reads the data partition, built otherwise."""
    SIGNED = "signed"
    BUILT = "built"


class Purpose(StrEnum):
    DATA = "data"
    ESP = "ESP"
    BIOS_BOOT = "BIOS boot"
    EXCHANGE = "exchange"
    """For the user's files, beside the stick's own: what other systems see."""


class Action(StrEnum):
    PREPARE = "prepare"
    UPGRADE = "upgrade"
    RESTORE = "restore"
    TAKE_OUT = "take-out"
    """Of an installed system, from a file of a stick to a disk of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePartition:
    """One row of the partition table to be written."""

    number: int
    purpose: Purpose
    start_sector: int
    sectors: int
    type: str
    """GPT: the type GUID in upper case. MBR: two hex digits."""
    guid: str = ""
    active: bool = False

    @property
    def offset(self) -> int:
        return self.start_sector * SECTOR

    @property
    def size(self) -> int:
        return self.sectors * SECTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionTable:
    scheme: str
    """``gpt`` or ``mbr``."""
    disk_id: str
    """GPT: the disk GUID. MBR: eight hex digits."""
    sectors: int
    """Of the whole disk."""
    partitions: tuple[TablePartition, ...]
    """In order of number."""

    def of(self, purpose: Purpose) -> TablePartition | None:
        return next((part for part in self.partitions if part.purpose is purpose), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshIds:
    """Random identifiers for one stick, drawn before the plan so that the plan is a value."""

    disk: str
    partitions: tuple[str, str, str]
    filesystem: str
    """Of the data partition, for a file system that has a UUID: one in lower case."""
    fat_data: str
    """The same for one with a short serial: eight hex digits."""
    fat_esp: str
    ntfs: str
    """The same for one with a long serial: sixteen hex digits."""
    exchange: str = ""
    """Of the partition for exchange: eight hex digits for its file system."""
    exchange_partition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrubPlatform:
    """GRUB modules of one platform on the host."""

    name: str
    """As grub-mkimage -O spells it: ``i386-pc``, ``x86_64-efi``."""
    directory: str
    modules: frozenset[str]
    package: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFile:
    path: str
    package: str = ""
    """Name and version, where the package manager tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedLoader:
    """A distribution's signed shim and GRUB for one firmware."""

    firmware: Firmware
    vendor: str
    """Folder below /EFI where this GRUB looks for its configuration: ``debian``; empty if beside itself."""
    shim: HostFile
    grub: HostFile
    mok_manager: HostFile | None = None
    shim_facts: EfiFacts | None = None
    """What Secure Boot looks at in the shim; ``None`` if nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLoaders:
    """All boot loaders that were found on the host."""

    platforms: tuple[GrubPlatform, ...] = ()
    signed: tuple[SignedLoader, ...] = ()

    def platform(self, name: str) -> GrubPlatform | None:
        return next((platform for platform in self.platforms if platform.name == name), None)

    def signed_for(self, firmware: Firmware) -> SignedLoader | None:
        return next((loader for loader in self.signed if loader.firmware is firmware), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be written: a whole disk, or a file that stands for one."""

    path: str
    size: int
    is_device: bool = False
    exists: bool = False
    """Holds something already: always so for a device, and for a file with content."""
    identity: DiskIdentity = field(default_factory=DiskIdentity)
    sector_size: int = SECTOR
    title: str = ""
    """Vendor and model, as far as known."""
    contents: tuple[str, ...] = ()
    """What would be lost, a clause for each partition or file system found."""
    confirm: tuple[str, ...] = ()
    """Words of which the user has to type one; empty if a new file is made."""
    twins: tuple[str, ...] = ()
    """Other disks with the same serial number: then only the node tells which is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asked for."""

    layout: Layout = Layout.SPLIT
    data_fs: DataFs = DataFs.EXT4
    loader: LoaderChoice = LoaderChoice.AUTO
    owner: tuple[int, int] = (0, 0)
    """Who owns the root of the data partition, where the file system knows owners."""
    exchange: int = 0
    """Bytes of a partition for exchange with other systems; 0 for none."""
    exchange_fs: DataFs = DataFs.EXFAT
    created: str = ""
    """Time stamp for stick.toml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFile:
    """A new image file, or an old one emptied first; sparse."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLoader:
    """A loader of the host, copied unchanged."""

    path: str
    """Where it goes on the EFI system partition."""
    firmware: Firmware
    source: str
    package: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLoader:
    """A GRUB image made by grub-mkimage, with the stub that finds the data partition inside."""

    path: str
    """Where it goes on the EFI system partition; empty for the BIOS core image."""
    firmware: Firmware
    platform: str
    directory: str
    modules: tuple[str, ...]
    stub: bytes
    package: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeFilesystem:
    """A file system made and filled beside the stick, to be put in place by :class:`WriteFilesystem`."""

    partition: int
    purpose: Purpose
    kind: DataFs
    label: str
    uuid: str
    """As udev spells it."""
    offset: int
    size: int
    owner: tuple[int, int] = (0, 0)
    folders: tuple[str, ...] = ()
    files: tuple[WriteFile, ...] = ()
    takes_loaders: bool = False
    """The loaders of the steps before go in."""
    records_loaders: bool = False
    """A list of the loaders, their origin and their checksums goes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveOld:
    """Both ends of the disk, kept in a file on the host."""

    ranges: tuple[tuple[int, int], ...]
    """Offset and size in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBack:
    """What :class:`SaveOld` kept, in its place again."""

    parts: tuple[tuple[int, str], ...]
    """Offset in bytes, and the file on the host; the start of the disk is the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WipeOld:
    """Zeros where old tables and file systems have their signatures."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFilesystem:
    partition: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteDisk:
    """The content of a whole disk, read back; its first MiB comes last: before that nothing starts from it."""

    path: str
    """Of the file on the stick that it is taken from."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTable:
    """The backup of a GPT at the end of a disk that is larger than the one that it was made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteTable:
    table: PartitionTable


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCore:
    """GRUB's BIOS core image, where no file system sees it."""

    sector: int
    limit: int
    """Sectors that it may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceLoaders:
    """The loaders of the steps before, into the file system of a stick that exists; all else stays."""

    offset: int
    size: int
    files: tuple[WriteFile, ...] = ()
    """Stub configurations and marks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLoaders:
    """The list of loaders, renewed on the data partition."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeLoaders:
    """The loaders that the last upgrade replaced, in the place of those that replaced them, and the other way round."""

    boot: tuple[int, int]
    """Offset and size of the file system with the loaders."""
    data: tuple[int, int]
    """The same of that with the user's data, which has a copy of their list."""
    core: tuple[int, int] | None
    """First sector and number of sectors of the room for BIOS core images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWritten:
    """Everything written so far read back from the medium and compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBootSector:
    """The boot code of sector 0, the last thing written: before it nothing starts from this disk."""

    core_sector: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Flush, read sector 0 back, let the kernel see the new partitions."""


PrepareStep = (
    CreateFile
    | TakeLoader
    | BuildLoader
    | MakeFilesystem
    | SaveOld
    | PutBack
    | WipeOld
    | WriteFilesystem
    | WriteDisk
    | EndTable
    | WriteTable
    | WriteCore
    | ReplaceLoaders
    | RecordLoaders
    | ExchangeLoaders
    | CheckWritten
    | WriteBootSector
    | Finish
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparePlan:
    """Steps in order, and the identity of the only disk they may be taken on."""

    action: Action
    target: Target
    steps: tuple[PrepareStep, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    destroys_data: bool = False
    adopts: str = ""
    """Who made the stick that becomes bootkit's; empty for one that is."""
