"""The computer's own disks: closed before anybody looks through them, given back when the root is complete."""

from pathlib import Path

import pytest

from bootkit.overlay.manifest import overlay_for, overlay_members
from bootkit.system.run import which
from tests.overlay.small_initrd import add_program, has_static_busybox, in_root, initrd_members, unpack

pytestmark = pytest.mark.skipif(
    not has_static_busybox() or which("dash") is None, reason="an initrd of busybox and dash; needs busybox-static"
)

RULES = "etc/udev/rules.d/99-bootkit-disks.rules"
STAND_INS = {
    "bin/blockdev": b'#!/bin/sh\necho "blockdev $*" >>/said\n',
    "bin/findfs": b"#!/bin/sh\necho /dev/vda1\n",
    "bin/mount": b'#!/bin/sh\necho "mount $*" >>/said\n',
    "bin/switch_root": b'#!/bin/sh\necho "switch_root $*" >>/said\n',
}


def initrd(root: Path, *, words: str = "", choices: str = "") -> Path:
    """An initrd of busybox whose disks are vda (the stick), vdb and vdc, of which the last cannot be written."""
    overlay = overlay_for("liveslak")
    assert overlay is not None
    disks = {"vda1": "0", "vdb1": "0", "vdc1": "1"}
    unpack(
        {
            **{name: member for name, member in initrd_members("liveslak").items() if name not in STAND_INS},
            **overlay_members(overlay),
            **STAND_INS,
            **{f"sys/class/block/{name}/ro": f"{flag}\n".encode() for name, flag in disks.items()},
            "proc/cmdline": f"quiet {words}\n".encode(),
            "proc/uptime": b"1.0 1.0\n",
            "proc/mounts": b"",
            "bootkit/choices": f"BK_STICK_UUID='B007-C177'\n{choices}".encode(),
            "dev/kmsg": b"",
            "dev/null": b"",
        },
        root,
    )
    (root / "run/bootkit").mkdir(parents=True)
    # busybox would take its own applets before the stand-ins
    add_program(root, "dash", "bin/sh")
    return root


def said(root: Path) -> list[str]:
    path = root / "said"
    return path.read_text().splitlines() if path.exists() else []


def step_disks(root: Path) -> str:
    """The step as main.sh runs it; what it says of itself."""
    in_root(
        root,
        "/bin/sh",
        "-c",
        ". /bootkit/lib.sh; . /bootkit/choices; bk_read_words; BK_HERE=/bootkit; bk_run disks",
    )
    return (root / "run/bootkit/status").read_text().splitlines()[-1]


def test_udev_closes_and_hides_every_file_system_but_the_sticks(tmp_path: Path) -> None:
    root = initrd(tmp_path)
    in_root(root, "/bin/sh", "/bootkit/close_disk.sh")
    rules = (root / RULES).read_text().splitlines()
    assert 'ENV{ID_FS_UUID}=="B007-C177", GOTO="bootkit_end"' in rules
    assert rules[-3:] == ['SYMLINK=""', 'RUN+="/bin/sh /bootkit/close_disk.sh %k"', 'LABEL="bootkit_end"']


@pytest.mark.parametrize(
    ("words", "choices"), [("bootkit=nodisks", ""), ("bootkit=off", ""), ("", "BK_OWN_DISKS='open'\n")]
)
def test_disks_are_left_open_where_that_was_chosen(words: str, choices: str, tmp_path: Path) -> None:
    root = initrd(tmp_path, words=words, choices=choices)
    in_root(root, "/bin/sh", "/bootkit/close_disk.sh")
    assert not (root / RULES).exists()
    assert step_disks(root).startswith("disks off")


def test_a_disk_is_read_only_until_the_root_is_complete(tmp_path: Path) -> None:
    root = initrd(tmp_path)
    for name in ("vdb1", "vdb1", "vdc1"):
        in_root(root, "/bin/sh", "/bootkit/close_disk.sh", name)
    # one that cannot be written anyway is left alone
    assert said(root) == ["blockdev --setro /dev/vdb1"] * 2
    assert step_disks(root) == "disks ok the computer's own disks were left alone: vdb1"
    assert said(root)[2:] == ["blockdev --setrw /dev/vdb1"]
    assert not (root / "run/udev").exists()


@pytest.mark.parametrize(("words", "choices"), [("bootkit=closed", ""), ("", "BK_OWN_DISKS='closed'\n")])
def test_disks_stay_closed_in_the_booted_system_where_that_was_chosen(words: str, choices: str, tmp_path: Path) -> None:
    root = initrd(tmp_path, words=words, choices=choices)
    in_root(root, "/bin/sh", "/bootkit/close_disk.sh", "vdb1")
    assert "stay read-only until it is switched off: vdb1" in step_disks(root)
    assert said(root) == ["blockdev --setro /dev/vdb1"]
    rules = (root / "run/udev/rules.d/99-bootkit-disks.rules").read_text()
    assert 'RUN+="/bin/sh /run/bootkit/close_disk.sh %k"' in rules
    assert "SYMLINK" not in rules


def test_an_init_of_shell_alone_mounts_other_disks_read_only_and_the_stick_as_it_is(tmp_path: Path) -> None:
    root = initrd(tmp_path)
    script = ". /bootkit/mount_function.sh; mount -t proc proc /proc; mount /dev/vdb1 /mnt; mount -o rw /dev/vda1 /mnt"
    in_root(root, "/bin/sh", "-c", script)
    assert said(root) == [
        "mount -t proc proc /proc",
        "blockdev --setro /dev/vdb1",
        "mount /dev/vdb1 /mnt",
        "mount -o rw /dev/vda1 /mnt",
    ]


def test_a_disk_that_nothing_can_close_is_not_mounted(tmp_path: Path) -> None:
    root = initrd(tmp_path)
    (root / "bin/blockdev").write_text("#!/bin/sh\nexit 1\n")
    script = ". /bootkit/mount_function.sh; mount /dev/vdb1 /mnt || echo refused >>/said; mount /dev/loop0 /mnt"
    in_root(root, "/bin/sh", "-c", script)
    assert said(root) == ["refused", "mount /dev/loop0 /mnt"]


def test_mount_of_ours_stands_behind_the_first_line_of_init(tmp_path: Path) -> None:
    root = initrd(tmp_path)
    (root / "init").write_text("#!/bin/sh\nmount /dev/vdb1 /mnt\nexec switch_root /mnt/overlay /sbin/init\n")
    in_root(root, "/bin/sh", "-c", "sh /bootkit/init")
    assert said(root)[:2] == ["blockdev --setro /dev/vdb1", "mount /dev/vdb1 /mnt"]
    assert said(root)[-1] == "switch_root /mnt/overlay /sbin/init"
