"""One stick under all of its names: what is held, refused, and found mounted."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bootkit.errors import BootkitError, DeviceRefused
from bootkit.model.filesystem import DataFs
from bootkit.model.plan import StickPlan, WriteFile
from bootkit.model.prepare import Target
from bootkit.system.changes import apply_changes
from bootkit.system.medium import Medium, medium_of, mounts
from bootkit.system.sticks import desktop_volume, open_stick
from bootkit.system.target import open_target
from bootkit.system.volume import read_file
from bootkit.system.volumes.folder import FolderVolume
from bootkit.system.volumes.mounted import MountedVolume
from bootkit.system.volumes.raw import RawVolume
from tests.conftest import Prepared, copy_with_holes


@contextmanager
def attached(image: Path) -> Generator[Path]:
    """A loop device that shows the data partition: not every kernel makes nodes for the partitions of one."""
    argv: list[str | Path] = ["losetup", "--find", "--show", "--offset", str(_start(image)), image]
    said = subprocess.run(argv, check=True, capture_output=True, text=True)
    device = Path(said.stdout.strip())
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@contextmanager
def attached_whole(image: Path) -> Generator[Path]:
    """The same for all of the file, as a stick is plugged in."""
    said = subprocess.run(["losetup", "--find", "--show", image], check=True, capture_output=True, text=True)
    device = Path(said.stdout.strip())
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


@contextmanager
def mounted(device: Path, folder: Path, *options: str) -> Generator[Path]:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, device, folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_plain_folder_stands_for_itself(tmp_path: Path) -> None:
    assert medium_of(tmp_path).node is None


def test_an_image_file_is_its_own_medium(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    image.touch()
    (tmp_path / "link.img").symlink_to(image)
    assert medium_of(tmp_path / "link.img").node == image


def test_a_stick_that_another_program_holds_is_not_written(prepared: Prepared, tmp_path: Path) -> None:
    image = prepared(tmp_path / "stick.img")
    holder = os.open(image, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_SH)
    try:
        with open_stick(image):
            pass
        with pytest.raises(BootkitError, match="another program is working on"), open_stick(image, writing=True):
            pass
    finally:
        os.close(holder)


@pytest.mark.root
def test_all_names_of_a_stick_lead_to_one_lock(prepared: Prepared, tmp_path: Path) -> None:
    image = prepared(tmp_path / "stick.img")
    with ExitStack() as stack:
        device = stack.enter_context(attached(image))
        folder = stack.enter_context(mounted(device, tmp_path / "mounted"))
        names = (folder, device, image)
        for held in names:
            with open_stick(held, writing=True) as stick:
                assert isinstance(stick.volume, FolderVolume)
                for other in names:
                    with (
                        pytest.raises(BootkitError, match="another program is working on"),
                        open_stick(other, writing=True),
                    ):
                        pass


@pytest.mark.root
def test_a_partition_of_a_loop_device_is_held_with_the_device_and_the_file(prepared: Prepared, tmp_path: Path) -> None:
    image = prepared(tmp_path / "stick.img")
    with attached_whole(image) as device:
        subprocess.run(["partx", "--add", device], check=True)
        try:
            partition = device.with_name(f"{device.name}p1")
            for other in (device, partition, image):
                with (
                    open_stick(device, writing=True),
                    pytest.raises(BootkitError, match="another program is working on"),
                    open_stick(other),
                ):
                    pass
            with pytest.raises(BootkitError) as refused, open_stick(partition, writing=True):
                pass
            assert refused.value.hint == f"name the whole of it: --stick {image}"
        finally:
            subprocess.run(["partx", "--delete", device], check=True)


@pytest.mark.root
def test_what_is_mounted_is_written_through_its_mount(prepared: Prepared, tmp_path: Path) -> None:
    image = prepared(tmp_path / "stick.img")
    with ExitStack() as stack:
        folder = stack.enter_context(mounted(stack.enter_context(attached(image)), tmp_path / "mounted"))
        with open_stick(image, writing=True) as stick:
            apply_changes(StickPlan(steps=(WriteFile(path="/letter.txt", content=b"Dear reader"),)), stick.volume)
        assert (folder / "letter.txt").read_bytes() == b"Dear reader"
        target = Target(path=os.fspath(image), size=200 << 20, exists=True)
        with pytest.raises(DeviceRefused, match="is mounted at"), open_target(target):
            pass
    with open_stick(image) as stick, stick.volume.open("/letter.txt") as file:
        assert file.read() == b"Dear reader"


@pytest.mark.root
def test_a_file_that_a_loop_device_shows_is_not_written(prepared: Prepared, tmp_path: Path) -> None:
    image = prepared(tmp_path / "stick.img")
    with attached(image) as device:
        with open_stick(image):
            pass
        with pytest.raises(DeviceRefused, match=f"in use as {device}"), open_stick(image, writing=True):
            pass


@pytest.mark.root
def test_a_stick_that_is_mounted_read_only_is_refused_before_anything_is_written(
    prepared: Prepared, tmp_path: Path
) -> None:
    image = prepared(tmp_path / "stick.img")
    with attached(image) as device, mounted(device, tmp_path / "mounted", "-o", "ro") as folder:
        for name in (folder, device, image):
            with pytest.raises(BootkitError, match="mounted read-only"), open_stick(name, writing=True):
                pass


def _dirty_ext4(image: Path) -> None:
    subprocess.run(["debugfs", "-w", "-R", "feature +needs_recovery", _part(image)], check=True, capture_output=True)


def _wrong_ext4(image: Path) -> None:
    subprocess.run(["debugfs", "-w", "-R", "ssv state 3", _part(image)], check=True, capture_output=True)


def _dirty_fat(image: Path) -> None:
    _poke(image, 65, b"\1")


def _dirty_exfat(image: Path) -> None:
    _poke(image, 106, b"\2")


def _start(image: Path) -> int:
    with open_stick(image) as stick:
        assert isinstance(stick.volume, RawVolume)
        return stick.volume.offset


def _part(image: Path) -> str:
    return f"{image}?offset={_start(image)}"


def _poke(image: Path, at: int, data: bytes) -> None:
    start = _start(image)
    with image.open("r+b") as file:
        file.seek(start + at)
        file.write(data)


@pytest.mark.parametrize(
    ("data_fs", "spoil", "says", "helps"),
    [
        (DataFs.EXT4, _dirty_ext4, "not unmounted cleanly", "e2fsck -f"),
        (DataFs.EXT4, _wrong_ext4, "has found errors", "e2fsck -f"),
        (DataFs.FAT32, _dirty_fat, "not unmounted cleanly", "fsck.fat"),
        (DataFs.EXFAT, _dirty_exfat, "not unmounted cleanly", "fsck.exfat"),
    ],
)
def test_nothing_is_written_to_what_must_be_checked_first(
    data_fs: DataFs, spoil: Callable[[Path], None], says: str, helps: str, prepared: Prepared, tmp_path: Path
) -> None:
    image = prepared(tmp_path / "stick.img", data_fs)
    spoil(image)
    before = image.read_bytes()
    with open_stick(image, writing=True) as stick, pytest.raises(BootkitError, match=says) as error:
        stick.volume.write({"/x": b"x"})
    assert helps in error.value.hint
    assert image.read_bytes() == before


def test_the_command_that_is_told_mends_an_ext4(prepared: Prepared, tmp_path: Path) -> None:
    image = prepared(tmp_path / "stick.img")
    _wrong_ext4(image)
    with open_stick(image, writing=True) as stick, pytest.raises(BootkitError) as error:
        stick.volume.write({"/x": b"x"})
    command = error.value.hint.partition(": ")[2]
    subprocess.run(["sh", "-c", f"{command} -y"], check=False, capture_output=True)
    with open_stick(image, writing=True) as stick:
        stick.volume.write({"/x": b"x"})


@pytest.mark.root
def test_root_writes_a_device_through_the_kernel_and_leaves_no_mount(prepared: Prepared, tmp_path: Path) -> None:
    image = prepared(tmp_path / "stick.img")
    with ExitStack() as stack:
        device = stack.enter_context(attached_whole(image))
        with open_stick(device, writing=True) as opened:
            assert isinstance(opened.volume, MountedVolume)
            opened.volume.write({"/boot/letter.txt": b"Dear reader"})
            assert opened.volume.filesystem == "ext4"
            with opened.volume.open("/boot/letter.txt") as file:
                number = os.fstat(file.fileno()).st_dev
            assert f"{os.major(number)}:{os.minor(number)}" not in [mount.number for mount in mounts()]
        with open_stick(device) as opened:
            assert read_file(opened.volume, "/boot/letter.txt", 100) == b"Dear reader"
    subprocess.run(["e2fsck", "-f", "-n", _part(image)], check=True, capture_output=True)


@pytest.mark.root
def test_a_journal_that_was_not_replayed_loses_nothing_that_is_written_to_a_device(
    prepared: Prepared, tmp_path: Path
) -> None:
    image, pulled = prepared(tmp_path / "stick.img"), tmp_path / "pulled.img"
    with attached(image) as device, mounted(device, tmp_path / "mounted") as folder:
        (folder / "before.txt").write_bytes(b"before")
        subprocess.run(["sync", "-f", folder], check=True)
        copy_with_holes(image, pulled)
    with open_stick(pulled, writing=True) as opened, pytest.raises(BootkitError, match="its journal holds changes"):
        opened.volume.write({"/after.txt": b"after"})
    with attached_whole(pulled) as device, open_stick(device, writing=True) as opened:
        opened.volume.write({"/after.txt": b"after"})
    with open_stick(pulled) as opened:
        assert read_file(opened.volume, "/before.txt", 100) == b"before"
        assert read_file(opened.volume, "/after.txt", 100) == b"after"
    subprocess.run(["e2fsck", "-f", "-n", _part(pulled)], check=True, capture_output=True)


@pytest.mark.root
@pytest.mark.parametrize("data_fs", [DataFs.FAT32, DataFs.EXFAT])
def test_a_device_whose_file_system_the_kernel_does_not_know_is_written_by_us(
    data_fs: DataFs, prepared: Prepared, tmp_path: Path
) -> None:
    image = prepared(tmp_path / "stick.img", data_fs)
    with attached_whole(image) as device, open_stick(device, writing=True) as opened:
        opened.volume.write({"/letter.txt": b"Dear reader"})
    with open_stick(image) as opened:
        assert read_file(opened.volume, "/letter.txt", 100) == b"Dear reader"


_UDISKSCTL = """#!/bin/sh
echo "$@" >>'{log}'
case $1-$6 in
  mount-/dev/sdx2) echo "Mounted $6 at {stick}." ;;
  mount-/dev/sdx1) echo "Mounted $6 at {other}." ;;
  mount-*) echo "Error mounting $6" >&2; exit 1 ;;
