"""The program: one stick, its screens, and the help of all of them."""

from collections.abc import Iterable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.filter import LineFilter
from textual.screen import Screen
from textual.scrollbar import ScrollBar

from bootkit.errors import BootkitError
from bootkit.system.sticks import mounted_sticks
from bootkit.tui.harmless import HARMLESS
from bootkit.tui.help import help_text, own_bindings
from bootkit.tui.screens.stick import StickScreen
from bootkit.tui.screens.text import TextScreen
from bootkit.tui.theme import THEME, WIDE, PlainScrollBar


class BootkitApp(App[None]):
    TITLE = "bootkit"
    CSS = files("bootkit.tui").joinpath("bootkit.tcss").read_text(encoding="utf-8")  # CSS_PATH knows no zip archive
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", key_display="F1"),
        Binding("p", "prepare", "Make a stick", show=False, tooltip="bootkit prepare"),
        Binding("ctrl+q", "quit", "Quit", show=False),
    ]

    def __init__(self, stick: Path | None) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
        self._stick = stick
        self.register_theme(THEME)
        self.theme = THEME.name
        ScrollBar.renderer = PlainScrollBar

    def on_mount(self) -> None:
        if self._stick is None:
            self.action_prepare()
        else:
            _ = self.push_screen(StickScreen(self._stick))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Every line of every widget passes here on its way to the terminal."""
        return [*super().get_line_filters(), HARMLESS]

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The actions that count now, then the images."""
        for binding in own_bindings(screen):
            twin = f"   {binding.tooltip}" if binding.tooltip else ""
            run = partial(self._run, binding.action)
            yield SystemCommand(binding.description, f"key {binding.key_display or binding.key}{twin}", run)
        if isinstance(screen, StickScreen) and screen.overview is not None:
            for item in screen.overview.items:
                title = f"Go to {screen.overview.title(item)}"
                yield SystemCommand(title, item.path, partial(screen.choose, item.path))

    def action_help(self) -> None:
        if not isinstance(self.screen, TextScreen):
            _ = self.push_screen(TextScreen("Help", help_text(self.screen, self.focused)))

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            _ = self.push_screen(CommandPalette(placeholder="any part of what can be done, or of an image's name"))

    def action_prepare(self) -> None:
        from bootkit.tui.screens.prepare import PrepareScreen  # and all that writes to disks, only where it is needed

        if not isinstance(self.screen, PrepareScreen):
            _ = self.push_screen(PrepareScreen(), self._prepared)

    def _prepared(self, stick: Path | None) -> None:
        if stick is not None and stick.is_file():
            self._stick = stick
            _ = self.push_screen(StickScreen(stick))
        elif self._stick is None:
            self.exit()

    async def _run(self, action: str) -> None:
        await self.run_action(action, self.focused or self.screen)


def find_stick(named: Path | None) -> Path | None:
    """The stick that is meant; ``None`` if there is none yet, and one may be made.

    Raises:
        BootkitError: several are mounted.
    """
    if named is not None:
        return named
    match mounted_sticks():
        case []:
            return None
        case [stick]:
            return stick
        case several:
            names = ", ".join(map(str, several))
            raise BootkitError(f"there are several bootkit sticks: {names}", hint="name the one you mean: --stick PATH")


def run_tui(named: Path | None) -> None:
    """Run the text interface until the user leaves it."""
    BootkitApp(find_stick(named)).run()
