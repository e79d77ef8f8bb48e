"""The text interface on a terminal that is none, and sticks for it to show."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widget import Widget

from bootkit.app.stick.recognition import answered, with_insides
from bootkit.app.stick.records import read_records
from bootkit.model.catalog import ImageItem
from bootkit.model.initrd import InitrdFacts, RootFacts
from bootkit.model.iso import IsoFacts, Node, RecordedIso
from bootkit.model.kernel import KernelFacts
from bootkit.model.plan import StickPlan
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from bootkit.system.volumes.folder import FolderVolume
from bootkit.tui.app import BootkitApp
from bootkit.tui.screens.stick import StickScreen
from tests.app.conftest import make_iso, menu_on
from tests.conftest import Prepared, copy_with_holes
from tests.records import read_record
from tests.work import PATIENCE

__all__ = ["make_iso"]

DETECTORS = Path(__file__).parents[1] / "detectors"
SHELF = (
    "archiso/arch-2024.07.01",
    "casper/mint-22",
    "casper/ubuntu-24.04-desktop",
    "dmsquash_live/fedora-42-kde",
    "esxi/esxi-7.0u3",
    "kiwi_live/opensuse-tumbleweed-kde",
    "live_boot/debian-13-kde",
    "live_boot/gparted-1.6",
    "live_boot/tails-6.0",
    "memtest86plus/memtest86plus-6.10-x64",
)
SETTINGS = """\
# My stick. This line stays.
[menu]
timeout = 7

[options]
language = "de_DE.UTF-8" # at home
"""

Pilots = Pilot[None]


class LookedInto(RecordedIso):
    """A record to which is added what ``generate`` would have read: kernels and initrds of which nothing is known."""

    def __init__(self, facts: IsoFacts) -> None:
        super().__init__(facts)
        self._dirs: dict[str, tuple[Node, ...] | None] = {}
        self._kernels: dict[str, KernelFacts] = {}
        self._initrds: dict[str, InitrdFacts] = {}
        self._roots: dict[str, RootFacts] = {}

    @property
    def facts(self) -> IsoFacts:
        known = super().facts
        dirs = {path: members for path, members in self._dirs.items() if members is not None}
        return replace(known, dirs=known.dirs | dirs, kernels=self._kernels, initrds=self._initrds, roots=self._roots)

    def _listdir(self, path: str) -> tuple[Node, ...] | None:
        if path in super().facts.dirs:
            return super()._listdir(path)
        return self._dirs.setdefault(path, None)

    def _kernel(self, path: str) -> KernelFacts:
        return self._kernels.setdefault(path, KernelFacts(size=1))

    def _initrd(self, path: str) -> InitrdFacts:
        return self._initrds.setdefault(path, InitrdFacts(size=1))

    def _root(self, path: str) -> RootFacts:
        return self._roots.setdefault(path, RootFacts(size=1))


def put_record(stick: Path, name: str, facts_file: Path) -> None:
    """An image of the size of a real one, all of it a hole, with the record that ``generate`` leaves of it."""
    facts, _about = read_record(facts_file)
    path = f"/boot/iso/{name or facts.name}"
    image = stick / path.lstrip("/")
    image.parent.mkdir(parents=True, exist_ok=True)
    image.touch()
    os.truncate(image, facts.size)
    found = ImageItem(path=path, size=facts.size, mtime_ns=image.stat().st_mtime_ns)
    view = LookedInto(facts)
    with closing(FolderVolume(stick)) as volume:
        steps = read_records(volume).changed([with_insides(answered(found, view), view)]).steps()
        apply_changes(StickPlan(steps=tuple(steps)), volume)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What :func:`shelf` is a copy of."""
    stick = tmp_path_factory.mktemp("shelf") / "BOOTKIT"
    for name in SHELF:
        put_record(stick, "", DETECTORS / f"{name}.facts.json")
    for path in ("x86_64/tools.raw", "x86_64/fonts.raw"):
        extension = stick / "boot/extensions" / path
        extension.parent.mkdir(parents=True, exist_ok=True)
        extension.touch()
    (stick / "boot/home").mkdir()
    (stick / "boot/home/anna.home").touch()
    (stick / "boot/bootkit/stick.toml").write_text(SETTINGS)
    return stick


@pytest.fixture
def shelf(filled: Path, tmp_path: Path) -> Path:
    """A stick that is a folder: ten known images, two extensions, a home."""
    copy_with_holes(filled, tmp_path)
    return tmp_path / filled.name


@pytest.fixture
def stick_file(prepared: Prepared, tmp_path: Path) -> Path:
    """An image file that stands for a stick, prepared."""
    if not Path("/usr/lib/grub/i386-pc/boot.img").exists():
        pytest.skip("needs grub-pc-bin")
    return prepared(tmp_path / "stick.img")


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", os.fspath(tmp_path_factory.mktemp("state")))


async def until(pilot: Pilots, reached: Callable[[], object]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, f"not reached; the screen is {type(pilot.app.screen).__name__}"
        await asyncio.sleep(0.05)  # a pause of the pilot would ask every widget each time
    await pilot.pause()


async def on(pilot: Pilots, kind: type[Widget]) -> None:
    """Wait for a screen."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))


async def typed(pilot: Pilots, text: str) -> None:
    names = {" ": "space", "/": "slash", ".": "full_stop", "-": "minus", "_": "underscore", "(": "left_parenthesis"}
    await pilot.press(*(names.get(char, char) for char in text))
    await pilot.pause()


def strips(pilot: Pilots) -> list[Strip]:
    """The lines of the screen with their styles."""
    compositor = pilot.app.screen._compositor  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]  # no other way
    return compositor.render_strips()


def shown(pilot: Pilots) -> str:
    """What is on the screen, as text."""
    return "\n".join(strip.text.rstrip() for strip in strips(pilot))


async def opened(pilot: Pilots) -> StickScreen:
    """The main screen, once the stick was read."""
    await on(pilot, StickScreen)
    screen = cast("StickScreen", pilot.app.screen)
    await until(pilot, lambda: screen.overview)
    return screen


def app_for(stick: Path | None) -> BootkitApp:
    return BootkitApp(() if stick is None else (stick,))


def on_medium(stick: Path, path: str) -> str:
    """The text of a file on a stick."""
    with open_stick(stick) as found, found.volume.open(path) as file:
        return file.read().decode()


def whole_menu(stick: Path) -> str:
    """grub.cfg and the file beside it."""
    with open_stick(stick) as found:
        return menu_on(found.volume).decode()


def files_below(stick: Path, folder: str) -> list[str]:
    """Names in a folder of a stick, the hidden ones, too."""
    with open_stick(stick) as found:
        return [entry.name for entry in found.volume.listdir(folder)]
