"""GRUB script as text: quoting, and the templates of ``grub_templates/``."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import jinja2

from bootkit.model.boot import IMAGE_FILE, IN_EFI, IN_UNIFIED, ISO_PATH, ON_STICK, STICK_UUID
from bootkit.render.texts import known_texts

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


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
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


def _source(name: str) -> str | None:
    template = files("bootkit").joinpath("grub_templates", name)
    return template.read_text(encoding="utf-8") if template.is_file() else None
