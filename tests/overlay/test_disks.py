"""The computer's own disks: closed before anybody looks through them, given back when the root is complete."""

from pathlib import Path

import pytest

from bootkit.model.options import STICK, Choices, Place, image_place, stack_place
from bootkit.overlay.choices import shell_values
from bootkit.overlay.manifest import overlay_for, overlay_members, overlays
from bootkit.system.run import which
from tests.overlay.small_initrd import add_program, has_static_busybox, in_root, initrd_members, unpack

pytestmark = pytest.mark.skipif(
    not has_static_busybox() or which("dash") is None, reason="an initrd of busybox and dash; needs busybox-static"
)

RULES = "etc/udev/rules.d/99-bootkit-disks.rules"
STAND_INS = {
    "bin/blockdev": b'#!/bin/sh\necho "blockdev $*" >>/said\n',
    "bin/blkid": (
        b"#!/bin/sh\ncase $1 in\n"
        b'/dev/vda1) echo \'/dev/vda1: LABEL="A STICK" UUID="B007-C177" TYPE="vfat" PARTUUID="6b1d"\' ;;\n'
        b'*) echo \'/dev/vdb1: UUID="00000000-0000-4000-8000-000000000001" TYPE="ext4"\' ;;\nesac\n'
    ),
    "bin/findfs": b"#!/bin/sh\necho /dev/vda1\n",
    "bin/mount": b'#!/bin/sh\necho "mount $*" >>/said\n',
    "bin/switch_root": b'#!/bin/sh\necho "switch_root $*" >>/said\n',
}


