"""JSON Schemas of what ``--json`` prints, made of the types in :mod:`bootkit.cli.documents`.

Source: JSON Schema, draft 2020-12; typing's and dataclasses' own ways of being asked.
"""

import ast
import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, NotRequired, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

from bootkit.cli import output
from bootkit.cli.documents import DOCUMENTS
from bootkit.cli.output import SCHEMA_VERSION
from bootkit.errors import UsageError
from bootkit.i18n import tr
from bootkit.model.shape import Shape

Schema = dict[str, object]

_PLAIN: Mapping[object, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string"},
    Path: {"type": "string"},
    NoneType: {"type": "null"},
}


def schema_of(words: str, *, closed: bool = False) -> Schema:
    """The schema of what a command prints, by the words behind ``bootkit``.

    Keys may come without a new ``schema_version``, so that others are allowed, unless it is ``closed``.

    Raises:
        KeyError: the command has no ``--json``.
    """
    made = _Schemas(closed=closed)
    documents = [made.document(kind) for kind in DOCUMENTS[words]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:bootkit:{SCHEMA_VERSION}:{words.replace(' ', '-')}",
        "title": f"bootkit {words} --json",
        **(documents[0] if len(documents) == 1 else {"anyOf": documents}),
        "$defs": made.definitions,
    }


def show_schema(words: Sequence[str]) -> None:
    """Print the schema of a command.

    Raises:
        UsageError: it has no ``--json``.
    """
    name = " ".join(words)
    if name not in DOCUMENTS:
        hint = tr("those that have: {commands}", commands=", ".join(DOCUMENTS))
        none = tr("bootkit {name} prints no JSON", name=name)
        raise UsageError(none if name else tr("which command's?"), hint=hint)
    output.answer(json.dumps(schema_of(name), indent=2, ensure_ascii=False))


class _Schemas:
    """The schemas of types; those of objects are definitions, by the names of their types."""

    def __init__(self, *, closed: bool) -> None:
        self.definitions: dict[str, Schema] = {}
        self._closed = closed
        self._kinds: dict[str, object] = {}

    def document(self, kind: type) -> Schema:
        """Of a whole document: the version stands first."""
        return self._object(kind, None, {"schema_version": {"const": SCHEMA_VERSION}})

    def of(self, hint: Any, shape: Shape | None = None) -> Schema:
        """Of a type; ``shape`` is what was said around it."""
        origin, inner = get_origin(hint), get_args(hint)
        if hint in _PLAIN:
            return _PLAIN[hint]
        if isinstance(hint, type) and issubclass(hint, Enum):
            return {"enum": [member.value for member in hint]}
        if origin is NotRequired:
            return self.of(inner[0], shape)
        if origin is Annotated:
            return self.of(inner[0], inner[1])
        if origin in (Union, UnionType):
            return {"anyOf": [self.of(one, shape) for one in inner]}
        if origin is None:
            return self._reference(cast("type", hint), shape)
        return self._collection(origin, inner, shape)

    def _collection(self, origin: type, inner: Sequence[Any], shape: Shape | None) -> Schema:
        if issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(inner[1], shape)}
        if issubclass(origin, tuple) and inner[-1] is not Ellipsis:
            members = [self.of(one, shape) for one in inner]
            return {"type": "array", "prefixItems": members, "items": False, "minItems": len(members)}
        return {"type": "array", "items": self.of(inner[0], shape)}

    def _reference(self, kind: type, shape: Shape | None) -> Schema:
        name = kind.__name__ if shape is None else f"{kind.__name__}.{shape.name.lower()}"
        assert self._kinds.setdefault(name, kind) is kind, f"two types are called {name}"
        if name not in self.definitions:
            self.definitions[name] = {}  # it may be part of itself
            self.definitions[name] = self._object(kind, shape)
        return {"$ref": f"#/$defs/{name}"}

    def _object(self, kind: type, shape: Shape | None, first: Mapping[str, Schema] = MappingProxyType({})) -> Schema:
        """``first`` are members that stand before those of the type."""
        if shape is Shape.STEP:
            first = {"step": {"const": kind.__name__}, "sentence": {"type": "string"}}
        hints = get_type_hints(kind, include_extras=True)
        names = _names(kind) or [*hints]
        words = dict(_described(kind))
        inside = Shape.WITHOUT_DEFAULTS if shape is Shape.WITHOUT_DEFAULTS else None
        members = {name: {**self.of(hints[name], inside), **_description(words.get(name))} for name in names}
        required = [name for name in names if _is_always_there(kind, name, shape)]
        return {
            "type": "object",
            **_description(words.get("")),
            "properties": {**first, **members},
            "required": [*first, *required],
            **({"additionalProperties": False} if self._closed else {}),
        }


def _names(kind: type) -> list[str]:
    """Of a dataclass's fields, in their order; ``get_type_hints`` has those of its bases last."""
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []


def _is_always_there(kind: type, name: str, shape: Shape | None) -> bool:
    if is_typeddict(kind):
        return name in vars(kind)["__required_keys__"]
    field: Field[object] = next(field for field in fields(kind) if field.name == name)
    has_default = field.default is not MISSING or field.default_factory is not MISSING
    return not (has_default and shape is Shape.WITHOUT_DEFAULTS)


def _description(words: str | None) -> Schema:
    return {"description": words} if words else {}


def _described(kind: type) -> Iterator[tuple[str, str]]:
    """What the source says under the name of a type (as that of an empty name) and under each field, its bases' first."""
    if not kind.__module__.startswith("bootkit."):
        return
    try:
        tree = ast.parse(dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError):  # made by a call, or there is no source
        return
    assert isinstance(tree, ast.ClassDef)
    around = vars(sys.modules[kind.__module__])
    for base in tree.bases:  # a TypedDict does not know its own
        if isinstance(base, ast.Name) and isinstance(known := around.get(base.id), type):
            yield from _described(known)
    yield "", ast.get_docstring(tree) or ""
    for named, said in pairwise(tree.body):
        match named, said:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, " ".join(words.split())
            case _:
                pass
