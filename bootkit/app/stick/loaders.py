"""The boot loaders on a stick: from the list that was written with them, and from their bytes where these can be read."""

import hashlib
import io
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import BinaryIO, cast

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.efi import read_efi
from bootkit.formats.fat import Fat
from bootkit.formats.reader import Window
from bootkit.i18n import tr
from bootkit.model.boot import Firmware
from bootkit.model.efi import EfiFacts
from bootkit.model.fields import parse_json
from bootkit.model.initrdrecord import efi_from_json
from bootkit.model.loader import LoaderFile, StickLoaders
from bootkit.model.places import LOADERS_FILE, STICK_RECORD
from bootkit.system.recognise import StickRecord, read_contents
from bootkit.system.stickbytes import stick_image
from bootkit.system.sticks import Stick
from bootkit.system.volume import Volume, read_file

_RECORD_LIMIT = 1 << 20
_LOADER_LIMIT = 32 << 20

Opener = Callable[[str], BinaryIO]
"""Opens a file of the partition with the boot loaders; FormatError or OSError if it cannot."""


def read_loaders(stick: Stick, *, only_shims: bool = False) -> StickLoaders | None:
    """All that can be found out without root; ``None`` if the stick has no list of them.

    ``only_shims`` leaves the bytes of the others unread, which are many.
    """
    try:
        image = stick_image(stick.where)
        record = read_contents(image).stick
        if record is not None:
            with image.open("rb") as opened:
                found = _on_boot_partition(cast("BinaryIO", opened), record, only_shims=only_shims)
            if found is not None:
                return found
    except (BootkitError, OSError):
        pass  # the whole disk is root's; the data partition has a copy of the list
    return recorded_loaders(stick.volume, only_shims=only_shims)


def recorded_loaders(volume: Volume, *, only_shims: bool = True) -> StickLoaders | None:
    """As they were written, from the copy of the list on the data partition, which a mounted stick shows to everybody."""

    def opened(path: str) -> BinaryIO:
        if volume.stat(path) is None:
            raise FormatError(tr("{where} has no file {path}", where=volume.where, path=path))
        return volume.open(path)

    return _loaders(read_file(volume, LOADERS_FILE, _RECORD_LIMIT), opened, only_shims=only_shims)


def stick_shims(volume: Volume) -> dict[Firmware, EfiFacts]:
    """What Secure Boot starts on a stick whose loaders know hops, as it was written; nothing where nobody knows."""
    found = recorded_loaders(volume)
    files = found.files if found is not None and found.takes_hops else ()
    found_shims: dict[Firmware, EfiFacts] = {}
    for file in files:
        if file.efi is not None and file.efi.shim is not None:
            found_shims.setdefault(file.firmware, file.efi)  # the first is what starts by itself
    return found_shims


def _on_boot_partition(fh: BinaryIO, record: StickRecord, *, only_shims: bool) -> StickLoaders | None:
    tree = Fat(cast("BinaryIO", Window(fh, record.boot.offset, record.boot.size)))
    content = tree.read(STICK_RECORD, _RECORD_LIMIT) if tree.find(STICK_RECORD) else None
    return _loaders(content, lambda path: cast("BinaryIO", tree.open(path)), only_shims=only_shims)


def _loaders(content: bytes | None, opener: Opener, *, only_shims: bool) -> StickLoaders | None:
    try:
        document = parse_json(content or b"null", STICK_RECORD)
    except FormatError:
        return None
    record: Mapping[str, object] = cast("dict[str, object]", document) if isinstance(document, dict) else {}
    rows = record.get("loaders")
    if not isinstance(rows, list):
        return None
    files = (
        _file(cast("Mapping[str, object]", row), opener, only_shims=only_shims)
        for row in cast("list[object]", rows)
        if isinstance(row, dict)
    )
    return StickLoaders(files=tuple(file for file in files if file is not None), takes_hops=record.get("hops") is True)


def _file(row: Mapping[str, object], opener: Opener, *, only_shims: bool) -> LoaderFile | None:
    try:
        firmware = Firmware(str(row.get("firmware")))
    except ValueError:
        return None  # of a newer bootkit
    path, signed = str(row.get("path")), row.get("kind") == "signed"
    # firmware starts shim under this name; what else is signed lies beside it under another one
    is_read = path.startswith("/") and (not only_shims or (signed and "/BOOT/BOOT" in path.upper()))
    content = _bytes(path, opener) if is_read else None
    return LoaderFile(
        path=path,
        firmware=firmware,
        signed=signed,
        package=str(row.get("package", "")),
        sha256=str(row.get("sha256", "")),
        sha256_now="" if content is None else hashlib.sha256(content).hexdigest(),
        efi=(_recorded(row) if content is None else read_efi(io.BytesIO(content))) if signed else None,
    )


def _recorded(row: Mapping[str, object]) -> EfiFacts | None:
    try:
        return efi_from_json(row["efi"], "efi")
    except (FormatError, KeyError):
        return None


def _bytes(path: str, opener: Opener) -> bytes | None:
    try:
        with closing(opener(path)) as fh:
            return fh.read(_LOADER_LIMIT)
    except (BootkitError, OSError):
        return None
