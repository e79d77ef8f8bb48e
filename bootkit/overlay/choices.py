"""The tiny archive of one image: the user's choices for it, as a file that the overlay's shell reads."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.options import KEYBOARD, OPTIONS, Choices, Kind, OptionSpec, Value
from bootkit.overlay.pack import Member, secondary_initrd

MEMBER = "bootkit/choices"
"""In the overlay's own folder, so the overlay is loaded before it."""


def shell_values(choices: Choices, *, stack: str, image: str) -> dict[str, str]:
    """What the overlays are told of the user's choices for an image, by the shell variable; defaults are left out."""
    values: dict[str, str] = {}
    for spec in OPTIONS:
        value = choices.chosen(spec.key, stack=stack, image=image).value
        if spec.variable and value != spec.default:
            values |= _spelled(spec, value)
    return values


def _spelled(spec: OptionSpec, value: Value) -> dict[str, str]:
    match spec.kind, value:
        case Kind.SWITCH, _:
            return {spec.variable: "yes" if value else "no"}
        case Kind.LOCALE, str():
            return {spec.variable: value if "." in value else f"{value}.UTF-8"}
        case Kind.KEYBOARD, str():
            keyboard = KEYBOARD.fullmatch(value)
            parts = (keyboard["layout"], keyboard["variant"]) if keyboard else (value, None)
            return {
                name: part
                for name, part in zip((spec.variable, f"{spec.variable}_VARIANT"), parts, strict=True)
                if part
            }
        case _, tuple():
            return {spec.variable: "/".join(value)}  # a slash is the one character that no file name has
        case _:
            return {spec.variable: str(value)}


def choices_archive(values: Mapping[str, str], others: Mapping[str, Member] = MappingProxyType({})) -> bytes:
    """Shell variables as a secondary initrd, to be loaded after the overlay; ``others`` are more members of it."""
    return secondary_initrd({MEMBER: assignments(values).encode("utf-8", "surrogateescape"), **others})


def assignments(values: Mapping[str, str]) -> str:
    """Lines of a POSIX shell, every value between single quotes.

    Raises:
        BootkitError: a value holds a control character.
    """
    return "".join(f"{name}={_quoted(name, value)}\n" for name, value in values.items())


def _quoted(name: str, value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise BootkitError(tr("{name}: {value} holds a control character", name=name, value=repr(value)))
    return "'" + value.replace("'", "'\\''") + "'"
