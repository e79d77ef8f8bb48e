"""What predictions have to know of a stick: its file system, its boot loaders, what was on it before."""

from collections.abc import Iterable
from typing import BinaryIO, cast

from bootkit.app.stick.loaders import read_loaders
from bootkit.app.stick.settings import choices_on
from bootkit.errors import BootkitError
from bootkit.formats.reader import read_upto
from bootkit.model.boot import Firmware
from bootkit.model.catalog import ImageItem
from bootkit.model.check import StickFacts, StickLoader
from bootkit.model.efi import MachineKeys
from bootkit.model.filesystem import blkid_name
from bootkit.model.loader import LoaderFile
from bootkit.model.options import Choices
from bootkit.plan.check_firmware import vendor_of
from bootkit.plan.machines import vendor_shims
from bootkit.plan.trust import anchor_names
from bootkit.system.efivars import machine_keys
from bootkit.system.stickbytes import stick_image
from bootkit.system.sticks import Stick

_ISO_MAGIC = (0x8001, b"CD001")


def stick_facts(stick: Stick, items: Iterable[ImageItem], machine: MachineKeys | None = None) -> StickFacts:
    """What can be found out without root: what cannot is left open, and no error.

    ``machine`` is one that is asked about instead of this computer.
    """
    labels: dict[str, tuple[str, ...]] = {}
    items = tuple(items)
    for item in items:
        if item.facts is not None and item.facts.volume_id:
            labels[item.facts.volume_id] = (*labels.get(item.facts.volume_id, ()), item.path)
    found = read_loaders(stick, only_shims=True)
    loaders = None if found is None else _by_firmware(found.files)
    return StickFacts(
        filesystem=blkid_name(stick.volume.filesystem),
        loaders=loaders,
        old_iso=_has_old_iso(stick),
        labels=labels,
        shims=tuple(vendor_shims(items)),
        choices=_choices(stick),
        machine=machine or machine_keys(),
        takes_hops=found is not None and found.takes_hops,
    )


def _choices(stick: Stick) -> Choices:
    """None where stick.toml has a mistake: whoever checks a stick says so."""
    try:
        return choices_on(stick.volume)
    except BootkitError:
        return Choices()


def _has_old_iso(stick: Stick) -> bool:
    """Whether an ISO image's signature is left on the disk; not so where the disk may not be read."""
    try:
        with stick_image(stick.where).open("rb") as fh:
            at, magic = _ISO_MAGIC
            return read_upto(cast("BinaryIO", fh), at, len(magic)) == magic
    except (BootkitError, OSError):
        return False


def _by_firmware(files: Iterable[LoaderFile]) -> tuple[StickLoader, ...]:
    """Shim, the GRUB behind it and the key manager are one loader."""
    found: dict[Firmware, StickLoader] = {}
    for file in files:
        shim = file.efi if file.efi is not None and file.efi.shim is not None else None
        vendor = vendor_of((anchor_names(shim.shim),)) if shim is not None else ""
        loader = StickLoader(
            firmware=file.firmware,
            signed=file.signed,
            vendor=vendor,
            package=file.package,
            shim=shim,
            grub=file.efi if file.path.rpartition("/")[2].lower().startswith("grub") else None,
        )
        known = found.get(file.firmware)
        found[file.firmware] = loader if known is None else _both(known, loader)
    return tuple(found.values())


def _both(first: StickLoader, second: StickLoader) -> StickLoader:
    packages = dict.fromkeys(filter(None, (first.package, second.package)))
    return StickLoader(
        firmware=first.firmware,
        signed=first.signed or second.signed,
        vendor=first.vendor or second.vendor,
        package=", ".join(packages),
        shim=first.shim or second.shim,
        grub=first.grub or second.grub,
    )
