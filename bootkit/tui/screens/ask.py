"""Questions: yes or no, a word to type, a password, one value out of many."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from bootkit.i18n import tr
from bootkit.tui.keys import key
from bootkit.tui.screens.dialog import Dialog
from bootkit.tui.widgets.key_bar import KeyBar

_CANCEL = key("escape", "cancel", tr("Cancel"), display="Esc")
_TAKE = key("enter", "take", tr("Go on"), display="Enter", first=True)


class ConfirmScreen(Dialog[bool]):
    """Whether something is to be done that takes something away; the answer is true for yes."""

    HELP_TEXT = tr("Return does what is asked, Esc leaves everything as it is.")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter,y", "take", tr("Do it"), display="Enter"),
        key("escape,n", "cancel", tr("Leave it"), display="Esc"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._heading = title
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._heading
            with VerticalScroll(id="words"):
                yield Static(self._text, id="text", markup=False)
            yield KeyBar()

    def action_take(self) -> None:
        _ = self.dismiss(result=True)

    def action_cancel(self) -> None:
        _ = self.dismiss(result=False)


class AskScreen(Dialog[str]):
    """A question; the answer is what was typed, empty if nothing. A new secret is asked for ``twice``."""

    HELP_TEXT = tr("A question. Return takes what was typed, Esc leaves everything as it is.")
    BINDINGS: ClassVar[list[BindingType]] = [_TAKE, _CANCEL]

    def __init__(self, title: str, text: str, *, hidden: bool = False, twice: bool = False) -> None:
        super().__init__()
        self._heading = title
        self._text = text
        self._hidden = hidden
        self._twice = twice
        self._first: str | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._heading
            yield Static(self._text, id="text", markup=False)
            yield Input(password=self._hidden, compact=True, id="answer")
            yield KeyBar()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if not self._twice or self._first == event.value:
            _ = self.dismiss(event.value)
            return
        again = (
            tr("Once more.") if self._first is None else tr("That was something else. Once more, from the beginning.")
        )
        self._first = event.value if self._first is None else None
        self.query_one("#text", Static).update(f"{self._text}\n{again}")
        event.input.clear()

    async def action_take(self) -> None:
        await self.query_one(Input).action_submit()

    def action_cancel(self) -> None:
        _ = self.dismiss("")


class PickScreen(Dialog[str]):
    """A list to choose from; the answer is one of the values, empty for none."""

    HELP_TEXT = tr("Type any part of a value to find it; the arrows go through the list, Return takes one.")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("down", "step(1)", tr("Down"), shown=False),
        key("up", "step(-1)", tr("Up"), shown=False),
        key("pagedown", "step(10)", tr("Page down"), shown=False),
        key("pageup", "step(-10)", tr("Page up"), shown=False),
        _TAKE,
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
            yield Input(placeholder=tr("type to find"), compact=True, id="find")
            values = OptionList(*map(_option, self._values), id="values")
            values.can_focus = False
            yield values
            yield KeyBar()

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
    def action_take(self) -> None:
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
