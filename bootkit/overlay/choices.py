"""The tiny archive of one image: the user's choices for it, as a file that the overlay's shell reads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bootkit.errors import BootkitError
from bootkit.overlay.pack import Member, secondary_initrd

MEMBER = "bootkit/choices"
"""In the overlay's own folder, so the overlay is loaded before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayChoices:
    """What the overlay does for one image; empty where the system's own is kept."""

    image: str = ""
    """Its path on the stick, for the log."""
    stick_uuid: str = ""
    """Of the data partition, as udev spells it: for a stack that has copied itself to RAM and let go of the stick."""
    version: str = ""
    """Of bootkit, for the log."""
    language: str = ""
    """A locale: ``de_DE.UTF-8``."""
    keyboard: str = ""
    """An XKB layout: ``de``."""
    keyboard_variant: str = ""
    timezone: str = ""
    hostname: str = ""
    user: str = ""
    home: str = ""
    """Name of the home: ``anna`` for /boot/home/anna.home; empty for the only one there is, ``none`` for none."""
    extensions_off: tuple[str, ...] = ()
    """File names of the extensions that stay out."""
    customize: bool = True
    """Whether the scripts run."""
    own_disks: str = ""
    """What becomes of the computer's own disks: ``closed`` or ``open``; empty for untouched until the system is up."""


def choices_script(choices: OverlayChoices) -> str:
    """The choices as assignments of a POSIX shell, every value between single quotes.

    Raises:
        BootkitError: a value holds a control character.
    """
    keyboard = choices.keyboard
    values = {
        "BK_IMAGE": choices.image,
        "BK_STICK_UUID": choices.stick_uuid,
        "BK_VERSION": choices.version,
        "BK_LANGUAGE": choices.language,
        "BK_KEYBOARD": keyboard,
        "BK_KEYBOARD_VARIANT": choices.keyboard_variant if keyboard else "",
        "BK_TIMEZONE": choices.timezone,
        "BK_HOSTNAME": choices.hostname,
        "BK_USER": choices.user,
        "BK_HOME": choices.home,
        # a slash is the one character that no file name has
        "BK_EXTENSIONS_OFF": "/".join(choices.extensions_off),
        "BK_CUSTOMIZE": "" if choices.customize else "no",
        "BK_OWN_DISKS": choices.own_disks,
    }
    return assignments({name: value for name, value in values.items() if value})


def choices_archive(choices: OverlayChoices, others: Mapping[str, Member] = MappingProxyType({})) -> bytes:
    """The choices as a secondary initrd, to be loaded after the overlay; ``others`` are more members of it."""
    return secondary_initrd({MEMBER: choices_script(choices).encode("utf-8", "surrogateescape"), **others})


def assignments(values: Mapping[str, str]) -> str:
    """Lines of a POSIX shell, every value between single quotes.

    Raises:
        BootkitError: a value holds a control character.
    """
    return "".join(f"{name}={_quoted(name, value)}\n" for name, value in values.items())


def _quoted(name: str, value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise BootkitError(f"{name}: {value!r} holds a control character")
    return "'" + value.replace("'", "'\\''") + "'"
