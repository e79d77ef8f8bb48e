"""Files that are named together: ``add``, ``ext add``, ``app add``; and questions before a removal."""

import errno
import io
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from bootkit.cli.progress import watching, work_of
from bootkit.model.places import MENU
from bootkit.model.plan import CopyImage
from tests.app.conftest import LIVE_BOOT, MakeIso
from tests.cli.conftest import Bootkit, make_appimage


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "mounted"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("")
    return folder


def test_one_bad_file_does_not_stop_the_good_ones(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, tmp_path: Path
) -> None:
    page = tmp_path / "page.iso"
    page.write_text("<html>404</html>" * 3000)
    isos = [make_iso("debian.iso"), page, tmp_path / "missing.iso", make_iso("fedora.iso")]
    done = bootkit("add", *isos, "--stick", stick)
    assert done.returncode == 1
    assert sorted(file.name for file in (stick / "boot/iso").iterdir()) == ["debian.iso", "fedora.iso"]
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["/boot/iso/debian.iso", "/boot/iso/fedora.iso"]
    assert f"bootkit: {tmp_path}/missing.iso: No such file or directory\n" in done.stderr
    assert "copying /boot/iso/fedora.iso" in done.stderr
    assert ", 2 of 2\n" in done.stderr
    assert "2 of 2 images boot" in done.stderr
    assert "bootkit: 2 of 4 files were refused\n" in done.stderr


