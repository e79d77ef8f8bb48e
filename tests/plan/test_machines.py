"""What the menu gets to know of machines: whose shim to start first, and which image is for which processor."""

from dataclasses import replace

import pytest

from bootkit.model.boot import BootEntry, Detection, EntryKind, Firmware, Recognition
from bootkit.model.catalog import Hop, ImageItem
from bootkit.model.check import Answer, StickFacts, StickLoader
from bootkit.model.efi import EfiFacts, EfiSignature, MachineKeys, ShimFacts
from bootkit.model.iso import ElToritoEntry, IsoFacts
from bootkit.model.kernel import KernelFacts
from bootkit.model.testboot import TestFirmware
from bootkit.plan.check_firmware import firmware_answers
from bootkit.plan.machines import for_machines
from tests.plan.conftest import DEBIAN_KERNEL, DEBIAN_SHIM

SHIMS = {Firmware.UEFI_X64: DEBIAN_SHIM}
CERTIFICATE = DEBIAN_SHIM.signatures[1].chain[0]
"""Of somebody else, who stands for a vendor."""
FOREIGN = replace(DEBIAN_KERNEL, signatures=(EfiSignature(fits=True, chain=(CERTIFICATE,)),))
VENDOR = replace(DEBIAN_SHIM, digest="a" * 64, shim=ShimFacts(trusts=(CERTIFICATE,)))


def image(
    name: str, kernel: EfiFacts | None, *, shim: EfiFacts | None = None, at: str = "", cpu: str = "x86_64"
) -> ImageItem:
    kernels = {"/vmlinuz": KernelFacts(size=1, cpu=cpu, signed=kernel is not None, efi=kernel)}
    if shim is not None:
        kernels[f"{at}/EFI/BOOT/BOOTX64.EFI"] = KernelFacts(size=1, cpu="x86_64", signed=True, efi=shim)
    torito = (ElToritoEntry(platform="efi", emulation="none", lba=100, size=4096),)
    detection = Detection(
        stack="live-boot", distro="B", entries=(BootEntry(title="Live", kernel="/vmlinuz", initrds=("/initrd",)),)
    )
    return ImageItem(
        path=f"/boot/iso/{name}.iso",
        size=1,
        mtime_ns=0,
        facts=IsoFacts(name=f"{name}.iso", size=1, kernels=kernels, el_torito=torito),
        recognition=Recognition(detection=detection),
    )


def test_the_kernel_of_another_vendor_is_loaded_after_its_shim() -> None:
    debian, other = for_machines([image("d", DEBIAN_KERNEL), image("b", FOREIGN, shim=VENDOR)], SHIMS)
    assert (debian.hops, debian.refused) == ({}, frozenset())
    assert other.refused == frozenset()
    assert other.hops == {
        "/vmlinuz": Hop(
            firmware=Firmware.UEFI_X64, name="a" * 16, image="/boot/iso/b.iso", path="/EFI/BOOT/BOOTX64.EFI"
        )
    }


def test_a_shim_in_the_part_for_uefi_is_found_there() -> None:
    (other,) = for_machines([image("b", FOREIGN, shim=VENDOR, at="efi:")], SHIMS)
    hop = other.hops["/vmlinuz"]
    assert (hop.path, hop.efi_blocks) == ("/EFI/BOOT/BOOTX64.EFI", "400+8")


def test_the_shim_of_a_newer_image_serves_an_older_one() -> None:
    old = replace(VENDOR, digest="b" * 64, sbat="sbat,1\nshim,3\n")
    first, second = for_machines([image("old", FOREIGN, shim=old), image("new", FOREIGN, shim=VENDOR)], SHIMS)
    assert first.hops["/vmlinuz"].image == second.hops["/vmlinuz"].image == "/boot/iso/new.iso"


def test_what_is_refused_is_known_beforehand() -> None:
    unsigned, foreign = for_machines([image("u", None), image("f", FOREIGN)], SHIMS)
    assert unsigned.refused == foreign.refused == {Firmware.UEFI_X64}
    assert for_machines([image("u", None)], {})[0].refused == frozenset()
    denied = MachineKeys(revokes=(VENDOR.digest,))
    assert for_machines([image("b", FOREIGN, shim=VENDOR)], SHIMS, denied)[0].hops == {}


@pytest.mark.parametrize("kind", [kind for kind in EntryKind if kind is not EntryKind.CONFIGFILE])
def test_the_menu_marks_what_is_predicted_to_be_refused(kind: EntryKind) -> None:
    item = image("x", DEBIAN_KERNEL)
    assert item.detection is not None
    assert item.facts is not None
    detection = replace(item.detection, entries=(replace(item.detection.entries[0], kind=kind),))
    (marked,) = for_machines([replace(item, recognition=Recognition(detection=detection))], SHIMS)
    loader = StickLoader(firmware=Firmware.UEFI_X64, signed=True, vendor="debian", shim=DEBIAN_SHIM)
    stick = StickFacts(filesystem="ext4", loaders=(loader,))
    answers = {one.firmware: one.answer for one in firmware_answers(detection, item.facts.kernels, stick)}
    assert bool(marked.refused) is (answers[TestFirmware.SECUREBOOT] is Answer.CANNOT)


def test_each_image_is_for_its_processor_where_both_kinds_are() -> None:
    def firmware(item: ImageItem) -> frozenset[Firmware]:
        assert item.detection is not None
        return item.detection.entries[0].firmware

    (alone,) = for_machines([image("pc", DEBIAN_KERNEL)], SHIMS)
    assert Firmware.UEFI_ARM64 in firmware(alone)
    for_pc, for_arm = for_machines([image("pc", DEBIAN_KERNEL), image("arm", DEBIAN_KERNEL, cpu="aarch64")], SHIMS)
    assert firmware(for_pc) == {Firmware.BIOS, Firmware.UEFI_X64, Firmware.UEFI_IA32}
    assert firmware(for_arm) == {Firmware.UEFI_ARM64}
    (on_mixed,) = for_machines([image("pc", DEBIAN_KERNEL)], SHIMS | {Firmware.UEFI_ARM64: DEBIAN_SHIM})
    assert Firmware.UEFI_ARM64 not in firmware(on_mixed)
