"""One change to the text of stick.toml that keeps its comments and its order."""

from collections.abc import MutableMapping, Sequence
from typing import cast

from bootkit.model.options import STICK, Place, Scope, Value, option
from bootkit.values import dataclass

Container = MutableMapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A value for an option at one place; ``None`` takes it away, and the wider scope counts again."""

    key: str
    value: Value | None
    place: Place = STICK


def edited(text: str, changes: Sequence[Change]) -> str:
    """The text with the changes in it; ``text`` must be one that is read without an error."""
    import tomlkit

    document = tomlkit.parse(text)
    for change in changes:
        path = _path(change)
        if change.value is None:
            _take_away(cast("Container", document), path, change.key)
            continue
        table = _table(cast("Container", document), path)
        table[change.key] = list(change.value) if isinstance(change.value, tuple) else change.value
    return tomlkit.dumps(document)


def _path(change: Change) -> tuple[str, ...]:
    if change.place.scope in (Scope.STACK, Scope.IMAGE):
        return (change.place.scope.value, change.place.name)
    return (option(change.key).table,)


def _table(container: Container, path: tuple[str, ...]) -> Container:
    """The table at ``path``, made if it is not there."""
    import tomlkit

    for depth, name in enumerate(path, start=1):
        if name not in container:
            container[name] = tomlkit.table(is_super_table=depth < len(path))
        container = cast("Container", container[name])
    return container


def _take_away(container: Container, path: tuple[str, ...], key: str) -> None:
    """Remove a key, and an image's or a stack's table that it leaves empty."""
    above: list[tuple[Container, str]] = []
    for name in path:
        if name not in container:
            return
        above.append((container, name))
        container = cast("Container", container[name])
    container.pop(key, None)
    if len(path) > 1 and not container:
        parent, name = above[-1]
        del parent[name]
        if not parent:
            top, name = above[0]
            del top[name]
