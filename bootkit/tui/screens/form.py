"""A few fields to fill in, and the piece of work that they are for; what does not work leaves the form as it was."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Input, Static

from bootkit.i18n import tr
from bootkit.tui.keys import key
from bootkit.tui.progress import Job
from bootkit.tui.screens.base import BaseScreen
from bootkit.tui.screens.dialog import Dialog
from bootkit.tui.widgets.choice_field import ChoiceField
from bootkit.tui.widgets.field import Field
from bootkit.tui.widgets.key_bar import KeyBar
from bootkit.tui.widgets.path_suggester import PathSuggester
from bootkit.values import dataclass

T = TypeVar("T")
Filled = Mapping[str, str]
"""What is in the fields, by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    name: str
    label: str
    example: str = ""
    """Shown while nothing is typed."""
    text: str = ""
    choices: tuple[str, ...] = ()
    """The first counts where nothing is chosen."""
    hidden: bool = False
    is_path: bool = False


class FormScreen(Dialog[T], BaseScreen[T], Generic[T]):
    """The answer is what the work gives; none if the form was left."""

    HELP_TEXT = tr(
        "Tab and the arrows go through the fields, Space through the values of a choice. Ctrl+S does what the form is for."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+s", "go_on", tr("Do it"), display="^s"),
        key("escape", "cancel", tr("Leave it"), display="Esc"),
    ]

    def __init__(self, title: str, text: str, fields: Sequence[FormField], job: Callable[[Filled, Job], T]) -> None:
        super().__init__()
        self._heading = title
        self._text = text
        self._fields = tuple(fields)
        self._job = job

    @property
    def filled(self) -> Filled:
        return {field.name: self._value(field) for field in self._fields}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._heading
            with VerticalScroll(id="words", can_focus=False):
                yield Static(self._text, id="text", markup=False)
                for field in self._fields:
                    yield Field(field.label, _widget(field))
            yield KeyBar()

    @on(Input.Submitted)
    def to_the_next(self, event: Input.Submitted) -> None:
        if event.input.id == self._fields[-1].name:
            self.action_go_on()
        else:
            self.focus_next()

    def action_go_on(self) -> None:
        filled = self.filled
        self.work(self._heading, lambda progress: self._job(filled, progress), self._done)

    def action_cancel(self) -> None:
        _ = self.dismiss(None)

    def _done(self, result: T) -> None:
        _ = self.dismiss(result)

    def _value(self, field: FormField) -> str:
        widget = self.query_one(f"#{field.name}")
        if isinstance(widget, ChoiceField):
            return str(widget.value)
        assert isinstance(widget, Input)
        return widget.value if field.hidden else widget.value.strip()


def path_of(text: str) -> Path:
    """The path that was typed into a field."""
    return Path(text).expanduser()


def _widget(field: FormField) -> Input | ChoiceField:
    if field.choices:
        return ChoiceField(field.choices, field.choices, field.choices[0], name=field.name)
    return Input(
        field.text,
        placeholder=field.example,
        password=field.hidden,
        suggester=PathSuggester() if field.is_path else None,
        compact=True,
        id=field.name,
    )
