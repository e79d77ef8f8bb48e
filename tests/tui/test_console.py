"""The console of a machine that is tested, while it runs."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from bootkit.tui import jobs
from bootkit.tui.access import StickAccess
from bootkit.tui.progress import Job
from bootkit.tui.screens.text import ErrorScreen
from bootkit.tui.screens.work import WorkScreen
from tests.tui.conftest import app_for, on, opened, shown, until

SERIAL = (
    "\x1b[0m\x1b[2J\x1b[1;1HGNU GRUB  version 2.06\x1b[5;3H*Live system\x1b[6;3H Install",
    "\x1b[20;1Hin 2s\x1b[20;1Hin 2s\x1b[20;1Hin 1s\x1b[2",
    "J\x1b[H[    0.000000] Linux version 6.1.0\r\n[\x1b[0;32m  OK  \x1b[0m] Started tty\r\nlive log",
    "in: ",
)


def heard(*pieces: str) -> list[str]:
    progress = Job()
    for piece in pieces:
        progress.hear(piece)
    return progress.told().splitlines()


def test_what_a_machine_writes_becomes_lines_without_escapes() -> None:
    assert heard(*SERIAL, "") == [
        "GNU GRUB  version 2.06",
        "*Live system",
        " Install",
        "in 2s",
        "in 1s",
        "[    0.000000] Linux version 6.1.0",
        "[  OK  ] Started tty",
        "live login:",
    ]


def test_a_line_that_never_ends_takes_no_memory() -> None:
    assert [len(line) for line in heard("x" * 5000, "y" * 10)] == [5000]


async def test_a_test_shows_the_console_and_stops_when_it_is_cancelled(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def endless(_access: StickAccess, paths: Sequence[str], progress: Job) -> None:
        progress.say("bios: Live system")
        for piece in SERIAL:
            progress.hear(piece)
        try:
            for _ in range(500):  # not for ever: a thread cannot be killed
                time.sleep(0.02)
                progress.hear("")
        finally:
            ended.extend(paths)

    monkeypatch.setattr(jobs, "test", endless)
    async with app_for(shelf).run_test() as pilot:
        screen = await opened(pilot)
        await pilot.press("t")
        await on(pilot, WorkScreen)
        await until(pilot, lambda: "live login:" in shown(pilot))
        assert "│ *Live system " in shown(pilot)
        assert "│ [  OK  ] Started tty " in shown(pilot)
        assert "bios: Live system" in shown(pilot)
        assert "\x1b" not in shown(pilot)
        assert not ended
        await pilot.press("escape")
        await on(pilot, ErrorScreen)
        assert ended == [screen.chosen.path if screen.chosen else ""]
        assert "cancelled" in shown(pilot)
