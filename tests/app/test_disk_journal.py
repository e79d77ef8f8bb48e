"""Installed systems that were switched off while they ran: what their journal holds is told of, and never lost."""

import subprocess
from pathlib import Path

import pytest

from bootkit.app.stick.user_files import take_out
from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.disk import find_disks, grown_disk, planned_disk
from bootkit.app.verbs.disk_encrypt import encrypted_disk, require_encryptable
from bootkit.app.verbs.explain import explain_file, look_on_stick
from bootkit.app.verbs.images import add_images
from bootkit.app.verbs.prepare import prepare_image
from bootkit.errors import BootkitError
from bootkit.formats.ext4 import Ext4
from bootkit.formats.partitions import read_partitions
from bootkit.model.filesystem import DataFs
from bootkit.probe.disk import waiting_journals
from bootkit.system.changes import Watcher
from bootkit.system.diskimage import put_back, take_partition
from bootkit.system.luks import decrypt
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.app.installed import UUID, DiskMaker
from tests.app.test_disk import add

OLD, NEW = b"defaults", b"noatime "
SAYS = "It was switched off while it ran (partition 2)"
PASSPHRASE = b"correct horse"
BOOT_UUID = "0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e03"

pytestmark = pytest.mark.usefixtures("light_keys")


def root_of(disk: Path, folder: Path, number: int = 2) -> Path:
    """The root of a disk, or another partition, in a file of its own."""
    part = folder / f"{number}-of-{disk.name}"
    with disk.open("rb") as fh:
        row = read_partitions(fh).partitions[number - 1]
    take_partition(disk, row, part)
    return part


