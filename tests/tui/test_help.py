"""Help, palette, search: what tells a user the way."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.color import Color
from textual.dom import DOMNode
from textual.filter import Monochrome

import bootkit.tui
from bootkit.cli.tui_command import TWINS
from bootkit.tui.screens.stick import StickScreen
from bootkit.tui.screens.text import TextScreen
from bootkit.tui.widgets.image_table import ImageTable
from tests.commands import every_command
from tests.tui.conftest import app_for, on, opened, shown, strips, typed, until

MOVES = frozenset(
    [
        "screen.drop",
        "focus_previous",
        "focus_next",
        "cancel",
        "choose",
        "clear_search",
        "close",
        "go_on",
        "details",
        "down",
        "focus",
        "help",
        "leave",
        "page_down",
        "quit",
        "search",
        "section",
        "step",
        "take",
        "up",
    ]
)
"""Actions that do nothing to a stick: they move about in the program."""


def own_bindings() -> Iterator[tuple[str, Binding]]:
    """Every binding that bootkit declares, with the class that has it."""
    for found in pkgutil.walk_packages(bootkit.tui.__path__, "bootkit.tui."):
        module = importlib.import_module(found.name)
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and issubclass(kind, DOMNode):
                yield from ((name, bound) for bound in vars(kind).get("BINDINGS", []) if isinstance(bound, Binding))


@cache
def commands() -> set[str]:
    """The commands of the command line, by their words."""
    return {f"bootkit {words}" for path in every_command() for words in (path, path.split()[0])}


def is_command(text: str) -> bool:
    """Whether ``text`` begins with a command that is there, whatever options and values follow."""
    words = [word for word in text.split() if word]
    return words[:1] == ["bootkit"] and any(" ".join(words[:count]) in commands() for count in (2, 3))


@pytest.mark.parametrize(("owner", "binding"), list(own_bindings()), ids=lambda value: getattr(value, "action", value))
def test_every_action_names_its_twin_on_the_command_line(owner: str, binding: Binding) -> None:
    action = binding.action.partition("(")[0].removeprefix("app.")
    if action in MOVES:
        return
    assert binding.description, owner
    assert is_command(binding.tooltip) or (action, binding.tooltip) == ("cancel", "Ctrl+C"), owner


def test_the_words_for_no_terminal_name_commands_that_are_there() -> None:
    named = re.findall(r"bootkit [a-z]+", TWINS)
    assert len(named) > 5
    assert set(named) <= commands()


async def test_f1_tells_of_the_screen_of_what_is_focused_and_of_the_keys(shelf: Path) -> None:
    async with app_for(shelf).run_test(size=(100, 40)) as pilot:
        await opened(pilot)
        await pilot.press("f1")
        await on(pilot, TextScreen)
        text = shown(pilot)
        assert "Each line is an image" in text
        assert re.search(r"\ba +Add +bootkit add", text)
        assert re.search(r"\bt +Test +bootkit test", text)
        await pilot.press("escape")
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("f1")
        await on(pilot, TextScreen)
        assert "bootkit options set language" in shown(pilot)


async def test_an_image_is_found_by_typing(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        screen = await opened(pilot)
        await pilot.press("slash")
        await typed(pilot, "tumble")
        await pilot.press("enter")
        assert screen.query_one(ImageTable).row_count == 1
        assert screen.chosen
        assert "openSUSE" in screen.chosen.title
        await pilot.press("escape")
        assert screen.query_one(ImageTable).row_count == 10
        assert "openSUSE" in screen.chosen.title


async def test_the_palette_knows_the_actions_and_the_images(shelf: Path) -> None:
    app = app_for(shelf)
    async with app.run_test() as pilot:
        screen = await opened(pilot)
        await pilot.press("ctrl+p")
        await typed(pilot, "go to tails")
        await until(pilot, lambda: "tails-amd64-6.0.iso" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is screen and screen.chosen and "Tails" in screen.chosen.title)
        titles = [command.title for command in app.get_system_commands(screen)]
        assert {"Add", "Generate", "Help", "Quit", "Go to Tails 6.0 (x86_64)"} <= set(titles)


async def test_without_colours_every_state_is_a_word(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        rows = [line for line in shown(pilot).splitlines() if "GiB" in line or "MiB" in line]
        assert len([row for row in rows if " yes " in row]) == 9
        assert len([row for row in rows if " no " in row]) == 1
        assert pilot.app.no_color
        colours = {
            colour
            for strip in strips(pilot)
            for segment in strip.apply_filter(Monochrome(), Color(0, 0, 0))
            if segment.style and segment.style.color and (colour := segment.style.color.get_truecolor())
        }
        assert len(colours) > 1
        assert all(red == green == blue for red, green, blue in colours)


async def test_nothing_is_lost_on_eighty_columns(shelf: Path) -> None:
    async with app_for(shelf).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        lines = shown(pilot).splitlines()
        assert max(map(len, lines)) <= 80
        assert "Help" in lines[-1]
        assert "home anna" in "\n".join(lines)
        assert isinstance(pilot.app.screen, StickScreen)
