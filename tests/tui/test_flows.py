"""What a user does on the text interface, from the keys to the bytes on the stick."""

import os
from pathlib import Path

import pytest
from textual.widgets import Input

from bootkit.app.stick.images import find_images
from bootkit.model.places import IMAGE_FOLDER, IMAGES_FILE
from bootkit.system import volume
from bootkit.system.changes import Watcher
from bootkit.system.sticks import open_stick
from bootkit.tui.progress import Job
from bootkit.tui.screens.add import AddScreen, SourceTree
from bootkit.tui.screens.ask import ConfirmScreen
from bootkit.tui.screens.options import OptionsScreen
from bootkit.tui.screens.prepare import PrepareScreen
from bootkit.tui.screens.stick import StickScreen
from bootkit.tui.screens.summary import SummaryScreen
from bootkit.tui.screens.text import ErrorScreen, TextScreen
from bootkit.tui.screens.work import WorkScreen
from tests.app.conftest import MakeIso
from tests.tui.conftest import Pilots, app_for, files_below, on, on_medium, opened, shown, typed, until, whole_menu


async def put(pilot: Pilots, image: Path) -> None:
    """Name an image by its path."""
    field = pilot.app.screen.query_one("#path", Input)
    field.value = os.fspath(image)
    field.focus()
    await pilot.press("enter")
    await pilot.pause()


async def test_an_option_of_an_image_ends_up_in_the_menu_on_a_stick_file(stick_file: Path, make_iso: MakeIso) -> None:
    app = app_for(stick_file)
    with open_stick(stick_file, writing=True) as stick:
        stick.volume.copy_in(make_iso("debian.iso"), "/boot/iso/debian.iso", lambda _: None)
    async with app.run_test() as pilot:
        screen = await opened(pilot)
        assert "yes, new" in shown(pilot)
        await pilot.press("enter")
        await on(pilot, OptionsScreen)
        app.screen.query_one("#row-keyboard #value").focus()
        await pilot.pause()
        await typed(pilot, "fr")
        await until(pilot, lambda: "keyboard-layouts=fr" in shown(pilot))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is screen and screen.overview and not screen.overview.changed)
        assert "menu up to date" in shown(pilot)
    assert "keyboard-layouts=fr" in whole_menu(stick_file)
    settings = on_medium(stick_file, "/boot/bootkit/stick.toml")
    assert 'keyboard = "fr"' in settings.partition('[image."/boot/iso/debian.iso"]')[2]
    assert "# Seconds until the first entry starts" in settings


async def test_what_an_image_cannot_honour_is_grey_and_says_why(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        screen = await opened(pilot)
        screen.choose("/boot/iso/memtest86+x64.iso")
        await pilot.press("enter")
        await on(pilot, OptionsScreen)
        row = pilot.app.screen.query_one("#row-language")
        assert row.disabled
        assert "no effect" in shown(pilot)


async def test_a_value_that_is_none_is_refused_while_it_is_typed(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        await pilot.press("enter")
        await on(pilot, OptionsScreen)
        await typed(pilot, "german")
        assert "is no locale" in shown(pilot)
        assert "! not possible" in shown(pilot)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(pilot.app.screen, OptionsScreen)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, OptionsScreen), "what was typed must not get lost by one key"
        await pilot.press("escape")
        await on(pilot, StickScreen)
    assert "german" not in (shelf / "boot/bootkit/stick.toml").read_text()


async def test_values_are_found_in_a_list(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        await pilot.press("o")
        await on(pilot, OptionsScreen)
        pilot.app.screen.query_one("#row-timezone #value").focus()
        await pilot.press("f2")
        await typed(pilot, "berl")
        await pilot.press("enter")
        await on(pilot, OptionsScreen)
        assert pilot.app.screen.query_one("#row-timezone #value", Input).value == "Europe/Berlin"


async def test_the_plan_shows_line_by_line_what_changes(shelf: Path) -> None:
    async with app_for(shelf).run_test(size=(100, 60)) as pilot:
        await opened(pilot)
        await pilot.press("o")
        await on(pilot, OptionsScreen)
        pilot.app.screen.query_one("#row-timeout #value", Input).value = "42"
        await pilot.press("ctrl+l")
        await on(pilot, TextScreen)
        await until(pilot, lambda: "+timeout = 42" in shown(pilot))
        assert "write /boot/bootkit/stick.toml" in shown(pilot)
    assert not (shelf / "boot/grub/grub.cfg").exists()


async def test_a_menu_password_is_asked_for_twice_and_kept_as_a_digest(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        screen = await opened(pilot)
        await pilot.press("o")
        await on(pilot, OptionsScreen)
        pilot.app.screen.query_one("#row-password #value").focus()
        await pilot.press("ctrl+n")
        await typed(pilot, "secret")
        await pilot.press("enter")
        await typed(pilot, "secret")
        await pilot.press("enter")
        await on(pilot, OptionsScreen)
        field = pilot.app.screen.query_one("#row-password #value", Input)
        await until(pilot, lambda: field.value.startswith("grub.pbkdf2.sha512."))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: pilot.app.screen is screen)
    text = (shelf / "boot/bootkit/stick.toml").read_text()
    assert 'password = "grub.pbkdf2.sha512.' in text
    assert "secret" not in text
    assert "# My stick. This line stays." in text


async def test_two_images_are_added_with_a_queue(stick_file: Path, make_iso: MakeIso) -> None:
    first, second = make_iso("one.iso"), make_iso("two.iso")
    app = app_for(stick_file)
    async with app.run_test() as pilot:
        screen = await opened(pilot)
        await pilot.press("a")
        await on(pilot, AddScreen)
        adding = app.screen
        assert isinstance(adding, AddScreen)
        await put(pilot, first)
        tree = adding.query_one(SourceTree)
        tree.path = second.parent
        tree.focus()
        await until(pilot, lambda: len(tree.root.children) == 2)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: list(adding.queue) == [first, second])
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is screen and screen.overview and len(screen.overview.items) == 2)
    assert files_below(stick_file, IMAGE_FOLDER) == ["one.iso", "two.iso"]
    menu = on_medium(stick_file, "/boot/grub/grub.cfg")
    assert "/boot/iso/one.iso" in menu
    assert "/boot/iso/two.iso" in menu


