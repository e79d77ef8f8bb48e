"""GRUB script as text: quoting, and the templates of ``grub_templates/``."""

import os
import re
import zlib
from collections.abc import Mapping, MutableMapping
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.resources import files
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import jinja2

from bootkit.model.boot import IMAGE_FILE, IN_EFI, IN_UNIFIED, ISO_PATH, ON_STICK, STICK_UUID
from bootkit.render.texts import known_texts

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

VOLUME_ID = "{volume_id}"
"""Slot in the words of a quick rule: the label that GRUB's ``probe`` finds in the image."""

SLOTS: Mapping[str, str] = {ISO_PATH: "iso_path", STICK_UUID: "stick_uuid", VOLUME_ID: "volume_id"}
"""The variable of the menu that holds what goes into a slot."""

_SLOT = re.compile("(" + "|".join(map(re.escape, SLOTS)) + ")")
# characters that mean nothing to GRUB's lexer and wildcards, wherever they stand in a word but first or last
_PLAIN = re.compile(r"[A-Za-z0-9_./=:,@%+-]+")
_RESERVED = frozenset(
    {"case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "menuentry", "select", "then",
     "time", "until", "while"}
)  # fmt: skip
_BROKEN_BY_LOADER = re.compile(r"[\\'\"\x00-\x1f\x7f]")


def grub_quote(text: str) -> str:
    """``text`` as one literal word of GRUB script.

    GRUB knows the shell's two kinds of quotes: nothing is special between single ones. NUL cannot be said at all and
    is left out.

    Source: grub 2.06, grub-core/script/yylex.l.
    """
    if _PLAIN.fullmatch(text) and text not in _RESERVED:
        return text
    return "'" + text.replace("\0", "").replace("'", "'\\''") + "'"


def grub_word(text: str) -> str:
    """``text`` as one word of GRUB script, its slots filled by the menu's variables when the entry runs."""
    parts = _SLOT.split(text)
    if len(parts) == 1:
        return grub_quote(text)
    quoted = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            quoted += re.sub(r'([\\"$])', r"\\\1", part.replace("\0", ""))
        elif re.match(r"\w", parts[index + 1]):
            quoted += f"${{{SLOTS[part]}}}"
        else:
            quoted += f"${SLOTS[part]}"
    return f'"{quoted}"'


def grub_file(path: str) -> str:
    """A path of an entry as one word: on the image's loop device, on that of a part of it, or on the stick."""
    if path == IMAGE_FILE:
        return '"($stick)$iso_path"'
    devices = ((ON_STICK, "($stick)"), (IN_EFI, "(${loop}_efi)"), (IN_UNIFIED, "(${loop}_unified)"), ("", "($loop)"))
    for prefix, device in devices:
        if path.startswith(prefix):
            return f'"{device}"{grub_quote(path.removeprefix(prefix))}'
    return ""


def grub_pattern(path: str) -> str:
    """``path`` as one word in which ``*`` is a wildcard and everything else is literal."""
    return "*".join(grub_quote(part) if part else "" for part in path.split("*"))


def unbootable_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words that do not reach the kernel as they are, whatever the quoting in grub.cfg.

    GRUB's ``linux`` writes a backslash before every backslash and quote, which the kernel takes as it stands, and
    keeps tabs and newlines, at which the kernel splits. (A word with blanks gets quotes around it: it stays one.)

    Source: grub 2.06, grub-core/lib/cmdline.c, grub_create_loader_cmdline; booted.
    """
    return tuple(word for word in words if _BROKEN_BY_LOADER.search(word))


def unbootable_path(path: str) -> str:
    """What in ``path`` keeps an initrd from getting it through the kernel's command line; empty if nothing does."""
    if re.search(r"\s", path):
        return "a blank"
    if _BROKEN_BY_LOADER.search(path):
        return "a quote, a backslash or a control character"
    return ""


def grub_say(text: str) -> str:
    """A text of ours as one word of GRUB script, which GRUB's gettext translates; variables in it are filled in after."""
    return f'$"{text}"'


def grub_title(text: str) -> str:
    """``text`` as one word; what in it is known to be ours is translated: all of it, or its remark in parentheses."""
    if text in known_texts():
        return grub_say(text)
    name, opening, remark = text.rpartition(" (")
    if opening and opening + remark in known_texts():
        return grub_quote(name) + grub_say(opening + remark)
    return grub_quote(text)


def render(template: str, /, **values: object) -> str:
    """A template of ``grub_templates/``, filled in; every value that it names must be given."""
    return _template(template).render(**values)


@cache
def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


class _Templates(jinja2.BaseLoader):
    """Finds the templates of ``grub_templates/``."""

    def load(
        self,
        environment: jinja2.Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - it is called so
    ) -> jinja2.Template:
        place = files("bootkit").joinpath("grub_templates", name)
        variables = environment.make_globals(globals)
        if not isinstance(place, Path):  # in an archive
            return environment.from_string(place.read_text(encoding="utf-8"), variables)
        code = _Compiled(name, os.fspath(place)).get_code(name)
        assert code is not None  # as it is for whatever has a source
        return environment.template_class.from_code(environment, code, variables)


class _Compiled(SourceFileLoader):
    """Compiles a template, and keeps the code as Python keeps that of a module, in ``__pycache__``.

    To compile all of the menu's templates takes as long as to fill them in for five hundred images.
    """

    def source_to_code(self, data: "ReadableBuffer | str", path: object, *, _optimize: int = -1) -> CodeType:  # type: ignore[override] # noqa: ARG002 - the loader's own
        source = data if isinstance(data, str) else bytes(data).decode()
        return _environment().compile(source, self.name, os.fspath(self.path))

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """What says whether the kept code is of this source: the version of jinja2 counts as its time does."""
        found = super().path_stats(path)
        return {**found, "mtime": zlib.crc32(f"{jinja2.__version__} {found['mtime']}".encode())}


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=_Templates(),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - this is no HTML: grub_quote does the quoting
    )
    environment.filters.update(
        quote=grub_quote, say=grub_say, title=grub_title, word=grub_word, file=grub_file, pattern=grub_pattern
    )
    return environment
