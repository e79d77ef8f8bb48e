"""What F1 shows: the screen, what is focused, the keys that count, and the same on the command line."""

from collections.abc import Iterator
from typing import Any

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from bootkit.i18n import tr
from bootkit.tui.widgets.option_row import OptionRow


def help_text(screen: Screen[object], focused: Widget | None) -> Content:
    parts = [Content(paragraph.replace("\n", " ")) for paragraph in getattr(screen, "HELP_TEXT", "").split("\n\n")]
    if words := _about(focused):
        parts.append(Content.assemble((tr("Where you are: "), "bold $primary"), words))
    rows = [
        Content.styled(tr("Keys that count now, and the same on the command line"), "bold $primary"),
        *_keys(screen),
    ]
    return Content("\n\n").join([*parts, Content("\n").join(rows)])


def _about(focused: Widget | None) -> str:
    for widget in focused.ancestors_with_self if focused else ():
        if isinstance(widget, OptionRow):
            return f"{widget.text}\n{widget.twin}"
        if words := getattr(widget, "HELP_TEXT", ""):
            return str(words).replace("\n", " ") if not isinstance(widget, Screen) else ""
    return ""


def own_bindings(screen: Screen[Any]) -> Iterator[Binding]:
    """The bindings that count now and that are ours; textual's own are the arrows and the like."""
    for node, binding, enabled, _ in screen.active_bindings.values():
        if enabled and binding.description and any(_declares(kind, binding) for kind in type(node).__mro__):
            yield binding


def _declares(kind: type, binding: Binding) -> bool:
    declared = vars(kind).get("BINDINGS", ()) if kind.__module__.startswith("bootkit.") else ()
    return any(isinstance(own, Binding) and own.action == binding.action for own in declared)


def _keys(screen: Screen[object]) -> list[Content]:
    """One line an action, with all keys that start it."""
    rows: dict[tuple[str, str], list[str]] = {}
    for binding in own_bindings(screen):
        rows.setdefault((binding.description, binding.tooltip), []).append(screen.app.get_key_display(binding))  # pyright: ignore[reportUnknownMemberType]
    return [
        Content(f"{' '.join(dict.fromkeys(keys)):>8}  {description:<26}{twin}".rstrip())
        for (description, twin), keys in rows.items()
    ]