async def test_a_stick_file_is_prepared_by_the_wizard(tmp_path: Path) -> None:
    image = tmp_path / "new.img"
    app = app_for(None)
    async with app.run_test(size=(100, 50)) as pilot:
        await on(pilot, PrepareScreen)
        app.screen.query_one("#file", Input).value = os.fspath(image)
        await pilot.press("ctrl+s")
        await on(pilot, SummaryScreen)
        assert "make a sparse file of 8.0 GiB" in shown(pilot)
        await pilot.press("escape")
        await on(pilot, PrepareScreen)
        app.screen.query_one("#size", Input).value = "180M"
        await pilot.press("ctrl+s")
        await on(pilot, SummaryScreen)
        assert "make a sparse file of 180.0 MiB" in shown(pilot)
        assert not image.exists()
        await pilot.press("ctrl+s")
        screen = await opened(pilot)
        assert screen.access.path == image
    assert "menuentry" in on_medium(image, "/boot/grub/grub.cfg")


async def test_what_holds_something_is_only_prepared_when_it_was_named(tmp_path: Path) -> None:
    image = tmp_path / "old.img"
    image.write_bytes(b"letters to aunt Mary")
    os.truncate(image, 180 << 20)
    before = image.stat().st_mtime_ns
    app = app_for(None)
    async with app.run_test() as pilot:
        await on(pilot, PrepareScreen)
        app.screen.query_one("#file", Input).value = os.fspath(image)
        await pilot.press("ctrl+s")
        await on(pilot, SummaryScreen)
        assert "Everything on it will be lost" in shown(pilot)
        await typed(pilot, "yes")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, SummaryScreen)
    assert image.stat().st_mtime_ns == before


async def test_cancelling_a_preparation_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "new.img"
    steps: list[str] = []

    def cancel_at_the_fifth(self: Job, phase: str) -> None:
        steps.append(phase)
        if len(steps) == 5:
            self.cancel()
        self.check()

    monkeypatch.setattr(Job, "say", cancel_at_the_fifth)
    app = app_for(None)
    async with app.run_test() as pilot:
        await on(pilot, PrepareScreen)
        app.screen.query_one("#file", Input).value = os.fspath(image)
        app.screen.query_one("#size", Input).value = "180M"
        await pilot.press("ctrl+s")
        await on(pilot, SummaryScreen)
        await pilot.press("ctrl+s")
        await on(pilot, ErrorScreen)
        assert "interrupted" in shown(pilot)
    assert not image.exists()