esac
"""


def test_one_who_is_not_root_has_a_device_mounted_by_udisks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stick, other, log = tmp_path / "my stick", tmp_path / "other", tmp_path / "log"
    (stick / "boot/bootkit").mkdir(parents=True)
    (stick / "boot/bootkit/stick.toml").touch()
    other.mkdir()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/udisksctl"
    program.write_text(_UDISKSCTL.format(log=log, stick=stick, other=other))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    devices = tuple(Path("/dev", name) for name in ("sdx", "sdx1", "sdx2", "sdx3"))
    volume = desktop_volume(Medium(node=devices[0], devices=devices), writing=True)
    assert volume is not None
    volume.write({"/letter.txt": b"Dear reader"})
    volume.close()
    assert (stick / "letter.txt").read_bytes() == b"Dear reader"
    asked = [(line.split()[0], line.split()[-1]) for line in log.read_text().splitlines()]
    assert asked == [
        ("mount", "/dev/sdx"),
        ("mount", "/dev/sdx1"),
        ("unmount", "/dev/sdx1"),
        ("mount", "/dev/sdx2"),
        ("unmount", "/dev/sdx2"),
    ]
    assert "noexec" in log.read_text()


def test_without_udisks_nothing_is_mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_program: str, **_options: str) -> None: ...

    monkeypatch.setattr(shutil, "which", nowhere)
    assert desktop_volume(Medium(node=Path("/dev/sdx"), devices=(Path("/dev/sdx"),)), writing=True) is None
