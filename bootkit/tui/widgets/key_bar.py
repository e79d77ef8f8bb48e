"""The keys that count now, at the foot of every screen: as many lines as they need, so that none is out of sight."""

from collections.abc import Iterator

from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget

from bootkit.tui.help import own_bindings

_GAP = "  "


class KeyBar(Widget, can_focus=False):
    """Each key with its word, clickable; a line is never broken between the two."""

    ALLOW_SELECT = False

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._renew)  # pyright: ignore[reportUnknownMemberType]
        self.call_after_refresh(self.refresh, layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - textual's
        return max(len(list(self._lines(width))), 1)

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def on_click(self, event: Click) -> None:
        if pressed := event.style.meta.get("key"):
            self.app.simulate_key(pressed)  # pyright: ignore[reportUnknownMemberType]

    def _renew(self, _screen: Screen[object]) -> None:
        self.refresh(layout=True)

    def _lines(self, width: int) -> Iterator[Content]:
        line = Content("")
        for item in self._items():
            gap = _GAP if line.plain else ""
            if line.plain and line.cell_length + len(gap) + item.cell_length > width:
                yield line
                line, gap = Content(""), ""
            line = Content.assemble(line, gap, item)
        yield line

    def _items(self) -> Iterator[Content]:
        """One for each action, by the first of its keys; what leads away from the screen comes last."""
        first: dict[str, Content] = {}
        for binding in own_bindings(self.screen):
            if binding.show:
                shown = self.app.get_key_display(binding)  # pyright: ignore[reportUnknownMemberType]
                click = Style.from_meta({"key": binding.key})
                words = Content.assemble((shown, "bold $footer-key-foreground"), f" {binding.description}")
                first.setdefault(binding.action, words.stylize(click))
        yield from (item for action, item in first.items() if action not in _LAST)
        yield from (first[action] for action in _LAST if action in first)


_LAST = ("app.help", "help", "app.quit", "leave", "close", "cancel")
