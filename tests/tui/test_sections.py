"""What lies on a stick beside the images, from the keys to the bytes: homes, extensions, AppImages, changes, answers, the stick."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest
from textual.screen import Screen
from textual.widgets import Input

from bootkit.errors import BootkitError, UsageError
from bootkit.system.sticks import open_stick
from bootkit.tui import app as program
from bootkit.tui.app import BootkitApp, find_sticks
from bootkit.tui.preferences import Preferences, read_preferences
from bootkit.tui.screens.add import AddScreen
from bootkit.tui.screens.answers import AnswersScreen
from bootkit.tui.screens.apps import AppsScreen
from bootkit.tui.screens.ask import AskScreen, ConfirmScreen, PickScreen
from bootkit.tui.screens.care import CareScreen
from bootkit.tui.screens.collection import CollectionScreen
from bootkit.tui.screens.disks import DisksScreen
from bootkit.tui.screens.extensions import ExtensionsScreen
from bootkit.tui.screens.form import FormScreen
from bootkit.tui.screens.homes import HomesScreen
from bootkit.tui.screens.persistence import KeptScreen
from bootkit.tui.screens.stick import StickScreen
from bootkit.tui.screens.summary import SummaryScreen
from bootkit.tui.screens.text import ErrorScreen, TextScreen
from tests.app.conftest import MakeIso
from tests.tui.conftest import (
    Pilots,
    app_for,
    files_below,
    on,
    on_medium,
    opened,
    shown,
    typed,
    until,
    whole_menu,
)

SECTIONS = {
    "2": HomesScreen,
    "3": ExtensionsScreen,
    "4": AppsScreen,
    "5": KeptScreen,
    "6": AnswersScreen,
    "7": DisksScreen,
    "8": CareScreen,
}


async def section(pilot: Pilots, digit: str, rows: int) -> CollectionScreen:
    """Go to a section, and wait until it shows as many things."""
    await pilot.press(digit)
    await on(pilot, SECTIONS[digit])
    screen = cast("CollectionScreen", pilot.app.screen)
    await until(pilot, lambda: len(screen.rows) == rows)
    return screen


async def filled_in(pilot: Pilots, **values: str) -> None:
    """Fill in the form that is open, and let it do what it is for."""
    await on(pilot, FormScreen)
    for name, value in values.items():
        pilot.app.screen.query_one(f"#{name}", Input).value = value
    await pilot.press("ctrl+s")


async def queued(pilot: Pilots, *files: Path) -> None:
    """Put files into the queue of the screen that adds, and copy them."""
    await on(pilot, AddScreen)
    adding = cast("AddScreen", pilot.app.screen)
    for file in files:
        field = adding.query_one("#path", Input)
        field.value = os.fspath(file)
        field.focus()
        await pilot.press("enter")
    await until(pilot, lambda: len(adding.queue) == len(files))
    await pilot.press("ctrl+s")


async def confirmed(pilot: Pilots, key: str) -> None:
    await pilot.press(key)
    await on(pilot, ConfirmScreen)
    await pilot.press("enter")


@pytest.mark.skipif(shutil.which("mke2fs") is None, reason="needs mke2fs")
async def test_a_home_is_made_chosen_kept_elsewhere_and_brought_back(shelf: Path, tmp_path: Path) -> None:
    (shelf / "boot/home/anna.home").unlink()
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        homes = await section(pilot, "2", 0)
        assert "No home is on the stick. a makes one" in shown(pilot)
        assert "Del Remove" not in shown(pilot)
        await pilot.press("a")
        await filled_in(pilot, name="bert", size="64M")
        await until(pilot, lambda: [row.name for row in homes.rows] == ["bert"])
        assert homes.rows[0].cells[:3] == ("bert", "yes", "64.0 MiB")
        await pilot.press("space")
        await until(pilot, lambda: homes.rows[0].cells[1] == "no")
        assert 'home = "none"' in (shelf / "boot/bootkit/stick.toml").read_text()
        await pilot.press("z")
        await filled_in(pilot, size="80M")
        await until(pilot, lambda: homes.rows[0].cells[2] == "80.0 MiB")
        await pilot.press("c")
        await on(pilot, TextScreen)
        assert "bert is clean" in str(pilot.app.screen.query_one(".dialog").border_title)
        await pilot.press("escape", "b")
        await filled_in(pilot, file=os.fspath(tmp_path))
        await until(pilot, (tmp_path / "bert.home").exists)
        await until(pilot, lambda: pilot.app.screen is homes)
        await pilot.press("delete")
        await on(pilot, AskScreen)
        await typed(pilot, "bernd")
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is homes)
        assert (shelf / "boot/home/bert.home").exists()
        await pilot.press("delete")
        await on(pilot, AskScreen)
        await typed(pilot, "bert")
        await pilot.press("enter")
        await until(pilot, lambda: not homes.rows)
        await pilot.press("i")
        await filled_in(pilot, file=os.fspath(tmp_path / "bert.home"), name="again")
        await until(pilot, lambda: [row.name for row in homes.rows] == ["again"])
    assert files_below(shelf, "/boot/home") == ["again.home"]


async def test_a_form_stays_as_it_was_where_its_work_fails(shelf: Path) -> None:
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        await section(pilot, "2", 1)
        await pilot.press("a")
        await filled_in(pilot, name="bert", size="64M", passphrase="one", again="two")
        await on(pilot, ErrorScreen)
        assert "the two passphrases differ" in shown(pilot)
        await pilot.press("escape")
        await on(pilot, FormScreen)
        assert pilot.app.screen.query_one("#name", Input).value == "bert"
    assert files_below(shelf, "/boot/home") == ["anna.home"]


def extension(folder: Path, name: str) -> Path:
    tree = folder / f"{name}.tree"
    for path, text in (
        ("usr/bin/hello", "#!/bin/sh\n"),
        (f"usr/lib/extension-release.d/extension-release.{name}", "ID=_any\n"),
    ):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    made = folder / f"{name}.raw"
    subprocess.run(["mksquashfs", tree, made, "-quiet", "-no-progress"], check=True, capture_output=True)
    return made


@pytest.mark.skipif(shutil.which("mksquashfs") is None, reason="needs mksquashfs")
async def test_extensions_are_added_switched_read_back_and_removed(shelf: Path, tmp_path: Path) -> None:
    good, bad = extension(tmp_path, "hello"), tmp_path / "bad.raw"
    bad.write_text("this is none")
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        extensions = await section(pilot, "3", 2)
        await pilot.press("a")
        await queued(pilot, good, bad)
        await until(pilot, lambda: len(extensions.rows) == 3)
        await on(pilot, TextScreen)
        assert "bad.raw is no extension" in shown(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is extensions)
        at = next(row for row, one in enumerate(extensions.rows) if "hello" in one.name)
        await pilot.press("down", *["down"] * at, "up")
        await until(pilot, lambda: extensions.marked and "hello" in extensions.marked.name)
        await pilot.press("enter")
        await on(pilot, TextScreen)
        assert "programs: hello" in shown(pilot)
        await pilot.press("escape", "space")
        await until(pilot, lambda: extensions.rows[at].cells[1] == "no")
        assert '"hello.raw"' in on_medium(shelf, "/boot/bootkit/stick.toml")
        await pilot.press("v")
        await on(pilot, TextScreen)
        await until(pilot, lambda: "good  /boot/extensions/x86_64/hello.raw" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is extensions)
        await confirmed(pilot, "delete")
        await until(pilot, lambda: len(extensions.rows) == 2)
    assert "hello.raw" not in files_below(shelf, "/boot/extensions/x86_64")


async def test_an_appimage_comes_and_goes(shelf: Path, tmp_path: Path) -> None:
    appimage = tmp_path / "Paint.AppImage"
    appimage.write_bytes(b"\x7fELF\x02\x01\x01\x00AI\x01" + bytes(500))
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        apps = await section(pilot, "4", 0)
        await pilot.press("a")
        await queued(pilot, appimage)
        await until(pilot, lambda: [row.name for row in apps.rows] == ["Paint.AppImage"])
        await until(pilot, lambda: pilot.app.screen is apps)
        await confirmed(pilot, "delete")
        await until(pilot, lambda: not apps.rows)


async def test_an_image_keeps_its_changes_and_forgets_them(shelf: Path) -> None:
    image = "debian-live-13.0.0-amd64-kde.iso"
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        kept = await section(pilot, "5", 0)
        await pilot.press("a")
        await on(pilot, PickScreen)
        await typed(pilot, "debian-live")
        await pilot.press("enter")
        await filled_in(pilot, size="40M")
        await until(pilot, lambda: [row.name for row in kept.rows] == [image])
        await until(pilot, lambda: pilot.app.screen is kept)
        assert "persistence" in whole_menu(shelf)
        await pilot.press("delete")
        await on(pilot, AskScreen)
        pilot.app.screen.query_one(Input).value = image
        await pilot.press("enter")
        await until(pilot, lambda: not kept.rows)


async def test_an_answer_file_is_added_removed_and_brought_back(shelf: Path, tmp_path: Path) -> None:
    answers = tmp_path / "setup.sh"
    answers.write_text("#!/bin/sh\necho hello\n")
    async with app_for(shelf).run_test() as pilot:
        await opened(pilot)
        screen = await section(pilot, "6", 0)
        assert "u Undo" not in shown(pilot)
        await pilot.press("a")
        await on(pilot, PickScreen)
        await typed(pilot, "archlinux")
        await pilot.press("enter")
        await filled_in(pilot, file=os.fspath(answers), name="mine")
        await until(pilot, lambda: len(screen.rows) == 1)
        path = screen.rows[0].name
        before = on_medium(shelf, path)
        await until(pilot, lambda: pilot.app.screen is screen)
        await confirmed(pilot, "delete")
        await until(pilot, lambda: not screen.rows and pilot.app.screen is screen)
        await until(pilot, lambda: "u Undo" in shown(pilot))
        await pilot.press("u")
        await until(pilot, lambda: len(screen.rows) == 1)
    assert on_medium(shelf, path) == before


async def test_a_stick_is_renewed_and_given_back(stick_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def notify(_app: BootkitApp, message: str, **_: object) -> None:
        said.append(message)

    monkeypatch.setattr(BootkitApp, "notify", notify)
    app = app_for(stick_file)
    async with app.run_test() as pilot:
        await opened(pilot)
        care = await section(pilot, "8", 9)
        await pilot.press("down", "enter")
        await on(pilot, SummaryScreen)
        assert "Nothing is lost" in shown(pilot)
        assert "will be lost" not in shown(pilot)
        await pilot.press("ctrl+s")
        # keys that come while the menu is written are nobody's
        await until(pilot, lambda: "The boot loaders and the menu are those of this version." in said)
        await until(pilot, lambda: pilot.app.screen is care)
        await pilot.press(*["down"] * 7, "enter")
        await on(pilot, SummaryScreen)
        assert "will be lost" in shown(pilot)
        await typed(pilot, stick_file.name)
        await pilot.press("enter")
        await until(pilot, lambda: not app.is_running)
    with pytest.raises(BootkitError), open_stick(stick_file):
        pass


async def test_the_doctor_tells_what_is_missing_and_what_installs_it(shelf: Path) -> None:
    async with app_for(shelf).run_test(size=(100, 50)) as pilot:
        await opened(pilot)
        await section(pilot, "8", 9)
        await pilot.press(*["down"] * 6, "enter")
        await on(pilot, TextScreen)
        await until(pilot, lambda: "sfdisk" in shown(pilot))


async def test_what_boots_and_what_starts_the_stick_is_told(stick_file: Path, make_iso: MakeIso) -> None:
    iso = make_iso("debian.iso")
    async with app_for(stick_file).run_test(size=(100, 50)) as pilot:
        screen = await opened(pilot)
        await pilot.press("a")
        await queued(pilot, iso)
        await until(pilot, lambda: screen.overview and screen.overview.items and pilot.app.screen is screen)
        await section(pilot, "8", 9)
        await pilot.press("enter")
        await on(pilot, TextScreen)
        assert "MEMORY TO START" in shown(pilot)
        assert "debian.iso" in shown(pilot)
        await pilot.press("escape", *["down"] * 4, "enter")
        await until(pilot, lambda: "/EFI/BOOT/BOOTX64.EFI" in shown(pilot))
        assert "since it was written: same" in shown(pilot)


async def test_a_new_stick_is_not_out_of_date_and_says_what_comes_next(stick_file: Path, make_iso: MakeIso) -> None:
    iso = make_iso("debian.iso")
    async with app_for(stick_file).run_test() as pilot:
        screen = await opened(pilot)
        assert "a new stick" in shown(pilot)
        assert "OUT OF DATE" not in shown(pilot)
        assert "1. a adds images" in shown(pilot)
        assert "t Test" not in shown(pilot)
        await pilot.press("a")
        await queued(pilot, iso)
        await until(pilot, lambda: screen.overview and screen.overview.items and pilot.app.screen is screen)
        await until(pilot, lambda: "menu up to date" in shown(pilot))
        assert "t Test" in shown(pilot)


async def test_what_is_there_is_skipped_and_another_of_its_name_is_replaced_where_that_is_wanted(
    stick_file: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def notify(_app: BootkitApp, message: str, **_: object) -> None:
        said.append(message)

    monkeypatch.setattr(BootkitApp, "notify", notify)
    first, other = make_iso("one.iso"), make_iso("one.iso", {"live/vmlinuz": "another"}, folder="newer")
    async with app_for(stick_file).run_test() as pilot:
        screen = await opened(pilot)

        async def add(*files: Path, replacing: bool = False) -> None:
            await pilot.press("a")
            await on(pilot, AddScreen)
            if replacing:
                pilot.app.screen.query_one("#replacing").focus()
                await pilot.press("space")
            await queued(pilot, *files)

        await add(first)
        await until(pilot, lambda: pilot.app.screen is screen and screen.overview and screen.overview.items)
        await add(first)
        await until(pilot, lambda: pilot.app.screen is screen)
        await until(pilot, lambda: said[-1:] == ["On the stick already: 1 image."])
        await add(other)
        await on(pilot, ErrorScreen)
        assert "another /boot/iso/one.iso" in shown(pilot)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        await add(other, replacing=True)
        await until(pilot, lambda: pilot.app.screen is screen)
    with open_stick(stick_file) as stick, stick.volume.open("/boot/iso/one.iso") as file:
        assert file.read() == other.read_bytes()


@pytest.mark.parametrize(
    ("dialog", "way_out"),
    [
        (lambda: AskScreen("Title", "Text"), "Esc Cancel"),
        (lambda: ConfirmScreen("Title", "Text " * 500), "Esc Leave it"),
        (lambda: PickScreen("Title", [str(number) for number in range(500)]), "Esc Cancel"),
        (lambda: TextScreen("Title", "Text " * 5000), "Esc Close"),
        (lambda: ErrorScreen(BootkitError("Message " * 300, hint="Hint " * 300)), "Esc Close"),
    ],
    ids=["ask", "confirm", "pick", "text", "error"],
)
async def test_every_dialog_shows_its_way_out_and_has_help(shelf: Path, dialog: object, way_out: str) -> None:
    async with app_for(shelf).run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        over = cast("Screen[object]", dialog())  # type: ignore[operator]
        _ = pilot.app.push_screen(over)
        await until(pilot, lambda: way_out in shown(pilot))
        if not isinstance(over, TextScreen):
            await pilot.press("f1")
            await until(pilot, lambda: "Keys that count now" in shown(pilot))
            await pilot.press("escape")
            await until(pilot, lambda: pilot.app.screen is over)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)


async def test_of_several_sticks_the_user_chooses(shelf: Path, tmp_path: Path) -> None:
    async with BootkitApp((tmp_path / "other", shelf)).run_test() as pilot:
        await on(pilot, PickScreen)
        await pilot.press("down", "enter")
        screen = await opened(pilot)
        assert screen.access.path == shelf


def test_the_mounted_sticks_are_meant_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "mounted_sticks", lambda: (Path("/media/a"), Path("/media/b")))
    assert find_sticks(None) == (Path("/media/a"), Path("/media/b"))
    assert find_sticks(Path("x")) == (Path("x"),)


async def test_keys_and_theme_are_the_users(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path))
    (tmp_path / "bootkit").mkdir()
    (tmp_path / "bootkit/tui.toml").write_text('theme = "bootkit-light"\n[keys]\nadd = "n"\n')
    app = BootkitApp((shelf,), read_preferences())
    async with app.run_test() as pilot:
        await opened(pilot)
        assert app.theme == "bootkit-light"
        assert "n Add" in shown(pilot)
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, StickScreen)
        await pilot.press("n")
        await on(pilot, AddScreen)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("theme = 3\n", "theme"),
        ("colour = 'red'\n", "colour is not known"),
        ("theme =\n", "has a mistake"),
        ("[keys]\nadd = 3\n", "add"),
    ],
)
def test_a_mistake_in_the_users_file_is_named(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path))
    (tmp_path / "bootkit").mkdir()
    (tmp_path / "bootkit/tui.toml").write_text(text)
    with pytest.raises(BootkitError, match=words):
        _ = read_preferences()


@pytest.mark.parametrize(
    ("preferences", "words"),
    [(Preferences(theme="mauve"), "no theme mauve"), (Preferences(keys={"fly": "f"}), "nothing is called fly")],
)
def test_a_theme_or_an_action_that_there_is_not_is_refused(preferences: Preferences, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        _ = BootkitApp((), preferences)


def test_without_a_file_of_the_users_everything_is_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path))
    assert read_preferences() == Preferences()
