"""A bounded part of what ``./dev test faults`` does."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bootkit.model.filesystem import DataFs
from bootkit.system.volume import Volume, read_file
from bootkit.system.volumes.raw import RawVolume
from tests.conftest import copy_with_holes
from tests.faults.cases import CASES, interrupt, make_stick, make_things
from tests.faults.folders import interrupt_folder, make_folder
from tests.faults.sticks import FILE_SYSTEMS
from tests.faults.trace import apply, points, recorded
from tests.system.test_volumes import check, make_exfat, make_ext4, make_fat

OLD = {"/boot/grub/grub.cfg": b"old menu\n" * 600, "/boot/bootkit/stick.toml": b"[options]\n"}
NEW = {
    "/boot/grub/grub.cfg": b"new menu\n" * 900,
    "/boot/bootkit/stick.toml": b"[options.all]\n",
    "/new/folder/x": b"x",
}


@pytest.mark.parametrize("make", [make_ext4, make_fat, make_exfat])
def test_files_are_all_old_or_all_new_wherever_the_writing_ends(make: Callable[[Path], Volume], tmp_path: Path) -> None:
    with closing(make(tmp_path)) as volume:
        volume.write(OLD)
        image, before = Path(volume.where), tmp_path / "before"
        copy_with_holes(image, before)
        with recorded(image) as trace:
            volume.write(NEW)
        for point in points(trace, each=3):
            copy_with_holes(before, image)
            apply(point.writes(trace), image)
            volume.flush()
            found = {path: read_file(volume, path, 1 << 20) for path in NEW}
            assert found in ({**dict.fromkeys(NEW), **OLD}, NEW), point
            assert isinstance(volume, RawVolume)
            volume.complete()
            check(volume)
            assert {path: read_file(volume, path, 1 << 20) for path in NEW} == found


@pytest.mark.root
def test_nothing_is_lost_on_a_mounted_stick_whatever_the_kernel_says(tmp_path: Path) -> None:
    things = make_things(tmp_path / "things")
    stick = make_folder(make_stick(tmp_path / "stick.img", DataFs.EXT4, things), tmp_path / "stick")
    cases = (case for case in CASES if case.name in ("add", "options set"))
    outcomes = [interrupt_folder(case, stick, things, tmp_path, each=2) for case in cases]
    assert [failure for outcome in outcomes for failure in outcome.failures] == []


@pytest.mark.root
@pytest.mark.parametrize("data_fs", FILE_SYSTEMS)
def test_nothing_is_lost_wherever_a_command_ends(data_fs: DataFs, tmp_path: Path) -> None:
    things = make_things(tmp_path / "things")
    stick = make_stick(tmp_path / "stick.img", data_fs, things)
    outcomes = [interrupt(case, stick, data_fs, things, tmp_path, each=1) for case in CASES]
    assert [failure for outcome in outcomes for failure in outcome.failures] == []
