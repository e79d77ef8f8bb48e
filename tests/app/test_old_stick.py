"""A stick that version 0.1.0 wrote, with a record and an archive for each image: understood, and brought over by ``generate``.

``stick-0.1.0.tar.xz`` is such a stick, without the pictures of its menu.
"""

import json
import os
import tarfile
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.app.stick.catalog import read_catalog
from bootkit.app.stick.images import find_images
from bootkit.app.verbs.check import check_stick, keep_records
from bootkit.app.verbs.generate import Generation, plan_generation
from bootkit.app.verbs.images import add_images, plan_additions, plan_removal
from bootkit.model.places import IMAGES_FILE, MENU, OLD_MENU, OVERLAY_FOLDER
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick
from bootkit.system.volume import Volume
from bootkit.system.volumes.folder import FolderVolume
from tests.app.conftest import MakeIso, menu_on, record_on

CASPER, COPIED, FEDORA = (f"/boot/iso/{name}.iso" for name in ("casper", "copied", "dmsquash-live"))
DEBIAN = "/boot/iso/rescue/live-boot.iso"
IMAGES = [CASPER, COPIED, FEDORA, DEBIAN]


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    with tarfile.open(Path(__file__).with_name("stick-0.1.0.tar.xz")) as archive:
        archive.extractall(tmp_path / "stick", filter="data")
    records = tmp_path / "stick/boot/bootkit/state/images"
    for record in records.rglob("*.json"):
        image = tmp_path / "stick" / record.relative_to(records).with_suffix("")
        time = json.loads(record.read_bytes())["mtime_ns"]  # tarfile rounds it
        os.utime(image, ns=(time, time))
    return tmp_path / "stick"


@pytest.fixture
def volume(stick: Path) -> Generator[Volume]:
    with closing(FolderVolume(stick)) as opened:
        yield opened


def _generated(volume: Volume, told: list[str]) -> Generation:
    generation = plan_generation(volume, told=told.append)
    apply_changes(generation.plan, volume)
    return generation


def _records(stick: Path) -> list[str]:
    return sorted(path.name for path in (stick / "boot/bootkit/state/images").rglob("*.json"))


def _archives(stick: Path) -> set[str]:
    return {path.name for path in (stick / OVERLAY_FOLDER.lstrip("/")).iterdir()}


def test_generate_brings_it_over_with_all_that_cannot_be_seen_again(volume: Volume, stick: Path) -> None:
    told: list[str] = []
    generation = _generated(volume, told)
    assert told == IMAGES, "another version may see more in them"
    assert generation.catalog is not None
    assert [item.path for item in generation.catalog.items if item.detection and item.detection.entries] == IMAGES
    sums = {path: record_on(volume, path)["sha256"] for path in IMAGES}
    assert [path for path, sha256 in sums.items() if len(sha256) != 64] == [COPIED], "nobody knew that one's"
    menu = menu_on(volume).decode()
    assert f"{OVERLAY_FOLDER}/choices_casper.cpio" in menu
    assert menu.count("/image_") == menu.count("/image_da9103fd.cpio") > 0, "for one image there is a choice of its own"
    assert not plan_generation(volume).plan.steps


def test_the_menu_before_keeps_what_it_needs_until_another_takes_its_place(
    volume: Volume, stick: Path, make_iso: MakeIso
) -> None:
    before, archives = _records(stick), _archives(stick)
    assert len(before) == 4
    _generated(volume, [])
    assert _records(stick) == before
    assert archives < _archives(stick)
    (stick / "boot/iso/new.iso").write_bytes(make_iso("new.iso").read_bytes())
    _generated(volume, [])
    assert _records(stick) == []
    assert _archives(stick) == {
        "casper.cpio", "choices_casper.cpio", "live-boot.cpio", "choices_live-boot.cpio", "dmsquash-live.cpio",
        "choices_dmsquash-live.cpio", "image_da9103fd.cpio",
    }  # fmt: skip
    assert b"choices_" in b"".join(path.read_bytes() for path in (stick / "boot/grub").glob("menu_*.cfg"))


@pytest.mark.parametrize("first", ["add", "check", "remove"])
def test_whatever_comes_before_generate_keeps_all_that_was_known(
    volume: Volume, stick: Path, make_iso: MakeIso, first: str
) -> None:
    known = {path: record_on(volume, path) for path in IMAGES}
    left = set(IMAGES)
    match first:
        case "add":
            add_images(volume, plan_additions(volume, [make_iso("new.iso")]))
            left.add("/boot/iso/new.iso")
        case "check":
            opened = Stick(where=stick, volume=volume)
            checked = check_stick(opened)
            assert [prediction.path for prediction in checked.predictions] == IMAGES
            assert keep_records(opened, checked.plan) == ""
        case _:
            apply_changes(plan_removal(volume, ["casper"]), volume)
            left.remove(CASPER)
    assert volume.stat(IMAGES_FILE) is not None
    assert len(_records(stick)) == 4, "the menu that is there tells new images by them"
    told: list[str] = []
    catalog = read_catalog(volume, find_images(volume), told=told.append)
    assert told == []
    assert {item.path for item in catalog.items} == left
    assert all(item.sha256 == known[item.path]["sha256"] for item in catalog.items if item.path in known)
    assert all(item.facts is not None and item.facts.kernels for item in catalog.items)


def test_a_menu_of_both_versions_is_there_after_the_change(volume: Volume, stick: Path) -> None:
    old = (stick / MENU.lstrip("/")).read_bytes()
    _generated(volume, [])
    assert (stick / OLD_MENU.lstrip("/")).read_bytes() == old
    assert (stick / MENU.lstrip("/")).read_bytes() != old
