"""A line of a form: a label, and beside it what is typed or chosen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Label

from bootkit.i18n import tr
from bootkit.tui.keys import key


class Line(Horizontal):
    """A line that shows by a class of its own that the focus is in it: the label stands out, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # here and not on the screen: a form that can be scrolled would take the arrows before
        key("up", "app.focus_previous", tr("Line above"), shown=False),
        key("down", "app.focus_next", tr("Line below"), shown=False),
    ]

    def on_descendant_focus(self) -> None:
        self.add_class("-focus")

    def on_descendant_blur(self) -> None:
        self.remove_class("-focus")


class Field(Line):
    def __init__(self, label: str, field: Widget) -> None:
        super().__init__()
        self._label = label
        self._field = field

    def compose(self) -> ComposeResult:
        yield Label(self._label, classes="title", markup=False)
        yield self._field
