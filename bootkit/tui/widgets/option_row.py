"""One option as a line of a form: its title, its value, and where that comes from."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label

from bootkit.app.verbs.options import Listed, shown_value, suggestions, typed_value, value_problem
from bootkit.i18n import spoken, tr
from bootkit.model.options import Kind, OptionSpec, Scope, Value
from bootkit.tui.keys import key
from bootkit.tui.widgets.choice_field import ChoiceField
from bootkit.tui.widgets.field import Line


class OptionRow(Line):
    """Posts :class:`Edited` with each change, also with a value that is none: ``problem`` says so."""

    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+u", "unset", tr("Unset"), display="^u", twin="bootkit options unset"),
    ]

    @dataclass
    class Edited(Message):
        spec: OptionSpec
        value: Value | None
        """The value that was chosen; ``None`` where the wider scope counts."""
        problem: str

    def __init__(
        self, listed: Listed, own: Value | None, inherited: Value, *, scope: Scope, offered: tuple[str, ...] = ()
    ) -> None:
        """``own`` is what the place has itself; ``offered`` are the values that the stick has for it."""
        super().__init__(id=f"row-{listed.spec.key}", disabled=bool(listed.reason))
        self.listed = listed
        self.spec = listed.spec
        self.problem = ""
        self.known = offered or suggestions(listed.spec)
        self._must_be_known = bool(offered) and listed.spec.kind in (Kind.PATH, Kind.TEXT)
        self._kept = own
        self._own: Value | None = own
        self._inherited = inherited
        self._scope = scope

    def compose(self) -> ComposeResult:
        yield Label(spoken(self.spec.title), classes="title", markup=False)
        yield self._field()
        yield Label(self._origin(), classes="origin", id="origin", markup=False)

    @property
    def text(self) -> str:
        """What the line is about, for the help below the form."""
        return f"{spoken(self.spec.title)}: {spoken(self.problem or self.listed.reason or self.spec.help)}"

    @property
    def twin(self) -> str:
        """The command that does the same."""
        return f"bootkit options set {self.spec.key}"

    def action_unset(self) -> None:
        match self.query_one("#value"):
            case ChoiceField() as field:
                field.reset()
            case Input() as field:
                field.value = ""
            case _:
                return

    def take(self, text: str) -> None:
        """Take over a value that was chosen or typed elsewhere."""
        field = self.query_one("#value")
        if isinstance(field, Input):
            before = field.value.rstrip(" /") if self.spec.kind is Kind.FILES else ""
            field.value = f"{before} / {text}" if before else text
            field.cursor_position = len(field.value)

    def on_choice_field_changed(self, event: ChoiceField.Changed) -> None:
        event.stop()
        self._edited(event.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        text = event.value.strip()
        self._edited(typed_value(self.spec, text) if text else None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    def _edited(self, value: Value | None) -> None:
        if value == self._own and not self.problem:
            return
        self._own = value
        self.problem = "" if value is None else self._problem(value)
        self.set_class(bool(self.problem), "-wrong")
        self.set_class(value is not None, "-own")
        self.query_one("#origin", Label).update(self._origin())
        self.post_message(self.Edited(self.spec, value, self.problem))

    def _problem(self, value: Value) -> str:
        if trouble := value_problem(self.spec, value):
            return trouble
        return tr("is none of those on the stick") if self._must_be_known and value not in self.known else ""

    def _origin(self) -> str:
        """Where the value comes from; a star if that is not written yet."""
        if self.listed.reason:
            return tr("no effect")
        if self.problem:
            return tr("! not possible")
        scope = self._scope if self._own is not None else self.listed.scope
        words = tr("default") if scope is Scope.DEFAULT else spoken(scope.words)
        return f"* {words}" if self._own != self._kept else words

    def _field(self) -> Input | ChoiceField:
        inherited = shown_value(self.spec, self._inherited)
        is_secret = self.spec.kind is Kind.PASSWORD
        match self.spec.kind:
            case Kind.SWITCH:
                return self._choice((f"({spoken(inherited)})", tr("yes"), tr("no")), (None, True, False))
            case Kind.CHOICE:
                return self._choice((f"({inherited})", *self.spec.choices), (None, *self.spec.choices))
            case _:
                return Input(
                    self._text(),
                    placeholder="" if inherited == "-" else spoken(inherited) if is_secret else inherited,
                    suggester=SuggestFromList(self.known, case_sensitive=False) if self.known else None,
                    password=is_secret,
                    select_on_focus=False,
                    compact=True,
                    id="value",
                )

    def _choice(self, labels: tuple[str, ...], values: tuple[Value | None, ...]) -> ChoiceField:
        return ChoiceField(labels, values, self._own, name="value")

    def on_mount(self) -> None:
        self.set_class(self._own is not None, "-own")

    def _text(self) -> str:
        if self._own is None:
            return ""
        if isinstance(self._own, tuple):
            return (" / " if self.spec.kind is Kind.FILES else " ").join(self._own)
        return str(self._own)
