"""Titles, explanations and ids, in characters that a screen, a menu's id and a configuration of GRUB can hold."""

import re
import textwrap
import unicodedata
import zlib

from bootkit.model.places import IMAGE_FOLDER

OWN_NAME = "image_"
"""What the names of :func:`own_name` begin with."""
_WIDTH = 74
_TITLE_LIMIT = 120
_ID_LIMIT = 80


def explanation(*paragraphs: str) -> tuple[str, ...]:
    """Lines that fit a screen of 80 columns; a paragraph that begins with a blank is kept as it is."""
    lines: list[str] = []
    for paragraph in paragraphs:
        kept = "  " if paragraph.startswith(" ") else ""
        lines += [kept + line for line in textwrap.wrap(clean_text(paragraph, limit=2000), _WIDTH - len(kept))]
    return tuple(lines)


def clean_text(text: str, limit: int = _TITLE_LIMIT) -> str:
    """``text`` on one line, without what a terminal would not show as a character."""
    spaced = " ".join(text.split())
    shown = "".join("?" if unicodedata.category(char).startswith("C") else char for char in spaced)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def entry_id(title: str, taken: set[str]) -> str:
    """An id made of ``title`` that is none of ``taken``; it is one of them afterwards."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "start"
    name, count = f"entry-{slug}", 1
    while name in taken:
        count += 1
        name = f"entry-{slug}-{count}"
    taken.add(name)
    return name


def folder_id(folder: str) -> str:
    """The id of the folder ``a/b`` below the image folder."""
    return f"folder:{plain_path(folder)}"


def own_name(path: str) -> str:
    """A name for what belongs to one image, which no other has."""
    return f"{OWN_NAME}{zlib.crc32(grub_bytes(path)):08x}"


def plain_path(path: str) -> str:
    """``path`` in characters that an id may hold: ``>`` parts ids, and a test's configuration quotes none."""
    name = path.removeprefix(f"{IMAGE_FOLDER}/")
    plain = re.sub(r"[^A-Za-z0-9._/+-]", "_", name)[:_ID_LIMIT]
    return plain if plain == name else f"{plain}~{zlib.crc32(grub_bytes(path)):08x}"


def grub_bytes(text: str) -> bytes:
    """``text`` as GRUB reads it: a name on the stick may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogateescape")
