"""On which firmware an image starts from a stick. Pure.

Sources: modules built into the signed GRUB images of Debian 12 and 13 (read, booted); GRUB 2.06, loader/i386/linux.c. What
shim says of a kernel is in :mod:`bootkit.plan.trust`.
"""

from collections.abc import Iterable
from dataclasses import replace

from bootkit.model.boot import BootEntry, Detection, EntryKind, Firmware
from bootkit.model.check import Answer, FirmwareAnswer, StickFacts, StickLoader, Trust
from bootkit.model.efi import EfiFacts
from bootkit.model.filesystem import FileSystem, file_system, filesystem_title
from bootkit.model.kernel import KernelFacts
from bootkit.model.testboot import TestFirmware
from bootkit.plan.sbat import too_old
from bootkit.plan.trust import NOT_SIGNED, SWITCH_OFF, TrustAnswer, firmware_refuses, holder, trust_in

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
"""What the names in a vendor's certificates have in them, in small letters: enough to know its GRUB, and nothing is trusted for it."""
ARM64 = "aarch64"
"""As kernels and detectors spell it."""
_NO_HOP = "Only its vendor's shim vouches for its kernel, and the stick's loaders are from before those were used."
_ON_EXT4 = "prepare a stick with bootkit prepare TARGET --data-fs ext4"


def vendor_of(names: Iterable[str]) -> str:
    """Whose certificates they are, as :class:`StickLoader` has it; empty if nobody knows."""
    text = " ".join(names).lower()
    return next((vendor for vendor, mark in _VENDOR_NAMES.items() if mark in text), "")


def firmware_answers(
    detection: Detection, kernels: dict[str, KernelFacts], stick: StickFacts
) -> tuple[FirmwareAnswer, ...]:
    """For each kind of machine; for ARM64 only where the image is for one, or the stick starts one."""
    cpus = {detection.arch, *(kernel.cpu for kernel in kernels.values())}
    is_asked = ARM64 in cpus or stick.loader(Firmware.UEFI_ARM64) is not None
    firmwares = (firmware for firmware in TestFirmware if is_asked or firmware is not TestFirmware.ARM64)
    return tuple(_answer(firmware, detection, kernels, stick) for firmware in firmwares)


def _answer(
    firmware: TestFirmware, detection: Detection, kernels: dict[str, KernelFacts], stick: StickFacts
) -> FirmwareAnswer:
    starts = firmware.firmware
    entry = next((entry for entry in detection.entries if starts in entry.firmware), None)
    if entry is None:
        return _no(firmware, f"None of its entries starts by {firmware.label}.")
    if problem := _loader_problem(firmware, stick):
        return problem
    kernel = kernels.get(entry.kernel)
    if problem := _cpu_problem(firmware, entry, (kernel.cpu if kernel else "") or detection.arch, kernel):
        return problem
    if firmware is TestFirmware.SECUREBOOT and not _verifies_nothing(stick):
        loader = stick.loader(starts)
        return _machine_problem(loader, stick) or _trust(entry, kernel, loader, stick)
    boots = FirmwareAnswer(firmware=firmware, answer=Answer.BOOTS)
    loader = stick.loader(starts)
    if firmware in (TestFirmware.IA32, TestFirmware.ARM64) and loader is not None and loader.signed:
        return _with_secure_boot(boots, _trust(entry, kernel, loader, stick))
    return boots


def _with_secure_boot(boots: FirmwareAnswer, secure: FirmwareAnswer) -> FirmwareAnswer:
    """That an image boots, with what comes of it where such a machine has Secure Boot on, for which it has no second answer."""
    if secure.answer is Answer.CANNOT:
        return replace(boots, reason=f"Not with Secure Boot on. {secure.reason}", cure=secure.cure, trust=secure.trust)
    return replace(boots, reason=secure.reason if secure.answer is Answer.BOOTS else "", trust=secure.trust)


def _verifies_nothing(stick: StickFacts) -> bool:
    machine = stick.machine
    return machine is not None and machine.is_meant and not machine.verifies


def _machine_problem(loader: StickLoader | None, stick: StickFacts) -> FirmwareAnswer | None:
    """Why the machine that is asked about does not come as far as the menu."""
    machine = stick.machine
    if machine is None or not machine.is_meant or loader is None or loader.shim is None:
        return None
    cure = f"{SWITCH_OFF}; or bootkit upgrade TARGET, on a computer with newer loaders"
    if refused := firmware_refuses(loader.shim, machine):
        reason = f"The machine does not start the stick's shim: {refused}."
        return _no(TestFirmware.SECUREBOOT, reason, cure)
    if loader.grub is not None and (old := too_old(loader.grub.sbat, machine.sbat_level, _level(loader.shim))):
        return _no(TestFirmware.SECUREBOOT, f"Shim does not start the stick's GRUB: {old.clause}.", cure)
    return None


def _level(shim: EfiFacts) -> str:
    return shim.shim.sbat_level if shim.shim is not None else ""


