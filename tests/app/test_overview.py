"""What a front end shows of a stick: which of the user's own things each system gets."""

from pathlib import Path

import pytest

from bootkit.app.verbs.options import plan_change
from bootkit.app.verbs.overview import Overview, brought, read_overview
from bootkit.model.options import Value, image_place
from bootkit.plan.edit_settings import Change
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from tests.app.conftest import MakeIso

IMAGE = "/boot/iso/live.iso"


@pytest.fixture
def full(stick: Path, make_iso: MakeIso) -> Path:
    """A stick with one live system and something of everything for it."""
    for path in (
        "boot/home/anna.home",
        "boot/extensions/x86_64/tools.raw",
        "boot/extensions/x86_64/fonts.raw",
        "boot/customize/10-printer",
        "boot/customize/readme.txt",
        "boot/customize/x86_64/old.ExtensionImage",
        "boot/persistence/live.iso/persistence",
        "boot/seeds/other.iso/preseed/lab/preseed.cfg",
    ):
        file = stick / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (stick / "boot/iso").mkdir()
    make_iso("live.iso").rename(stick / IMAGE.lstrip("/"))
    return stick


def overview_of(stick: Path) -> Overview:
    with open_stick(stick) as opened:
        return read_overview(opened)


def choose(stick: Path, **values: Value) -> None:
    changes = [Change(key=key, value=value, place=image_place(IMAGE)) for key, value in values.items()]
    with open_stick(stick, writing=True) as opened:
        apply_changes(plan_change(opened.volume, changes).plan, opened.volume)


def test_each_image_shows_what_it_gets(full: Path) -> None:
    overview = overview_of(full)
    (item,) = overview.items
    assert brought(overview, item) == ("home anna", "2 ext", "1 script", "changes")
    assert (overview.scripts, len(overview.variants.seeds)) == (("10-printer",), 1)


def test_what_is_chosen_away_is_not_shown(full: Path) -> None:
    choose(full, home="none", extensions_off=("fonts.raw",), customize=False)
    overview = overview_of(full)
    assert brought(overview, overview.items[0]) == ("1 ext", "changes")


def test_the_entry_that_keeps_changes_can_be_seen_beforehand(full: Path) -> None:
    (item,) = overview_of(full).items
    assert item.detection
    assert [entry.title for entry in item.detection.entries][:2] == [
        "Live system (amd64), changes are kept",
        "Live system (amd64)",
    ]
