"""The sections of a stick, in one line; the one that is shown stands out."""

from typing import NamedTuple

from textual.content import Content
from textual.events import Click
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
    Section("7", tr("Stick")),
)


class SectionBar(Widget, can_focus=False):
    ALLOW_SELECT = False

    def __init__(self, shown: str) -> None:
        super().__init__()
        self._shown = shown

    def render(self) -> Content:
        return Content("").join(self._item(section) for section in SECTIONS)

    def on_click(self, event: Click) -> None:
        if pressed := event.style.meta.get("key"):
            self.app.simulate_key(pressed)  # pyright: ignore[reportUnknownMemberType]

    def _item(self, section: Section) -> Content:
        style = "bold $block-cursor-foreground on $primary" if section.digit == self._shown else ""
        words = Content.assemble((section.digit, "bold"), f" {section.title}")
        return Content.assemble(" ", words, " ").stylize(style).stylize(Style.from_meta({"key": section.digit}))
