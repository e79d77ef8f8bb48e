"""What fits into a cell."""

from pathlib import Path

import pytest

from bootkit.tui.widgets.image_table import cut, fitted
from tests.tui.conftest import app_for, opened, shown


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), ""),
        (("home anna", "2 ext"), "home anna, 2 ext"),
        (("home anna", "2 ext", "1 script", "changes"), "home anna, 2 ext, +2"),
        (("home wolfgang", "12 ext", "changes"), "home wolfgang, +2"),
        (("home of-a-very-long-name", "12 ext"), "home of-a-very-lo..."),
    ],
)
def test_what_has_no_room_is_counted(words: tuple[str, ...], text: str) -> None:
    assert fitted(words, 20) == text


def test_wide_letters_are_cut_where_they_end() -> None:
    assert cut("深度操作系统 25", 11) == "深度操作..."
    assert cut("深度", 4) == "深度"


async def test_a_second_home_is_said_to_be_off(shelf: Path) -> None:
    (shelf / "boot/home/bert.home").touch()
    app = app_for(shelf)
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(pilot)
        assert "No home is on: there are several (anna, bert)" in shown(pilot)
