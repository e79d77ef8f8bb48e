"""The images of the stick as a table."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.binding import BindingType
from textual.widgets import DataTable

from bootkit.app.verbs.overview import Overview, brought
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer
from bootkit.tui.keys import key
from bootkit.units import format_size

_GETS = 20
"""Columns that what a system gets takes at most, and"""
_GETS_LEAST = 8
"""at least, before a name is cut."""
_COLUMNS = _IMAGE, _SIZE, _STARTS, _WITH, _KIND = tr("Image"), tr("Size"), tr("Starts"), tr("With"), tr("Kind")
ANSWERS = {
    Answer.BOOTS: tr("yes"),
    Answer.ELSEWHERE: tr("not here"),
    Answer.CANNOT: tr("no"),
    Answer.UNKNOWN: tr("perhaps"),
}


class ImageTable(DataTable[Text]):
    """The images as rows, which are keyed by their paths. Every state is a word, so that no colour is needed."""

    HELP_TEXT = tr("""\
Each line is an image. "Starts" is what bootkit check predicts: "not here" means not from this stick's file system; the pane
beside or below says why, and what to do. "new" came or changed after the menu was written. "With" is what its system gets of your
own things: the home, the extensions (ext), the scripts, a place where its changes are kept, answers for its installer (seeds).""")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter,space", "select_cursor", tr("Options"), display="Enter", twin="bootkit options list --image"),
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
        rows = [_cells(item, overview) for item in items]
        columns = widths(rows, pane - 1)
        for label, width in columns.items():
            self.add_column(" " * (width - cell_len(label)) + label if label == _SIZE else label, width=width)
        for item, cells in zip(items, rows, strict=True):
            style = "dim" if not overview.predictions[item.path].boots or overview.is_hidden(item) else ""
            texts = (_fit(cells[label], label, width) for label, width in columns.items())
            self.add_row(*(Text(text, style, no_wrap=True) for text in texts), key=item.path)
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


def widths(rows: Sequence[Mapping[str, str | tuple[str, ...]]], room: int) -> dict[str, int]:
    """The columns that are shown with their widths, each two columns apart from the next.

    The names come first: what a system gets is shortened before one of them is cut, and its kind is only shown where all
    have room.
    """
    need = {label: max((_length(row[label]) for row in rows), default=0) for label in _COLUMNS}
    need = {label: max(width, cell_len(label)) for label, width in need.items()}
    need[_WITH] = min(need[_WITH], _GETS)
    if sum(need.values()) + 2 * len(need) > room:
        del need[_KIND]
    missing = sum(need.values()) + 2 * len(need) - room
    if missing > 0:
        need[_WITH] = max(need[_WITH] - missing, min(need[_WITH], _GETS_LEAST))
    spent = sum(width + 2 for label, width in need.items() if label != _IMAGE) + 2
    return {**need, _IMAGE: max(room - spent, 12)}


def _length(cell: str | tuple[str, ...]) -> int:
    return cell_len(cell if isinstance(cell, str) else ", ".join(cell))


def _fit(cell: str | tuple[str, ...], label: str, width: int) -> str:
    if isinstance(cell, tuple):
        return fitted(cell, width) or "-"
    return f"{cell:>{width}}" if label == _SIZE else cut(cell, width)


def _cells(item: ImageItem, overview: Overview) -> dict[str, str | tuple[str, ...]]:
    stack = item.detection.stack if item.detection else "-"
    values = (overview.title(item), format_size(item.size), starts(item, overview), brought(overview, item), stack)
    return dict(zip(_COLUMNS, values, strict=True))


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
    word = tr("hidden") if overview.is_hidden(item) else ANSWERS[overview.predictions[item.path].answer]
    return tr("{word}, new", word=word) if item.path in overview.changed else word
