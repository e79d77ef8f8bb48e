"""Sticks in image files and on loop devices, read back by other programs than those that wrote them."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.app.verbs.prepare import plan_preparation, prepare_image
from bootkit.app.verbs.restore import plan_putting_back, plan_restoration
from bootkit.app.verbs.upgrade import plan_upgrade_of
from bootkit.errors import BootkitError, DeviceRefused, Interrupted
from bootkit.model.device import DiskIdentity
from bootkit.model.filesystem import DataFs
from bootkit.model.prepare import (
    SECTOR,
    CheckWritten,
    Layout,
    LoaderChoice,
    MakeFilesystem,
    PreparePlan,
    PrepareStep,
    Purpose,
    WriteBootSector,
    WriteTable,
)
from bootkit.system import target as target_module
from bootkit.system.apply import apply_plan
from bootkit.system.interrupted import interrupted_action
from bootkit.system.recognise import read_contents
from bootkit.units import MIB

SIZE = 180 * MIB
ROOT = Path(__file__).parents[2]
needs_grub = pytest.mark.skipif(not Path("/usr/lib/grub/i386-pc/boot.img").exists(), reason="needs grub-pc-bin")
pytestmark = needs_grub


@pytest.fixture
def tmp_path() -> Generator[Path]:
    """In memory, where there is room for it: a disk that others use makes every fsync a matter of seconds."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", os.fspath(tmp_path / "state"))
    return tmp_path / "state"


def output(*argv: str | Path) -> str:
    env = {**os.environ, "LC_ALL": "C", "MTOOLSRC": os.devnull}
    return subprocess.run(argv, check=True, capture_output=True, text=True, env=env).stdout


