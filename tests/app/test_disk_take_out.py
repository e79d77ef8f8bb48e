"""``disk take-out --to``: an installed system moves to a disk of its own, through the same hands as a stick is made."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.app.verbs.disk import planned_disk
from bootkit.app.verbs.disk_take_out import notes_on_taking_out, plan_disk_take_out
from bootkit.app.verbs.images import add_images
from bootkit.app.verbs.prepare import prepare_image
from bootkit.errors import BootkitError, DeviceRefused
from bootkit.model.prepare import EndTable, PreparePlan
from bootkit.system.apply import apply_plan
from bootkit.system.changes import Watcher
from bootkit.system.sticks import open_stick
from bootkit.system.target import OpenTarget
from bootkit.units import MIB
from tests.app.installed import DiskMaker

DISK = "/boot/disk/debian.raw"


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", os.fspath(tmp_path / "state"))


@pytest.fixture
def stick(tmp_path: Path, make_disk: DiskMaker) -> Path:
    image = tmp_path / "stick.img"
    prepare_image(image, 200 * MIB)
    with (
        open_stick(image, writing=True) as opened,
        planned_disk(opened, make_disk(), Watcher(), name="debian") as plan,
    ):
        add_images(opened.volume, (plan.addition,))
    return image


def take_out(stick: Path, target: Path, change: Callable[[], None] = lambda: None) -> PreparePlan:
    with open_stick(stick) as opened:
        plan = plan_disk_take_out(opened, DISK, target)
        change()
        with opened.volume.open(DISK) as content:
            apply_plan(plan, content=content)
    return plan


def used_disk(path: Path, size: int) -> Path:
    """A file that stands for a disk with something on it."""
    path.write_bytes(b"old data" * (size // 8))
    return path


def test_a_larger_disk_holds_the_same_system_and_its_table_ends_at_the_end(stick: Path, tmp_path: Path) -> None:
    target = used_disk(tmp_path / "target.img", 24 * MIB)
    plan = take_out(stick, target)
    assert plan.destroys_data
    assert plan.target.confirm == ("target.img",)
    source = (tmp_path / "debian.raw").read_bytes()
    taken = target.read_bytes()
    assert len(taken) == 24 * MIB
    assert taken[MIB : 14 * MIB] == source[MIB : 14 * MIB]
    assert taken[-512:][:8] == b"EFI PART"
    assert b"old data" not in taken
    told = subprocess.run(["sfdisk", "--verify", target], capture_output=True, text=True, check=True).stdout
    assert "No errors detected" in told


def test_a_new_file_is_the_disk_itself(stick: Path, tmp_path: Path) -> None:
    plan = take_out(stick, tmp_path / "new.raw")
    assert not plan.destroys_data
    assert EndTable() not in plan.steps
    assert (tmp_path / "new.raw").read_bytes() == (tmp_path / "debian.raw").read_bytes()


def test_what_is_too_small_and_the_stick_itself_are_refused(stick: Path, tmp_path: Path) -> None:
    with pytest.raises(DeviceRefused, match=r"target.img is too small: 8.0 MiB, and 16.0 MiB are needed"):
        take_out(stick, used_disk(tmp_path / "target.img", 8 * MIB))
    with pytest.raises(DeviceRefused, match=r"stick.img is the stick that the disk is on"):
        take_out(stick, stick)


def test_a_disk_that_does_not_keep_what_is_written_never_starts(
    stick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = used_disk(tmp_path / "target.img", 24 * MIB)
    read = OpenTarget.read

    def read_something_else(self: OpenTarget, offset: int, size: int) -> bytes:
        return read(self, offset, size).replace(b"HdrS", b"????")

    monkeypatch.setattr(OpenTarget, "read", read_something_else)
    with pytest.raises(BootkitError, match="gave back something else than was written"):
        take_out(stick, target)
    assert not any(target.read_bytes()[:MIB])


def test_what_it_lacks_to_start_elsewhere_is_said(stick: Path, tmp_path: Path) -> None:
    with open_stick(stick) as opened:
        assert notes_on_taking_out(opened.volume, DISK) == ()
    with open_stick(stick, writing=True) as opened:
        opened.volume.copy_in(encrypted(tmp_path / "debian.raw", tmp_path), "/boot/disk/other.raw", lambda _: None)
        first, *others = notes_on_taking_out(opened.volume, "/boot/disk/other.raw")
    assert first.startswith("it has no boot loader of its own")
    assert others == ["it stays encrypted: its passphrase is asked for wherever it starts"]


def encrypted(disk: Path, folder: Path) -> Path:
    """The disk with the header of LUKS where its ESP was, which nothing calls an ESP any more."""
    other = folder / "other.raw"
    other.write_bytes(disk.read_bytes())
    subprocess.run(["sfdisk", "--quiet", "--part-type", other, "1", "L"], check=True)
    with other.open("r+b") as fh:
        fh.seek(MIB)
        fh.write(b"LUKS\xba\xbe\0\2")
    return other


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="loop devices")
def test_a_device_gets_zeros_too(stick: Path, tmp_path: Path) -> None:
    file = used_disk(tmp_path / "device.img", 24 * MIB)
    argv = ["losetup", "--find", "--show", os.fspath(file)]
    node = Path(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip())
    try:
        with open_stick(stick) as opened:
            plan = plan_disk_take_out(opened, DISK, node, allow=("loop", "fixed"))
            with opened.volume.open(DISK) as content:
                apply_plan(plan, content=content)
    finally:
        subprocess.run(["losetup", "--detach", node], check=True)
    source, taken = (tmp_path / "debian.raw").read_bytes(), file.read_bytes()
    assert taken[MIB : 14 * MIB] == source[MIB : 14 * MIB]
    assert taken[-512:][:8] == b"EFI PART"
