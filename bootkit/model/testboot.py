"""What a test boot is asked to do, and what came out."""

from enum import IntEnum, StrEnum

from bootkit.model.boot import Firmware
from bootkit.values import dataclass


class TestFirmware(StrEnum):
    """What a tested machine starts with."""

    __test__ = False  # the name is not a test case's

    BIOS = "bios"
    UEFI = "uefi"
    IA32 = "ia32"
    """A 32-bit UEFI, as on early Atom tablets."""
    SECUREBOOT = "secureboot"
    """UEFI with Secure Boot on and Microsoft's keys enrolled."""
    ARM64 = "arm64"
    """A 64-bit ARM machine with UEFI."""

    @property
    def firmware(self) -> Firmware:
        """What starts the menu in such a machine."""
        match self:
            case TestFirmware.BIOS:
                return Firmware.BIOS
            case TestFirmware.UEFI | TestFirmware.SECUREBOOT:
                return Firmware.UEFI_X64
            case TestFirmware.IA32:
                return Firmware.UEFI_IA32
            case TestFirmware.ARM64:
                return Firmware.UEFI_ARM64

    @property
    def label(self) -> str:
        """The firmware in words for messages."""
        return "Secure Boot" if self is TestFirmware.SECUREBOOT else self.firmware.label


class MachineKind(StrEnum):
    """Whom the firmware of a test machine trusts with Secure Boot on, as machines of 2026 differ."""

    MS2011 = "ms2011"
    """Microsoft's authority of 2011 alone: older computers without an update of their keys."""
    MS2023 = "ms2023"
    """That of 2023 alone: what new computers may be delivered with."""
    BOTH = "both"
    CUSTOM = "custom"
    """The owner's own key alone."""
    SETUP = "setup"
    """Nobody: without a platform key nothing is verified."""
    SBAT_RAISED = "sbat-raised"
    """Both of Microsoft's; and a system has raised the SBAT level to the newest one."""


class Stage(IntEnum):
    """How far a boot came; each includes the ones before."""

    FIRMWARE = 0
    """The machine is switched on."""
    MENU = 1
    """GRUB shows the menu."""
    KERNEL = 2
    """The kernel has control."""
    INITRD = 3
    """``/init`` of the initrd runs."""
    ISO = 4
    """The initrd has found the ISO file and assembled the root."""
    USERSPACE = 5
    """The live system's own service manager has reached its basic target."""

    @property
    def title(self) -> str:
        return ("firmware", "boot menu", "kernel", "initrd", "ISO found", "live system")[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class BootResult:
    """How one entry booted on one firmware."""

    stage: Stage
    """The last stage that was reached."""
    ok: bool
    """Whether that is the stage that was asked for."""
    reason: str = ""
    """Why it is not, in one sentence; what the machine itself said where it said something."""
    pretty_name: str = ""
    """The live system's own name, from its os-release."""
    iso: str = ""
    """The ISO file as the running kernel names it."""
    seconds: float = 0.0
    waited: float = 0.0
    """The seconds without a new stage that ended it; 0 where something else did."""
    reached: tuple[tuple[Stage, float], ...] = ()
    """Each stage with the seconds since the machine was switched on."""
    tail: tuple[str, ...] = ()
    """The last lines of the serial console."""
    screenshots: tuple[str, ...] = ()
    """Paths of pictures: the menu, the end."""
