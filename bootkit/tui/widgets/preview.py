"""What follows from the choices: parts with a heading each, to scroll through."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bootkit.bootcfg.cmdline import join_words
from bootkit.i18n import tr
from bootkit.render.menu import EntryPreview
from bootkit.tui.keys import key
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True)
class PreviewPart:
    heading: str
    text: str


class Preview(VerticalScroll, can_focus=True):
    HELP_TEXT = tr("What follows from the choices. The arrows and Page Down scroll; Tab leaves it.")
    BINDINGS: ClassVar[list[BindingType]] = [key("space", "page_down", tr("Further"), shown=False)]

    _told = Content("")

    def compose(self) -> ComposeResult:
        yield Static(self._told, id="preview-text")

    def show(self, title: str, parts: Sequence[PreviewPart]) -> None:
        self.border_title = Content(title)
        lines: list[Content] = []
        for part in parts:
            if part.heading:
                lines.append(Content.styled(part.heading, "bold $primary"))
            lines += [_line(line) for line in part.text.splitlines()]
            lines.append(Content(""))
        self._told = Content("\n").join(lines[:-1])
        # a screen may show before the text is there: then it begins with what was told
        for text in self.query("#preview-text").results(Static):
            text.update(self._told)


def _line(line: str) -> Content:
    """The entry that starts by itself stands out by its sign and its weight."""
    return Content.styled(line, "bold") if line.startswith("> ") else Content(line)


def entries_text(entries: tuple[EntryPreview, ...]) -> str:
    """The entries with their kernel lines; ``>`` marks the one that starts by itself."""
    return "\n".join(map(_entry_text, entries))


def _entry_text(entry: EntryPreview) -> str:
    mark = "> " if entry.starts_by_itself else "- "
    if entry.explanation:
        return "\n".join([f"{mark}{entry.title}", *(f"  {line}" for line in entry.explanation)])
    lines = [f"{mark}{entry.title}", f"  {entry.kernel} {join_words(entry.words)}".rstrip()]
    return "\n".join([*lines, *(f"  initrd {initrd}" for initrd in entry.initrds)])
