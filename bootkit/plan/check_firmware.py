"""On which firmware an image starts from a stick. Pure.

Sources: modules built into the signed GRUB images of Debian 12 and 13 (read, booted); GRUB 2.06, loader/i386/linux.c;
shim 16.1, which refuses kernels of other vendors ("bad shim signature", booted).
"""

from collections.abc import Iterable

from bootkit.model.boot import BootEntry, Detection, EntryKind, Firmware
from bootkit.model.check import Answer, FirmwareAnswer, StickFacts, StickLoader
from bootkit.model.filesystem import file_system, filesystem_title
from bootkit.model.kernel import KernelFacts
from bootkit.model.testboot import TestFirmware

_STARTS = {
    TestFirmware.BIOS: Firmware.BIOS,
    TestFirmware.UEFI: Firmware.UEFI_X64,
    TestFirmware.IA32: Firmware.UEFI_IA32,
    TestFirmware.SECUREBOOT: Firmware.UEFI_X64,
}
_VENDOR_NAMES = {
    "almalinux": "almalinux",
    "centos": "centos",
    "debian": "debian",
    "fedora": "fedora",
    "opensuse": "suse",
    "redhat": "red hat",
    "rocky": "rocky",
    "ubuntu": "canonical",
}
"""What the names in a vendor's signatures have in them, in small letters."""
_ON_EXT4 = "prepare a stick with bootkit prepare TARGET --data-fs ext4"
_OFF = "switch Secure Boot off in the firmware's setup"


def vendor_of(signers: Iterable[str]) -> str:
    """Whose signature it is, as :class:`StickLoader` has it; empty if nobody knows."""
    names = " ".join(signers).lower()
    return next((vendor for vendor, mark in _VENDOR_NAMES.items() if mark in names), "")


def firmware_answers(
    detection: Detection, kernels: dict[str, KernelFacts], stick: StickFacts
) -> tuple[FirmwareAnswer, ...]:
    return tuple(_answer(firmware, detection, kernels, stick) for firmware in TestFirmware)


def _answer(
    firmware: TestFirmware, detection: Detection, kernels: dict[str, KernelFacts], stick: StickFacts
) -> FirmwareAnswer:
    starts = _STARTS[firmware]
    entry = next((entry for entry in detection.entries if starts in entry.firmware), None)
    if entry is None:
        return _no(firmware, f"None of its entries starts by {firmware.label}.")
    if problem := _loader_problem(firmware, stick):
        return problem
    kernel = kernels.get(entry.kernel)
    if problem := _cpu_problem(firmware, entry, (kernel.cpu if kernel else "") or detection.arch, kernel):
        return problem
    if firmware is TestFirmware.SECUREBOOT:
        return _trust(entry, kernel, stick.loader(starts))
    return FirmwareAnswer(firmware=firmware, answer=Answer.BOOTS)


def _loader_problem(firmware: TestFirmware, stick: StickFacts) -> FirmwareAnswer | None:
    loader = stick.loader(_STARTS[firmware])
    if stick.loaders is not None and loader is None:
        cure = "bootkit upgrade TARGET, on a computer where bootkit doctor finds one"
        return _no(firmware, f"The stick has no loader for {firmware.label}.", cure)
    is_secure = firmware is TestFirmware.SECUREBOOT
    known = file_system(stick.filesystem)
    reads = known is not None and known.has_signed_grub(loader.vendor if loader is not None else "")
    if is_secure and loader is not None and not loader.signed:
        cure = "bootkit upgrade TARGET --loader signed" if reads else _ON_EXT4
        return _no(firmware, "The stick's loader is not signed.", f"{_OFF}, or {cure}")
    by_signed = is_secure or (loader is not None and loader.signed)
    if by_signed and stick.filesystem and not reads:
        name = filesystem_title(stick.filesystem)
        cure = f"{_OFF}, or {_ON_EXT4}"
        if not is_secure:
            cure = "bootkit upgrade TARGET --loader built"
        return _no(firmware, f"A signed GRUB does not read {name}.", cure)
    return None


def _cpu_problem(
    firmware: TestFirmware, entry: BootEntry, cpu: str, kernel: KernelFacts | None
) -> FirmwareAnswer | None:
    if cpu not in ("", "x86_64", "i686"):
        return _no(firmware, f"Its kernel is for {cpu}.")
    if entry.kind is not EntryKind.LINUX:
        return None
    if firmware is TestFirmware.IA32 and cpu == "x86_64" and not (kernel and kernel.efi32):
        reason = (
            "Its kernel has no EFI mixed mode." if kernel else "Whether its kernel has EFI mixed mode is not known."
        )
        return FirmwareAnswer(firmware=firmware, answer=Answer.UNKNOWN, reason=reason)
    if firmware in (TestFirmware.UEFI, TestFirmware.SECUREBOOT) and cpu == "i686":
        reason = "Its kernel is a 32-bit one, which not every GRUB starts from a 64-bit UEFI."
        return FirmwareAnswer(firmware=firmware, answer=Answer.UNKNOWN, reason=reason, cure="boot it by BIOS")
    return None


def _trust(entry: BootEntry, kernel: KernelFacts | None, loader: StickLoader | None) -> FirmwareAnswer:
    """Whether shim lets the kernel pass."""
    secure = TestFirmware.SECUREBOOT
    if entry.kind not in (EntryKind.LINUX, EntryKind.CHAINLOADER):
        if entry.kind is EntryKind.CONFIGFILE:
            return _unknown("The image's own menu decides which kernel it is.")
        return _no(secure, f"A signed GRUB has no {entry.kind.value}.", _OFF)
    if kernel is None:
        return _unknown("Whether its kernel is signed is not known yet.", "bootkit check")
    if not kernel.signed:
        return _no(secure, "Its kernel is not signed.", _OFF)
    signers = ", ".join(kernel.signers) or "somebody without a name"
    mark = _VENDOR_NAMES.get(loader.vendor, "") if loader is not None else ""
    if not mark:
        return _unknown(f"Its kernel is signed by {signers}; whether the stick's shim trusts it is not known.")
    if any(mark in signer.lower() for signer in kernel.signers):
        return FirmwareAnswer(firmware=secure, answer=Answer.BOOTS)
    assert loader is not None  # it gave the mark
    return _no(
        secure, f"Its kernel is signed by {signers}, whom the stick's shim (of {loader.vendor}) does not trust.", _OFF
    )


def _no(firmware: TestFirmware, reason: str, cure: str = "") -> FirmwareAnswer:
    return FirmwareAnswer(firmware=firmware, answer=Answer.CANNOT, reason=reason, cure=cure)


def _unknown(reason: str, cure: str = "") -> FirmwareAnswer:
    return FirmwareAnswer(firmware=TestFirmware.SECUREBOOT, answer=Answer.UNKNOWN, reason=reason, cure=cure)
