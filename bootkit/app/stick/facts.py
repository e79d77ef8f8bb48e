"""What predictions have to know of a stick: its file system, its boot loaders, what was on it before."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import BinaryIO, cast

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.efi import read_efi
from bootkit.formats.fat import Fat
from bootkit.formats.reader import Window, read_upto
from bootkit.model.boot import Firmware
from bootkit.model.catalog import ImageItem
from bootkit.model.check import StickFacts, StickLoader, VendorShim
from bootkit.model.efi import EfiFacts
from bootkit.model.fields import parse_json
from bootkit.model.filesystem import blkid_name
from bootkit.model.places import LOADERS_FILE, STICK_RECORD
from bootkit.plan.check_firmware import vendor_of
from bootkit.plan.trust import anchor_names
from bootkit.plan.wanted_files import shim_firmware
from bootkit.system.efivars import machine_keys
from bootkit.system.recognise import StickRecord, read_contents
from bootkit.system.stickbytes import stick_image
from bootkit.system.sticks import Stick
from bootkit.system.volume import Volume, read_file

_RECORD_LIMIT = 1 << 16
_ISO_MAGIC = (0x8001, b"CD001")

Opener = Callable[[str], BinaryIO]
"""Opens a file of the partition with the boot loaders; FormatError or OSError if it cannot."""


def stick_facts(stick: Stick, items: Iterable[ImageItem]) -> StickFacts:
    """What can be found out without root: what cannot is left open, and no error."""
    labels: dict[str, tuple[str, ...]] = {}
    items = tuple(items)
    for item in items:
        if item.facts is not None and item.facts.volume_id:
            labels[item.facts.volume_id] = (*labels.get(item.facts.volume_id, ()), item.path)
    loaders, old_iso = _of_its_disk(stick)
    if loaders is None:
        loaders = _loaders(read_file(stick.volume, LOADERS_FILE, _RECORD_LIMIT), _in_volume(stick.volume))
    return StickFacts(
        filesystem=blkid_name(stick.volume.filesystem),
        loaders=loaders,
        old_iso=old_iso,
        labels=labels,
        shims=tuple(vendor_shims(items)),
        machine=machine_keys(),
    )


def _of_its_disk(stick: Stick) -> tuple[tuple[StickLoader, ...] | None, bool]:
    """The loaders, and whether there is an old ISO image's signature; nothing where the disk may not be read."""
    try:
        image = stick_image(stick.where)
        record = read_contents(image).stick
        if record is None:
            return None, False
        with image.open("rb") as opened:
            fh = cast("BinaryIO", opened)
            at, magic = _ISO_MAGIC
            return _on_boot_partition(fh, record), read_upto(fh, at, len(magic)) == magic
    except (BootkitError, OSError):
        return None, False


def _on_boot_partition(fh: BinaryIO, record: StickRecord) -> tuple[StickLoader, ...] | None:
    tree = Fat(cast("BinaryIO", Window(fh, record.boot.offset, record.boot.size)))
    content = tree.read(STICK_RECORD, _RECORD_LIMIT) if tree.find(STICK_RECORD) else None
    return _loaders(content, lambda path: cast("BinaryIO", tree.open(path)))


def _in_volume(volume: Volume) -> Opener:
    def opened(path: str) -> BinaryIO:
        if volume.stat(path) is None:
            raise FormatError(f"{volume.where} has no file {path}")
        return volume.open(path)

    return opened


def _loaders(content: bytes | None, opener: Opener) -> tuple[StickLoader, ...] | None:
    """What the stick's own list says, and whose signatures the signed ones have; ``None`` if there is no list."""
    try:
        document = parse_json(content or b"null", STICK_RECORD)
    except FormatError:
        return None
    rows = cast("Mapping[str, object]", document).get("loaders") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        return None
    found: dict[Firmware, StickLoader] = {}
    for row in cast("list[object]", rows):
        if isinstance(row, dict) and (loader := _loader(cast("Mapping[str, object]", row), opener)) is not None:
            known = found.get(loader.firmware)
            found[loader.firmware] = loader if known is None else _both(known, loader)
    return tuple(found.values())


def _loader(row: Mapping[str, object], opener: Opener) -> StickLoader | None:
    try:
        firmware = Firmware(str(row.get("firmware")))
    except ValueError:
        return None  # of a newer bootkit
    signed = row.get("kind") == "signed"
    path = str(row.get("path"))
    efi = _efi(path, opener) if signed else None
    shim = efi if efi is not None and efi.shim is not None else None
    vendor = vendor_of((anchor_names(shim.shim),)) if shim is not None else ""
    return StickLoader(firmware=firmware, signed=signed, vendor=vendor, package=str(row.get("package", "")), shim=shim)


def _both(first: StickLoader, second: StickLoader) -> StickLoader:
    """Shim, the GRUB behind it and the key manager are one loader."""
    packages = dict.fromkeys(filter(None, (first.package, second.package)))
    return StickLoader(
        firmware=first.firmware,
        signed=first.signed or second.signed,
        vendor=first.vendor or second.vendor,
        package=", ".join(packages),
        shim=first.shim or second.shim,
    )


def _efi(path: str, opener: Opener) -> EfiFacts | None:
    try:
        with closing(opener(path)) as fh:
            return read_efi(fh)
    except (BootkitError, OSError):
        return None


def vendor_shims(items: Iterable[ImageItem]) -> Iterator[VendorShim]:
    """The shims in images whose files were looked into, in the places where firmware starts them."""
    for item in items:
        for path, kernel in (item.facts.kernels if item.facts is not None else {}).items():
            firmware = shim_firmware(path)
            if firmware is not None and kernel.efi is not None and kernel.efi.shim is not None:
                yield VendorShim(image=item.path, path=path, firmware=firmware, efi=kernel.efi)
