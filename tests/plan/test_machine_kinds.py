"""Which machines of 2026 start what: by whom they trust, and by the SBAT level that a system has raised."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bootkit.formats.efi import decoded
from bootkit.model.boot import BootEntry, Detection, EntryKind, Firmware
from bootkit.model.check import Answer, StickFacts, StickLoader
from bootkit.model.efi import EfiFacts, MachineKeys
from bootkit.model.kernel import KernelFacts
from bootkit.model.testboot import MachineKind, TestFirmware
from bootkit.plan.certificates import MICROSOFT_2011, MICROSOFT_2023
from bootkit.plan.check_firmware import firmware_answers
from bootkit.plan.machine_kinds import keys_of, refusing, refusing_hop
from bootkit.plan.microsoft import FINGERPRINTS, MicrosoftCa
from bootkit.plan.trust import refused_here
from tests.plan.conftest import DEBIAN_KERNEL, DEBIAN_SHIM

OF_2011 = replace(DEBIAN_SHIM, digest="1" * 64, signatures=DEBIAN_SHIM.signatures[:1])
OF_2023 = replace(DEBIAN_SHIM, digest="2" * 64, signatures=DEBIAN_SHIM.signatures[1:])
OLD = replace(DEBIAN_SHIM, digest="3" * 64, sbat="sbat,1\nshim,3\n")
NOBODY = "nobody whom it trusts has signed it"
LATE = "its component shim is of generation 3, and 4 is wanted"


def test_the_certificates_are_those_of_the_fingerprints() -> None:
    assert FINGERPRINTS[decoded(MICROSOFT_2011).sha256] is MicrosoftCa.UEFI_2011
    assert FINGERPRINTS[decoded(MICROSOFT_2023).sha256] is MicrosoftCa.UEFI_2023


@pytest.mark.parametrize(
    ("shim", "refused"),
    [
        (DEBIAN_SHIM, {MachineKind.CUSTOM: NOBODY}),
        (OF_2011, {MachineKind.MS2023: NOBODY, MachineKind.CUSTOM: NOBODY}),
        (OF_2023, {MachineKind.MS2011: NOBODY, MachineKind.CUSTOM: NOBODY}),
        (OLD, {MachineKind.CUSTOM: NOBODY, MachineKind.SBAT_RAISED: LATE}),
    ],
)
def test_a_shim_starts_where_it_is_trusted(shim: EfiFacts, refused: Mapping[MachineKind, str]) -> None:
    assert {kind: why for kind, why in refusing(shim).items() if why} == refused


def test_a_vendors_shim_is_asked_for_what_the_first_shim_asks() -> None:
    refused = refusing_hop(OF_2011, DEBIAN_SHIM)
    assert {kind for kind, why in refused.items() if why} == {MachineKind.MS2023, MachineKind.CUSTOM}
    assert refusing_hop(replace(OF_2011, sbat=""), DEBIAN_SHIM)[MachineKind.BOTH].startswith("it has no SBAT section")


@pytest.mark.parametrize(
    ("kind", "shim", "grub", "reason"),
    [
        (MachineKind.BOTH, DEBIAN_SHIM, "grub,5", ""),
        (MachineKind.SETUP, OF_2011, "grub,1", ""),
        (MachineKind.MS2023, OF_2011, "grub,5", f"The machine does not start the stick's shim: {NOBODY}."),
        (
            MachineKind.BOTH,
            DEBIAN_SHIM,
            "grub,4",
            "Shim does not start the stick's GRUB: its component grub is of generation 4, and 5 is wanted.",
        ),
    ],
)
def test_an_image_boots_where_the_way_to_the_menu_is_free(
    kind: MachineKind, shim: EfiFacts, grub: str, reason: str
) -> None:
    loader = StickLoader(
        firmware=Firmware.UEFI_X64,
        signed=True,
        vendor="debian",
        shim=shim,
        grub=replace(DEBIAN_SHIM, shim=None, sbat=f"{grub}\n"),
    )
    stick = StickFacts(filesystem="ext4", loaders=(loader,), machine=keys_of(kind))
    kernels = {"/vmlinuz": KernelFacts(size=1, cpu="x86_64", signed=True, efi=DEBIAN_KERNEL)}
    entry = BootEntry(title="Live", kind=EntryKind.LINUX, kernel="/vmlinuz", initrds=("/initrd",))
    answers = firmware_answers(Detection(stack="live-boot", distro="D", entries=(entry,)), kernels, stick)
    (answer,) = (answer for answer in answers if answer.firmware is TestFirmware.SECUREBOOT)
    assert (answer.answer is Answer.BOOTS, answer.reason) == (not reason, reason)


@pytest.mark.parametrize(("modules", "boots"), [(("ntfs",), True), (("ext2",), False), ((), False)])
def test_what_the_very_grub_on_the_stick_reads_counts(modules: tuple[str, ...], boots: bool) -> None:
    grub = replace(DEBIAN_SHIM, shim=None, sbat="grub,5\n", grub_modules=modules)
    loader = StickLoader(firmware=Firmware.UEFI_X64, signed=True, vendor="fedora", shim=DEBIAN_SHIM, grub=grub)
    stick = StickFacts(filesystem="ntfs", loaders=(loader,))
    kernels = {"/vmlinuz": KernelFacts(size=1, cpu="x86_64", signed=True, efi=DEBIAN_KERNEL)}
    entry = BootEntry(title="Live", kind=EntryKind.LINUX, kernel="/vmlinuz", initrds=("/initrd",))
    answers = firmware_answers(Detection(stack="live-boot", distro="D", entries=(entry,)), kernels, stick)
    (answer,) = (answer for answer in answers if answer.firmware is TestFirmware.SECUREBOOT)
    assert (answer.answer is Answer.BOOTS) is boots, answer.reason


@pytest.mark.parametrize("secure_boot", [True, False])
@pytest.mark.parametrize(
    ("shim", "trusts", "reason"),
    [
        (OF_2011, (MICROSOFT_2023,), NOBODY),
        (OF_2011, (MICROSOFT_2011,), ""),
        (OF_2011, (), ""),
        (
            replace(DEBIAN_SHIM, sbat=""),
            (MICROSOFT_2011,),
            "it has no SBAT section, as all shims before 2021, whose holes are known",
        ),
    ],
)
def test_the_computer_that_asks_is_compared_by_its_own_keys(
    shim: EfiFacts, trusts: tuple[str, ...], reason: str, secure_boot: bool
) -> None:
    assert refused_here(shim, MachineKeys(trusts=trusts, secure_boot=secure_boot)) == reason
