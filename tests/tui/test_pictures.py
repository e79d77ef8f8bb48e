"""Pictures of the screens at two sizes, kept as SVG: reviewed as pictures, shown in docs/tour.md, compared as text."""

import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from textual.widgets import Input

from bootkit.app.verbs.overview import Overview
from bootkit.errors import BootkitError
from bootkit.model.places import IMAGE_FOLDER
from bootkit.system.sticks import open_stick
from bootkit.tui import jobs
from bootkit.tui.progress import Job
from bootkit.tui.screens.add import AddScreen, SourceTree
from bootkit.tui.screens.answers import AnswersScreen
from bootkit.tui.screens.apps import AppsScreen
from bootkit.tui.screens.collection import CollectionScreen, Row
from bootkit.tui.screens.disks import DisksScreen
from bootkit.tui.screens.extensions import ExtensionsScreen
from bootkit.tui.screens.homes import HomesScreen
from bootkit.tui.screens.options import OptionsScreen
from bootkit.tui.screens.persistence import KeptScreen
from bootkit.tui.screens.prepare import PrepareScreen
from bootkit.tui.screens.text import ErrorScreen, TextScreen
from bootkit.tui.screens.work import WorkScreen
from bootkit.units import GIB, MIB
from tests.app.conftest import MakeIso
from tests.conftest import copy_with_holes
from tests.tui.conftest import Pilots, app_for, on, opened, shown, until
from tests.work import PATIENCE

