"""Dialogs: a frame over the screen below, with its keys at the foot, whatever its size."""

from typing import ClassVar, TypeVar

from textual.binding import BindingType
from textual.screen import ModalScreen

from bootkit.tui.keys import HELP

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """A screen over another one. Its way out is a key that its footer shows; F1 tells of it."""

    HELP_TEXT = ""
    BINDINGS: ClassVar[list[BindingType]] = [HELP]
