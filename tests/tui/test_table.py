"""What fits into a cell."""

import pytest

from bootkit.tui.widgets.image_table import cut, fitted


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
