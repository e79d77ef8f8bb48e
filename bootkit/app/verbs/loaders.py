"""``list --loaders``: what starts the stick, who signed it, on which machines it starts, and whether this computer has newer."""

from collections.abc import Iterator, Mapping
from dataclasses import field

from bootkit.app.stick.catalog import read_catalog
from bootkit.app.stick.images import find_images
from bootkit.app.stick.loaders import read_loaders
from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.boot import Firmware
from bootkit.model.efi import EfiFacts, MachineKeys
from bootkit.model.loader import LoaderFile, StickLoaders
from bootkit.model.places import EFI_FOLDER
from bootkit.model.prepare import HostFile, HostLoaders, SignedLoader
from bootkit.model.testboot import MachineKind
from bootkit.plan.loaders import second_folder, second_shims
from bootkit.plan.machine_kinds import refusing, refusing_hop
from bootkit.plan.machines import vendor_shims
from bootkit.plan.microsoft import MicrosoftCa, signed_by_microsoft, trusted_authorities
from bootkit.plan.sbat import generations, release
from bootkit.plan.trust import holder, refused_here, why_not
from bootkit.plan.versions import is_newer
from bootkit.system.efivars import machine_keys
from bootkit.system.loaders import efi_of, find_loaders
from bootkit.system.sticks import Stick
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LoaderRow:
    """One file that starts the stick."""

    file: LoaderFile
    signer: str = ""
    authorities: tuple[MicrosoftCa, ...] = ()
    """Of Microsoft's, those that have signed it: firmware starts it if it trusts one of them."""
    refused: str = ""
    """Why this computer's firmware would refuse it, as a clause."""
    newer: str = ""
    """What this computer has, if that is newer."""
    older: str = ""
    """What this computer has, if that is older."""
    machines: Mapping[MachineKind, str] = field(default_factory=dict[MachineKind, str])
    """Of a shim: why each kind of machine does not start it with Secure Boot on, as a clause; empty if it does."""
    image: str = ""
    """Path of the image in which a vendor's shim lies, that the menu starts before that vendor's kernels."""


def list_loaders(stick: Stick) -> tuple[LoaderRow, ...]:
    """Every loader on the stick, in the order in which they were written, then the vendors' shims in its images.

    Raises:
        BootkitError: the stick has no list of them.
    """
    found = read_loaders(stick)
    if found is None:
        hint = f"bootkit upgrade {stick.where} writes loaders and their list"
        raise BootkitError(tr("{where} has no list of its boot loaders", where=stick.where), hint=hint)
    host, machine = find_loaders(), machine_keys()
    rows: list[LoaderRow] = []
    for file in found.files:
        efi, here = file.efi, host_release(file, host)
        order = comparison(here, release_of(file))
        rows.append(
            LoaderRow(
                file=file,
                signer="" if efi is None else _signer(efi),
                authorities=() if efi is None else signed_by_microsoft(efi),
                refused="" if efi is None or efi.shim is None else refused_here(efi, machine),
                newer=here if order > 0 else "",
                older=here if order < 0 else "",
                machines={} if efi is None or efi.shim is None else refusing(efi),
            )
        )
    return (*rows, *_hops(stick, found, machine))


def _hops(stick: Stick, found: StickLoaders, machine: MachineKeys | None) -> Iterator[LoaderRow]:
    """The vendors' shims in the images that a menu on this stick would start."""
    own = {
        file.firmware: file.efi for file in reversed(found.files) if file.efi is not None and file.efi.shim is not None
    }
    items = read_catalog(stick.volume, find_images(stick.volume)).items if found.takes_hops else ()
    for shim in vendor_shims(items):
        efi, ours = shim.efi, own.get(shim.firmware)
        if ours is None or efi.digest == ours.digest:
            continue
        yield LoaderRow(
            file=LoaderFile(path=shim.path, firmware=shim.firmware, signed=True, package=release(efi.sbat), efi=efi),
            signer=_signer(efi),
            authorities=signed_by_microsoft(efi),
            refused=why_not(efi, ours, machine),
            machines=refusing_hop(efi, ours),
            image=shim.image,
        )