def partition(image: Path, number: int, folder: Path) -> Path:
    """One partition cut out, for programs that take no offset."""
    (row,) = [row for row in read_contents(image).partitions if row.number == number]
    cut = folder / f"partition{number}"
    with image.open("rb") as source, cut.open("wb") as sink:
        source.seek(row.offset)
        for _ in range(row.size // MIB):
            sink.write(source.read(MIB))
    return cut


def small_core(plan: PreparePlan) -> bytes:
    """The BIOS core image as it lies on the stick of a plan."""
    step = next(step for step in plan.steps if isinstance(step, WriteBootSector))
    with Path(plan.target.path).open("rb") as fh:
        fh.seek(step.core_sector * SECTOR)
        return fh.read(64 * SECTOR)


def test_split_on_a_file_is_what_other_programs_expect(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    prepare_image(image, SIZE)
    table = json.loads(output("sfdisk", "--json", image))["partitiontable"]
    assert table["label"] == "gpt"
    assert [row["start"] for row in table["partitions"]] == [135168, 4096, 2048]
    assert "No errors detected" in output("sfdisk", "--verify", image)
    esp = partition(image, 2, tmp_path)
    output("fsck.fat", "-n", esp)
    assert "BOOTX64" in output("mdir", "-b", "-i", esp, "::/EFI/BOOT").upper()
    data = partition(image, 1, tmp_path)
    output("e2fsck", "-f", "-n", data)
    folders = output("debugfs", "-R", "ls -p /boot", data)
    assert all(
        f"/{name}/" in folders for name in ("iso", "grub", "bootkit", "extensions", "customize", "home", "seeds")
    )
    assert "[menu]" in output("debugfs", "-R", "cat /boot/bootkit/stick.toml", data)
    assert image.stat().st_blocks * 512 < 40 * MIB


def test_ext4_has_no_feature_that_grub_2_06_cannot_read(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    prepare_image(image, SIZE)
    told = output("dumpe2fs", "-h", partition(image, 1, tmp_path))
    (features,) = re.findall(r"Filesystem features: +(.*)", told)
    assert not {"metadata_csum_seed", "orphan_file", "inline_data", "encrypt", "casefold", "large_dir"} & set(
        features.split()
    )
    assert re.search(r"Filesystem volume name: +BOOTKIT", told)


def test_single_keeps_the_core_image_in_the_gap(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    plan = prepare_image(image, SIZE, layout=Layout.SINGLE)
    with image.open("rb") as fh:
        sector = fh.read(SECTOR)
    assert sector[0x5C:0x64] == (1).to_bytes(8, "little")
    assert sector[0x1BE] == 0x80
    assert small_core(plan)[0x1F4:0x1FC] == (2).to_bytes(8, "little")
    listing = output("mdir", "-/", "-b", "-i", f"{image}@@1M", "::/")
    assert "::/EFI/BOOT/bootkit.json" in listing
    assert "::/boot/grub/grub.cfg" in listing
    output("fsck.fat", "-n", partition(image, 1, tmp_path))


@pytest.mark.parametrize(
    ("data_fs", "program", "check"),
    [
        (DataFs.FAT32, "fsck.fat", ["fsck.fat", "-n"]),
        (DataFs.EXFAT, "fsck.exfat", ["fsck.exfat", "-n"]),
        (DataFs.BTRFS, "btrfs", ["btrfs", "check", "--readonly"]),
    ],
)
def test_other_data_file_systems_pass_their_own_check(
    data_fs: DataFs, program: str, check: list[str], tmp_path: Path
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")
    image = tmp_path / "stick.img"
    plan = prepare_image(image, 400 * MIB, data_fs=data_fs)
    output(*check, partition(image, 1, tmp_path))
    stick = read_contents(image).stick
    assert stick is not None
    made = next(step for step in plan.steps if isinstance(step, MakeFilesystem) and step.purpose is Purpose.DATA)
    assert (stick.data_fs, stick.data.uuid) == (data_fs, made.uuid)


def test_the_stub_looks_for_the_data_partition_of_this_stick(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    plan = prepare_image(image, SIZE)
    made = next(step for step in plan.steps if isinstance(step, MakeFilesystem) and step.purpose is Purpose.DATA)
    for folder in ("BOOT", "debian"):
        assert f"--fs-uuid --set=bootkit_data {made.uuid}" in output(
            "mtype", "-i", f"{image}@@2M", f"::/EFI/{folder}/grub.cfg"
        )


def test_the_list_of_loaders_names_their_origin_and_sum(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    prepare_image(image, SIZE, loader=LoaderChoice.BUILT)
    data = partition(image, 1, tmp_path)
    record = json.loads(output("debugfs", "-R", "cat /boot/bootkit/state/loaders.json", data))
    assert {row["kind"] for row in record["loaders"]} == {"built"}
    assert all(re.fullmatch("[0-9a-f]{64}", row["sha256"]) for row in record["loaders"])
    assert record["loaders"][-1]["source"] == "/usr/lib/grub/i386-pc"


def test_a_plan_is_reproducible_down_to_its_identifiers(tmp_path: Path) -> None:
    plan = plan_preparation(tmp_path / "stick.img", size=SIZE)
    apply_plan(plan)
    table = json.loads(output("sfdisk", "--json", tmp_path / "stick.img"))["partitiontable"]
    (step,) = [step for step in plan.steps if isinstance(step, WriteTable)]
    assert table["id"] == step.table.disk_id
    assert [row["uuid"] for row in table["partitions"]] == [part.guid for part in step.table.partitions]


def test_upgrade_renews_the_loaders_and_touches_nothing_else(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    prepare_image(image, SIZE)
    own, broken = tmp_path / "own", tmp_path / "broken"
    own.write_text("mine\n")
    broken.write_text("not a loader\n")
    output("mcopy", "-i", f"{image}@@2M", own, "::/mine.txt")
    output("mcopy", "-o", "-i", f"{image}@@2M", broken, "::/EFI/BOOT/BOOTX64.EFI")
    before = partition(image, 1, tmp_path).rename(tmp_path / "before")
    with image.open("r+b") as fh:
        fh.write(bytes(440))
    apply_plan(plan_upgrade_of(image))
    assert output("mtype", "-i", f"{image}@@2M", "::/mine.txt") == "mine\n"
    assert "not a loader" not in output("mdir", "-i", f"{image}@@2M", "::/EFI/BOOT")
    output("mcopy", "-i", f"{image}@@2M", "::/EFI/BOOT/BOOTX64.EFI", tmp_path / "shim")
    assert (tmp_path / "shim").read_bytes()[:2] == b"MZ"
    assert image.read_bytes()[:3] == b"\xeb\x63\x90"
    for path in ("/boot/bootkit/stick.toml", "/boot/grub/grub.cfg"):
        now = output("debugfs", "-R", f"cat {path}", partition(image, 1, tmp_path))
        assert now == output("debugfs", "-R", f"cat {path}", before)
    output("e2fsck", "-f", "-n", partition(image, 1, tmp_path))


def test_upgrade_does_not_make_a_stick_older(tmp_path: Path) -> None:
    image, record = tmp_path / "stick.img", tmp_path / "bootkit.json"
    prepare_image(image, SIZE)
    record.write_text('{"bootkit": "99.0"}')
    output("mcopy", "-o", "-i", f"{image}@@2M", record, "::/EFI/BOOT/bootkit.json")
    with pytest.raises(DeviceRefused, match=r"prepared by bootkit 99\.0"):
        plan_upgrade_of(image)


def test_a_tidied_esp_is_still_a_stick_of_ours(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    prepare_image(image, SIZE)
    output("mdeltree", "-i", f"{image}@@2M", "::/EFI")
    apply_plan(plan_upgrade_of(image))
    assert "BOOTX64" in output("mdir", "-b", "-i", f"{image}@@2M", "::/EFI/BOOT").upper()


@pytest.mark.parametrize("layout", list(Layout))
def test_prepare_stops_at_a_stick_of_ours_and_restore_gives_it_back(layout: Layout, tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    prepare_image(image, SIZE, layout=layout)
    with pytest.raises(DeviceRefused, match="already") as refused:
        plan_preparation(image)
    assert f"bootkit restore {image}" in refused.value.hint
    apply_plan(plan_restoration(image, data_fs=DataFs.FAT32))
    contents = read_contents(image)
    assert (contents.scheme, [part.label for part in contents.partitions]) == ("mbr", ["USB"])
    assert contents.stick is None
    assert image.read_bytes()[:440] == bytes(440)


@pytest.mark.parametrize("content", [b"", b"\0" * 512, b"\xff" * 4096, b"EFI PART" * 1000])
def test_garbage_is_neither_a_stick_nor_an_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "garbage"
    path.write_bytes(content)
    assert read_contents(path).stick is None


def test_an_interrupted_new_file_is_gone(tmp_path: Path) -> None:
    def stop(step: PrepareStep) -> None:
        if isinstance(step, WriteTable):
            raise Interrupted("stop")

    plan = plan_preparation(tmp_path / "stick.img", size=SIZE)
    with pytest.raises(Interrupted):
        apply_plan(plan, told=stop)
    assert not (tmp_path / "stick.img").exists()


def test_a_medium_that_loses_a_byte_is_found_out(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    plan = plan_preparation(image, size=SIZE)
    (esp,) = [step for step in plan.steps if isinstance(step, MakeFilesystem) and step.purpose is Purpose.ESP]

    def damage(step: PrepareStep) -> None:
        if isinstance(step, CheckWritten):
            with image.open("r+b") as fh:
                fh.seek(esp.offset + 600)
                fh.write(b"\xa5")

    with pytest.raises(BootkitError, match="gave back something else"):
        apply_plan(plan, told=damage)


def test_two_programs_do_not_write_one_file(tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    plan = plan_preparation(image, size=SIZE)
    with target_module.open_target(plan.target), pytest.raises(DeviceRefused, match="another program"):
        apply_plan(plan)


def test_a_file_that_became_a_folder_is_refused(tmp_path: Path) -> None:
    plan = plan_preparation(tmp_path / "stick.img", size=SIZE)
    (tmp_path / "stick.img").mkdir()
    with pytest.raises(BootkitError, match="cannot be opened"):
        apply_plan(plan)


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test is without root then")
def test_an_image_file_needs_no_root() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-m", "bootkit"]
        argv += ["prepare", f"{folder}/stick.img", "--size", "180M"]
        env = {"PATH": "/usr/bin:/bin", "HOME": folder, "PYTHONPATH": os.fspath(ROOT), "TMPDIR": folder}
        subprocess.run(argv, check=True, capture_output=True, cwd="/", env=env)
        image = Path(folder, "stick.img")
        stick = read_contents(image).stick
        assert stick is not None
        assert stick.layout is Layout.SPLIT
        root = output("debugfs", "-R", "stat /", f"{image}?offset={stick.data.offset}")
        assert re.search(r"User: +65534 +Group: +65534", root)


@contextmanager
def loop_device(backing: Path) -> Generator[Path]:
    node = Path(output("losetup", "-f", "--show", backing).strip())
    try:
        yield node
    finally:
        output("losetup", "-d", node)


@pytest.fixture
def full_disk(tmp_path: Path) -> Path:
    """A disk that is full of old data, so that a zero which was not written shows."""
    backing = tmp_path / "disk"
    backing.write_bytes(os.urandom(MIB) * 400)
    return backing


@pytest.mark.root
@pytest.mark.parametrize(
    ("data_fs", "check"),
    [
        (DataFs.EXT4, ["e2fsck", "-f", "-n"]),
        (DataFs.FAT32, ["fsck.fat", "-n"]),
        (DataFs.EXFAT, ["fsck.exfat", "-n"]),
        (DataFs.NTFS, ["ntfsfix", "-n"]),
        (DataFs.BTRFS, ["btrfs", "check", "--readonly"]),
    ],
)
def test_a_disk_full_of_old_data_becomes_a_stick_and_a_plain_disk_again(
    data_fs: DataFs, check: list[str], full_disk: Path, tmp_path: Path, state_folder: Path
) -> None:
    with loop_device(full_disk) as node:
        apply_plan(plan_preparation(node, data_fs=data_fs, allow=["loop"]))
        assert not list((state_folder / "bootkit/unfinished").glob("*"))
        apply_plan(plan_upgrade_of(node, allow=["loop"]))
    output(*check, partition(full_disk, 1, tmp_path))
    output("fsck.fat", "-n", partition(full_disk, 2, tmp_path))
    with loop_device(full_disk) as node:
        apply_plan(plan_restoration(node, data_fs=data_fs, allow=["loop"]))
    output(*check, partition(full_disk, 1, tmp_path))
    saved = sorted((state_folder / "bootkit/old-disks").glob("*/at-0.bin"))
    assert any(path.stat().st_size == MIB for path in saved)


@pytest.mark.root
def test_both_ends_of_a_disk_come_back(full_disk: Path, state_folder: Path, tmp_path: Path) -> None:
    before = full_disk.read_bytes()
    with loop_device(full_disk) as node:
        apply_plan(plan_preparation(node, allow=["loop"]))
        (folder,) = (state_folder / "bootkit/old-disks").iterdir()
        with pytest.raises(DeviceRefused, match="is not what was kept") as caught:
            plan_putting_back(node, tmp_path, allow=["loop"])
        assert str(folder) in caught.value.hint
        apply_plan(plan_putting_back(node, folder, allow=["loop"]))
        assert not list((state_folder / "bootkit/unfinished").glob("*"))
    after = full_disk.read_bytes()
    assert (after[:MIB], after[-MIB:]) == (before[:MIB], before[-MIB:])
    assert after[MIB : 8 * MIB] != before[MIB : 8 * MIB]


@pytest.mark.root
def test_a_loop_device_needs_leave(full_disk: Path) -> None:
    with loop_device(full_disk) as node, pytest.raises(DeviceRefused, match="loop device"):
        plan_preparation(node)


@pytest.mark.root
def test_another_disk_under_the_same_name_is_refused_untouched(full_disk: Path) -> None:
    before = full_disk.read_bytes()[: 2 * MIB]
    with loop_device(full_disk) as node:
        plan = plan_preparation(node, allow=["loop"])
        other = replace(plan, target=replace(plan.target, identity=replace(plan.target.identity, diskseq=1)))
        with pytest.raises(DeviceRefused, match="another disk than the plan names"):
            apply_plan(other)
        nobody = replace(plan, target=replace(plan.target, identity=DiskIdentity(serial="x")))
        with pytest.raises(DeviceRefused):
            apply_plan(nobody)
    assert full_disk.read_bytes()[: 2 * MIB] == before


@pytest.mark.root
def test_an_interrupted_disk_is_remembered_and_has_no_boot_code(full_disk: Path) -> None:
    def stop(step: PrepareStep) -> None:
        if isinstance(step, CheckWritten):
            raise Interrupted("stop")

    with loop_device(full_disk) as node:
        plan = plan_preparation(node, allow=["loop"])
        with pytest.raises(Interrupted):
            apply_plan(plan, told=stop)
        assert interrupted_action(plan.target) == "prepare"
        again = plan_preparation(node, allow=["loop"])
        assert again.notes[0] == "an earlier prepare of this disk was not finished"
        assert full_disk.read_bytes()[:440] == bytes(440)
        apply_plan(plan_restoration(node, allow=["loop"]))
        assert interrupted_action(plan.target) == ""


@pytest.mark.root
def test_grub_bios_setup_would_write_the_same_bytes(full_disk: Path, tmp_path: Path) -> None:
    """It is let loose on a finished stick, and changes nothing."""
    setup = shutil.which("grub-bios-setup", path="/usr/lib/grub/i386-pc:/usr/sbin")
    if setup is None:
        pytest.skip("needs grub-bios-setup")
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    with loop_device(full_disk) as node:
        apply_plan(plan_preparation(node, allow=["loop"]))
        before = full_disk.read_bytes()[: 2 * MIB]
        subprocess.run(["partx", "-a", node], check=False, capture_output=True)
        output("mount", f"{node}p1", mounted)
        try:
            folder = mounted / "boot/grub/i386-pc"
            folder.mkdir()
            shutil.copy("/usr/lib/grub/i386-pc/boot.img", folder)
            core = before[MIB : 2 * MIB].rstrip(b"\0")
            (folder / "core.img").write_bytes(core + bytes(-len(core) % SECTOR))
            output("sync")
            output(setup, "--no-rs-codes", "-d", folder, node)
        finally:
            output("umount", mounted)
            output("partx", "-d", node)
        output("blockdev", "--flushbufs", node)
    assert full_disk.read_bytes()[: 2 * MIB] == before
