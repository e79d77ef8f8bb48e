"""What a stick keeps of its menu's lines, so that those of images that are as they were need not be made again.

Each lies under a digest of all that it was made from, as predictions do; its script is in the file beside the menu.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from bootkit.app.menu.freshness import MENU_LIMIT
from bootkit.app.stick.catalog import Catalog
from bootkit.app.stick.records import record_digest
from bootkit.app.stick.settings import user_text
from bootkit.errors import FormatError
from bootkit.i18n import tr
from bootkit.model.catalog import Additions, ImageItem
from bootkit.model.fields import parse_json
from bootkit.model.places import MENU_LINES_FILE
from bootkit.model.plan import WriteFile
from bootkit.render.menu import MenuFiles
from bootkit.render.menu_rows import KeptImage
from bootkit.render.parts import is_parts, parts_of_menu, script_at
from bootkit.system.fingerprint import program_fingerprint
from bootkit.system.volume import Volume, read_file

_LIMIT = 64 << 20
_FORM = b"menu lines 1 "
"""The file begins with it, a sum of the rest, and the path of the file in which the scripts are."""
_TEXTS = ("path", "own_title", "title", "id", "id_path", "loop", "judged", "default", "place")
_ANSWERS = ("offers_itself", "installs", "is_disk")


def line_digests(
    catalog: Catalog, offered: Sequence[ImageItem], additions: Mapping[str, Additions], settings: str
) -> Mapping[str, str]:
    """Of what the lines of ``offered`` are made from, by their paths; what has more to it than what is kept of it has none.

    ``offered`` are the images of the catalogue as the menu offers them, in its order, and ``settings`` is the text of stick.toml.
    """
    common = _digest(program_fingerprint(), settings, user_text())
    found: dict[str, str] = {}
    for item, known in zip(offered, catalog.items, strict=True):
        record = catalog.record(item.path)
        if record is None or item.recognition is not known.recognition:  # what lies beside it has changed its entries
            continue
        found[item.path] = _digest(
            common, record_digest(record.head), item.hops, sorted(item.refused), additions.get(item.path)
        )
    return found


def kept_lines(volume: Volume, menu: bytes | None, digests: Mapping[str, str]) -> Mapping[str, KeptImage]:
    """The lines of the stick's ``menu`` that were made from just this, with their scripts, by the paths of their images.

    ``menu`` is the menu on the stick. Nothing is known where the file beside it, or what was kept, is not as it was written.
    """
    first, _, lines = (read_file(volume, MENU_LINES_FILE, _LIMIT) or b"").partition(b"\n")
    path = parts_of_menu(menu or b"")
    if path is None or first != _first(lines, path):
        return {}
    parts = read_file(volume, path, MENU_LIMIT) or b""
    if not is_parts(parts, path):
        return {}
    try:
        rows = cast("list[list[Any]]", parse_json(lines, MENU_LINES_FILE))  # as the sum says; each is looked at
        found = (_kept(row, digests, parts) for row in rows)
        return {row.path: row for row in found if row is not None}
    except (FormatError, ValueError, TypeError):
        return {}


def keep_lines(volume: Volume, menu: MenuFiles, digests: Mapping[str, str]) -> Iterator[WriteFile]:
    """The step, if any, after which the stick keeps the lines of a new menu."""
    rows = [_row(digests[image.path], image) for image in menu.images if image.path in digests]
    lines = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
    content = _first(lines, menu.parts_path) + b"\n" + lines
    if read_file(volume, MENU_LINES_FILE, _LIMIT) != content:
        yield WriteFile(path=MENU_LINES_FILE, content=content)


def _first(lines: bytes, parts_path: str) -> bytes:
    return _FORM + b"%08x " % zlib.crc32(lines) + parts_path.encode()


def _row(digest: str, image: KeptImage) -> list[object]:
    return [digest, *(getattr(image, name) for name in (*_TEXTS, *_ANSWERS)), *image.classes]


def _kept(row: list[Any], digests: Mapping[str, str], parts: bytes) -> KeptImage | None:
    """A row that was written by this program, as the sum tells; ``None`` if it was made from something else."""
    answers = 1 + len(_TEXTS)
    classes = answers + len(_ANSWERS)
    if [*map(type, row)] != [str] * answers + [bool] * len(_ANSWERS) + [str] * (len(row) - classes):
        raise FormatError(tr("{where} is not a string", where=MENU_LINES_FILE))
    known = dict(zip((*_TEXTS, *_ANSWERS), row[1:classes], strict=True))
    if digests.get(known["path"]) != row[0]:
        return None
    return KeptImage(**known, classes=tuple(row[classes:]), script=script_at(parts, known["place"]))


def _digest(*values: object) -> str:
    """Of values all of whose parts have an order of their own."""
    return hashlib.sha256(repr(values).encode(errors="surrogateescape")).hexdigest()[:32]
