"""The machine of ``bootkit test``: what QEMU is started with.

The stick is attached as a USB stick and never written: QEMU keeps what the guest writes in a temporary file.
"""

import os
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from bootkit.errors import UsageError
from bootkit.i18n import tr
from bootkit.model.testboot import TestFirmware
from bootkit.system.firmware import FlashImage
from bootkit.system.run import Argument, popen
from bootkit.system.witness import OEM_STRING
from bootkit.units import MIB
from bootkit.values import dataclass

PROGRAM = "qemu-system-x86_64"
ARM64_PROGRAM = "qemu-system-aarch64"
ACCELERATOR_VARIABLE = "BOOTKIT_QEMU_ACCEL"
_COUNTED = b"\xb6"
"""What the boot sector says when it is done; the BIOS writes ASCII to the same port."""
_COUNTER = bytes.fromhex(
    "66 b9 00 2d 31 01"  # mov ecx, 20000000
    "66 49"  # dec ecx
    "75 fc"  # jnz to dec
    "ba 02 04"  # mov dx, 0x402
    "b0 b6"  # mov al, _COUNTED
    "ee"  # out dx, al
    "f4 eb fd"  # hlt, and again
)
"""A boot sector that does nothing but count."""


class Accelerator(StrEnum):
    """Who executes the guest's instructions."""

    KVM = "kvm"
    TCG = "tcg"

    @property
    def argv(self) -> tuple[str, ...]:
        if self is Accelerator.KVM:
            return ("-accel", "kvm", "-cpu", "host", "-smp", "2")
        # Nehalem boots in half the time that "max" takes
        return (*self.argv_of_any, "-cpu", "Nehalem")

    @property
    def argv_of_any(self) -> tuple[str, ...]:
        """Of emulation, whatever the processor."""
        # with icount the guest's clock counts instructions: on a busy host it would else run away from the guest,
        # whose kernel then handles timer interrupts only
        return ("-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off")

    @property
    def kernel_words(self) -> tuple[str, ...]:
        """Words for the tested kernel that save time and change nothing that is tested."""
        if self is Accelerator.KVM:
            return ()
        # translated code is kept by address: with random addresses each program start would be translated anew.
        # Clearing every page at allocation is most of an emulated start
        return ("norandmaps", "init_on_alloc=0")

    @property
    def patience(self) -> float:
        """By what a time limit is multiplied."""
        return 1.0 if self is Accelerator.KVM else 5.0

    @property
    def note(self) -> str:
        """What the user should know, a sentence; empty if nothing."""
        if self is Accelerator.KVM:
            return ""
        return "There is no KVM here: every boot is emulated and takes one to five minutes."


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualMachine:
    """Where the parts of one test machine are; all files but ``stick`` are the test's own."""

    stick: Path
    """An image file or a block device."""
    test_disk: Path
    folder: Path
    """For the sockets and logs; its path is short, because a socket's path is at most 107 bytes."""
    firmware: TestFirmware
    accelerator: Accelerator
    flash: FlashImage | None = None
    """With ``variables`` already the test's own copy; ``None`` for BIOS."""
    memory_mib: int = 2048
    disks: tuple[Path, ...] = ()
    """The computer's own, raw; what the machine writes to them is thrown away."""

    @property
    def serial_log(self) -> Path:
        return self.folder / "serial.log"

    @property
    def firmware_log(self) -> Path:
        return self.folder / "firmware.log"

    @property
    def monitor(self) -> Path:
        return self.folder / "qmp"


def qemu_argv(machine: VirtualMachine) -> tuple[Argument, ...]:
    """The command line of QEMU 6 and newer for a machine."""
    secure = machine.flash is not None and "requires-smm" in machine.flash.features
    return (
        *(_arm64() if machine.firmware is TestFirmware.ARM64 else _pc(machine, secure=secure)),
        "-m", str(machine.memory_mib),
        "-nodefaults", "-no-user-config", "-no-reboot",
        "-display", "none",
        "-chardev", f"file,id=serial,path={_value(machine.serial_log)}",
        "-serial", "chardev:serial",
        "-qmp", f"unix:{_value(machine.monitor)},server=on,wait=off",
        *_flash(machine.flash, secure=secure),
        "-device", "qemu-xhci",
        *(("-device", "usb-kbd") if machine.firmware is TestFirmware.ARM64 else ()),
        "-drive", f"if=none,id=stick,format=raw,snapshot=on,file={_value(machine.stick)}",
        "-device", "usb-storage,drive=stick,removable=on,bootindex=1",
        "-drive", f"if=none,id=test,format=raw,readonly=on,file={_value(machine.test_disk)}",
        # UEFI connects only the disks of its boot order: GRUB would not see one without a place in it
        "-device", "virtio-blk-pci,drive=test,bootindex=2",
        *_disks(machine.disks),
        "-smbios", f"type=11,value={OEM_STRING}",
    )  # fmt: skip


