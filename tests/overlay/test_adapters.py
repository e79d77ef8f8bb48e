from pathlib import Path

import pytest

from bootkit.detect.registry import builtin, stacks
from bootkit.errors import BootkitError
from bootkit.model.stack import Stack
from bootkit.overlay.manifest import lays_over, overlay_for, overlay_members, overlays
from bootkit.overlay.pack import Member, Symlink
from bootkit.system.run import run, which
from tests.overlay.small_initrd import (
    ARCHISO,
    ARCHISO_LOOP,
    adapted,
    add_program,
    has_static_busybox,
    in_root,
    initrd_members,
    unpack,
)

needs_busybox = pytest.mark.skipif(not has_static_busybox(), reason="an initrd of busybox alone; needs busybox-static")


def test_the_users_things_are_laid_over_where_an_overlay_builds_on_the_common_part() -> None:
    stacks = {stack: "common" in overlay.builds_on for overlay in overlays() for stack in overlay.stacks}
    assert {stack: lays_over(stack) for stack in stacks} == stacks
    assert not lays_over("anaconda")


def test_each_stack_that_an_overlay_serves_is_declared_by_a_detector_and_served_once() -> None:
    served = [stack for overlay in overlays() for stack in overlay.stacks]
    assert len(set(served)) == len(served)
    assert set(served) <= stacks().keys()
    assert not [stack.name for detector in builtin() for stack in detector.stacks if stack.adapter]


def test_a_stack_of_another_package_names_its_adapter_before_anything_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(name: str) -> Stack:
        return Stack(name=name, adapter={"casper": "mkinitcpio", "coal": "dracut", "odd": "nothing"}.get(name, ""))

    monkeypatch.setattr("bootkit.overlay.manifest.stack_of", named)
    assert [found.name for stack in ("casper", "coal", "antiX") if (found := overlay_for(stack))] == [
        "mkinitcpio",
        "dracut",
        "antix",
    ]
    with pytest.raises(BootkitError, match="the detector of odd wants the overlay 'nothing', which there is not"):
        overlay_for("odd")


def test_the_overlays_for_changes_that_are_kept_are_there() -> None:
    wanted = {stack.persistence.overlay for stack in stacks().values() if stack.persistence} - {""}
    assert wanted
    assert wanted <= {overlay.name for overlay in overlays()}


def test_every_overlay_says_what_it_relies_on_and_stays_small() -> None:
    for overlay in overlays():
        assert overlay.relies_on
        members = overlay_members(overlay)
        assert sum(len(member) for member in members.values() if isinstance(member, bytes)) < 64 << 10


@needs_busybox
@pytest.mark.parametrize(
    ("stack", "lines"),
    [
        ("archiso", ["its own hook", "main.sh /new_root /run/archiso/img_dev"]),
        ("antiX", ["main.sh /live/aufs /run/initramfs/iso-dev /live/aufs/live/iso-dev", "written"]),
        (
            "genkernel",
            [
                "Switching to real root: switch_root /newroot",
                "main.sh /newroot /mnt/super_* /mnt/super /mnt/iso",
                "switch_root -c /dev/console /newroot /sbin/init, written",
            ],
        ),
    ],
)
def test_the_hook_is_called_when_the_root_is_complete(stack: str, lines: list[str], tmp_path: Path) -> None:
    overlay = overlay_for(stack)
    assert overlay is not None
    unpack({**initrd_members(stack), **adapted(stack)}, tmp_path)
    (tmp_path / "run").mkdir()
    first = dict(word.split("=", 1) for word in overlay.words).get("rdinit", "/init")
    assert in_root(tmp_path, first) == lines


DEVICE = b"#!/bin/sh\n[ $1 = drivers ] || echo /dev/loop7\n"
"""In the place of cure.sh, on an image that is to be given as a device."""
SCAN = b"#!/bin/sh\necho 'could not find the ISO'\n"


@needs_busybox
@pytest.mark.parametrize(
    ("hooks", "medium"),
    [
        ("archiso", "the medium is /dev/disk/by-label/EMBER"),
        ("archiso archiso_loop_mnt", "the medium is a file on img_dev"),
    ],
)
@pytest.mark.parametrize("is_cured", [True, False])
def test_an_archiso_is_given_its_file_as_a_device(hooks: str, medium: str, is_cured: bool, tmp_path: Path) -> None:
    config = {"config": f'HOOKS="{hooks}"\n'.encode()}
    stack = {"hooks/archiso": ARCHISO.encode(), "hooks/archiso_loop_mnt": ARCHISO_LOOP.encode()}
    unpack({**initrd_members("archiso"), **adapted("archiso"), **config, **stack}, tmp_path)
    if is_cured:
        unpack({"bootkit/cure.sh": DEVICE}, tmp_path)
    lines = in_root(tmp_path, "/bootkit/init")
    assert lines == ["the medium is /dev/loop7" if is_cured else medium, "main.sh /new_root /run/archiso/img_dev"]


