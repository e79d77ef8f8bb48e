"""From the running live system, on the very stick that it runs from."""

import os
import subprocess
from pathlib import Path

import pytest

from bootkit.system.loops import loop_of
from bootkit.system.medium import VisibleMount
from bootkit.system.sticks import mounted_sticks
from tests.app.conftest import UNKNOWN, MakeIso, stick
from tests.cli.conftest import Bootkit

__all__ = ["stick"]
IMAGE = "boot/iso/running.iso"


@pytest.fixture
def running(stick: Path, bootkit: Bootkit, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The image that the system was started from: its file is what /dev/loop0 shows."""
    assert bootkit("add", make_iso("running.iso"), "--stick", stick).returncode == 0
    image = stick / IMAGE
    shown = (image.stat().st_dev, image.stat().st_ino)

    def loop_of(status: os.stat_result) -> str:
        return "/dev/loop0" if (status.st_dev, status.st_ino) == shown else ""

    monkeypatch.setattr("bootkit.system.volumes.folder.loop_of", loop_of)
    return image


@pytest.mark.parametrize("words", [["--dry-run"], ["--yes"]])
def test_the_image_that_runs_is_not_removed(bootkit: Bootkit, stick: Path, running: Path, words: list[str]) -> None:
    done = bootkit("remove", "running", "--stick", stick, *words)
    assert done.returncode == 1
    assert "bootkit: /boot/iso/running.iso is in use as /dev/loop0" in done.stderr
    assert "start another one first" in done.stderr
    assert running.exists()


def test_the_image_that_runs_is_not_replaced_and_others_are_added(
    bootkit: Bootkit, stick: Path, running: Path, make_iso: MakeIso
) -> None:
    before = running.read_bytes()
    isos = [make_iso("running.iso", UNKNOWN, "newer"), make_iso("second.iso")]
    done = bootkit("add", "--replace", *isos, "--stick", stick)
    assert done.returncode == 1
    assert "is in use as /dev/loop0" in done.stderr
    assert running.read_bytes() == before
    assert "/boot/iso/second.iso" in (stick / "boot/grub/grub.cfg").read_text()


def test_a_home_in_use_is_not_removed(bootkit: Bootkit, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bootkit("home", "create", "anna", "--size", "64M", "--stick", stick).returncode == 0

    def loop_of(_: os.stat_result) -> str:
        return "/dev/loop3"

    monkeypatch.setattr("bootkit.system.volumes.folder.loop_of", loop_of)
    done = bootkit("home", "remove", "anna", "--yes", "--stick", stick)
    assert done.returncode == 1
    assert "/boot/home/anna.home is in use as /dev/loop3" in done.stderr
    assert (stick / "boot/home/anna.home").exists()


def test_a_stick_that_an_initrd_has_mounted_three_times_is_one_stick(
    stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", stick, other], check=True)
    places = [(stick, "8:1"), (tmp_path / "isodevice", "8:1"), (stick, "8:1"), (other, "8:17")]
    (tmp_path / "isodevice").symlink_to(stick)
    monkeypatch.setattr("bootkit.system.sticks._ISODEVICE", tmp_path / "isodevice")
    seen = tuple(VisibleMount(number=number, target=path, source="/dev/sda1") for path, number in places)
    monkeypatch.setattr("bootkit.system.sticks.mounts", lambda: seen)
    assert mounted_sticks() == (tmp_path / "isodevice", other)


@pytest.mark.root
def test_the_kernel_tells_which_file_a_loop_device_shows(tmp_path: Path) -> None:
    file, other = tmp_path / "image", tmp_path / "other"
    for path in (file, other):
        path.write_bytes(bytes(1 << 20))
    made = subprocess.run(["losetup", "--find", "--show", file], capture_output=True, text=True, check=True)
    node = made.stdout.strip()
    try:
        (tmp_path / "hard link").hardlink_to(file)
        file.rename(tmp_path / "renamed")
        assert loop_of((tmp_path / "hard link").stat()) == node
        assert loop_of((tmp_path / "renamed").stat()) == node
        assert loop_of(other.stat()) == ""
    finally:
        subprocess.run(["losetup", "--detach", node], check=True)
    assert loop_of((tmp_path / "renamed").stat()) == ""