def _loader_problem(firmware: TestFirmware, stick: StickFacts) -> FirmwareAnswer | None:
    loader = stick.loader(firmware.firmware)
    if stick.loaders is not None and loader is None:
        cure = "bootkit upgrade TARGET, on a computer where bootkit doctor finds one, or with --loaders-from FOLDER"
        return _no(firmware, f"The stick has no loader for {firmware.label}.", cure)
    is_secure = firmware is TestFirmware.SECUREBOOT and not _verifies_nothing(stick)
    known = file_system(stick.filesystem)
    reads = known is not None and _signed_grub_reads(known, loader)
    if is_secure and loader is not None and not loader.signed:
        cure = "bootkit upgrade TARGET --loader signed" if reads else _ON_EXT4
        return _no(firmware, "The stick's loader is not signed.", f"{SWITCH_OFF}, or {cure}")
    by_signed = is_secure or (loader is not None and loader.signed)
    if by_signed and stick.filesystem and not reads:
        name = filesystem_title(stick.filesystem)
        cure = f"{SWITCH_OFF}, or {_ON_EXT4}"
        if not is_secure:
            cure = "bootkit upgrade TARGET --loader built"
        return _no(firmware, f"A signed GRUB does not read {name}.", cure)
    return None


def _signed_grub_reads(filesystem: FileSystem, loader: StickLoader | None) -> bool:
    """By the modules in the very GRUB on the stick; where these are not known, by whose it is."""
    if loader is not None and loader.grub is not None and loader.grub.grub_modules:
        return filesystem.grub in loader.grub.grub_modules
    return filesystem.has_signed_grub(loader.vendor if loader is not None else "")


def _cpu_problem(
    firmware: TestFirmware, entry: BootEntry, cpu: str, kernel: KernelFacts | None
) -> FirmwareAnswer | None:
    fitting = ("", ARM64) if firmware is TestFirmware.ARM64 else ("", "x86_64", "i686")
    if cpu not in fitting:
        return _no(firmware, f"Its kernel is for {cpu}.")
    if entry.kind is not EntryKind.LINUX:
        return None
    if firmware is TestFirmware.IA32 and cpu == "x86_64" and not (kernel and kernel.efi32):
        reason = (
            "Its kernel has no EFI mixed mode." if kernel else "Whether its kernel has EFI mixed mode is not known."
        )
        return FirmwareAnswer(firmware=firmware, answer=Answer.UNKNOWN, reason=reason)
    if firmware in (TestFirmware.UEFI, TestFirmware.SECUREBOOT) and cpu == "i686":
        reason = f"Its kernel is a 32-bit one, which not every GRUB starts from a {Firmware.UEFI_X64.label}."
        return FirmwareAnswer(firmware=firmware, answer=Answer.UNKNOWN, reason=reason, cure="boot it by BIOS")
    return None


def _trust(
    entry: BootEntry, kernel: KernelFacts | None, loader: StickLoader | None, stick: StickFacts
) -> FirmwareAnswer:
    """Whether shim lets the kernel pass."""
    secure = TestFirmware.SECUREBOOT
    if entry.kind not in (EntryKind.LINUX, EntryKind.CHAINLOADER):
        if entry.kind is EntryKind.CONFIGFILE:
            return _unknown("The image's own menu decides which kernel it is.")
        return _no(secure, f"A signed GRUB has no {entry.kind.value}.", SWITCH_OFF)
    if kernel is None or (kernel.signed and kernel.efi is None):
        return _unknown("Whether its kernel is signed is not known yet.", "bootkit check")
    if not kernel.signed:
        return _refused(NOT_SIGNED)
    if loader is None or loader.shim is None:
        signers = holder(kernel.efi.signatures if kernel.efi else ())
        return _unknown(f"Its kernel is signed by {signers}; whether the stick's shim trusts it is not known.")
    shims = [shim for shim in stick.shims if shim.firmware is loader.firmware]
    answer = trust_in(kernel.efi, loader.shim, shims, stick.machine)
    hops = answer.trust is Trust.HOP
    if hops and not stick.takes_hops:
        cure = f"bootkit upgrade TARGET, whose menu starts that shim first; or {SWITCH_OFF}"
        return _refused(replace(answer, reason=_NO_HOP, cure=cure))
    if hops or answer.trust is Trust.DIRECT:
        return FirmwareAnswer(firmware=secure, answer=Answer.BOOTS, reason=answer.reason, trust=answer.trust)
    return _refused(answer)


def _refused(answer: TrustAnswer) -> FirmwareAnswer:
    return FirmwareAnswer(
        firmware=TestFirmware.SECUREBOOT,
        answer=Answer.CANNOT,
        reason=answer.reason,
        cure=answer.cure,
        trust=answer.trust,
    )


def _no(firmware: TestFirmware, reason: str, cure: str = "") -> FirmwareAnswer:
    return FirmwareAnswer(firmware=firmware, answer=Answer.CANNOT, reason=reason, cure=cure)


def _unknown(reason: str, cure: str = "") -> FirmwareAnswer:
    return FirmwareAnswer(firmware=TestFirmware.SECUREBOOT, answer=Answer.UNKNOWN, reason=reason, cure=cure)