@needs_busybox
@pytest.mark.parametrize("has_scan", [True, False])
def test_casper_is_given_its_file_as_a_device(has_scan: bool, tmp_path: Path) -> None:
    premount = "scripts/casper-premount"
    scan = {f"{premount}/20iso_scan": SCAN, f"{premount}/ORDER": f"/{premount}/20iso_scan\n".encode()}
    unpack({**initrd_members("casper"), **adapted("casper"), **(scan if has_scan else {})}, tmp_path)
    assert in_root(tmp_path, "/init")[:-1] == (["could not find the ISO"] if has_scan else []) + ["the medium is any"]
    unpack({"bootkit/iso": b"", "bootkit/cure.sh": DEVICE, "scripts/init-bottom/ORDER": b""}, tmp_path)
    assert in_root(tmp_path, "/init")[:-1] == ["the medium is /dev/loop7"]


@needs_busybox
def test_an_init_without_the_expected_line_runs_as_it_is(tmp_path: Path) -> None:
    init = b"#!/bin/sh\n# exec switch_root\n\tfalse && exec env -i switch_root /new\necho its own"
    unpack({**initrd_members("genkernel"), **adapted("genkernel"), "init": init}, tmp_path)
    assert in_root(tmp_path, "/bootkit/init") == ["its own"]
    assert (tmp_path / "init").read_bytes() == init


STATUS = "new/usr/local/bin/bootkit-status"
SYSTEMD = {"new/usr/lib/systemd/systemd": b"#!", "new/sbin/init": Symlink(target="../usr/lib/systemd/systemd")}


@needs_busybox
@pytest.mark.parametrize(
    ("system", "words", "file", "text"),
    [
        (SYSTEMD, "", "run/systemd/system/bootkit.service", "late.sh"),
        ({"new/etc/inittab": b"si::sysinit:/rc\n"}, "", "new/etc/inittab", "bk::bootwait:/bin/sh /run/bootkit/late.sh"),
        # a system that brings two: the one that is started counts
        (
            {**SYSTEMD, "new/etc/inittab": b"", "new/lib/sysvinit/init": b""},
            "init=/lib/sysvinit/init",
            "new/etc/inittab",
            "bk::bootwait:",
        ),
        # genkernel's word for an init of its own, in the initrd
        (SYSTEMD, "init=/linuxrc", "run/systemd/system/bootkit.service", "late.sh"),
        (
            {"new/sbin/init": Symlink(target="/bin/busybox"), "new/etc/inittab": b"::sysinit:/rc\n"},
            "",
            "new/etc/inittab",
            "::sysinit:/bin/sh /run/bootkit/late.sh",
        ),
        ({"new/etc/local.d/README": b""}, "", "new/etc/local.d/bootkit.start", "sh /run/bootkit/late.sh"),
        ({"new/etc/runit/core-services/00.sh": b""}, "", "new/etc/runit/core-services/99-bootkit.sh", "late.sh"),
        ({}, "", "run/bootkit/status", "start failed nothing in this system can start the rest"),
    ],
    ids=["systemd", "sysvinit", "both", "initrd", "busybox", "openrc", "runit", "unknown"],
)
def test_the_rest_is_started_by_the_init_of_the_system(
    system: dict[str, Member], words: str, file: str, text: str, tmp_path: Path
) -> None:
    overlay = overlay_for("archiso")
    assert overlay is not None
    proc = {"cmdline": words, "uptime": "1.0 1.0", "mounts": ""}
    members = {
        **initrd_members("archiso"),
        **overlay_members(overlay),
        **system,
        **{f"proc/{name}": f"{content}\n".encode() for name, content in proc.items()},
    }
    unpack(members, tmp_path)
    for folder in ("run", "new", "dev"):
        (tmp_path / folder).mkdir(exist_ok=True)
    in_root(tmp_path, "/bin/sh", "/bootkit/main.sh", "/new")
    assert text in (tmp_path / file).read_text()
    assert (tmp_path / STATUS).stat().st_mode & 0o111


@needs_busybox
@pytest.mark.skipif(which("dash") is None, reason="needs dash")
def test_a_root_that_is_still_read_only_ends_nothing(tmp_path: Path) -> None:
    """As Linux Live Kit hands it over; its shell, like dash, ends where a redirection of a special built-in fails."""
    overlay = overlay_for("Linux Live Kit")
    assert overlay is not None
    proc = {"cmdline": "", "uptime": "1.0 1.0", "mounts": ""}
    files = {f"proc/{name}": f"{content}\n".encode() for name, content in proc.items()}
    unpack({**initrd_members("archiso"), **overlay_members(overlay), **files}, tmp_path)
    for folder in ("run", "new", "dev"):
        (tmp_path / folder).mkdir(exist_ok=True)
    add_program(tmp_path, "dash", "bin/dash")
    steps = (
        "mount -t tmpfs tmpfs /new && mkdir -p /new/sbin && mount -t tmpfs -o remount,ro tmpfs /new",
        "/bin/dash /bootkit/main.sh /new",
        "cat /run/bootkit/status",
    )
    said = in_root(tmp_path, "/bin/sh", "-c", "\n".join(steps))
    # busybox' mount cannot remount without a list of mounts, which this root has not: what counts is that all was tried
    assert [line.split()[0] for line in said if " " in line][-1] == "start"


@pytest.mark.skipif(which("shellcheck") is None, reason="needs shellcheck")
def test_shellcheck_finds_nothing_in_the_overlays() -> None:
    folder = Path(__file__).parents[2] / "initrd_overlays"
    run(["shellcheck", "--shell=sh", *sorted(folder.glob("*/files/*.sh"))])
