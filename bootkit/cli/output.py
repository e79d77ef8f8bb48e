"""The form of answers and talk. stdout carries the answer, stderr the talk; neither needs a terminal.

Titles, names and words out of an image or off a stick are somebody else's: all that is printed passes :mod:`bootkit.plain`.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bootkit.plain import harmless, harmless_json, one_line

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PROSE = 100
"""Columns of a text that is no table."""
_NARROW = 40
"""Letters that fit any terminal, with two columns each."""
SCHEMA_VERSION = 1
"""Of all that ``--json`` prints: raised when a key goes away or means something else, not when one comes."""


def answer(text: str) -> None:
    sys.stdout.write(f"{harmless(text)}\n")


def raw(content: bytes) -> None:
    """A file as it is; on a terminal, what of it can be shown."""
    if sys.stdout.isatty():
        answer(content.decode(errors="surrogateescape"))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def say(text: str) -> None:
    """Talk, on a terminal in whole words; what is indented may be a command, and stays one line to be copied."""
    if len(text) > _NARROW and not text.startswith(" ") and sys.stderr.isatty():
        from bootkit.render.prose import wrapped

        width = os.get_terminal_size(sys.stderr.fileno()).columns or PROSE
        text = "\n".join(line for said in text.splitlines() for line in wrapped(said, width, then="  "))
    sys.stderr.write(f"{harmless(text)}\n")
    sys.stderr.flush()


def json(document: "Mapping[str, object] | DataclassInstance") -> None:
    """One document, of the shape that :mod:`bootkit.cli.documents` tells; a dataclass becomes an object of its fields."""
    import json as json_module

    members = document if isinstance(document, Mapping) else members_of(document)
    text = json_module.dumps(
        {"schema_version": SCHEMA_VERSION, **members}, indent=2, ensure_ascii=False, default=_member
    )
    sys.stdout.write(f"{harmless_json(text)}\n")


def members_of(value: "DataclassInstance") -> dict[str, Any]:
    """The fields of a dataclass by their names, those of others inside it left as they are."""
    from dataclasses import fields

    return {field.name: getattr(value, field.name) for field in fields(value)}


def _member(value: "DataclassInstance | os.PathLike[str]") -> object:
    """What :mod:`json` has no word for."""
    return os.fspath(value) if isinstance(value, os.PathLike) else members_of(value)


def columns() -> int:
    """How wide prose may be: as the terminal, which else breaks words, and never wider than is read well."""
    if not sys.stdout.isatty():
        return PROSE
    import shutil

    return min(PROSE, shutil.get_terminal_size().columns)


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], *, wide: bool = False) -> None:
    """Columns like lsblk's. On a terminal they fit it, unless ``wide``; in a pipe a row is always one line."""
    shown = [[one_line(cell) for cell in row] for row in (headers, *rows)]
    is_terminal = sys.stdout.isatty()
    if not is_terminal or wide:
        width = sys.maxsize
    else:
        import shutil

        width = shutil.get_terminal_size().columns
    from bootkit.cli.tables import layout

    for line in layout(shown, width, coloured=is_terminal and _takes_colour(), marked=is_terminal and _takes_marks()):
        sys.stdout.write(f"{line}\n")


def _takes_colour() -> bool:
    """Source: no-color.org, for ``NO_COLOR``."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def _takes_marks() -> bool:
    """Whether the terminal has more than letters: the kernel's own console and those of other character sets do not."""
    return sys.stdout.encoding.lower() == "utf-8" and os.environ.get("TERM", "dumb") not in ("dumb", "linux")


def log_to_stderr() -> None:
    """Let all that the modules note go to the talk; their warnings go there by themselves."""
    import logging

    class HarmlessFormatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return harmless(super().format(record))

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HarmlessFormatter("%(message)s"))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
