"""The same with the mouse: rows, keys of the footer, fields, lists, the wheel."""

from pathlib import Path

from textual.events import MouseScrollDown, MouseScrollUp
from textual.widget import Widget
from textual.widgets import Input, OptionList

from bootkit.tui.screens.ask import PickScreen
from bootkit.tui.screens.options import OptionsScreen
from bootkit.tui.screens.stick import StickScreen
from bootkit.tui.screens.text import TextScreen
from bootkit.tui.widgets.choice_field import ChoiceField
from bootkit.tui.widgets.image_table import ImageTable
from bootkit.tui.widgets.preview import Preview
from tests.tui.conftest import Pilots, app_for, on, opened, shown, until


def row_of(pilot: Pilots, words: str) -> tuple[int, int]:
    """Where on the screen something stands."""
    lines = shown(pilot).splitlines()
    row = next(row for row, line in enumerate(lines) if words in line)
    return lines[row].index(words), row


async def turn(pilot: Pilots, widget: Widget, wheel: type[MouseScrollDown | MouseScrollUp], clicks: int) -> None:
    """Turn the wheel over a widget."""
    x, y = widget.region.center
    for _ in range(clicks):
        pilot.app.screen.post_message(
            wheel(None, int(x), int(y), 0, 0, 0, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y)
        )
    await pilot.pause()


async def test_a_click_chooses_an_image_and_another_opens_its_options(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        screen = await opened(pilot)
        place = row_of(pilot, "Linux Mint 22")
        await pilot.click(offset=place)
        assert screen.chosen
        assert "Mint" in screen.chosen.title
        assert isinstance(pilot.app.screen, StickScreen)
        await pilot.click(offset=place)
        await on(pilot, OptionsScreen)
        assert "Options of Linux Mint 22" in shown(pilot)


async def test_the_keys_of_the_footer_can_be_clicked(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        screen = await opened(pilot)
        await pilot.click(offset=row_of(pilot, "F1 Help"))
        await on(pilot, TextScreen)
        await pilot.click(offset=row_of(pilot, "Esc Close"))
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.click(offset=row_of(pilot, "/ Find"))
        await until(pilot, lambda: screen.query_one("#search").has_focus)


async def test_fields_and_lists_of_a_form_take_clicks(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        await pilot.press("o")
        await on(pilot, OptionsScreen)
        form = pilot.app.screen
        field = form.query_one("#row-menu_language #value", ChoiceField)
        before = field.value
        await pilot.click(field)
        assert field.value != before
        await pilot.click("#row-keyboard #value")
        assert form.query_one("#row-keyboard #value").has_focus
        await pilot.click(offset=row_of(pilot, "F2 Values"))
        await on(pilot, PickScreen)
        pilot.app.screen.query_one("#find", Input).value = "dvorak"
        await pilot.pause()
        values = pilot.app.screen.query_one(OptionList)
        await pilot.click(values, offset=(2, 1))
        await until(pilot, lambda: pilot.app.screen is form)
        assert "dvorak" in form.query_one("#row-keyboard #value", Input).value


async def test_the_wheel_scrolls_what_is_under_the_pointer(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        screen = await opened(pilot)
        preview, table = screen.query_one(Preview), screen.query_one(ImageTable)
        chosen = table.chosen
        await turn(pilot, preview, MouseScrollDown, 3)
        await until(pilot, lambda: preview.scroll_offset.y > 0)
        await turn(pilot, preview, MouseScrollUp, 6)
        await until(pilot, lambda: preview.scroll_offset.y == 0)
        assert table.chosen == chosen
        await pilot.press("enter")
        await on(pilot, OptionsScreen)
        form = pilot.app.screen.query_one("#form")
        await turn(pilot, form, MouseScrollDown, 5)
        await until(pilot, lambda: form.scroll_offset.y > 0)
