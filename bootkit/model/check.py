"""What is predicted of an image before anyone boots it: :mod:`bootkit.model.testboot` has what a boot then shows."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from bootkit.model.boot import Firmware
from bootkit.model.efi import EfiFacts, MachineKeys
from bootkit.model.filesystem import filesystem_title
from bootkit.model.options import Choices
from bootkit.model.testboot import TestFirmware
from bootkit.values import dataclass


class Answer(StrEnum):
    BOOTS = "boots"
    ELSEWHERE = "elsewhere"
    """Not from this stick's file system, but from another one."""
    CANNOT = "cannot"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """What an answer rests on, the surest first."""

    INITRD = "initrd"
    """What the image's own initrd holds."""
    GRUB = "grub"
    """Nothing looks for the file again: GRUB loads all of it."""
    DETECTOR = "detector"
    """What is known of the boot stack and its version; the initrd was not read, or does not tell."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing in the way."""

    answer: Answer
    reason: str
    """One sentence."""
    cure: str = ""
    """A command, or a thing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cure:
    """What ``generate`` does so that an initrd finds its file where it would not by itself."""

    overlay: str
    """Name of the overlay that does it, as the menu and the log of the boot have it."""
    reason: str
    """One sentence: what it brings, and from where."""
    root: str = ""
    """The root file system in the image that ``members`` are taken from; empty if nothing is."""
    kernel: str = ""
    """The version that ``members`` are for."""
    members: tuple[str, ...] = ()
    """Paths of modules in ``root``, in the order in which they have to be inserted."""
    driver: str = ""
    """What the overlay itself mounts the stick by; empty if the boot stack mounts it, or nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAnswer:
    """Whether the initrd finds its ISO file on one file system."""

    filesystem: str
    """As blkid calls it."""
    readable: bool | None
    """``None`` if nobody can tell."""
    basis: Basis
    reason: str
    """One sentence."""
    instead: str = ""
    """What to do where no file system helps; a clause."""
    cure: Cure | None = None
    """Without which it would not."""


class Trust(StrEnum):
    """What Secure Boot makes of a kernel that the stick's menu loads."""

    DIRECT = "direct"
    """The stick's shim lets it start."""
    HOP = "hop"
    """The shim of its vendor vouches for it, which the menu starts first."""
    REVOKED = "revoked"
    """It was good once, or its vendor's shim was."""
    FOREIGN = "foreign"
    """Signed by somebody whom no shim at hand trusts."""
    UNSIGNED = "unsigned"
    """Without a signature, or with one that is of another file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorShim:
    """A shim in an image on the stick."""

    image: str
    """Path of the image on the stick."""
    path: str
    """In the image; with ``efi:`` in its FAT image."""
    firmware: Firmware
    efi: EfiFacts

    @property
    def name(self) -> str:
        """The same for the same shim in two images."""
        return self.efi.digest[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareAnswer:
    firmware: TestFirmware
    answer: Answer
    reason: str = ""
    """One sentence; empty if it boots by itself."""
    cure: str = ""
    trust: Trust | None = None
    """With Secure Boot on; ``None`` where that is not asked, or nobody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes of RAM that it takes to start an image; what the system itself then wants comes on top."""

    kernel: int
    initrds: int
    """As GRUB loads them."""
    unpacked: int
    """What the kernel makes of them."""
    start: int
    """The least that the machine must have."""
    to_ram: int = 0
    """The least to hold all of the image in RAM as well; 0 if it cannot be copied there, or always is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickLoader:
    """A boot loader on the stick."""

    firmware: Firmware
    signed: bool = False
    vendor: str = ""
    """Whose shim and GRUB the signed one is, as far as known: ``debian``, ``ubuntu``, ``fedora``."""
    package: str = ""
    """The package that it is from, with its version; empty if nobody knows."""
    shim: EfiFacts | None = None
    """Of the signed one; ``None`` where its bytes could not be read."""
    grub: EfiFacts | None = None
    """What that shim starts, as it was written; ``None`` where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickFacts:
    """What the prediction has to know of the stick."""

    filesystem: str = ""
    """Of its data partition, as blkid calls it; empty if nobody can tell."""
    loaders: tuple[StickLoader, ...] | None = None
    """``None`` if the stick has no list of them."""
    old_iso: bool = False
    """Whether the whole disk still carries the signature of an ISO image that was written to it."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The paths of the images that have a volume identifier."""
    shims: tuple[VendorShim, ...] = ()
    """Of the images on the stick."""
    takes_hops: bool = False
    """Whether the file lies beside its loaders that makes a vendor's shim come back to the menu."""
    choices: Choices = field(default_factory=Choices)
    """What the user has chosen on it."""
    machine: MachineKeys | None = None
    """That of the machine that is asked about, else this computer's own; ``None`` where nobody knows it."""

    def loader(self, firmware: Firmware) -> StickLoader | None:
        return next((loader for loader in self.loaders or () if loader.firmware is firmware), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What is known beforehand of how one image boots from one stick."""

    path: str
    answer: Answer
    basis: Basis = Basis.NONE
    """Of what is said about the file system."""
    filesystems: tuple[str, ...] = ()
    """From which it would boot, the best first."""
    problems: tuple[Problem, ...] = ()
    """The first is the one to name; empty if it boots."""
    files: tuple[FileAnswer, ...] = ()
    """For the stick's file system first, then for the others."""
    firmware: tuple[FirmwareAnswer, ...] = ()
    memory: Memory | None = None
    own_disks: str = ""
    """What becomes of the computer's own disks meanwhile, a sentence; empty where nothing looks for them."""
    installer: str = ""
    """Which installers may offer the stick, a sentence; empty where none is known that does."""
    notes: tuple[str, ...] = ()
    """Sentences."""

    @property
    def overlay(self) -> str:
        """The overlay without which it would not find its file on this stick; empty if it needs none."""
        return self.brought.overlay if self.brought else ""

    @property
    def brought(self) -> Cure | None:
        """What it needs to find its file on this stick."""
        return self.files[0].cure if self.files else None

    @property
    def verdict(self) -> str:
        """``boots``, ``boots with overlay modules``, ``boots only from ext4, FAT32``, ``cannot boot``, ``unknown``."""
        match self.answer:
            case Answer.BOOTS:
                return f"boots with overlay {self.overlay}" if self.overlay else "boots"
            case Answer.ELSEWHERE:
                return f"boots only from {', '.join(map(filesystem_title, self.filesystems))}"
            case Answer.CANNOT:
                return "cannot boot"
            case Answer.UNKNOWN:
                return "unknown"

    @property
    def boots(self) -> bool:
        return self.answer is Answer.BOOTS

    @property
    def short(self) -> str:
        """The verdict for a column beside the file systems."""
        return (
            f"not from {filesystem_title(self.files[0].filesystem)}"
            if self.answer is Answer.ELSEWHERE
            else self.verdict
        )

    @property
    def line(self) -> str:
        """The verdict and why, as in ``boots only from ext4, FAT32: Its initrd has no driver for exFAT.``."""
        return f"{self.verdict}: {self.reason}" if self.reason else self.verdict

    @property
    def reason(self) -> str:
        return self.problems[0].reason if self.problems else self.files[0].reason if self.files else ""

    @property
    def cure(self) -> str:
        return self.problems[0].cure if self.problems else ""
