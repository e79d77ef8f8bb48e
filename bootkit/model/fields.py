"""JSON and TOML that are not trusted: each function gives what it is named for, or says where it is not so."""

import json
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeVar, cast

from bootkit.errors import FormatError
from bootkit.i18n import tr

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
T = TypeVar("T")

_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(content: bytes, where: str) -> object:
    """The value of a JSON text, whose strings can all be written to a file again.

    Raises:
        FormatError: it is no JSON, nested more deeply than Python can follow, or has the lone half of a UTF-16 pair.
    """
    try:
        text = content.decode()
        value: object = json.loads(text)
        if _HALF_A_PAIR.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise FormatError(tr("{where} is no JSON that can be read: {error}", where=where, error=error)) from error
    return value


def parse_toml(text: str) -> dict[str, object]:
    """The value of a TOML text.

    Raises:
        FormatError: it is no TOML, or nested more deeply than Python can follow.
    """
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(str(error)) from error


def refuse_unknown(record: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(record.keys() - known)
    if unknown:
        raise FormatError(tr("{where} has an unknown field {unknown}", where=where, unknown=repr(unknown[0])))


def json_object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise FormatError(tr("{where} is not an object", where=where))
    return cast("dict[str, object]", value)


def json_list(value: object, where: str, item: Callable[[object, str], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise FormatError(tr("{where} is not a list", where=where))
    return tuple(item(element, f"{where}[{at}]") for at, element in enumerate(cast("list[object]", value)))


def json_string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise FormatError(tr("{where} is not a string", where=where))
    return value


def json_number(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FormatError(tr("{where} is not a number of zero or more", where=where))
    return value