def _signer(efi: EfiFacts) -> str:
    good = [signature for signature in efi.signatures if signature.fits]
    if good:
        return holder(good)
    return "nobody: its signature is of another file" if efi.signatures else "nobody"


def release_of(file: LoaderFile) -> str:
    """Name and version: what a signed program says of itself, whatever package it came in; else those of the package."""
    return release(file.efi.sbat) if file.efi is not None and file.efi.sbat else file.package


def host_release(file: LoaderFile, host: HostLoaders) -> str:
    """Name and version of what this computer would put in the place of ``file``; empty if nobody knows."""
    if not file.signed:
        return next((one.package for one in host.platforms if _platform_firmware(one.name) is file.firmware), "")
    signed = _signed_for(file, host)
    counterpart = None if signed is None else _counterpart(file.path, signed)
    if counterpart is None:
        return ""
    efi = efi_of(counterpart.path)
    return release(efi.sbat) if efi is not None and efi.sbat else counterpart.package


def _signed_for(file: LoaderFile, host: HostLoaders) -> SignedLoader | None:
    first, folder = host.signed_for(file.firmware), file.path.rpartition("/")[0]
    if first is None or folder == EFI_FOLDER:
        return first
    return next((one for authority, one in second_shims(host, first) if second_folder(authority) == folder), None)


def comparison(one: str, other: str) -> int:
    """1 if ``one`` is newer than ``other``, -1 if it is older, 0 if nobody can tell, or they are the same."""
    (name, _, version), (other_name, _, other_version) = one.partition(" "), other.partition(" ")
    if not version or not other_version or name != other_name or version == other_version:
        return 0
    return 1 if is_newer(version, other_version) else -1


def _counterpart(path: str, signed: SignedLoader) -> HostFile | None:
    name = path.rpartition("/")[2].lower()
    if name.startswith("boot"):
        return signed.shim
    return signed.mok_manager if name.startswith("mm") else signed.grub


def _platform_firmware(name: str) -> Firmware | None:
    return {
        "i386-pc": Firmware.BIOS,
        "x86_64-efi": Firmware.UEFI_X64,
        "i386-efi": Firmware.UEFI_IA32,
        "arm64-efi": Firmware.UEFI_ARM64,
    }.get(name)


def secure_boot_notes(host: HostLoaders, machine: MachineKeys | None) -> Iterator[str]:
    """What is to be known of this computer's signed loaders before they are used, and of its firmware; sentences."""
    for loader in host.signed:
        efi = loader.shim_facts
        if efi is None:
            continue
        if refused := refused_here(efi, machine):
            yield f"{loader.shim.path} does not start here with Secure Boot on: {refused}. Update its package."
        authorities = signed_by_microsoft(efi)
        if authorities and MicrosoftCa.UEFI_2023 not in authorities:
            yield f"{loader.shim.path} is not signed by Microsoft's authority of 2023: computers that trust no other refuse it."
        if efi.shim is not None and efi.shim.sbat_level:
            level = ", ".join(f"{name} {number}" for name, number in generations(efi.shim.sbat_level).items())
            yield (
                f"{loader.shim.path} raises the SBAT level of every machine that it starts on with Secure Boot on to {level}: "
                "older shims, of other sticks and of what is installed, do not start there afterwards."
            )
    if machine is not None:
        yield _machine(machine)


def _machine(machine: MachineKeys) -> str:
    known = trusted_authorities(machine)
    state = "in setup mode" if machine.setup_mode else "on" if machine.secure_boot else "off"
    trusts = " and ".join(f"that of {ca}" for ca in known) or "neither"
    return (
        f"This computer: Secure Boot is {state}; of Microsoft's authorities for others than Windows it trusts {trusts}."
    )
