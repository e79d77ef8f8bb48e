"""AppImages on a stick."""

from pathlib import Path

import pytest

from tests.cli.conftest import Bootkit, make_appimage


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("")
    return folder


@pytest.fixture
def viewer(tmp_path: Path) -> Path:
    tree = tmp_path / "app"
    tree.mkdir()
    (tree / "AppRun").write_text("#!/bin/sh\n")
    (tree / "viewer.desktop").write_text(
        "[Desktop Entry]\nType=Application\nName=Viewer\nExec=viewer %F\nIcon=viewer\n"
    )
    (tree / "viewer.png").write_bytes(b"png")
    return make_appimage(tmp_path, tree)


def test_an_appimage_is_added_with_its_menu_entry_and_icon_and_removed(
    bootkit: Bootkit, stick: Path, viewer: Path
) -> None:
    done = bootkit("app", "add", viewer, "--stick", stick)
    assert done.returncode == 0
    assert done.stdout.startswith("/apps/Viewer-x86_64.AppImage  ")
    assert (stick / "apps/Viewer-x86_64.AppImage").read_bytes() == viewer.read_bytes()
    beside = stick / "boot/bootkit/apps"
    assert "Icon=/isodevice/boot/bootkit/apps/Viewer-x86_64.png\n" in (beside / "Viewer-x86_64.desktop").read_text()
    assert (beside / "Viewer-x86_64.png").read_bytes() == b"png"
    assert bootkit("app", "list", "--stick", stick).stdout.splitlines()[1].split() == [
        "Viewer-x86_64.AppImage",
        "4.1",
        "KiB",
        "Viewer",
    ]
    again = bootkit("app", "add", viewer, "--stick", stick)
    assert (again.returncode, "with the same checksum: skipped" in again.stderr) == (0, True)
    assert bootkit("app", "add", viewer, "--replace", "--dry-run", "--stick", stick).returncode == 0
    assert bootkit("app", "remove", "viewer", "--stick", stick).returncode == 0
    assert not list((stick / "apps").iterdir())
    assert not list(beside.iterdir())


def test_what_is_no_appimage_is_refused(bootkit: Bootkit, stick: Path, tmp_path: Path) -> None:
    program = tmp_path / "tool.AppImage"
    program.write_bytes(b"\x7fELF" + bytes(200))
    done = bootkit("app", "add", program, "--stick", stick)
    assert done.returncode == 1
    assert "tool.AppImage is no AppImage" in done.stderr


def test_a_damaged_one_is_added_with_a_warning(bootkit: Bootkit, stick: Path, viewer: Path) -> None:
    viewer.write_bytes(viewer.read_bytes()[:300])
    done = bootkit("app", "add", viewer, "--stick", stick)
    assert done.returncode == 0
    assert "its menu entry cannot be read" in done.stderr
