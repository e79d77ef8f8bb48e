"""IsoFacts as JSON: what ``bootkit inspect --json`` prints, the stick keeps, and a test's fixture holds.

Readable and short: a directory is ``{"name": size}`` with ``null`` for a directory's size, a text a list of its lines,
and what is empty is left out. What comes back is not trusted: a record may come from a stick or out of a bug report.
"""

from dataclasses import fields
from typing import Annotated, NotRequired, TypedDict, cast

from bootkit.errors import FormatError
from bootkit.i18n import tr
from bootkit.model.fields import (
    Json,
    json_list,
    json_number,
    json_object,
    json_string,
    refuse_unknown,
)
from bootkit.model.initrd import InitrdFacts, RootFacts
from bootkit.model.initrdrecord import (
    initrd_from_json,
    initrd_to_json,
    kernel_from_json,
    kernel_to_json,
    root_from_json,
    root_to_json,
)
from bootkit.model.iso import ElToritoEntry, FileKind, IsoFacts, IsoPartition, Node
from bootkit.model.kernel import KernelFacts
from bootkit.model.shape import Shape

_TEXT_FIELDS = (
    "name",
    "filesystem",
    "volume_id",
    "joliet_volume_id",
    "uuid",
    "system_id",
    "application_id",
    "publisher_id",
    "cpu",
    "banner",
)


class FactsRecord(TypedDict):
    """What was read out of an image; what is empty is left out."""

    name: str
    size: int
    kind: NotRequired[FileKind]
    missing: NotRequired[int]
    filesystem: NotRequired[str]
    volume_id: NotRequired[str]
    joliet_volume_id: NotRequired[str]
    uuid: NotRequired[str]
    system_id: NotRequired[str]
    application_id: NotRequired[str]
    publisher_id: NotRequired[str]
    cpu: NotRequired[str]
    banner: NotRequired[str]
    el_torito: NotRequired[list[ElToritoEntry]]
    partitions: NotRequired[Annotated[list[IsoPartition], Shape.WITHOUT_DEFAULTS]]
    mounts: NotRequired[dict[str, int]]
    """Of a disk with an installed system: the number of the partition that is mounted at a folder."""
    subvolumes: NotRequired[dict[str, str]]
    """What is mounted there of a btrfs: the path in the subvolume that holds all."""
    sections: NotRequired[dict[str, list[int]]]
    """Files that are sections of a unified kernel image, whose path is theirs without the last suffix: offset and bytes in it."""
    dirs: NotRequired[dict[str, dict[str, int | None]]]
    """The directories that were looked into: names with sizes, ``null`` for a directory."""
    texts: NotRequired[dict[str, list[str] | str]]
    """The lines of the texts that were read."""
    kernels: NotRequired[Annotated[dict[str, KernelFacts], Shape.WITHOUT_DEFAULTS]]
    initrds: NotRequired[Annotated[dict[str, InitrdFacts], Shape.WITHOUT_DEFAULTS]]
    roots: NotRequired[Annotated[dict[str, RootFacts], Shape.WITHOUT_DEFAULTS]]
    warnings: NotRequired[list[str]]


def facts_to_json(facts: IsoFacts) -> dict[str, Json]:
    """A value for ``json.dumps``; :func:`facts_from_json` gives ``facts`` back."""
    texts: dict[str, Json] = {key: getattr(facts, key) for key in _TEXT_FIELDS[1:] if getattr(facts, key)}
    record: dict[str, Json] = {
        "name": facts.name,
        "size": facts.size,
        **({} if facts.kind is FileKind.ISO else {"kind": str(facts.kind)}),
        **({"missing": facts.missing} if facts.missing else {}),
        **texts,
        "el_torito": [_row(entry) for entry in facts.el_torito],
        "partitions": [_partition_row(partition) for partition in facts.partitions],
        "mounts": dict(facts.mounts),
        "subvolumes": dict(facts.subvolumes),
        "sections": {path: list(place) for path, place in facts.sections.items()},
        "dirs": {path: {node.name: node.size for node in nodes} for path, nodes in facts.dirs.items()},
        "texts": {path: cast("list[Json]", text.split("\n")) for path, text in facts.texts.items()},
        "kernels": {path: kernel_to_json(kernel) for path, kernel in facts.kernels.items()},
        "initrds": {path: initrd_to_json(initrd) for path, initrd in facts.initrds.items()},
        "roots": {path: root_to_json(root) for path, root in facts.roots.items()},
        "warnings": list(facts.warnings),
    }
    return {key: value for key, value in record.items() if value not in ([], {})}