def initrd(root: Path, *, stack: str = "liveslak", words: str = "", choices: str = "") -> Path:
    """An initrd of busybox whose disks are vda (the stick), vdb and vdc, of which the last cannot be written."""
    overlay = overlay_for(stack)
    assert overlay is not None
    disks = {"vda1": "0", "vdb1": "0", "vdc1": "1"}
    unpack(
        {
            **{
                name: member
                for name, member in initrd_members({**SHAPED_AS, **TOLD}.get(stack, stack)).items()
                if name not in STAND_INS
            },
            **overlay_members(overlay),
            **STAND_INS,
            # where its busybox would install its own
            **({f"s{name}": program for name, program in STAND_INS.items()} if stack == "Alpine initrd" else {}),
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


SHAPED_AS = {
    **dict.fromkeys(("miso", "artix", "parabolaiso", "sysrescue"), "archiso"),
    **dict.fromkeys(("live-boot", "dmsquash-live", "kiwi-live", "liveiso", "mgalive", "miso (dracut)"), "casper"),
    **dict.fromkeys(("initramfs-tools on a disk", "dracut on a disk"), "casper"),
}
"""Whose small initrd stands for a stack's."""
TOLD = {"antiX": "antiX", "nixos systemd stage-1": "casper"}
"""The same of stacks that look through no disks: one is told the partition, the other finds the ISO as a disk."""


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


@pytest.mark.parametrize(
    ("blkid", "is_closed"),
    [
        ("echo '/dev/vdb1: UUID=\"0000-0001\"'", True),
        # an old busybox lists all that it knows, whatever it was asked for
        ('echo \'/dev/vda1: UUID="B007-C177"\'; echo \'/dev/vdb1: LABEL="x" UUID="0000-0001"\'', True),
        ("echo '/dev/vda1: UUID=\"0000-0001\"'", False),
        ("echo '/dev/vdb1: PARTUUID=\"0000-0001\"'", False),
        (":", False),
    ],
)
def test_a_disk_is_told_from_a_stick_that_is_yet_to_show_up(blkid: str, is_closed: bool, tmp_path: Path) -> None:
    root = initrd(tmp_path)
    unpack({"bin/findfs": b"#!/bin/sh\nexit 1\n", "bin/blkid": f"#!/bin/sh\n{blkid}\n".encode()}, root)
    in_root(root, "/bin/sh", "-c", ". /bootkit/mount_function.sh; mount /dev/vdb1 /mnt")
    assert said(root) == [*(["blockdev --setro /dev/vdb1"] if is_closed else []), "mount /dev/vdb1 /mnt"]


def test_mount_of_ours_stands_behind_the_first_line_of_init(tmp_path: Path) -> None:
    root = initrd(tmp_path)
    (root / "init").write_text("#!/bin/sh\nmount /dev/vdb1 /mnt\nexec switch_root /mnt/overlay /sbin/init\n")
    in_root(root, "/bin/sh", "-c", "sh /bootkit/init")
    assert said(root)[:2] == ["blockdev --setro /dev/vdb1", "mount /dev/vdb1 /mnt"]
    assert said(root)[-1] == "switch_root /mnt/overlay /sbin/init"


SEARCH = "[ ! -e /etc/udev/rules.d/99-bootkit-disks.rules ] || echo closed >>/said; echo search >>/said\n"
"""In the place of what looks through all disks."""
HANDLER = f"#!/bin/sh\nrun_hook() {{\n\tmount_handler=search_mount_handler\n}}\nsearch_mount_handler() {{\n{SEARCH}}}\n"
DRACUT = "for hook in /usr/lib/dracut/hooks/pre-udev/*.sh; do . $hook; done; . /search\n"
"""The order of dracut's init: hook pre-udev, then udev, whose events start the search."""


@pytest.mark.parametrize(
    ("stack", "first"),
    [
        ("casper", "/init"),
        ("live-boot", "/init"),
        ("initramfs-tools on a disk", "/init"),
        ("dracut on a disk", "/dracut"),
        *((stack, "/bootkit/init") for stack in ("archiso", "miso", "artix", "parabolaiso", "sysrescue")),
        *((stack, "/dracut") for stack in ("dmsquash-live", "kiwi-live", "liveiso", "mgalive", "miso (dracut)")),
    ],
)
@pytest.mark.parametrize("words", ["", "bootkit=nodisks"])
def test_the_disks_are_closed_before_a_stack_with_udev_searches(
    stack: str, first: str, words: str, tmp_path: Path
) -> None:
    root = initrd(tmp_path, stack=stack, words=words)
    unpack(
        {
            "bootkit/main.sh": b"#!/bin/sh\n",
            "bootkit/cure.sh": b"#!/bin/sh\n",
            "config": b'HOOKS="search"\n',
            "hooks/search": HANDLER.encode(),
            "search": SEARCH.encode(),
            "dracut": f"#!/bin/sh\n{DRACUT}".encode(),
        },
        root,
    )
    if first == "/init":
        unpack({"scripts/casper-premount/ORDER": SEARCH.encode()}, root)
    (root / "new_root").mkdir(exist_ok=True)
    in_root(root, first)
    seen = [line for line in said(root) if line in ("closed", "search")]
    assert seen == (["search"] if words else ["closed", "search"])


@pytest.mark.parametrize("stack", ["liveslak", "Linux Live Kit", "genkernel"])
@pytest.mark.parametrize("words", ["", "bootkit=nodisks"])
def test_the_disks_are_closed_before_a_stack_without_udev_mounts_them(stack: str, words: str, tmp_path: Path) -> None:
    root = initrd(tmp_path, stack=stack, words=words)
    lib = ". /lib/livekitlib\n" if stack == "Linux Live Kit" else ""
    (root / "init").write_text(f"#!/bin/sh\n{lib}mount /dev/vdb1 /mnt\nexec switch_root /mnt/overlay /sbin/init\n")
    in_root(root, "/bin/sh", "/bootkit/init")
    closed = [] if words else ["blockdev --setro /dev/vdb1"]
    assert said(root)[: len(closed) + 1] == [*closed, "mount /dev/vdb1 /mnt"]


@pytest.mark.parametrize("words", ["", "bootkit=nodisks"])
def test_the_disks_are_closed_before_nlplug_findfs_mounts_them(words: str, tmp_path: Path) -> None:
    root = initrd(tmp_path, stack="Alpine initrd", words=words)
    # a whole disk is left to its partitions, the stick's too
    unpack({"sys/class/block/vda/ro": b"0\n", "sys/class/block/vda/vda1/partition": b"1\n"}, root)
    assert in_root(root, "/init") == ["the medium is found"]
    closed = [] if words else ["blockdev --setro /dev/vdb1"]
    mounts = [f"mount /dev/{name} /media" for name in ("vda", "vda1", "vdb1", "vdc1")]
    assert said(root) == [*mounts[:2], *closed, *mounts[2:]]


@pytest.mark.parametrize("choices", ["", "BK_OWN_DISKS='closed'\n"])
def test_alpines_disks_are_given_back_when_its_search_is_over(choices: str, tmp_path: Path) -> None:
    root = initrd(tmp_path, stack="Alpine initrd", choices=choices)
    in_root(root, "/init")
    # two looks long it is still searching
    unpack(
        {
            "bin/pidof": b'#!/bin/sh\necho "$*" >>/said\n[ "$(grep -c findfs /said)" -lt 3 ]\n',
            "bin/sleep": b"#!/bin/sh\n",
        },
        root,
    )
    before = len(said(root))
    in_root(root, "/bin/sh", "/bootkit/after_search.sh")
    back = [] if choices else ["blockdev --setrw /dev/vdb1"]
    assert said(root)[before:] == [*["nlplug-findfs"] * 3, *back]
    told = "stay read-only until it is switched off" if choices else "were left alone"
    assert (root / "dev/kmsg").read_text() == f"<5>bootkit: disks ok the computer's own disks {told}: vdb1\n"


@pytest.mark.parametrize("stack", TOLD)
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "ok the computer's own disks were left alone"),
        ("bootkit=nodisks", "off switched off for this boot"),
        (
            "bootkit=closed",
            "ok the computer's own disks stay read-only until it is switched off: as soon as they are found",
        ),
    ],
)
def test_a_stack_that_searches_nothing_closes_the_disks_of_its_system_alone(
    stack: str, words: str, told: str, tmp_path: Path
) -> None:
    root = initrd(tmp_path, stack=stack, words=words)
    assert step_disks(root) == f"disks {told}"
    assert said(root) == []
    assert (root / "run/udev/rules.d/99-bootkit-disks.rules").exists() == (words == "bootkit=closed")


