"""stick.toml: the user's choices, read strictly, because a typo that is passed over is a choice that is lost."""

import difflib
import tomllib
from dataclasses import fields

from bootkit.errors import BootkitError
from bootkit.model.catalog import STICK_FILE, MenuSettings

_KINDS = {"timeout": int, "default": str, "serial": bool, "extra_words": list}
_NAMES = {int: "a number", str: "a text in quotes", bool: "true or false", list: "a list of texts in quotes"}


def read_settings(text: str) -> MenuSettings:
    """The ``[menu]`` table of a stick.toml.

    Raises:
        BootkitError: not TOML, an unknown key, or a value of the wrong kind; names the key and the way out.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BootkitError(f"{STICK_FILE}: {error}", hint="mend that line; nothing was changed on the stick") from error
    unknown = set(document) - {"stick", "menu"}
    if unknown:
        raise BootkitError(
            f"{STICK_FILE}: there is no table [{sorted(unknown)[0]}]", hint="the tables are [stick] and [menu]"
        )
    menu: object = document.get("menu", {})
    if not isinstance(menu, dict):
        raise BootkitError(f"{STICK_FILE}: menu is not a table", hint="write [menu] on a line of its own")
    values: dict[str, object] = {str(key): value for key, value in menu.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    for key, value in values.items():
        _check(key, value)
    words = values.pop("extra_words", ())
    return MenuSettings(**values, extra_words=tuple(words))  # type: ignore[arg-type]  # the kinds were just checked


def _check(key: str, value: object) -> None:
    names = [field.name for field in fields(MenuSettings)]
    if key not in names:
        near = difflib.get_close_matches(key, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(names)}"
        raise BootkitError(f"{STICK_FILE}: there is no choice {key!r} in [menu]", hint=hint)
    kind = _KINDS[key]
    wrong = type(value) is not kind or (isinstance(value, list) and not all(isinstance(word, str) for word in value))  # pyright: ignore[reportUnknownVariableType]
    if wrong:
        raise BootkitError(
            f"{STICK_FILE}: {key} = {value!r} is not {_NAMES[kind]}", hint=f"write {key} as {_NAMES[kind]}"
        )
