"""What all sections of a stick have in common: the line of sections, and the keys that change between them."""

from typing import ClassVar, Generic, TypeVar

from textual.binding import BindingType

from bootkit.tui.keys import key
from bootkit.tui.screens.base import BaseScreen
from bootkit.tui.widgets.section_bar import SECTIONS

R = TypeVar("R")


class SectionScreen(BaseScreen[R], Generic[R]):
    SECTION: ClassVar[str] = "1"
    BINDINGS: ClassVar[list[BindingType]] = [
        key(section.digit, f"section('{section.digit}')", section.title, shown=False) for section in SECTIONS
    ]

    def action_section(self, digit: str) -> None:
        if digit != self.SECTION:
            self.go_to(digit)

    def go_to(self, digit: str) -> None:
        """Leave this section for another one."""
        raise NotImplementedError