def test_every_stack_whose_disks_are_said_to_be_closed_is_tried_here() -> None:
    tried = {"casper", "live-boot", "archiso", *SHAPED_AS, "liveslak", "Linux Live Kit", "genkernel", "Alpine initrd"}
    forks = {"hyperiso", "kdeosiso", "chakraiso"}  # of archiso, by the same two files
    # these look for no file, and their adapters call the same close_disk.sh
    on_a_disk = {"initramfs-tools on a disk", "dracut on a disk"}
    assert {
        stack for overlay in overlays() if overlay.closes_disks for stack in overlay.stacks
    } == tried | forks | on_a_disk


def test_disks_that_stay_closed_are_told_by_status_and_log(tmp_path: Path) -> None:
    root = initrd(tmp_path, choices="BK_OWN_DISKS='closed'\n")
    in_root(root, "/bin/sh", "/bootkit/close_disk.sh", "vdb1")
    step_disks(root)
    story = "the computer's own disks stay read-only until it is switched off: vdb1"
    assert in_root(root, "/bin/sh", "/bootkit/bootkit-status") == [f"{'disks':<11} {'ok':<7} {story}"]
    assert in_root(root, "/bin/sh", "/bootkit/bootkit-status", "log") == [f"[1.0] disks: ok: {story}"]


@pytest.mark.parametrize("place", [STICK, stack_place("casper"), image_place("/boot/iso/x.iso")], ids=str)
def test_what_becomes_of_the_disks_is_chosen_for_stick_stack_or_image(place: Place) -> None:
    choices = Choices(values={place: {"own_disks": "closed", "guard_stick": True}})
    values = shell_values(choices, stack="casper", image="/boot/iso/x.iso")
    assert values == {"BK_OWN_DISKS": "closed", "BK_GUARD_STICK": "yes"}
    others = shell_values(choices, stack="miso", image="/boot/iso/y.iso")
    assert others == (values if place == STICK else {})
