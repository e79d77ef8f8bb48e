"""Installed systems, from the keys to the bytes: brought, looked into, grown, taken out, removed and back; made; encrypted."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from textual.widgets import Input

from bootkit.app.verbs import disk_encrypt
from bootkit.app.verbs.disk import changed_disk
from bootkit.app.verbs.images import Addition
from bootkit.model.catalog import ImageItem
from bootkit.model.iso import FileKind
from bootkit.probe.image import open_image
from bootkit.system.changes import Watcher
from bootkit.system.volume import Volume
from bootkit.tui.screens.ask import ConfirmScreen
from bootkit.tui.screens.disks import DisksScreen
from bootkit.tui.screens.form import FormScreen
from bootkit.tui.screens.text import ErrorScreen, TextScreen
from tests.app.installed import disk_maker
from tests.app.test_disk_create import MakeLive, make_live
from tests.tui.conftest import Pilots, app_for, files_below, on, opened, shown, until

__all__ = ["make_live"]


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder that stands for a stick, with nothing on it."""
    folder = tmp_path / "BOOTKIT"
    for path in ("boot/iso", "boot/bootkit"):
        (folder / path).mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").touch()
    return folder


@pytest.fixture
def passphrases(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Those by which a disk would be encrypted, which takes ten seconds: ``tests/app/test_disk_encrypt.py`` does it."""
    given: list[bytes] = []

    @contextmanager
    def noted(volume: Volume, item: ImageItem, passphrase: bytes, watcher: Watcher) -> Generator[Addition]:
        given.append(passphrase)
        with changed_disk(volume, item.path, _unchanged, watcher) as changed:
            yield changed

    monkeypatch.setattr(disk_encrypt, "encrypted_disk", noted)
    return given


def _unchanged(_raw: Path, _work: Path) -> None:
    """What would encrypt it."""


async def disks_of(pilot: Pilots) -> DisksScreen:
    await opened(pilot)
    await pilot.press("7")
    await on(pilot, DisksScreen)
    return cast("DisksScreen", pilot.app.screen)


async def filled(pilot: Pilots, key: str, **values: str) -> None:
    """Open a form by its key, fill it in, and let it do what it is for."""
    await pilot.press(key)
    await on(pilot, FormScreen)
    for name, value in values.items():
        pilot.app.screen.query_one(f"#{name}", Input).value = value
    await pilot.press("ctrl+s")


async def test_the_disk_of_an_installed_system_is_brought_looked_into_grown_taken_out_and_removed(
    stick: Path, tmp_path: Path, passphrases: list[bytes]
) -> None:
    disk = disk_maker(tmp_path)(asks=True, mib=40)
    async with app_for(stick).run_test(size=(80, 24)) as pilot:
        screen = await disks_of(pilot)
        await until(pilot, lambda: "a brings the disk of one" in shown(pilot))
        assert "Del Remove" not in shown(pilot)
        await filled(pilot, "a", file=os.fspath(tmp_path / "none.raw"))
        await on(pilot, ErrorScreen)
        await until(pilot, lambda: "No such file" in shown(pilot))
        await pilot.press("escape")
        await on(pilot, FormScreen)
        pilot.app.screen.query_one("#file", Input).value = os.fspath(disk)
        pilot.app.screen.query_one("#name", Input).value = "mine"
        pilot.app.screen.query_one("#changes").focus()
        await pilot.press("space", "ctrl+s")
        await until(pilot, lambda: screen.rows and pilot.app.screen is screen)
        assert screen.rows[0].cells == ("mine", "Debian 12 (x86_64)", "44.0 MiB", "yes")
        assert (stick / "boot/disk/mine.raw").read_bytes() == disk.read_bytes()
        assert "persistence = false" in (stick / "boot/bootkit/stick.toml").read_text()
        await pilot.press("c")
        await on(pilot, TextScreen)
        await until(pilot, lambda: "/boot/disk/mine.raw" in shown(pilot))
        await pilot.press("escape")
        await filled(pilot, "z", size="60M")
        await until(pilot, lambda: screen.rows[0].cells[2] == "60.0 MiB" and pilot.app.screen is screen)
        await filled(pilot, "x", passphrase="correct horse", again="correct")
        await on(pilot, ErrorScreen)
        assert "the two passphrases differ" in shown(pilot)
        await pilot.press("escape")
        await on(pilot, FormScreen)
        pilot.app.screen.query_one("#again", Input).value = "correct horse"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert passphrases == [b"correct horse"]
        await filled(pilot, "o", file=os.fspath(tmp_path))
        await until(pilot, (tmp_path / "mine.raw").exists)
        assert (tmp_path / "mine.raw").read_bytes() == (stick / "boot/disk/mine.raw").read_bytes()
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("delete")
        await on(pilot, ConfirmScreen)
        await pilot.press("enter")
        await until(pilot, lambda: not screen.rows and pilot.app.screen is screen)
        await until(pilot, lambda: "u Undo" in shown(pilot))
        await pilot.press("u")
        await until(pilot, lambda: [row.cells[0] for row in screen.rows] == ["mine"])
    assert files_below(stick, "/boot/disk") == ["mine.raw"]


async def test_own_things_go_over_a_disk_that_keeps_its_changes_where_that_is_chosen(
    stick: Path, tmp_path: Path
) -> None:
    disk = disk_maker(tmp_path)()
    async with app_for(stick).run_test(size=(80, 24)) as pilot:
        screen = await disks_of(pilot)
        await pilot.press("a")
        await on(pilot, FormScreen)
        pilot.app.screen.query_one("#file", Input).value = os.fspath(disk)
        pilot.app.screen.query_one("#changes").focus()
        await pilot.press("space", "space")
        assert "kept, your own things laid over" in shown(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: screen.rows and pilot.app.screen is screen)
    assert "own_things = true" in (stick / "boot/bootkit/stick.toml").read_text()


async def test_an_installed_system_is_made_of_what_a_live_system_holds(stick: Path, make_live: MakeLive) -> None:
    iso = make_live()
    async with app_for(stick).run_test(size=(80, 24)) as pilot:
        screen = await disks_of(pilot)
        await filled(pilot, "m", iso=os.fspath(iso), name="made", size="80M", user="anna")
        await on(pilot, ErrorScreen)
        assert "its user has no password yet" in shown(pilot)
        await pilot.press("escape")
        await on(pilot, FormScreen)
        for name in ("passphrase", "again"):
            pilot.app.screen.query_one(f"#{name}", Input).value = "correct horse"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: screen.rows and pilot.app.screen is screen)
        assert screen.rows[0].cells[:3] == ("made", "Debian 12 (x86_64)", "80.0 MiB")
    with open_image(stick / "boot/disk/made.raw") as view:
        assert view.facts.kind is FileKind.SYSTEM
