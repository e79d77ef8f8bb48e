"""Recorded machines: what each of their disks is, and whether it may become a stick."""

from pathlib import Path

import pytest

from bootkit.app.verbs.confirm import expected_names, expects
from bootkit.errors import DeviceRefused
from bootkit.model.device import BlockDevice
from bootkit.model.host import HostRecord
from bootkit.model.prepare import Action, PreparePlan, Target
from bootkit.plan.safety import Circumstances, safety
from bootkit.system.devices import block_devices, clean, device_at, find_device, read_host
from bootkit.system.target import open_target
from bootkit.units import MIB
from tests.system.machine_table import EVERYTHING, MACHINES, NEED, machine, names, table


def disk(name: str, node: str) -> BlockDevice:
    return next(device for device in block_devices(machine(name)) if device.node == node)


def reasons(name: str, node: str, circumstances: Circumstances = NEED) -> list[str]:
    return [refusal.reason for refusal in safety(disk(name, node), circumstances)]


@pytest.mark.parametrize("name", names())
def test_the_disks_of_a_machine_are_judged(name: str, *, update_golden: bool) -> None:
    golden = MACHINES / f"{name}.txt"
    if update_golden:
        golden.write_text(table(name))
    assert table(name) == golden.read_text()


@pytest.mark.parametrize("name", names())
def test_nothing_writes_to_a_disk_that_something_is_mounted_from(name: str) -> None:
    for device in block_devices(machine(name)):
        refused = safety(device, Circumstances(allowed=EVERYTHING))
        assert refused or not (device.mounts or device.swap or device.holders), device.node


@pytest.mark.parametrize(
    ("name", "node"),
    [("laptop_and_stick", "/dev/sda"), ("usb_ssd", "/dev/sda"), ("sd_card", "/dev/mmcblk0"), ("md_raid", "/dev/sdaa")],
)
def test_a_free_stick_is_not_refused(name: str, node: str) -> None:
    assert reasons(name, node) == []


@pytest.mark.parametrize(
    ("name", "node", "said"),
    [
        ("laptop_and_stick", "/dev/nvme0n1", "carries the running system: /, /boot/efi"),
        ("luks_lvm", "/dev/nvme0n1", "carries the running system: /"),
        ("md_raid", "/dev/sda", "carries the running system: /"),
        ("md_raid", "/dev/sdb", "carries the running system: /"),
        ("btrfs_root", "/dev/nvme0n1", "carries the running system: /, /home"),
        ("live_from_stick", "/dev/sda", "is the medium that this system was started from (/run/bootkit/stick)"),
        ("stick_mounted", "/dev/sda", "is mounted on /run/media/ann/MY STICK"),
        ("read_only_stick", "/dev/sda", "is write-protected"),
        ("tiny_stick", "/dev/sda", "is too small: 64.0 MiB, and 131.0 MiB are needed"),
        ("open_luks_stick", "/dev/sda", "is in use by dm-3"),
        ("loop_device", "/dev/loop0", "is a loop device, not a disk"),
        ("emmc_tablet", "/dev/mmcblk0", "is not a USB stick or a memory card but a fixed disk"),
    ],
)
def test_the_gravest_reason_comes_first(name: str, node: str, said: str) -> None:
    assert reasons(name, node)[0] == said


@pytest.mark.parametrize(
    ("name", "free"),
    [
        ("laptop_and_stick", ["/dev/sda"]),
        ("md_raid", ["/dev/sdaa"]),
        ("luks_lvm", []),
        ("btrfs_root", []),
        ("stick_mounted", []),
        ("open_luks_stick", []),
        ("read_only_stick", []),
        ("live_from_stick", ["/dev/nvme0n1"]),
    ],
)
def test_no_option_frees_a_disk_in_use(name: str, free: list[str]) -> None:
    everything = Circumstances(allowed=frozenset({"fixed", "large", "foreign", "partitions"}))
    assert [device.node for device in block_devices(machine(name)) if not safety(device, everything)] == free


def test_of_two_identical_sticks_only_the_node_tells_which_is_meant() -> None:
    one, two = disk("identical_sticks", "/dev/sda"), disk("identical_sticks", "/dev/sdb")
    assert (one.twins, two.twins) == (("/dev/sdb",), ("/dev/sda",))
    assert one.identity != two.identity  # by diskseq alone
    plan = PreparePlan(
        action=Action.PREPARE,
        target=Target(path="/dev/sda", size=one.size, is_device=True, identity=one.identity, twins=one.twins),
        steps=(),
    )
    assert expected_names(plan) == ("/dev/sda",)
    assert not expects(plan, one.identity.serial)
    assert expects(plan, "/dev/sda")


