"""Whether the menu on a stick is what ``generate`` would write now, told without opening an image or a record."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bootkit.app.menu.cures import Extents
from bootkit.app.stick.settings import user_text
from bootkit.app.stick.state import StickListing, list_stick
from bootkit.app.stick.variants import variants_digest
from bootkit.errors import FormatError
from bootkit.model.fields import json_list, json_object, json_string, parse_json
from bootkit.model.places import GENERATED, LOADERS_FILE, MENU
from bootkit.render.parts import parts_of_menu
from bootkit.system.fingerprint import program_fingerprint
from bootkit.system.volume import Volume, read_file

MENU_LIMIT = 64 << 20
_LIMIT = 1 << 20


def is_up_to_date(volume: Volume, listing: StickListing | None = None) -> bool:
    """Whether the menu is what ``generate`` would write; ``listing`` is of this stick, where it was listed before."""
    inputs = inputs_of(volume, listing or list_stick(volume))
    return is_made_from(volume, inputs, read_file(volume, MENU, MENU_LIMIT))


def inputs_of(volume: Volume, listing: StickListing) -> str:
    """A digest of all that a menu is made from: the program, the choices, and what lies on the stick; hex."""
    images = [(path, stat.size, stat.mtime_ns) for path, stat in listing.images]
    beside = variants_digest(volume, listing.variants)
    # what starts the stick decides which kernels start under Secure Boot
    loaders = hashlib.sha256(read_file(volume, LOADERS_FILE, _LIMIT) or b"").hexdigest()
    text = json.dumps([program_fingerprint(), volume.uuid, listing.settings, user_text(), images, beside, loaders])
    return hashlib.sha256(text.encode()).hexdigest()


def is_made_from(volume: Volume, inputs: str, menu: bytes | None) -> bool:
    """Whether inputs and menu are the recorded ones, and nothing has moved that is found by its place alone."""
    if menu is None:
        return False
    known = _record(volume)
    made_from = (known.get("inputs"), known.get("menu"))
    if made_from != (inputs, hashlib.sha256(menu).hexdigest()):
        return False
    parts = parts_of_menu(menu)
    return (parts is None or volume.stat(parts) is not None) and not moved_images(volume)


def record_of_menu(
    inputs: str,
    menu: bytes,
    mapped: Mapping[str, Extents],
    warnings: Sequence[str] = (),
    *,
    theme: str = "",
    pictures: Mapping[str, int] = MappingProxyType({}),
) -> bytes:
    """What is kept of a menu for the next time, with what was said when it was written, and with the pictures of its theme."""
    document = {
        "inputs": inputs,
        "menu": hashlib.sha256(menu).hexdigest(),
        "mapped": mapped,
        "warnings": warnings,
        "drawn_by": _drawn_by(theme),
        "pictures": dict(pictures),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def drawn_pictures(volume: Volume, theme: str) -> Mapping[str, int]:
    """Bytes of the pictures on the stick that this program drew for a theme, by their paths: to draw and compare them takes longer."""
    known = _record(volume)
    if known.get("drawn_by") != _drawn_by(theme):
        return {}
    try:
        pictures = json_object(known.get("pictures"), GENERATED)
    except FormatError:
        return {}
    folders = {path.rpartition("/")[0] for path in pictures}
    there = {f"{folder}/{stat.name}": stat.size for folder in folders for stat in volume.listdir(folder)}
    return {path: size for path, size in there.items() if pictures.get(path) == size}


def _drawn_by(theme: str) -> str:
    return f"{program_fingerprint()} {theme}"


def moved_images(volume: Volume) -> tuple[str, ...]:
    """The images whose bytes no longer lie where the stick's menu has them, and which it finds by nothing else."""
    try:
        mapped = json_object(_record(volume).get("mapped", {}), GENERATED)
    except FormatError:
        return ()
    return tuple(path for path, extents in mapped.items() if _place(volume, path) != extents)


def earlier_warnings(volume: Volume) -> frozenset[str]:
    """What was said when the menu on the stick was written."""
    try:
        return frozenset(json_list(_record(volume).get("warnings", []), GENERATED, json_string))
    except FormatError:
        return frozenset()


def _record(volume: Volume) -> Mapping[str, object]:
    """What was kept of the menu; empty if it cannot be read."""
    try:
        return json_object(parse_json(read_file(volume, GENERATED, _LIMIT) or b"{}", GENERATED), GENERATED)
    except FormatError:
        return {}


def _place(volume: Volume, path: str) -> list[list[int | None]] | None:
    """Where an image lies, as JSON has it; ``None`` for a file that is gone."""
    if volume.stat(path) is None:
        return None
    return [list(extent) for extent in volume.extents(path) or ()]
