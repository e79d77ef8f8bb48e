"""The user's choices, read from the stick and from the user's own configuration."""

import os
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.options import Choices
from bootkit.model.places import STICK_FILE
from bootkit.probe.settings import read_choices, read_user_choices
from bootkit.system.volume import Volume, read_file

_LIMIT = 1 << 20


def settings_text(volume: Volume) -> str:
    """The stick's stick.toml."""
    return (read_file(volume, STICK_FILE, _LIMIT) or b"").decode(errors="replace")


def user_file() -> Path:
    """Where the user's own configuration is, if there is one."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "bootkit" / "config.toml"


def user_text() -> str:
    """The user's own configuration; empty if there is none.

    Raises:
        BootkitError: it cannot be read.
    """
    try:
        with user_file().open("rb") as file:
            return file.read(_LIMIT).decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise BootkitError(
            tr("{user_file} cannot be read: {strerror}", user_file=user_file(), strerror=error.strerror)
        ) from error


def choices_of(text: str) -> Choices:
    """What counts on a stick with this stick.toml.

    Raises:
        BootkitError: it has a mistake, or the user's own configuration has one.
    """
    own = user_text()
    choices = read_choices(text)
    return choices.with_user(read_user_choices(own, source=str(user_file()))) if own else choices


def choices_on(volume: Volume) -> Choices:
    """What counts on a stick now.

    Raises:
        BootkitError: its stick.toml has a mistake, or the user's own configuration has one.
    """
    return choices_of(settings_text(volume))