def facts_from_json(value: object) -> IsoFacts:
    """The facts that :func:`facts_to_json` wrote; a text may also be one string, which is easier to write by hand.

    Raises:
        FormatError: it is something else; the message names the place.
    """
    record = json_object(value, "the record")
    refuse_unknown(record, {field.name for field in fields(IsoFacts)}, "the record")
    if "name" not in record or "size" not in record:
        raise FormatError(tr("the record lacks a name or a size"))
    kernels = json_object(record.get("kernels", {}), "kernels")
    initrds = json_object(record.get("initrds", {}), "initrds")
    roots = json_object(record.get("roots", {}), "roots")
    texts = {key: json_string(record[key], key) for key in _TEXT_FIELDS if key in record}
    return IsoFacts(
        **texts,
        size=json_number(record["size"], "size"),
        kind=_kind(record.get("kind", "iso")),
        missing=json_number(record.get("missing", 0), "missing"),
        el_torito=json_list(record.get("el_torito", []), "el_torito", _el_torito),
        partitions=json_list(record.get("partitions", []), "partitions", _partition),
        mounts={
            _path(path): json_number(number, f"mounts[{path!r}]")
            for path, number in json_object(record.get("mounts", {}), "mounts").items()
        },
        subvolumes={
            _path(path): json_string(name, f"subvolumes[{path!r}]")
            for path, name in json_object(record.get("subvolumes", {}), "subvolumes").items()
        },
        sections={
            _path(path): _place(place, f"sections[{path!r}]")
            for path, place in json_object(record.get("sections", {}), "sections").items()
        },
        dirs={
            _path(path): _directory(path, nodes) for path, nodes in json_object(record.get("dirs", {}), "dirs").items()
        },
        texts={_path(path): _text(path, text) for path, text in json_object(record.get("texts", {}), "texts").items()},
        kernels={_path(path): kernel_from_json(value, f"kernels[{path!r}]") for path, value in kernels.items()},
        initrds={_path(path): initrd_from_json(value, f"initrds[{path!r}]") for path, value in initrds.items()},
        roots={_path(path): root_from_json(value, f"roots[{path!r}]") for path, value in roots.items()},
        warnings=json_list(record.get("warnings", []), "warnings", json_string),
    )


def _place(value: object, where: str) -> tuple[int, int]:
    match json_list(value, where, json_number):
        case (offset, size):
            return offset, size
        case _:
            raise FormatError(tr("{where} is not a list", where=where))


def _kind(value: object) -> FileKind:
    try:
        return FileKind(json_string(value, "kind"))
    except ValueError:
        raise FormatError(tr("kind is {value}, which is no kind of image", value=repr(value))) from None


def _row(value: ElToritoEntry | IsoPartition) -> dict[str, Json]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _partition_row(partition: IsoPartition) -> dict[str, Json]:
    row = _row(partition)
    return row if partition.filesystem else {key: value for key, value in row.items() if key != "filesystem"}


def _el_torito(value: object, where: str) -> ElToritoEntry:
    record = json_object(value, where)
    refuse_unknown(record, {"platform", "emulation", "lba", "size"}, where)
    return ElToritoEntry(
        platform=json_string(record.get("platform"), f"{where}.platform"),
        emulation=json_string(record.get("emulation"), f"{where}.emulation"),
        lba=json_number(record.get("lba"), f"{where}.lba"),
        size=json_number(record.get("size"), f"{where}.size"),
    )


def _partition(value: object, where: str) -> IsoPartition:
    record = json_object(value, where)
    refuse_unknown(record, {"number", "scheme", "type", "start", "size", "filesystem"}, where)
    return IsoPartition(
        number=json_number(record.get("number"), f"{where}.number"),
        scheme=json_string(record.get("scheme"), f"{where}.scheme"),
        type=json_string(record.get("type"), f"{where}.type"),
        start=json_number(record.get("start"), f"{where}.start"),
        size=json_number(record.get("size"), f"{where}.size"),
        filesystem=json_string(record.get("filesystem", ""), f"{where}.filesystem"),
    )


def _directory(path: str, value: object) -> tuple[Node, ...]:
    where = f"dirs[{path!r}]"
    return tuple(
        Node(name=_name(name, where), size=None if size is None else json_number(size, f"{where}[{name!r}]"))
        for name, size in json_object(value, where).items()
    )


def _text(path: str, value: object) -> str:
    where = f"texts[{path!r}]"
    return value if isinstance(value, str) else "\n".join(json_list(value, where, json_string))


def _path(path: str) -> str:
    if not path.removeprefix("efi:").startswith("/"):
        raise FormatError(tr("{path} is not a path in an image", path=repr(path)))
    return path


def _name(name: str, where: str) -> str:
    if name in ("", ".", "..") or "/" in name:
        raise FormatError(tr("{where}: {name} is not a file name", where=where, name=repr(name)))
    return name
