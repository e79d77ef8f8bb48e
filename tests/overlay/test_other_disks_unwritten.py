"""Nothing of ours writes to another disk than the stick, whatever the image's own initrd has found and mounted."""

import re
from pathlib import Path

import pytest

from bootkit.system.run import which
from tests.overlay.sandbox import OVERLAYS, SHELLS, Sandbox
from tests.overlay.small_initrd import has_static_busybox

pytestmark = pytest.mark.skipif(
    not has_static_busybox() or which("dash") is None, reason="a sandbox of busybox and dash; needs busybox-static"
)

CHOICES = "BK_STICK_UUID=B007-C177\nBK_FOLDERS='/run/live/findiso /isodevice'\n"
STEP = f"BK_HERE=/bootkit; BK_WORDS=; . /bootkit/lib.sh; {CHOICES}\nbk_run stick"
GOLDEN = Path(__file__).parent / "golden" / "what_touches_disks.txt"
PROGRAMS = "blockdev|cryptsetup|dd|dmsetup|e2fsck|losetup|mkfs[.a-z0-9]*|mount|sfdisk|swapon|tune2fs|wipefs"
LINE = re.compile(rf"(?<![\w/.$-])(?:{PROGRAMS}) (?:-|\"|\$|\w)[^#]*|>+ ?\"?/(?:dev|proc|sys)/(?!null)\S+")


@pytest.fixture(params=SHELLS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    """The stick is sda3; sdb1 is the computer's own."""
    box = Sandbox(tmp_path, request.param)
    box.take("lib.sh", "stick.sh", "persistence.sh")
    for name in ("mount", "findfs", "setup_loop", "losetup"):
        box.stand_in(name)
    for name in ("sda3", "sdb1"):
        box.write(f"dev/{name}", "")
    box.write("dev/disk/by-uuid/other", "")
    (box.root / "dev/disk/by-uuid/B007-C177").symlink_to("../../sda3")
    return box


def mounted(box: Sandbox, **folders: str) -> None:
    places = {"found": "/run/live/findiso", "isodevice": "/isodevice", "stick": "/run/bootkit/stick"}
    lines = (f"/dev/{device} {places[name]} ext4 ro,noatime 0 0\n" for name, device in folders.items())
    box.write("proc/mounts", "".join(lines))


def test_a_disk_on_which_the_stack_found_the_same_file_stays_as_it_is(box: Sandbox) -> None:
    mounted(box, found="sdb1")
    box.run(STEP)
    assert box.said == [
        "mount -o rw,noatime /dev/disk/by-uuid/B007-C177 /run/bootkit/stick",
    ]
    assert "/run/live/findiso is /dev/sdb1, which is not the stick: nothing is written there" in box.log


def test_the_stick_is_taken_from_where_the_stack_has_it(box: Sandbox) -> None:
    mounted(box, found="sdb1", isodevice="sda3")
    box.run(STEP)
    assert box.said == [
        "mount -o remount,rw,noatime /isodevice",
        "mount -o bind /isodevice /run/bootkit/stick",
    ]


@pytest.mark.parametrize(("device", "is_taken"), [("sda3", True), ("sdb1", False)])
def test_changes_are_kept_on_the_stick_alone(device: str, is_taken: bool, box: Sandbox) -> None:
    mounted(box, found=device)
    box.write("proc/cmdline", "bootkit.persistence=/boot/keep/x\n")
    box.write("bootkit/choices", "BK_STICK_UUID=B007-C177\n")
    box.write("run/live/findiso/boot/keep/x", "")
    box.run(". /bootkit/persistence.sh; find_persistence_media >/tmp/answer")
    assert ("mount -o remount,rw,noatime /run/live/findiso" in box.said) is is_taken


def test_every_line_that_could_touch_a_disk_was_reviewed(update_golden: bool) -> None:
    """What each names: the stick, a loop device, memory, or a disk that the image itself mounts (mount.sh)."""
    found = [
        f"{path.parent.parent.name}/{path.name}: {match[0].strip()}"
        for path in sorted(OVERLAYS.glob("*/files/*"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith("#")
        for match in LINE.finditer(line)
    ]
    text = "".join(f"{line}\n" for line in found)
    if update_golden:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
    assert not re.search(r"/dev/(?:sd|vd|nvme|mmcblk|hd)", text)
