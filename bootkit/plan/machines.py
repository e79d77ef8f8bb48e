"""What a menu has to know of the machines that it may find itself on: processors, and Secure Boot. Pure.

A hop was booted with shims of Debian's sources under another vendor's key, on OVMF with that vendor's "Microsoft" in db: GRUB's
``chainloader`` takes the shim out of the image, is told that it lies on the EFI system partition, and gives it ``STOP_FILE`` to
start, which is no program. Shim puts its certificate where the first shim looks (MokListRT), fails, and returns to the menu.
What it vouches for is accepted from then on, and nothing else: unsigned kernels are refused as before.

Source: shim 16.1, mok.c (import_mok_state) and shim.c (check_allowlist); shim 15.7 and newer do it in the same way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bootkit.model.boot import IN_EFI, BootEntry, EntryKind, Firmware
from bootkit.model.catalog import Hop, ImageItem
from bootkit.model.check import Trust, VendorShim
from bootkit.model.efi import EfiFacts, MachineKeys
from bootkit.plan.trust import trust_in
from bootkit.plan.wanted_files import shim_firmware

_ARM64 = "aarch64"
_PCS = frozenset({Firmware.BIOS, Firmware.UEFI_X64, Firmware.UEFI_IA32})
_BY_CPU = {
    "x86_64": Firmware.UEFI_X64,
    "i686": Firmware.UEFI_IA32,
    _ARM64: Firmware.UEFI_ARM64,
}


def vendor_shims(items: Iterable[ImageItem]) -> Iterator[VendorShim]:
    """The shims in images whose files were looked into, in the places where firmware starts them."""
    for item in items:
        if item.facts is None:
            continue
        for path, efi in item.facts.shims.items():
            firmware = shim_firmware(path)
            if firmware is not None:
                yield VendorShim(image=item.path, path=path, firmware=firmware, efi=efi)


def for_machines(
    items: Sequence[ImageItem], shims: Mapping[Firmware, EfiFacts], machine: MachineKeys | None = None
) -> tuple[ImageItem, ...]:
    """``items`` with what their entries need, and where they do not start, by firmware and Secure Boot.

    ``shims`` are those that start the stick. On a stick that starts PCs and ARM64 machines, or has images for both, each
    entry is for those that can run its kernel; else all are for whatever shows the menu.
    """
    vendors = tuple(vendor_shims(items))
    mixed = Firmware.UEFI_ARM64 in shims or any(_may_be_arm64(item) and _cpu(item) == _ARM64 for item in items)
    blocks = {item.path: _efi_blocks(item) for item in items}
    found: list[ImageItem] = []
    for item in items:
        one = _for_its_processor(item) if mixed else item
        found.append(_under_secure_boot(one, shims, vendors, blocks, machine) if shims else one)
    return tuple(found)


def _may_be_arm64(item: ImageItem) -> bool:
    """Whether it is worth a look at the kernel of each entry."""
    cpus = item.facts.cpus if item.facts is not None else ()
    return item.detection is not None and _ARM64 in (item.detection.arch, *cpus)


def _cpu(item: ImageItem) -> str:
    kernels = item.facts.kernels if item.facts is not None else {}
    entries = item.detection.entries if item.detection is not None else ()
    cpus = (kernels[entry.kernel].cpu for entry in entries if entry.kernel in kernels)
    return next((cpu for cpu in cpus if cpu), item.detection.arch if item.detection is not None else "")


def _for_its_processor(item: ImageItem) -> ImageItem:
    if item.recognition is None or item.detection is None or not (cpu := _cpu(item)):
        return item
    runs = frozenset({Firmware.UEFI_ARM64}) if cpu == _ARM64 else _PCS
    entries = tuple(replace(entry, firmware=entry.firmware & runs) for entry in item.detection.entries)
    detection = replace(item.detection, entries=entries)
    return replace(item, recognition=replace(item.recognition, detection=detection))


def _under_secure_boot(
    item: ImageItem,
    shims: Mapping[Firmware, EfiFacts],
    vendors: Sequence[VendorShim],
    blocks: Mapping[str, str],
    machine: MachineKeys | None,
) -> ImageItem:
    entries = item.detection.entries if item.detection is not None else ()
    hops: dict[str, Hop] = {}
    refused: set[Firmware] = set()
    for firmware, shim in shims.items():
        near = [vendor for vendor in vendors if vendor.firmware is firmware]
        ours = [entry for entry in entries if firmware in entry.firmware]
        for place, entry in enumerate(ours):
            answer = _answer(item, entry, firmware, shim, near, machine)
            if answer is None:
                continue
            trust, vendor = answer
            if vendor is not None and not (vendor.path.startswith(IN_EFI) and not blocks[vendor.image]):
                hops[entry.kernel] = _hop(vendor, blocks[vendor.image])
            elif place == 0 and trust is not Trust.DIRECT:
                refused.add(firmware)
    return replace(item, hops=hops, refused=frozenset(refused))


def _answer(
    item: ImageItem,
    entry: BootEntry,
    firmware: Firmware,
    shim: EfiFacts,
    vendors: Sequence[VendorShim],
    machine: MachineKeys | None,
) -> tuple[Trust, VendorShim | None] | None:
    """What Secure Boot makes of an entry; ``None`` where nobody can tell."""
    if entry.kind not in (EntryKind.LINUX, EntryKind.CHAINLOADER, EntryKind.CONFIGFILE):
        return Trust.UNSIGNED, None  # a signed GRUB has no command for it
    kernel = item.facts.kernels.get(entry.kernel) if item.facts is not None else None
    if entry.kind is EntryKind.CONFIGFILE or kernel is None:
        return None
    if _BY_CPU.get(kernel.cpu, firmware) is not firmware:
        return None
    answer = trust_in(kernel.efi if kernel.signed else None, shim, vendors, machine)
    return answer.trust, answer.shim


def _hop(vendor: VendorShim, blocks: str) -> Hop:
    in_efi = vendor.path.startswith(IN_EFI)
    return Hop(
        firmware=vendor.firmware,
        name=vendor.name,
        image=vendor.image,
        path=vendor.path.removeprefix(IN_EFI),
        efi_blocks=blocks if in_efi else "",
    )


def _efi_blocks(item: ImageItem) -> str:
    """``START+COUNT`` in sectors of 512 bytes; empty if the image has no FAT image for UEFI."""
    place = item.facts.efi_image if item.facts else None
    return f"{place[0] // 512}+{-(-place[1] // 512)}" if place else ""