def test_a_disk_that_was_swapped_between_plan_and_write_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    planned, plugged_in = disk("identical_sticks", "/dev/sda"), disk("identical_sticks", "/dev/sdb")
    image = tmp_path / "node"
    image.write_bytes(b"mine")
    target = Target(
        path=str(image), size=planned.size, is_device=True, exists=True, identity=planned.identity, title="UDisk"
    )

    def device_now(_host: HostRecord, _number: int) -> BlockDevice:
        return plugged_in

    def is_disk(_mode: int) -> bool:
        return True

    monkeypatch.setattr("bootkit.system.target.device_at", device_now)
    monkeypatch.setattr("bootkit.system.target.stat.S_ISBLK", is_disk)
    with pytest.raises(DeviceRefused, match="another disk than the plan names"), open_target(target):
        pass
    assert image.read_bytes() == b"mine"


def test_swap_below_lvm_is_seen() -> None:
    assert disk("luks_lvm", "/dev/nvme0n1").swap


def test_each_override_frees_its_own_reason_only() -> None:
    keys = [refusal.key for refusal in safety(disk("backup_disk", "/dev/sda"), NEED)]
    assert keys == ["large", "foreign", "partitions"]
    fewer = Circumstances(allowed=frozenset({"large", "partitions"}))
    assert [refusal.key for refusal in safety(disk("backup_disk", "/dev/sda"), fewer)] == ["foreign"]


def test_a_loop_device_is_free_only_where_it_is_allowed() -> None:
    assert reasons("loop_device", "/dev/loop0", Circumstances(allowed=frozenset({"loop"}))) == []


def test_bytes_on_the_disk_tell_of_bitlocker_where_udev_does_not() -> None:
    found = safety(disk("laptop_and_stick", "/dev/sda"), Circumstances(foreign=("BitLocker",)))
    assert [refusal.key for refusal in found] == ["foreign"]


def test_what_we_run_from_is_refused() -> None:
    circumstances = Circumstances(in_use=(("the running program", "/run/media/ann/MY STICK"),))
    assert "carries the running program" in reasons("stick_mounted", "/dev/sda", circumstances)


def test_identity_comes_from_udev() -> None:
    identity = disk("laptop_and_stick", "/dev/sda").identity
    assert identity.by_id == "usb-SanDisk_Ultra_4C530001230415105342-0:0"
    assert (identity.serial, identity.diskseq) == ("4C530001230415105342", 31)


def test_a_disk_with_an_eui_is_named_by_its_model() -> None:
    assert disk("laptop_and_stick", "/dev/nvme0n1").identity.by_id.startswith("nvme-Samsung")


def test_names_cannot_move_the_cursor_or_turn_the_line() -> None:
    assert disk("hostile_names", "/dev/sda").model == "Ev il [2J Stick"
    assert clean("a\u2066b\x00c\u2028d\n") == "a b c d"


def test_parts_of_emmc_are_no_disks() -> None:
    assert [device.node for device in block_devices(machine("emmc_tablet"))] == ["/dev/mmcblk0"]


def test_empty_loop_devices_are_left_out() -> None:
    assert "/dev/loop1" not in [device.node for device in block_devices(machine("loop_device"))]


def test_a_partition_is_no_disk() -> None:
    host = machine("laptop_and_stick")
    assert device_at(host, 8 << 8 | 1) is None
    stick = device_at(host, 8 << 8)
    assert stick is not None
    assert [part.label for part in stick.partitions] == ["STICK"]


def test_reads_a_made_up_sysfs(tmp_path: Path) -> None:
    folder = tmp_path / "sys/devices/pci0/usb1/1-1/1-1:1.0/host0/block/sda"
    (folder / "sda1").mkdir(parents=True)
    (folder / "holders").mkdir()
    (folder / "queue").mkdir()
    usb = tmp_path / "sys/devices/pci0/usb1/1-1"
    texts = {
        "dev": "8:0",
        "size": "2048",
        "removable": "1",
        "ro": "0",
        "diskseq": "7",
        "queue/logical_block_size": "4096",
    }
    for name, text in texts.items():
        (folder / name).write_text(f"{text}\n")
    (folder / "sda1/dev").write_text("8:1\n")
    (folder / "sda1/partition").write_text("1\n")
    (usb / "idVendor").write_text("0781\n")
    (usb / "serial").write_text("0123\n")
    (tmp_path / "sys/class/block").mkdir(parents=True)
    (tmp_path / "sys/class/block/sda").symlink_to(folder)
    (tmp_path / "sys/class/block/sda1").symlink_to(folder / "sda1")
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text("30 1 8:1 / /media/a\\040b rw - vfat /dev/nothing rw\n")
    (device,) = block_devices(read_host(tmp_path))
    assert (device.bus, device.identity.serial, device.size, device.sector_size) == ("usb", "0123", MIB, 4096)
    assert [mount.target for mount in device.mounts] == ["/media/a b"]


def test_this_machine_is_read_without_an_error() -> None:
    host = read_host()
    assert any(mount.target == "/" for mount in host.mounts)
    assert all(device.size > 0 for device in block_devices(host))


def test_what_is_no_disk_is_refused() -> None:
    with pytest.raises(DeviceRefused, match="not a disk"):
        find_device(Path("/dev/null"), machine("laptop_and_stick"))