GOLDEN = Path(__file__).parent / "golden"
SIZES = [(80, 24), (140, 45)]
SETTLING = 10.0
"""Seconds within which a screen that has all that it shows is laid out."""
WEBFONT = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)
WRITTEN = re.compile(r" \([\d.]+ [KM]?i?B\)|(?<=/menu_)[0-9a-f]+(?=\.cfg)")
TEXT = re.compile(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>')


@pytest.fixture(scope="module")
def with_menu(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shelf with a menu."""
    from bootkit.app.verbs.generate import plan_generation
    from bootkit.system.changes import apply_changes

    folder = tmp_path_factory.mktemp("with-menu")
    copy_with_holes(filled, folder)
    with open_stick(folder / filled.name, writing=True) as found:
        apply_changes(plan_generation(found.volume).plan, found.volume)
    return folder / filled.name


@pytest.fixture
def stick(with_menu: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as it would be on everybody's computer."""
    copy_with_holes(with_menu, tmp_path)
    shelf = tmp_path / with_menu.name
    read = jobs.read_stick

    def everywhere(*words: object) -> Overview:
        overview = read(*words)  # type: ignore[arg-type]  # handed through
        return replace(overview, where="/media/anna/BOOTKIT", filesystem="ext4", free=21 * GIB, uuid="4d2a-77")

    monkeypatch.setattr(jobs, "read_stick", everywhere)
    return shelf


def picture(pilot: Pilots, title: str) -> str:
    """The screen as SVG, without the fonts that would be loaded from somewhere."""
    svg = WEBFONT.sub("\n", pilot.app.export_screenshot(title=title))
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1).replace("Fira Code", "DejaVu Sans Mono") + "\n"


def lines(svg: str) -> list[str]:
    """The text of a picture, line by line: other versions of textual draw it with other numbers.

    The sizes of what would be written are left out, and the menu's digest: they change with every word of the menu.
    """
    rows: dict[float, list[tuple[float, str]]] = defaultdict(list)
    for x, y, text in TEXT.findall(svg):
        rows[float(y)].append((float(x), unescape(text).replace("\xa0", " ")))
    return [WRITTEN.sub("", "".join(text for _, text in sorted(row)).strip()) for _, row in sorted(rows.items())]


def compare(pilot: Pilots, name: str, *, update: bool) -> None:
    golden = golden_of(pilot, name)
    svg = picture(pilot, "bootkit tui")
    if update:
        golden.write_text(svg, encoding="utf-8")
    assert lines(svg) == lines(golden.read_text(encoding="utf-8"))


def golden_of(pilot: Pilots, name: str) -> Path:
    width, height = pilot.app.size
    return GOLDEN / f"{name}-{width}x{height}.svg"


async def settled(pilot: Pilots, name: str) -> None:
    """Wait a little for the picture that was reviewed: a table is as wide as its cells a moment after it has them."""
    reviewed = lines(golden_of(pilot, name).read_text(encoding="utf-8"))
    end = time.monotonic() + SETTLING
    while lines(picture(pilot, "bootkit tui")) != reviewed and time.monotonic() < end:
        await pilot.pause(0.1)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_stick(stick: Path, size: tuple[int, int], update_golden: bool) -> None:
    async with app_for(stick).run_test(size=size) as pilot:
        screen = await opened(pilot)
        screen.choose(f"{IMAGE_FOLDER}/debian-live-13.0.0-amd64-kde.iso")
        await pilot.pause()
        compare(pilot, "stick", update=update_golden)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_options_of_an_image(stick: Path, size: tuple[int, int], update_golden: bool) -> None:
    async with app_for(stick).run_test(size=size) as pilot:
        screen = await opened(pilot)
        screen.choose(f"{IMAGE_FOLDER}/debian-live-13.0.0-amd64-kde.iso")
        await pilot.press("enter")
        await on(pilot, OptionsScreen)
        form = pilot.app.screen
        form.query_one("#row-language #value", Input).value = "fr_FR.UTF-8"
        form.query_one("#row-alias #value", Input).value = "Debian for travelling"
        form.query_one("#row-keyboard #value", Input).focus()
        await pilot.press("f", "r")
        await until(pilot, lambda: "Would be written" in str(form.query_one("#preview-text").render()))
        await until(pilot, lambda: "generated.json" in str(form.query_one("#preview-text").render()))
        compare(pilot, "options", update=update_golden)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_images_to_be_added(
    stick: Path, size: tuple[int, int], make_iso: MakeIso, update_golden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = [make_iso(name) for name in ("debian-13.iso", "rescue.iso", "ubuntu-26.04.iso")]
    monkeypatch.chdir(downloads[0].parent)
    async with app_for(stick).run_test(size=size) as pilot:
        await opened(pilot)
        await pilot.press("a")
        await on(pilot, AddScreen)
        tree = pilot.app.screen.query_one(SourceTree)
        await until(pilot, lambda: len(tree.root.children) == 3)
        await pilot.press("down", "enter", "down", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, AddScreen)
        await until(pilot, lambda: len(screen.queue) == 2)
        compare(pilot, "add", update=update_golden)


ROWS: dict[type[CollectionScreen], tuple[Row, ...]] = {
    HomesScreen: (
        Row(name="anna", cells=("anna", "yes", "4.0 GiB", "1.3 GiB", "clean"), about="/boot/home/anna.home: every live system gets it"),
        Row(name="office", cells=("office", "no", "8.0 GiB", "-", "encrypted")),
    ),
    ExtensionsScreen: (
        Row(name="fonts", cells=("fonts.raw", "yes", "12.4 MiB", "x86_64", "any system, any machine"), about="/boot/extensions/x86_64/fonts.raw, for any system"),
        Row(name="tools", cells=("tools.raw", "no", "38.1 MiB", "x86_64", "debian 13 on x86-64")),
    ),
    AppsScreen: (Row(name="paint", cells=("Krita-5.3.AppImage", "321.5 MiB", "Krita"), about="/apps/Krita-5.3.AppImage"),),
    KeptScreen: (),
    AnswersScreen: (Row(name="mine", cells=("debian-13.0.0-amd64-netinst.iso", "preseed", "office"), about="/boot/seed/debian-13.0.0-amd64-netinst.iso/preseed/office/preseed.cfg"),),
    DisksScreen: (
        Row(name="/boot/disk/travel.raw", cells=("travel", "Debian 13 (x86_64)", "20.0 GiB", "yes"), about="/boot/disk/travel.raw: boots"),
        Row(name="/boot/disk/office.raw", cells=("office", "Fedora 44 (x86_64)", "64.0 GiB", "yes")),
    ),
}  # fmt: skip
"""What the pictures show: the real ones depend on the programs that make them."""


OVER = frozenset({"remove-an-image", "error", "copying"})
"""Pictures of dialogs over the first screen."""


def reading(rows: tuple[Row, ...]) -> Callable[[CollectionScreen, object], tuple[Row, ...]]:
    return lambda _screen, _stick: rows


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_sections_and_their_dialogs(
    stick: Path, size: tuple[int, int], update_golden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, rows in ROWS.items():
        monkeypatch.setattr(kind, "read", reading(rows))
    monkeypatch.setattr(HomesScreen, "_encrypted", frozenset({"office"}), raising=False)
    async with app_for(stick).run_test(size=size) as pilot:

        async def taken(name: str, words: str) -> None:
            # what lies below a dialog may be drawn a moment after it
            await until(pilot, lambda: words in shown(pilot) and (name not in OVER or "/media/anna" in shown(pilot)))
            if not update_golden:
                await settled(pilot, name)
            compare(pilot, name, update=update_golden)

        screen = await opened(pilot)
        for digit, name, words in (
            ("2", "homes", "encrypted"),
            ("3", "extensions", "tools.raw"),
            ("4", "apps", "Krita"),
            ("5", "changes", "a lets one"),
            ("6", "answers", "office"),
            ("7", "disks", "travel.raw"),
            ("8", "care", "Give back"),
        ):
            await pilot.press(digit)
            await taken(name, words)
        for keys, name, words, way_out in (
            (("2", "a"), "make-a-home", "Once more", "escape"),
            (("delete",), "remove-a-home", "Type the name", "escape"),
            (("3", "m"), "make-an-extension", "Its version", "escape"),
            (("7", "m"), "make-a-disk", "Once more", "escape"),
        ):
            for key in keys:
                await pilot.press(key)
                await pilot.pause()
            await taken(name, words)
            await pilot.press(way_out)
            await pilot.pause()
        await pilot.press("1")
        await until(pilot, lambda: pilot.app.screen is screen)
        screen.choose(f"{IMAGE_FOLDER}/tails-amd64-6.0.iso")
        await pilot.press("delete")
        await taken("remove-an-image", "u takes it back")
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        error = BootkitError(
            "stick.img has 24.5 MiB free; 516.0 MiB are needed", hint="remove what is not needed: bootkit list"
        )
        _ = pilot.app.push_screen(ErrorScreen(error))
        await taken("error", "516.0 MiB are needed")
        await pilot.press("escape")
        _ = pilot.app.push_screen(WorkScreen("Copying 3 images", copying))
        await taken("copying", "8.0 GiB of 18.0 GiB")
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen)


def copying(progress: Job) -> None:
    """A queue of three files, of which the second is half written; it stays so until it is cancelled, or the test has failed."""
    end = time.monotonic() + PATIENCE
    now = 100.0
    progress.clock = lambda: now
    watcher = progress.watcher()
    progress.expect([3 * GIB, 4 * GIB, 2 * GIB])
    watcher.begin("copying", "debian-13.iso", 3 * GIB)
    watcher.begin("checking", "debian-13.iso", 3 * GIB)
    progress.speeds.extend(MIB * (30 + 8 * (step % 5) + step) for step in range(40))
    watcher.begin("copying", "ubuntu-26.04.iso", 4 * GIB)
    now += 90
    watcher.progress(2 * GIB)
    while not progress.is_cancelled and time.monotonic() < end:
        time.sleep(0.02)


async def test_the_help(stick: Path, update_golden: bool) -> None:
    async with app_for(stick).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("f1")
        await on(pilot, TextScreen)
        compare(pilot, "help", update=update_golden)


async def test_making_a_stick(update_golden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from bootkit.model.device import BlockDevice, DiskIdentity
    from bootkit.plan.safety import Refusal
    from bootkit.tui.screens import prepare

    usb = BlockDevice(
        node="/dev/sdb", identity=DiskIdentity(serial="1"), vendor="SanDisk", model="Ultra", size=31 * GIB, bus="usb"
    )
    ssd = BlockDevice(
        node="/dev/sda", identity=DiskIdentity(serial="2"), model="Samsung SSD 870", size=931 * GIB, bus="ata"
    )
    reasons = (
        Refusal(reason="carries the running system: /"),
        Refusal(
            reason="is not a USB stick or a memory card but a fixed disk",
            key="fixed",
            hint="if it really is to be overwritten, add: --allow fixed",
        ),
    )
    monkeypatch.setattr(prepare, "list_devices", lambda: ((usb, ()), (ssd, reasons)))
    async with app_for(None).run_test(size=(80, 24)) as pilot:
        await on(pilot, PrepareScreen)
        await until(pilot, lambda: pilot.app.screen.query_one(prepare.DiskTable).row_count == 2)
        await pilot.press("down")
        await pilot.pause()
        compare(pilot, "prepare", update=update_golden)
        monkeypatch.setattr(prepare, "list_devices", lambda: ((usb, ()),))
        await until(pilot, lambda: pilot.app.screen.query_one(prepare.DiskTable).row_count == 1)
