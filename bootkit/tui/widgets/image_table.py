"""The images of the stick as a table."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from bootkit.app.verbs.overview import Overview, brought
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer
from bootkit.units import format_size

_WITH_STACK = 96
"""Columns from which on there is room for the kind of system, too: the names of the images come first."""
_GETS = 20
_WORDS = {Answer.BOOTS: "yes", Answer.ELSEWHERE: "not here", Answer.CANNOT: "no", Answer.UNKNOWN: "perhaps"}


class ImageTable(DataTable[Text]):
    """The images as rows, which are keyed by their paths. Every state is a word, so that no colour is needed."""

    HELP_TEXT = """\
Each line is an image. "Starts" is what bootkit check predicts: "not here" means not from this stick's file system; the pane
beside or below says why, and what to do. "new" came or changed after the menu was written. "With" is what its system gets of your
own things: the home, the extensions (ext), the scripts, a place where its changes are kept, answers for its installer (seeds)."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "select_cursor", "Options", key_display="Enter", tooltip="bootkit options list --image"),
    ]

    def on_mount(self) -> None:
        self.cursor_type = "row"
        self._items: tuple[ImageItem, ...] = ()
        self._overview: Overview | None = None

    def on_resize(self) -> None:
        if self._overview is not None:
            self.show(self._items, self._overview)

    def show(self, items: tuple[ImageItem, ...], overview: Overview) -> None:
        """Show these images, the cursor on the one where it was."""
        before = self.chosen
        self._items, self._overview = items, overview
        self.clear(columns=True)
        pane = self.size.width or self.app.size.width  # pyright: ignore[reportUnknownMemberType]
        wide = pane >= _WITH_STACK
        columns = {"Size": 9, "Starts": 13, "With": _GETS, **({"Kind": 13} if wide else {})}
        columns = {"Image": max(pane - 3 - sum(width + 2 for width in columns.values()), 12), **columns}
        for label, width in columns.items():
            self.add_column(f"{label:>9}" if label == "Size" else label, width=width)
        for item in items:
            style = "dim" if not overview.predictions[item.path].boots or overview.is_hidden(item) else ""
            cells = zip(_cells(item, overview)[: len(columns)], columns.values(), strict=True)
            self.add_row(*(Text(cut(cell, width), style, no_wrap=True) for cell, width in cells), key=item.path)
        places = [place for place, item in enumerate(items) if item.path == before]
        if places:
            self.move_cursor(row=places[0])

    @property
    def chosen(self) -> str:
        """Path of the image under the cursor; empty if there is none."""
        if not self.row_count:
            return ""
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value or ""

    def choose(self, path: str) -> None:
        """Put the cursor on an image."""
        if path in {item.path for item in self._items}:
            self.move_cursor(row=self.get_row_index(path))


def _cells(item: ImageItem, overview: Overview) -> tuple[str, ...]:
    gets = fitted(brought(overview, item), _GETS) or "-"
    stack = item.detection.stack if item.detection else "-"
    return overview.title(item), f"{format_size(item.size):>9}", starts(item, overview), gets, stack


def fitted(words: Sequence[str], width: int) -> str:
    """As many of the words as there is room for, and how many more there are: ``home anna, 1 ext, +2``."""
    for count in range(len(words), 0, -1):
        more = [f"+{len(words) - count}"] if count < len(words) else []
        if cell_len(text := ", ".join([*words[:count], *more])) <= width:
            return text
    return cut(words[0], width) if words else ""


def cut(text: str, width: int) -> str:
    """Not more than ``width`` columns, with three dots where something is missing: the Linux console has no ellipsis."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 3).rstrip()}..."


def starts(item: ImageItem, overview: Overview) -> str:
    """Whether it will start, in a word; ``new`` behind it if the menu does not know it yet."""
    word = "hidden" if overview.is_hidden(item) else _WORDS[overview.predictions[item.path].answer]
    return f"{word}, new" if item.path in overview.changed else word