def test_the_same_file_again_is_skipped_and_is_no_error(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    iso = make_iso("debian.iso")
    assert bootkit("add", iso, "--stick", stick).returncode == 0
    before = (stick / "boot/iso/debian.iso").stat()
    again = bootkit("add", iso, "--stick", stick)
    assert (again.returncode, again.stdout) == (0, "")
    assert "debian.iso is on the stick already, with the same checksum: skipped" in again.stderr
    assert "Everything" not in again.stderr
    assert (stick / "boot/iso/debian.iso").stat() == before


def test_a_file_that_came_by_hand_is_compared_byte_by_byte(bootkit: Bootkit, stick: Path, make_iso: MakeIso) -> None:
    iso = make_iso("debian.iso")
    copy = stick / "boot/iso/debian.iso"
    copy.parent.mkdir()
    shutil.copy(iso, copy)
    assert "skipped" in bootkit("add", iso, "--stick", stick).stderr
    copy.write_bytes(bytes(copy.stat().st_size))
    differs = bootkit("add", iso, "--stick", stick)
    assert (differs.returncode, "--replace puts this one in its place" in differs.stderr) == (1, True)


def test_with_replace_the_same_image_is_skipped_and_a_damaged_one_is_not(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso
) -> None:
    debian = make_iso("debian.iso", LIVE_BOOT)
    assert bootkit("add", debian, "--stick", stick).returncode == 0
    same = bootkit("add", debian, "--stick", stick, "--replace", "--json")
    assert json.loads(same.stdout)["there"] == [str(debian)]
    copied = stick / "boot/iso/debian.iso"
    copied.write_bytes(bytes(copied.stat().st_size))
    assert json.loads(bootkit("add", debian, "--stick", stick, "--replace", "--json").stdout)["there"] == []
    assert copied.read_bytes() == debian.read_bytes()


def test_another_image_of_the_name_takes_its_place_with_replace(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso
) -> None:
    bootkit("add", make_iso("debian.iso"), "--stick", stick)
    newer = make_iso("debian.iso", {**LIVE_BOOT, "live/more": "x" * 5000}, folder="newer")
    done = bootkit("add", newer, "--stick", stick, "--replace", "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    (added,) = answer["added"]
    assert (added["path"], added["replaces"]) == ("/boot/iso/debian.iso", True)
    assert (answer["there"], answer["refused"]) == ([], [])
    assert (stick / "boot/iso/debian.iso").read_bytes() == newer.read_bytes()
    (listed,) = json.loads(bootkit("list", "--stick", stick, "--json").stdout)["images"]
    assert listed["sha256"] == added["sha256"]


def test_json_tells_of_what_was_refused_and_what_was_there(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, tmp_path: Path
) -> None:
    iso = make_iso("debian.iso")
    bootkit("add", iso, "--stick", stick)
    done = bootkit("add", iso, tmp_path / "missing.iso", "--stick", stick, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["added"], answer["there"]) == (1, [], [str(iso)])
    assert [one["source"] for one in answer["refused"]] == [str(tmp_path / "missing.iso")]


def test_what_is_complete_is_in_the_menu_when_a_later_file_fails(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bootkit.app.verbs import images
    from bootkit.errors import BootkitError

    copy = images.add_images

    def failing(volume: object, additions: tuple[images.Addition, ...], watcher: object) -> object:
        if additions[0].item.name == "fedora.iso":
            raise BootkitError("the stick was pulled out")
        return copy(volume, additions, watcher)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(images, "add_images", failing)
    done = bootkit("add", make_iso("debian.iso"), make_iso("fedora.iso"), "--stick", stick)
    assert (done.returncode, "bootkit: the stick was pulled out" in done.stderr) == (1, True)
    assert "1 of 2 images were complete before that, and are in the menu." in done.stderr
    assert (stick / MENU.lstrip("/")).exists()


def test_many_appimages_come_at_once_and_none_twice(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "app.desktop").write_text("[Desktop Entry]\nName=Viewer\n")
    one = make_appimage(tmp_path, tree)
    two = one.with_name("Editor.AppImage")
    shutil.copy(one, two)
    bad = tmp_path / "Bad.AppImage"
    bad.write_text("no program")
    done = bootkit("app", "add", one, bad, two, one, "--stick", stick, "--json")
    answer = json.loads(done.stdout)
    assert [entry["path"].rpartition("/")[2] for entry in answer["added"]] == [one.name, two.name]
    assert [entry["error"] for entry in answer["refused"]] == [
        "Bad.AppImage is no AppImage",
        f"two of the AppImages would both be /apps/{one.name}",
    ]
    assert done.returncode == 1
    again = bootkit("app", "add", one, two, "--stick", stick)
    assert (again.returncode, again.stderr.count("skipped")) == (0, 2)


@pytest.mark.parametrize(("answer", "status", "left"), [("y\n", 0, False), ("\n", 1, True)])
def test_at_a_terminal_a_removal_is_asked_for(
    bootkit: Bootkit,
    stick: Path,
    make_iso: MakeIso,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    status: int,
    left: bool,
) -> None:
    bootkit("add", make_iso("debian.iso"), "--stick", stick)
    monkeypatch.setattr(sys, "stdin", _Terminal(answer))
    done = bootkit("remove", "debian", "--stick", stick)
    assert (done.returncode, (stick / "boot/iso/debian.iso").exists()) == (status, left)
    assert "/boot/iso/debian.iso (" in done.stderr
    assert "Remove this from the stick? [y/N]" in done.stderr
    assert ".json" not in done.stderr  # what bootkit keeps of it is nobody's concern


def test_yes_asks_nothing(bootkit: Bootkit, stick: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch) -> None:
    bootkit("add", make_iso("debian.iso"), "--stick", stick)
    monkeypatch.setattr(sys, "stdin", _Terminal(""))
    done = bootkit("remove", "debian", "--yes", "--stick", stick)
    assert (done.returncode, "y/N" in done.stderr) == (0, False)


def test_a_terminal_shows_a_file_and_all_of_them_in_80_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    long = "/boot/iso/a-rather-long-name-of-an-image-that-does-not-fit-2026.11.30-amd64.iso"
    steps = [CopyImage(source="a", path=long, size=1 << 30), CopyImage(source="b", path="/b.iso", size=1 << 30)]
    with watching(work_of(steps)) as watcher:
        for phase in ("copying", "checking"):
            watcher.begin(phase, long, 1 << 30)
            watcher.progress(1 << 29)
        watcher.end()
    shown = screen.getvalue()
    assert "all 2 files" in shown
    assert "1.5/4.0 GiB" in shown  # a GiB written, half of it read back


@pytest.mark.parametrize("words", [("add",), ("ext", "add"), ("app", "add"), ("home", "restore")])
def test_a_file_that_may_not_be_read_says_what_to_type(
    bootkit: Bootkit, stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    locked = tmp_path / "locked/live.iso"
    open_file, stat_file = Path.open, Path.stat

    def refused(self: Path) -> None:
        if self == locked:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    def open_it(self: Path, *some: Any, **more: Any) -> object:
        refused(self)
        return cast("object", open_file(self, *some, **more))

    def stat_it(self: Path, **more: bool) -> os.stat_result:
        refused(self)
        return stat_file(self, **more)

    monkeypatch.setattr(Path, "open", open_it)
    monkeypatch.setattr(Path, "stat", stat_it)
    monkeypatch.setattr(sys, "argv", ["bootkit", *words, str(locked)])
    done = bootkit(*words, locked, "--stick", stick)
    assert done.returncode == 1
    assert f"bootkit: {locked}: Permission denied\n" in done.stderr
    assert f"sudo bootkit {' '.join(words)} {locked}" in done.stderr
