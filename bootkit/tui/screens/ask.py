"""Questions: a word to type, a password twice, one value out of many."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

_CANCEL = Binding("escape", "cancel", "Cancel", key_display="Esc")


class AskScreen(ModalScreen[str]):
    """A question; the answer is what was typed, empty if nothing."""

    HELP_TEXT = "A question. Return takes what was typed, Esc leaves everything as it is."
    BINDINGS: ClassVar[list[BindingType]] = [_CANCEL]

    def __init__(self, title: str, text: str, *, hidden: bool = False) -> None:
        super().__init__()
        self._heading = title
        self._text = text
        self._hidden = hidden
        self._first: str | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._heading
            yield Static(self._text, id="text", markup=False)
            yield Input(password=self._hidden, compact=True, id="answer")
            yield Footer(show_command_palette=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._hidden or self._first == event.value:
            _ = self.dismiss(event.value)
            return
        again = "Once more." if self._first is None else "That was something else. Once more, from the beginning."
        self._first = event.value if self._first is None else None
        self.query_one("#text", Static).update(f"{self._text}\n{again}")
        event.input.clear()

    def action_cancel(self) -> None:
        _ = self.dismiss("")


class PickScreen(ModalScreen[str]):
    """A list to choose from; the answer is one of the values, empty for none."""

    HELP_TEXT = "Type any part of a value to find it; the arrows go through the list, Return takes one."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Down", show=False),
        Binding("up", "step(-1)", "Up", show=False),
        Binding("pagedown", "step(10)", "Page down", show=False),
        Binding("pageup", "step(-10)", "Page up", show=False),
        _CANCEL,
    ]

    def __init__(self, title: str, values: Sequence[str]) -> None:
        super().__init__()
        self._heading = title
        self._values = tuple(values)
        self._shown = self._values

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = self._heading
            yield Input(placeholder="type to find", compact=True, id="find")
            values = OptionList(*map(_option, self._values), id="values")
            values.can_focus = False
            yield values
            yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#values", OptionList).highlighted = 0

    @on(Input.Changed)
    def find(self, event: Input.Changed) -> None:
        words = event.value.lower().split()
        self._shown = tuple(value for value in self._values if all(word in value.lower() for word in words))
        values = self.query_one("#values", OptionList)
        values.clear_options()
        values.add_options(map(_option, self._shown))
        values.highlighted = 0 if self._shown else None

    @on(Input.Submitted)
    def take(self) -> None:
        at = self.query_one("#values", OptionList).highlighted
        _ = self.dismiss(self._shown[at] if at is not None else "")

    @on(OptionList.OptionSelected)
    def take_clicked(self, event: OptionList.OptionSelected) -> None:
        _ = self.dismiss(self._shown[event.option_index])

    def action_step(self, by: int) -> None:
        values = self.query_one("#values", OptionList)
        if self._shown:
            values.highlighted = max(0, min(len(self._shown) - 1, (values.highlighted or 0) + by))

    def action_cancel(self) -> None:
        _ = self.dismiss("")


def _option(value: str) -> Option:
    return Option(Content(value))
