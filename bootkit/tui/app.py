"""The program: one stick, its screens, and the help of all of them."""

import signal
from collections.abc import Iterable, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.command import CommandPalette
from textual.filter import LineFilter
from textual.screen import Screen
from textual.scrollbar import ScrollBar

from bootkit.i18n import tr
from bootkit.system.sticks import mounted_sticks
from bootkit.tui.harmless import HARMLESS
from bootkit.tui.help import help_text, own_bindings
from bootkit.tui.keys import key
from bootkit.tui.preferences import Preferences, preferences_file, read_preferences, require_known
from bootkit.tui.screens.ask import PickScreen
from bootkit.tui.screens.stick import StickScreen
from bootkit.tui.screens.text import TextScreen
from bootkit.tui.theme import OUR_THEMES, WIDE, PlainScrollBar


class BootkitApp(App[None]):
    TITLE = "bootkit"
    CSS = files("bootkit.tui").joinpath("bootkit.tcss").read_text(encoding="utf-8")  # CSS_PATH knows no zip archive
    BINDINGS: ClassVar[list[BindingType]] = [
        key("f1", "help", tr("Help"), display="F1"),
        key("p", "prepare", tr("Make a stick"), shown=False, twin="bootkit prepare"),
        key("ctrl+q", "quit", tr("Quit"), shown=False),
    ]

    def __init__(self, sticks: Sequence[Path], preferences: Preferences | None = None) -> None:
        """None of ``sticks`` leads to the making of one; of several, the user chooses.

        Raises:
            UsageError: ``preferences`` has a theme or an action that there is not.
        """
        super().__init__()
        preferences = preferences or Preferences()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
        self._sticks = tuple(sticks)
        for theme in OUR_THEMES:
            self.register_theme(theme)
        require_known(preferences, frozenset(self.available_themes), _actions())
        self.theme = preferences.theme
        self.set_keymap(dict(preferences.keys))
        ScrollBar.renderer = PlainScrollBar

    def on_mount(self) -> None:
        match self._sticks:
            case ():
                self.action_prepare()
            case (stick,):
                self._open(stick)
            case several:
                names = tuple(map(str, several))
                _ = self.push_screen(PickScreen(tr("There are several sticks. Which one?"), names), self._chosen)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Every line of every widget passes here on its way to the terminal."""
        return [*super().get_line_filters(), HARMLESS]

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The actions that count now, the images, and the themes."""
        for binding in own_bindings(screen):
            twin = f"   {binding.tooltip}" if binding.tooltip else ""
            run = partial(self._run, binding.action)
            yield SystemCommand(
                binding.description,
                tr("key {key}", key=self.get_key_display(binding)) + twin,
                run,
            )
        if isinstance(screen, StickScreen) and screen.overview is not None:
            for item in screen.overview.items:
                title = tr("Go to {title}", title=screen.overview.title(item))
                yield SystemCommand(title, item.path, partial(screen.choose, item.path))
        for name in sorted(self.available_themes):
            keep = tr(
                'to keep it: theme = "{name}" in {preferences_file}', name=name, preferences_file=preferences_file()
            )
            yield SystemCommand(tr("Theme {name}", name=name), keep, partial(setattr, self, "theme", name))

    def action_help(self) -> None:
        if not isinstance(self.screen, TextScreen):
            _ = self.push_screen(TextScreen(tr("Help"), help_text(self.screen, self.focused)))

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, CommandPalette):
            _ = self.push_screen(CommandPalette(placeholder=tr("any part of what can be done, or of an image's name")))

    def action_prepare(self) -> None:
        from bootkit.tui.screens.prepare import PrepareScreen  # and all that writes to disks, only where it is needed

        if not isinstance(self.screen, PrepareScreen):
            _ = self.push_screen(PrepareScreen(), self._prepared)

    async def action_quit(self) -> None:
        """End the program, once what was removed has gone for good."""
        stick = next((screen for screen in self.screen_stack if isinstance(screen, StickScreen)), None)
        if stick is None:
            self.exit()
        else:
            stick.leave()

    def _open(self, stick: Path) -> None:
        self._sticks = (stick,)
        _ = self.push_screen(StickScreen(stick))

    def _chosen(self, stick: str | None) -> None:
        if stick:
            self._open(Path(stick))
        else:
            self.exit()

    def _prepared(self, stick: Path | None) -> None:
        if stick is not None:
            self._open(stick)
        elif not self._sticks:
            self.exit()

    async def _run(self, action: str) -> None:
        await self.run_action(action, self.focused or self.screen)


def _actions() -> frozenset[str]:
    """All actions that a key map can name: those of every screen and widget that are loaded."""
    from textual.dom import DOMNode

    kinds = [DOMNode]
    for kind in kinds:
        kinds += kind.__subclasses__()
    own = (kind for kind in kinds if kind.__module__.startswith("bootkit."))
    bindings = (binding for kind in own for binding in vars(kind).get("BINDINGS", ()))
    return frozenset(binding.id for binding in bindings if getattr(binding, "id", None))


def find_sticks(named: Path | None) -> tuple[Path, ...]:
    """The sticks that may be meant; none if there is none yet, and one may be made."""
    return (named,) if named is not None else mounted_sticks()


def run_tui(named: Path | None) -> None:
    """Run the text interface until the user leaves it, or the terminal is gone."""
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        # to unwind would be to draw, and Textual waits for ever for a terminal that takes no more
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    BootkitApp(find_sticks(named), read_preferences()).run()
