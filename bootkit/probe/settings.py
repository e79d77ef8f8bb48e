"""stick.toml: the user's choices, read strictly, because a typo that is passed over is a choice that is lost."""

from collections.abc import Iterable, Mapping
from typing import cast

from bootkit.errors import BootkitError, FormatError
from bootkit.i18n import tr
from bootkit.model.fields import parse_toml
from bootkit.model.options import OPTIONS, STICK, USER, Choices, OptionSpec, Place, Scope, Value, option, problem
from bootkit.model.places import STICK_FILE

Table = Mapping[str, object]

_TABLES = '[stick], [menu], [options], [stack.NAME] and [image."/PATH"]'


def read_choices(text: str, *, source: str = STICK_FILE) -> Choices:
    """What a stick.toml says.

    Raises:
        BootkitError: not TOML, an unknown table or key, or a value of the wrong kind; names the line and the way out.
    """
    return _Document(text, source).choices()


def read_user_choices(text: str, *, source: str) -> Choices:
    """What the user's own configuration says: a file with one table, [options].

    Raises:
        BootkitError: as for :func:`read_choices`.
    """
    reader = _Document(text, source)
    unknown = set(reader.document) - {"options"}
    if unknown:
        raise reader.error((min(unknown),), f"there is no table [{min(unknown)}] in it", "the only table is [options]")
    return Choices(values={USER: reader.values(("options",), Scope.USER)})


class _Document:
    """One document, its text at hand to tell lines."""

    def __init__(self, text: str, source: str) -> None:
        self._text = text
        self._source = source
        try:
            self.document: Table = parse_toml(text)
        except FormatError as error:
            hint = tr("mend that line; nothing was changed on the stick")
            raise BootkitError(f"{source}: {error.message}", hint=hint) from error

    def choices(self) -> Choices:
        known = {"stick", "menu", "options", Scope.STACK.value, Scope.IMAGE.value}
        unknown = set(self.document) - known
        if unknown:
            name = min(unknown)
            near = _near(name, known)
            hint = tr("did you mean [{near}]?", near=near[0]) if near else tr("the tables are {tables}", tables=_TABLES)
            raise self.error((name,), f"there is no table [{name}]", hint)
        values: dict[Place, Mapping[str, Value]] = {
            STICK: {**self.values(("menu",), Scope.STICK), **self.values(("options",), Scope.STICK)}
        }
        for scope in (Scope.STACK, Scope.IMAGE):
            for name in self._table((scope.value,)):
                values[Place(scope=scope, name=name)] = self.values((scope.value, name), scope)
        return Choices(values={place: kept for place, kept in values.items() if kept})

    def values(self, path: tuple[str, ...], scope: Scope) -> dict[str, Value]:
        """The checked values of one table."""
        return {key: self._value(path, scope, key, value) for key, value in self._table(path).items()}

    def error(self, path: tuple[str, ...], message: str, hint: str) -> BootkitError:
        line = _line_of(self._text, path)
        return BootkitError(f"{self._source}{f', line {line}' if line else ''}: {message}", hint=hint)

    def _table(self, path: tuple[str, ...]) -> Table:
        table = self.document
        for depth, name in enumerate(path, start=1):
            member = table.get(name, {})
            if not isinstance(member, dict):
                raise self.error(path[:depth], f"{name} is not a table", f"write [{'.'.join(path)}] on its own line")
            table = cast("Table", member)
        return table

    def _value(self, path: tuple[str, ...], scope: Scope, key: str, value: object) -> Value:
        spec = self._spec(path, scope, key)
        plain: object = tuple(cast("list[object]", value)) if isinstance(value, list) else value
        is_value = isinstance(plain, (bool, int, str)) or (
            isinstance(plain, tuple) and all(isinstance(word, str) for word in cast("tuple[object, ...]", plain))
        )
        trouble = problem(spec, cast("Value", plain)) if is_value else f"is not {spec.kind.expects}"
        if trouble:
            raise self.error((*path, key), f"{key} = {value!r} {trouble}", f"write {key} as {spec.kind.expects}")
        return cast("Value", plain)

    def _spec(self, path: tuple[str, ...], scope: Scope, key: str) -> OptionSpec:
        fitting = [spec.key for spec in OPTIONS if _belongs(spec, path[0], scope)]
        if key in fitting:
            return option(key)
        message = tr("there is no choice {key} in [{path}]", key=repr(key), path=path[0])
        elsewhere = next((spec for spec in OPTIONS if spec.key == key), None)
        if elsewhere is not None:
            home = f"[{elsewhere.table}]" if elsewhere.table else '[image."/PATH"]'
            raise self.error((*path, key), message, f"{key} belongs into {home}")
        near = _near(key, fitting)
        hint = (
            tr("did you mean {near}?", near=near[0])
            if near
            else tr("the keys are {fitting}", fitting=", ".join(fitting))
        )
        raise self.error((*path, key), message, hint)


def _belongs(spec: OptionSpec, table: str, scope: Scope) -> bool:
    return scope in spec.scopes and (scope in (Scope.STACK, Scope.IMAGE) or spec.table == table)


def _line_of(text: str, path: tuple[str, ...]) -> int:
    """Number of the line on which a table begins or a key stands, 0 if it is written in a way that we do not follow."""
    here: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        names = _names(line)
        if line.lstrip().startswith("["):
            here = names
            if here[: len(path)] == path:
                return number
        elif (*here, *names)[: len(path)] == path and names:
            return number
    return 0


def _near(name: str, known: Iterable[str]) -> list[str]:
    """The one of ``known`` that may have been meant, if any."""
    import difflib

    return difflib.get_close_matches(name, list(known), n=1)


def _names(line: str) -> tuple[str, ...]:
    """The names in a table's head, or before the first ``=`` of a line; empty for any other line."""
    head = line.strip() if line.lstrip().startswith("[") else f"{line.partition('=')[0]}= 0"
    try:
        level: object = parse_toml(head)
    except FormatError:
        return ()
    names: list[str] = []
    while isinstance(level, dict) and level:
        name, level = next(iter(cast("Table", level).items()))
        names.append(name)
    return tuple(names)
