"""IsoFacts as JSON: what ``bootkit inspect --json`` prints, the stick keeps, and a test's fixture holds.

Readable and short: a directory is ``{"name": size}`` with ``null`` for a directory's size, a text a list of its lines,
and what is empty is left out. What comes back is not trusted: a record may come from a stick or out of a bug report.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TypeAlias, TypeVar, cast

from bootkit.errors import FormatError
from bootkit.model.iso import ElToritoEntry, IsoFacts, IsoPartition, Node

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
T = TypeVar("T")

_TEXT_FIELDS = (
    "name",
    "filesystem",
    "volume_id",
    "joliet_volume_id",
    "uuid",
    "system_id",
    "application_id",
    "publisher_id",
)


def facts_to_json(facts: IsoFacts) -> dict[str, Json]:
    """A value for ``json.dumps``; :func:`facts_from_json` gives ``facts`` back."""
    texts: dict[str, Json] = {key: getattr(facts, key) for key in _TEXT_FIELDS[1:] if getattr(facts, key)}
    record: dict[str, Json] = {
        "name": facts.name,
        "size": facts.size,
        **texts,
        "el_torito": [_row(entry) for entry in facts.el_torito],
        "partitions": [_row(partition) for partition in facts.partitions],
        "dirs": {path: {node.name: node.size for node in nodes} for path, nodes in facts.dirs.items()},
        "texts": {path: cast("list[Json]", text.split("\n")) for path, text in facts.texts.items()},
        "warnings": list(facts.warnings),
    }
    return {key: value for key, value in record.items() if value not in ([], {})}


def facts_from_json(value: object) -> IsoFacts:
    """The facts that :func:`facts_to_json` wrote; a text may also be one string, which is easier to write by hand.

    Raises:
        FormatError: it is something else; the message names the place.
    """
    record = _object(value, "the record")
    _refuse_unknown(record, {field.name for field in fields(IsoFacts)}, "the record")
    if "name" not in record or "size" not in record:
        raise FormatError("the record lacks a name or a size")
    texts = {key: _string(record[key], key) for key in _TEXT_FIELDS if key in record}
    return IsoFacts(
        **texts,
        size=_number(record["size"], "size"),
        el_torito=_list(record.get("el_torito", []), "el_torito", _el_torito),
        partitions=_list(record.get("partitions", []), "partitions", _partition),
        dirs={_path(path): _directory(path, nodes) for path, nodes in _object(record.get("dirs", {}), "dirs").items()},
        texts={_path(path): _text(path, text) for path, text in _object(record.get("texts", {}), "texts").items()},
        warnings=_list(record.get("warnings", []), "warnings", _string),
    )


def _row(value: ElToritoEntry | IsoPartition) -> dict[str, Json]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _el_torito(value: object, where: str) -> ElToritoEntry:
    record = _object(value, where)
    _refuse_unknown(record, {"platform", "emulation", "lba", "size"}, where)
    return ElToritoEntry(
        platform=_string(record.get("platform"), f"{where}.platform"),
        emulation=_string(record.get("emulation"), f"{where}.emulation"),
        lba=_number(record.get("lba"), f"{where}.lba"),
        size=_number(record.get("size"), f"{where}.size"),
    )


def _partition(value: object, where: str) -> IsoPartition:
    record = _object(value, where)
    _refuse_unknown(record, {"number", "scheme", "type", "start", "size"}, where)
    return IsoPartition(
        number=_number(record.get("number"), f"{where}.number"),
        scheme=_string(record.get("scheme"), f"{where}.scheme"),
        type=_string(record.get("type"), f"{where}.type"),
        start=_number(record.get("start"), f"{where}.start"),
        size=_number(record.get("size"), f"{where}.size"),
    )


def _directory(path: str, value: object) -> tuple[Node, ...]:
    where = f"dirs[{path!r}]"
    return tuple(
        Node(name=_name(name, where), size=None if size is None else _number(size, f"{where}[{name!r}]"))
        for name, size in _object(value, where).items()
    )


def _text(path: str, value: object) -> str:
    where = f"texts[{path!r}]"
    return value if isinstance(value, str) else "\n".join(_list(value, where, _string))


def _path(path: str) -> str:
    if not path.removeprefix("efi:").startswith("/"):
        raise FormatError(f"{path!r} is not a path in an image")
    return path


def _name(name: str, where: str) -> str:
    if name in ("", ".", "..") or "/" in name:
        raise FormatError(f"{where}: {name!r} is not a file name")
    return name


def _refuse_unknown(record: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(record.keys() - known)
    if unknown:
        raise FormatError(f"{where} has an unknown field {unknown[0]!r}")


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise FormatError(f"{where} is not an object")
    return cast("dict[str, object]", value)


def _list(value: object, where: str, item: Callable[[object, str], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise FormatError(f"{where} is not a list")
    return tuple(item(element, f"{where}[{at}]") for at, element in enumerate(cast("list[object]", value)))


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise FormatError(f"{where} is not a string")
    return value


def _number(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FormatError(f"{where} is not a number of zero or more")
    return value