def switched_off(disk: Path, folder: Path, number: int = 2, file: str = "/etc/fstab") -> Path:
    """``disk``, one file of which has been changed in the journal only."""
    part, block, script = root_of(disk, folder, number), folder / "block", folder / "script"
    with part.open("rb") as fh:
        tree = Ext4(fh)
        before = tree.read(file, 999)
        size = tree.superblock.block_size
    block.write_bytes(before.replace(OLD, NEW).ljust(size, b"\0"))
    debugfs: list[str | Path] = ["debugfs", "-R", f"blocks {file}", part]
    place = int(subprocess.run(debugfs, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    script.write_text(f"journal_open\njournal_write -b {place} {block}\njournal_close\n")
    subprocess.run(["debugfs", "-w", "-f", script, part], check=True, capture_output=True)
    with disk.open("rb") as fh:
        put_back(part, disk, read_partitions(fh).partitions[number - 1].start)
    assert OLD in before
    return disk


def with_own_boot(disk: Path, folder: Path) -> Path:
    """The disk once more, with its /boot on a partition of its own, the third."""
    tree, boot, made = folder / f"tree-{disk.name}", folder / "boot", folder / "own.raw"
    (tree / "boot").rename(boot)
    (tree / "boot").mkdir()
    (boot / "options").write_bytes(OLD)
    menu = boot / "grub/grub.cfg"
    menu.write_text(menu.read_text().replace(" /boot/", " /"))
    with (tree / "etc/fstab").open("a") as fstab:
        fstab.write(f"UUID={BOOT_UUID} /boot ext4 defaults 0 2\n")
    with made.open("xb") as fh:
        fh.truncate(64 * MIB)
    table = (
        "label: gpt\nstart=1MiB, size=1MiB, type=U\nstart=2MiB, size=40MiB, type=L\nstart=42MiB, size=20MiB, type=L\n"
    )
    subprocess.run(["sfdisk", "--quiet", made], input=table.encode(), check=True)
    for content, uuid, start, size in ((tree, UUID, 2, 40), (boot, BOOT_UUID, 42, 20)):
        part = folder / f"at-{start}"
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-U", uuid, "-d", content, part, f"{size}M"], check=True)
        put_back(part, made, start * MIB)
    return made


@pytest.fixture
def disk(make_disk: DiskMaker, tmp_path: Path) -> Path:
    return switched_off(make_disk(asks=True, mib=40), tmp_path)


def stick_with(disk: Path, folder: Path, data_fs: DataFs = DataFs.EXT4) -> Path:
    stick = folder / "stick.img"
    prepare_image(stick, 500 * MIB, data_fs=data_fs)
    add(stick, disk)
    return stick


def require_changed(part: Path, file: str = "/etc/fstab") -> None:
    subprocess.run(["e2fsck", "-f", "-n", part], check=True, capture_output=True)
    with part.open("rb") as fh:
        tree = Ext4(fh)
        assert not tree.superblock.has_waiting_journal
        assert NEW in tree.read(file, 999)


def test_it_is_told_before_the_disk_is_copied(disk: Path, tmp_path: Path) -> None:
    prediction = explain_file(disk).prediction
    assert prediction is not None
    assert prediction.notes[0].startswith(SAYS)
    prepare_image(tmp_path / "stick.img", 500 * MIB)
    with open_stick(tmp_path / "stick.img") as opened, planned_disk(opened, disk, Watcher()) as plan:
        assert any(warning.startswith(SAYS) for warning in plan.warnings)


@pytest.mark.parametrize("data_fs", [DataFs.EXT4, DataFs.FAT32])
def test_check_reads_it_anew_whatever_the_date_of_the_file_says(data_fs: DataFs, disk: Path, tmp_path: Path) -> None:
    stick = stick_with(disk, tmp_path, data_fs)
    with open_stick(stick) as opened:
        (prediction,) = check_stick(opened).predictions
        looked = look_on_stick(opened, "debian.raw").prediction
    assert looked is not None
    assert prediction.notes[0] == looked.notes[0]
    assert prediction.notes[0].startswith(SAYS)


def test_what_was_shut_down_is_not_said_to_have_been_switched_off(make_disk: DiskMaker, tmp_path: Path) -> None:
    disk = make_disk()
    with disk.open("rb") as fh:
        assert waiting_journals(fh) == ()
    with open_stick(stick_with(disk, tmp_path)) as opened:
        (prediction,) = check_stick(opened).predictions
    assert not any("switched off" in note for note in prediction.notes)


def test_growing_keeps_what_only_the_journal_holds(disk: Path, tmp_path: Path) -> None:
    stick, out = stick_with(disk, tmp_path), tmp_path / "out.raw"
    with open_stick(stick, writing=True) as opened:
        with grown_disk(opened.volume, "debian", 80 * MIB, Watcher()) as addition:
            add_images(opened.volume, (addition,))
        take_out(opened.volume, addition.step.path, out)
        (prediction,) = check_stick(opened).predictions
    assert not any("switched off" in note for note in prediction.notes)
    require_changed(root_of(out, tmp_path))


def encrypted(disk: Path, folder: Path) -> Path:
    stick, out = stick_with(disk, folder), folder / "out.raw"
    with open_stick(stick, writing=True) as opened:
        ((path, _),) = find_disks(opened.volume)
        item = require_encryptable(opened.volume, path)
        with encrypted_disk(opened.volume, item, PASSPHRASE, Watcher()) as addition:
            add_images(opened.volume, (addition,))
        take_out(opened.volume, item.path, out)
    return out


def test_encrypting_keeps_what_only_the_journal_holds(disk: Path, tmp_path: Path) -> None:
    part = root_of(encrypted(disk, tmp_path), tmp_path)
    decrypt(part, PASSPHRASE, tmp_path / "header")
    require_changed(part)


def test_encrypting_keeps_what_only_the_journal_of_a_boot_partition_holds(make_disk: DiskMaker, tmp_path: Path) -> None:
    disk = with_own_boot(make_disk(asks=True, mib=40), tmp_path)
    out = encrypted(switched_off(disk, tmp_path, 3, "/options"), tmp_path)
    boot = root_of(out, tmp_path, 3)
    require_changed(boot, "/options")
    with boot.open("rb") as fh:
        assert b" cryptopts=target=luks-" in Ext4(fh).read("/grub/grub.cfg", 1 << 16)


def test_a_damaged_root_is_not_grown(make_disk: DiskMaker, tmp_path: Path) -> None:
    disk = make_disk()
    with disk.open("r+b") as fh:
        fh.seek(2 * MIB + 1024 + 0x3FC)
        fh.write(b"\0\0\0\0")  # the checksum of its superblock
    stick = stick_with(disk, tmp_path)
    with (
        open_stick(stick, writing=True) as opened,
        pytest.raises(BootkitError, match="its file system is damaged") as caught,
        grown_disk(opened.volume, "debian", 80 * MIB, Watcher()),
    ):
        pass
    assert "bootkit disk take-out" in (caught.value.hint or "")
    with open_stick(stick) as opened, opened.volume.open("/boot/disk/debian.raw") as fh:
        assert fh.read() == disk.read_bytes()