def _pc(machine: VirtualMachine, *, secure: bool) -> tuple[Argument, ...]:
    return (
        PROGRAM,
        "-machine", "q35,smm=on" if secure else "q35",
        *machine.accelerator.argv,
        "-vga", "std",
        "-debugcon", f"file:{machine.firmware_log}",
        "-global", "isa-debugcon.iobase=0x402",
    )  # fmt: skip


def _arm64() -> tuple[Argument, ...]:
    """Emulated on whatever this computer is: where KVM is of use for it, the computer is an ARM64 one itself."""
    return (ARM64_PROGRAM, "-machine", "virt", "-cpu", "cortex-a57", *Accelerator.TCG.argv_of_any)


def _flash(image: FlashImage | None, *, secure: bool) -> tuple[str, ...]:
    if image is None:
        return ()
    drive = f"if=pflash,format={image.format}"
    return (
        *(("-global", "driver=cfi.pflash01,property=secure,value=on") if secure else ()),
        "-drive", f"{drive},unit=0,readonly=on,file={_value(image.code)}",
        "-drive", f"{drive},unit=1,file={_value(image.variables)}",
    )  # fmt: skip


def _disks(disks: tuple[Path, ...]) -> tuple[str, ...]:
    return tuple(
        word
        for number, disk in enumerate(disks, start=3)
        for word in (
            "-drive", f"if=none,id=own{number},format=raw,snapshot=on,file={_value(disk)}",
            "-device", f"virtio-blk-pci,drive=own{number},bootindex={number}",
        )
    )  # fmt: skip


def _value(path: Path) -> str:
    """A path inside one of QEMU's comma lists."""
    return os.fspath(path).replace(",", ",,")


def choose_accelerator(env: Mapping[str, str] = os.environ) -> Accelerator:
    """KVM if it really executes here, else emulation. ``BOOTKIT_QEMU_ACCEL`` (``kvm`` or ``tcg``) decides instead.

    Ask once for many boots: it takes seconds where KVM is there and hangs, as in some virtual machines.

    Raises:
        ToolMissing: QEMU is not installed.
        UsageError: the variable has another value.
    """
    wanted = env.get(ACCELERATOR_VARIABLE, "")
    if wanted:
        if wanted not in list(Accelerator):
            raise UsageError(
                tr(
                    "{accelerator_variable}={wanted} is neither kvm nor tcg",
                    accelerator_variable=ACCELERATOR_VARIABLE,
                    wanted=wanted,
                )
            )
        return Accelerator(wanted)
    usable = os.access("/dev/kvm", os.R_OK | os.W_OK) and kvm_executes()
    return Accelerator.KVM if usable else Accelerator.TCG


def kvm_executes(*, within: float = 3.0) -> bool:
    """Whether a guest under KVM counts as fast as a processor does: twenty million steps in ``within`` seconds.

    Some virtual machines have a KVM that starts a BIOS and then executes one instruction after the other by hand, a
    thousand times slower than QEMU alone. Processors of before 2010 do so in real mode; there QEMU alone is taken as well.
    """
    with TemporaryDirectory(prefix="bootkit-") as folder:
        log, disk = Path(folder) / "log", Path(folder) / "disk"
        disk.write_bytes(_COUNTER.ljust(510, b"\0") + b"\x55\xaa" + bytes(MIB))
        # with the processor that boots get: some hosts have a KVM that executes, but refuses that one
        argv = (
            PROGRAM,
            "-machine", "q35",
            *Accelerator.KVM.argv,
            "-nodefaults", "-no-user-config",
            "-display", "none",
            "-debugcon", f"file:{log}",
            "-global", "isa-debugcon.iobase=0x402",
            "-drive", f"if=none,id=disk,format=raw,readonly=on,file={_value(disk)}",
            "-device", "virtio-blk-pci,drive=disk",
        )  # fmt: skip
        with popen(argv) as process:
            deadline = time.monotonic() + within
            while time.monotonic() < deadline and process.poll() is None:
                if log.exists() and _COUNTED in log.read_bytes():
                    return True
                time.sleep(0.05)
    return False
