"""The user's own look and keys for the text interface: ``tui.toml`` beside the other configuration.

::

    theme = "bootkit-light"

    [keys]
    add = "insert"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from bootkit.app.stick.settings import user_file
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr
from bootkit.model.fields import json_object, json_string
from bootkit.tui.theme import THEME
from bootkit.values import dataclass

_HINT = tr('it may have theme = "NAME", and below [keys] lines such as add = "insert"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    theme: str = THEME.name
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys by the actions that they start, as textual spells both."""


def preferences_file() -> Path:
    return user_file().with_name("tui.toml")


def read_preferences() -> Preferences:
    """What the user has written; as it is without a word of theirs where there is no file.

    Raises:
        UsageError: the file has a mistake.
        BootkitError: it cannot be read.
    """
    where = preferences_file()
    try:
        document = tomllib.loads(where.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return Preferences()
    except OSError as error:
        raise BootkitError(tr("{where} cannot be read: {strerror}", where=where, strerror=error.strerror)) from error
    except ValueError as error:
        raise UsageError(tr("{where} has a mistake: {error}", where=where, error=error), hint=_HINT) from error
    if unknown := document.keys() - {"theme", "keys"}:
        raise UsageError(
            tr("{where} has a mistake: {unknown} is not known", where=where, unknown=min(unknown)), hint=_HINT
        )
    theme = json_string(document.get("theme", THEME.name), f"{where}: theme")
    keys = json_object(document.get("keys", {}), f"{where}: keys")
    return Preferences(
        theme=theme, keys={action: json_string(name, f"{where}: {action}") for action, name in keys.items()}
    )


def require_known(preferences: Preferences, themes: frozenset[str], actions: frozenset[str]) -> None:
    """Refuse what there is not.

    Raises:
        UsageError: a theme, or an action, that nobody knows.
    """
    where = preferences_file()
    if preferences.theme not in themes:
        raise UsageError(
            tr("{where}: there is no theme {theme}", where=where, theme=preferences.theme),
            hint=tr("there are: {themes}", themes=", ".join(sorted(themes))),
        )
    if unknown := preferences.keys.keys() - actions:
        raise UsageError(
            tr("{where}: nothing is called {unknown}", where=where, unknown=min(unknown)),
            hint=tr("there are: {actions}", actions=", ".join(sorted(actions))),
        )
