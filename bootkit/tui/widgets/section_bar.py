"""The sections of a stick, in a line where they fit into one; the one that is shown stands out."""

from collections.abc import Iterator
from typing import NamedTuple

from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from bootkit.i18n import tr


class Section(NamedTuple):
    digit: str
    title: str


SECTIONS = (
    Section("1", tr("Images")),
    Section("2", tr("Homes")),
    Section("3", tr("Extensions")),
    Section("4", tr("Apps")),
    Section("5", tr("Changes")),
    Section("6", tr("Answers")),
    Section("7", tr("Disks")),
    Section("8", tr("Stick")),
)
_WIDE, _NARROW = "  ", " "
"""What stands between two sections: the languages differ by a third."""


class SectionBar(Widget, can_focus=False):
    ALLOW_SELECT = False

    def __init__(self, shown: str) -> None:
        super().__init__()
        self._shown = shown

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - textual's
        return len(list(self._lines(width)))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.size.width))

    def on_click(self, event: Click) -> None:
        if pressed := event.style.meta.get("key"):
            self.app.simulate_key(pressed)  # pyright: ignore[reportUnknownMemberType]

    def _lines(self, width: int) -> Iterator[Content]:
        items = [self._item(section) for section in SECTIONS]
        gap = _WIDE if Content(_WIDE).join(items).cell_length < width else _NARROW
        line = items[0]
        for item in items[1:]:
            if line.cell_length + len(gap) + item.cell_length < width:
                line = Content.assemble(line, gap, item)
            else:
                yield Content.assemble(" ", line)
                line = item
        yield Content.assemble(" ", line)

    def _item(self, section: Section) -> Content:
        style = "bold $block-cursor-foreground on $primary" if section.digit == self._shown else ""
        words = Content.assemble((section.digit, "bold"), f" {section.title}")
        return words.stylize(style).stylize(Style.from_meta({"key": section.digit}))
