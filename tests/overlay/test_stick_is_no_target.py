"""The stick is not what an installer takes: held and marked in a live system, unseen by debian-installer."""

from pathlib import Path

import pytest

from bootkit.system.run import which
from tests.overlay.sandbox import SHELLS, Sandbox
from tests.overlay.small_initrd import has_static_busybox

pytestmark = pytest.mark.skipif(
    not has_static_busybox() or which("dash") is None, reason="a sandbox of busybox and dash; needs busybox-static"
)

CHOICES = "BK_STICK_UUID=B007-C177\n"
MOUNTED = "/dev/{part} /run/bootkit/stick vfat rw,noatime 0 0\n"
RULES = "run/udev/rules.d/99-bootkit-stick.rules"


@pytest.fixture(params=SHELLS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    return ready(Sandbox(tmp_path, request.param))


def ready(box: Sandbox) -> Sandbox:
    box.take("lib.sh", "held.sh", "guard.sh", "hide_in.sh", "without_stick.sh", "startup.sh")
    for name in ("blockdev", "mount", "logger"):
        box.stand_in(name)
    add_disk(box, "sda", "sda3")
    return box


def add_disk(box: Sandbox, disk: str, part: str) -> None:
    """The stick as the kernel and udev show it."""
    box.write(f"sys/devices/{disk}/{part}/partition", "3\n")
    (box.root / "sys/class/block").mkdir(parents=True, exist_ok=True)
    (box.root / f"sys/class/block/{part}").unlink(missing_ok=True)
    (box.root / f"sys/class/block/{part}").symlink_to(f"../../devices/{disk}/{part}")
    box.write(f"dev/{part}", "")
    box.write("dev/disk/by-uuid/other", "")
    link = box.root / "dev/disk/by-uuid/B007-C177"
    link.unlink(missing_ok=True)
    link.symlink_to(f"../../{part}")
    box.write("proc/mounts", MOUNTED.format(part=part))


@pytest.mark.parametrize(
    ("disk", "part", "names"), [("sda", "sda3", "sda|sda[0-9]*"), ("mmcblk0", "mmcblk0p3", "mmcblk0|mmcblk0p[0-9]*")]
)
def test_the_whole_disk_is_a_systems_own_and_all_but_our_partition_is_hidden(
    disk: str, part: str, names: str, box: Sandbox
) -> None:
    add_disk(box, disk, part)
    assert box.step("held", CHOICES) == [f"ok {disk} is in use: no program gets it for itself alone"]
    system, ignored = (box.root / RULES).read_text().splitlines()
    assert system == f'SUBSYSTEM=="block", KERNEL=="{names}", ENV{{UDISKS_SYSTEM}}="1", ENV{{UDISKS_AUTO}}="0"'
    assert ignored == f'SUBSYSTEM=="block", KERNEL=="{names}", KERNEL!="{part}", ENV{{UDISKS_IGNORE}}="1"'


def test_without_a_stick_there_is_nothing_to_hold(box: Sandbox) -> None:
    box.write("proc/mounts", "")
    assert box.step("held", CHOICES) == ["none there is no stick"]
    assert not (box.root / RULES).exists()


@pytest.mark.parametrize("choice", ["BK_GUARD_STICK=yes", "BK_WORDS=,guard"])
def test_a_guarded_stick_is_read_only_as_a_disk(choice: str, box: Sandbox) -> None:
    box.write("run/bootkit/writable", "")
    assert box.step("guard", f"{CHOICES}{choice}") == ["ok sda cannot be written to: no installer can take it"]
    assert box.said == ["mount -o remount,ro /run/bootkit/stick", "blockdev --setro /dev/sda"]
    assert not (box.root / "run/bootkit/writable").exists()


def test_a_stick_is_not_guarded_where_nobody_chose_it(box: Sandbox) -> None:
    assert box.step("guard", CHOICES) == ["none the stick can be written to"]
    assert box.said == []


def test_what_the_user_keeps_on_the_stick_comes_before_its_guard(box: Sandbox) -> None:
    box.stand_in("mount", "exit 1")  # as the kernel has it where a file is open for writing
    kept = ["failed sda can be written to: something on it is being changed, a home or what is kept"]
    assert box.step("guard", f"{CHOICES}BK_GUARD_STICK=yes") == kept
    box.stand_in("mount")
    box.write("proc/mounts", MOUNTED.format(part="sda3") + "/dev/sda4 /run/live/persistence/sda4 ext4 rw 0 0\n")
    (box.root / "run/bootkit/status").unlink()
    assert box.step("guard", f"{CHOICES}BK_GUARD_STICK=yes") == kept
    assert "blockdev --setro /dev/sda" not in box.said


@pytest.fixture
def installer(tmp_path: Path) -> Sandbox:
    """With dash: the shell of busybox takes its own blockdev before a stand-in. tests/boots has the installer's."""
    return ready(Sandbox(tmp_path, "dash"))


LISTED = "/dev/sda\\n/dev/sda3\\n/dev/sdab\\n/dev/sdb\\n"


def listed(box: Sandbox, words: str = "quiet") -> list[str]:
    """What debian-installer's programs print when our scripts have run as it runs them."""
    box.write("proc/cmdline", f"{words}\n")
    box.write("bootkit/choices", CHOICES)
    box.stand_in("list-devices", f"printf '{LISTED}'\nexit 3")
    status, lines = box.run("sh /bootkit/startup.sh; list-devices disk")
    assert status == 3  # the program's own
    return lines


def test_debian_installer_does_not_list_the_stick_and_cannot_write_to_it(installer: Sandbox) -> None:
    assert listed(installer) == ["/dev/sdab", "/dev/sdb"]
    assert "list-devices disk" in installer.said
    assert "blockdev --setro /dev/sda" in installer.said


def test_partmans_own_list_lacks_the_stick_as_well(installer: Sandbox) -> None:
    installer.write("proc/mounts", "")
    listed(installer)
    # brought by partman later
    installer.stand_in("parted_devices", r"printf '/dev/sda\t64\tStick\n/dev/sdb\t64\tDisk\n'")
    _, lines = installer.run("sh /lib/partman/init.d/29bootkit; sh -c parted_devices")
    assert lines == ["/dev/sdb\t64\tDisk"]


@pytest.mark.parametrize("words", ["bootkit=off", "iso-scan/filename=/boot/iso/x.iso"])
def test_debian_installer_sees_the_stick_as_the_image_is_or_while_it_looks_for_its_file(
    words: str, installer: Sandbox
) -> None:
    assert listed(installer, words) == ["/dev/sda", "/dev/sda3", "/dev/sdab", "/dev/sdb"]
    assert "blockdev --setro /dev/sda" not in installer.said


def test_when_debian_installer_has_its_file_the_stick_is_no_disk_any_more(installer: Sandbox) -> None:
    installer.write("proc/mounts", "/dev/sda3 /hd-media vfat ro 0 0\n/dev/loop0 /cdrom iso9660 ro 0 0\n")
    assert listed(installer, "iso-scan/filename=/boot/iso/x.iso") == ["/dev/sdab", "/dev/sdb"]