async def test_a_stick_that_vanishes_is_an_error_that_can_be_tried_again(shelf: Path, tmp_path: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        screen = await opened(pilot)
        shelf.rename(tmp_path / "gone")
        await pilot.press("g")
        await on(pilot, ErrorScreen)
        assert "No such file" in shown(pilot)
        (tmp_path / "gone").rename(shelf)
        await until(pilot, lambda: not isinstance(pilot.app.screen, WorkScreen))
        while pilot.app.screen is not screen:
            await pilot.press("escape")
            await pilot.pause(0.1)
        await pilot.press("g")
        await until(pilot, lambda: screen.overview and screen.overview.up_to_date)


async def test_a_stick_that_is_full_takes_nothing(stick_file: Path, make_iso: MakeIso) -> None:
    iso = make_iso("large.iso")
    os.truncate(iso, 500 << 20)
    async with app_for(stick_file).run_test() as pilot:
        await opened(pilot)
        await pilot.press("a")
        await on(pilot, AddScreen)
        await put(pilot, iso)
        assert "TOO MUCH" in shown(pilot)
        await pilot.press("ctrl+s")
        await on(pilot, ErrorScreen)
        assert "free" in shown(pilot)
        assert "bootkit remove" in shown(pilot)
    assert files_below(stick_file, IMAGE_FOLDER) == []


@pytest.mark.parametrize("kind", ["folder", "file"])
async def test_a_copy_that_is_cancelled_leaves_what_was_complete(
    kind: str, shelf: Path, stick_file: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = shelf if kind == "folder" else stick_file
    first, second = make_iso("one.iso"), make_iso("two.iso")
    before = files_below(stick, IMAGE_FOLDER)
    with second.open("ab") as file:
        file.write(os.urandom(8 << 20))
    watcher_of = Job.watcher

    def watcher(self: Job) -> Watcher:
        """Cancels in the middle of the second copy."""
        plain = watcher_of(self)

        def progress(done: int) -> None:
            if self.path.endswith("two.iso") and self.phase == "copying" and done >= 3 * volume.CHUNK:
                self.cancel()
            plain.progress(done)

        return Watcher(begin=plain.begin, progress=progress, end=plain.end)

    monkeypatch.setattr(Job, "watcher", watcher)
    async with app_for(stick).run_test() as pilot:
        screen = await opened(pilot)
        await pilot.press("a")
        await on(pilot, AddScreen)
        for iso in (first, second):
            await put(pilot, iso)
        await pilot.press("ctrl+s")
        await on(pilot, ErrorScreen)
        assert "cancelled" in shown(pilot)
        assert pilot.app.screen.query_one(".dialog").border_title == "Cancelled"
        assert "nothing half-written" in shown(pilot)
        while pilot.app.screen is not screen:
            await pilot.press("escape")
            await pilot.pause(0.1)
        await until(
            pilot, lambda: screen.overview and "/boot/iso/one.iso" in [item.path for item in screen.overview.items]
        )
    assert files_below(stick, IMAGE_FOLDER) == sorted([*before, "one.iso"])
    assert "/boot/iso/one.iso" in on_medium(stick, "/boot/grub/grub.cfg")
    with open_stick(stick) as found:
        assert len(find_images(found.volume)) == len(before) + 1


async def test_an_image_is_removed_after_a_question_and_can_be_taken_back(shelf: Path) -> None:
    path = "/boot/iso/gparted-live-1.6.0-10-amd64.iso"
    image = shelf / path.lstrip("/")
    record = shelf / IMAGES_FILE.lstrip("/")
    known = record.read_bytes()
    aside = image.with_name(f".{image.name}.removed")
    app = app_for(shelf)
    async with app.run_test() as pilot:
        screen = await opened(pilot)

        async def remove() -> None:
            screen.choose(path)
            await pilot.press("delete")
            await on(pilot, ConfirmScreen)
            await pilot.press("enter")
            await until(pilot, lambda: screen.overview and len(screen.overview.items) == 9)

        screen.choose(path)
        await pilot.press("delete")
        await on(pilot, ConfirmScreen)
        assert "Enter Do it" in shown(pilot)
        await pilot.press("escape")
        assert image.exists()
        await remove()
        assert (image.exists(), aside.exists()) == (False, True)
        assert image.name not in whole_menu(shelf)
        await pilot.press("u")
        await until(pilot, lambda: screen.overview and len(screen.overview.items) == 10)
        assert (image.exists(), aside.exists(), record.read_bytes()) == (True, False, known)
        assert image.name in whole_menu(shelf)
        await remove()
        assert "u Undo" in shown(pilot)
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
    assert (image.exists(), aside.exists()) == (False, False)


async def test_the_logs_of_the_last_boots_can_be_read(shelf: Path) -> None:
    folder = shelf / "boot/bootkit/log"
    folder.mkdir()
    (folder / "2026-11-02.log").write_text("home: anna mounted\n")
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        await pilot.press("l")
        await on(pilot, TextScreen)
        assert "home: anna mounted" in shown(pilot)
