"""The menu's own texts in other languages: read from ``grub_templates/locale/``, written as catalogues for GRUB's gettext.

In a GRUB script ``$"text"`` is replaced by what the catalogue of ``$lang`` has for it. Some of GRUB's own texts are in our
catalogues as well: what is around the menu speaks the same language then.

Source: GNU gettext manual, "The Format of PO Files" and "The Format of GNU MO Files"; grub 2.06, grub-core/gettext/gettext.c.
"""

import ast
import re
import struct
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_MESSAGE = re.compile(r'^msgid (".*")\nmsgstr (".*")$', re.MULTILINE)
_MAGIC = 0x950412DE
_HEADER_SIZE = 28
_ENGLISH = "en"
_HEADER = "Content-Type: text/plain; charset=UTF-8\n"


@cache
def translations(language: str) -> Mapping[str, str]:
    """The texts of a language by the English ones; none for English."""
    if language == _ENGLISH:
        return {}
    source = files("bootkit").joinpath("grub_templates", "locale", f"{language}.po").read_text(encoding="utf-8")
    return {ast.literal_eval(text): ast.literal_eval(translated) for text, translated in _MESSAGE.findall(source)}


def known_texts() -> frozenset[str]:
    """The English texts that have translations: every language has all of them."""
    return frozenset(translations("de"))


def catalogue(language: str) -> bytes:
    """The language's ``.mo`` file. GRUB searches it by halves: the texts are in the order of their bytes."""
    texts = sorted(
        (text.encode(), translated.encode()) for text, translated in {"": _HEADER, **translations(language)}.items()
    )
    columns = ([text for text, _ in texts], [translated for _, translated in texts])
    place = _HEADER_SIZE + 16 * len(texts)
    tables, content = b"", b""
    for column in columns:
        for text in column:
            tables += struct.pack("<II", len(text), place + len(content))
            content += text + b"\0"
    header = struct.pack("<7I", _MAGIC, 0, len(texts), _HEADER_SIZE, _HEADER_SIZE + 8 * len(texts), 0, place)
    return header + tables + content
