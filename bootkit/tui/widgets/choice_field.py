"""A field of a few values that space and the arrows go through."""

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from bootkit.i18n import tr
from bootkit.model.options import Value
from bootkit.tui.keys import key


class ChoiceField(Widget, can_focus=True):
    """One of ``values``; ``None`` among them stands for the value of a wider scope."""

    HELP_TEXT = tr("Space and the right arrow go to the next value, the left arrow to the one before.")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("space,right,enter", "step(1)", tr("Next value"), display="Space"),
        key("left", "step(-1)", tr("Value before"), shown=False),
    ]

    at: reactive[int] = reactive(0)

    @dataclass
    class Changed(Message):
        field: "ChoiceField"
        value: Value | None

        @property
        def control(self) -> "ChoiceField":
            return self.field

    def __init__(
        self, labels: tuple[str, ...], values: tuple[Value | None, ...], value: Value | None, *, name: str
    ) -> None:
        super().__init__(id=name)
        self._labels = labels
        self._values = values
        self.set_reactive(ChoiceField.at, values.index(value) if value in values else 0)

    @property
    def value(self) -> Value | None:
        return self._values[self.at]

    def reset(self) -> None:
        """Go back to the value of the wider scope."""
        self._go(self._values.index(None) if None in self._values else 0)

    def render(self) -> str:
        return f"< {self._labels[self.at]} >"

    def action_step(self, by: int) -> None:
        self._go((self.at + by) % len(self._values))

    def on_click(self) -> None:
        self.action_step(1)

    def _go(self, at: int) -> None:
        if at != self.at:
            self.at = at
            self.post_message(self.Changed(self, self.value))
