"""Titles and names out of images cannot reach the terminal that the screens are drawn on."""

import re
from pathlib import Path

from bootkit.tui.screens.text import TextScreen
from tests.conftest import copy_with_holes
from tests.tui.conftest import app_for, on, opened, strips

EVIL = "Live\x1b]0;owned\x07\x9b31m\u202etxt\u2066"
DANGEROUS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


async def test_no_screen_moves_the_cursor(shelf: Path) -> None:
    one = next((shelf / "boot/iso").rglob("*.iso"))
    copy_with_holes(one, one.with_name(f"{EVIL}.iso"))
    app = app_for(shelf)
    async with app.run_test(size=(120, 30)) as pilot:
        await opened(pilot)
        table = [segment.text for strip in strips(pilot) for segment in strip]
        _ = app.push_screen(TextScreen("Log", f"before {EVIL} behind\n" * 3))
        await on(pilot, TextScreen)
        await pilot.pause()
        log = [segment.text for strip in strips(pilot) for segment in strip]
    assert "owned" in "".join(table)
    assert "owned" in "".join(log)
    assert not DANGEROUS.search("".join(table) + "".join(log))
