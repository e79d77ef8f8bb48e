"""Screens of plain text: an error, help, a plan, a log."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bootkit.errors import BootkitError, CommandFailed, Interrupted
from bootkit.i18n import spoken, tr
from bootkit.tui.keys import key
from bootkit.tui.screens.dialog import Dialog
from bootkit.tui.widgets.key_bar import KeyBar

_CLOSE = key("escape,q,enter", "close", tr("Close"), display="Esc")


class TextScreen(Dialog[None]):
    """A text to read; Esc closes it."""

    HELP_TEXT = tr("A text to read. The arrows and Page Down scroll.")
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE]

    def __init__(self, title: str, text: str | Content) -> None:
        super().__init__()
        self._heading = title
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall") as dialog:
            dialog.border_title = self._heading
            with VerticalScroll():
                yield Static(self._text, id="text", markup=False)
            yield KeyBar()

    def action_close(self) -> None:
        _ = self.dismiss()


class ErrorScreen(Dialog[None]):
    """What went wrong in a line, the way out, and what a program said where one failed."""

    HELP_TEXT = tr("Something did not work; the second line tells what to do about it. d shows what a program said.")
    BINDINGS: ClassVar[list[BindingType]] = [_CLOSE, key("d", "details", tr("Details"))]

    def __init__(self, error: BootkitError) -> None:
        super().__init__()
        self._error = error

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog error") as dialog:
            dialog.border_title = tr("Cancelled") if isinstance(self._error, Interrupted) else tr("It did not work")
            with VerticalScroll(id="words"):
                yield Static(spoken(self._error.message), id="message", markup=False)
                yield Static(spoken(self._error.hint), id="hint", markup=False)
                yield Static(_details(self._error), id="details", markup=False)
            yield KeyBar()

    def action_details(self) -> None:
        self.query_one("#details").toggle_class("-shown")

    def action_close(self) -> None:
        _ = self.dismiss()


def _details(error: BootkitError) -> str:
    lines = [
        tr(
            "kind: {name}, exit status {exit_code} on the command line",
            name=type(error).__name__,
            exit_code=error.exit_code,
        )
    ]
    if isinstance(error, CommandFailed):
        lines += [" ".join(error.argv), error.stderr.strip()]
    cause = error.__cause__
    return "\n".join([*lines, *([tr("because of {cause}", cause=repr(cause))] if cause else [])])
