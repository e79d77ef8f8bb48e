"""The computer's own disks: not one byte of them differs after a boot from the stick, and without our care some do."""

import hashlib
import sys
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.home import create_home
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.prepare import Layout
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.broken_iso import broken_iso
from tests.boots.inner_disk import make_inner_disk
from tests.boots.machine import session
from tests.boots.test_persistence import iso_of

pytestmark = pytest.mark.boots

LAST = "all=said"
REPORT = r"""
echo "home=$(sed -n 's/^home //p' /run/bootkit/status)"
echo "guard=$(sed -n 's/^guard //p' /run/bootkit/status)"
if [ "$(cat /sys/class/block/vdb1/ro)" = 1 ]; then
	dd if=/dev/zero of=/dev/vdb1 bs=4096 count=1 conv=fsync 2>/dev/null && echo "closed=written" || echo "closed=refused"
fi
echo "mkfs=$(mke2fs -n /dev/sda </dev/null 2>&1 | sed -n 's/.* is \(.*in use by the system\).*/\1/p')"
echo "udisks=$(udevadm info -q property -n /dev/sda | sed -n 's/^UDISKS_//p' | sort | tr '\n' ' ')"
echo "sda=$(cat /sys/block/sda/ro)"
echo "customize=$(sed -n 's/^customize //p' /run/bootkit/status)"
bootkit-status | sed -n 's/^disks  *\([a-z]*\) */told=\1 /p'
bootkit-status log | sed -n 's/.*\] disks: /logged=/p; s/.*\] cure: /cure=/p'
echo "disks=$(sed -n 's/^disks //p' /run/bootkit/status)"
udevadm settle
for part in /sys/class/block/vd*[1-3]/ro; do read -r ro <"$part"; part=${part%/ro}; echo "${part##*/}=$ro"; done
blkid /dev/disk/by-uuid/00000000-0000-4000-8000-000000000001 >/dev/null && echo "named=yes"
for part in /dev/vdb*; do blockdev --flushbufs "$part"; done
echo "{LAST}"
""".replace("{LAST}", LAST)


def stick_of(stack: str, folder: Path) -> Path:
    iso = broken_iso("f42", "iso-scan", folder) if stack == CURED else iso_of(stack, folder)
    stick = folder / "stick.img"
    prepare_image(stick, 400 * MIB, layout=Layout.SPLIT)
    with open_stick(stick, writing=True) as opened:
        create_home(opened.volume, "anna", 16 * MIB, passphrase=None)
        opened.volume.write({"/boot/customize/mark.sh": b"#!/bin/sh\nblkid -p /dev/vdb*\n"})
        add_images(opened.volume, plan_additions(opened.volume, [iso]))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    return stick


def changed_bytes(before: bytes, after: bytes) -> list[int]:
    """The offsets at which a disk differs, a few of them."""
    assert len(before) == len(after)
    pages = (at for at in range(0, len(before), 4096) if before[at : at + 4096] != after[at : at + 4096])
    return [at + i for at in islice(pages, 8) for i in range(4096) if before[at + i] != after[at + i]][:40]


LONG = pytest.mark.long
CURED = "f42 without iso-scan"
OPEN = ["bootkit=nodisks"]
CLOSED, GUARDED = ["bootkit=closed", "toram"], ["bootkit=guard,nohome"]
ALWAYS: list[tuple[str, list[str]]] = [("live-boot", []), ("live-boot", OPEN)]


@pytest.mark.parametrize(
    ("stack", "words"),
    [
        pytest.param("live-boot", [], id="live-boot"),
        pytest.param("live-boot", OPEN, id="live-boot-open"),
        pytest.param("f42", [], id="f42", marks=LONG),
        pytest.param("live-boot", CLOSED, id="live-boot-closed-to-ram", marks=LONG),
        pytest.param("live-boot", GUARDED, id="live-boot-guarded", marks=LONG),
        pytest.param(CURED, [], id="f42-cured", marks=LONG),
        pytest.param("f42", OPEN, id="f42-open", marks=LONG),
        pytest.param("f41", [], id="f41", marks=LONG),
        pytest.param("f41", OPEN, id="f41-open", marks=LONG),
        pytest.param("kiwi", [], id="kiwi", marks=LONG),
        pytest.param("kiwi", OPEN, id="kiwi-open", marks=LONG),
    ],
)
def test_no_byte_of_the_computers_own_disk_changes(
    stack: str, words: list[str], work: Path, accelerator: Accelerator
) -> None:
    stick = stick_of(stack, work)
    disk = work / "inner.img"
    make_inner_disk(disk)
    before = disk.read_bytes()
    with open_stick(stick) as opened:
        (target,) = choose_targets(opened.volume, [], every=False)
    ran = session(
        stick,
        entry=target.id_path,
        script=REPORT,
        words=words,
        accelerator=accelerator,
        disks=[disk],
        # an emulated machine whose clock is counted in instructions now and then stands still where the stick is written
        # out (QEMU 7.2, usb-storage), which a system does when it switches itself off
        until="" if (stack, words) in ALWAYS else LAST,
    )
    sums = [hashlib.sha256(data).hexdigest() for data in (before, disk.read_bytes())]
    sys.stdout.write("\n".join((" ".join((stack, *words)), *ran.report, *sums, "")))
    assert ran.ended, ran.serial[-4000:]
    assert LAST in ran.report
    changed = changed_bytes(before, disk.read_bytes())
    assert (sums[0] == sums[1]) == (changed == [])
    if words == OPEN:
        # the test can fail: this is what the image does by itself
        assert changed
        assert ran.facts["disks"].startswith("off")
    else:
        assert changed == []
        assert ran.facts["disks"].startswith("ok")
        assert ran.facts["named"] == "yes"
        assert ran.facts["vdb1"] == ("1" if words == CLOSED else "0")
    if stack == CURED:
        assert " is /dev/loop" in ran.facts["cure"]
    if words == CLOSED:
        assert ran.facts["closed"] == "refused"
        for where in ("told", "logged"):
            assert "stay read-only until it is switched off" in ran.facts[where]
    if stack == "live-boot" and words != OPEN:
        the_stick_is_no_target(ran.facts, guarded=words == GUARDED)


def the_stick_is_no_target(facts: Mapping[str, str], *, guarded: bool) -> None:
    assert facts["home"].startswith("off" if guarded else "ok"), facts["home"]
    assert facts["customize"].startswith("ok")
    assert facts["mkfs"] == "apparently in use by the system"
    assert facts["udisks"].split() == ["AUTO=0", "IGNORE=1", "SYSTEM=1"]
    assert facts["sda"] == ("1" if guarded else "0"), facts["guard"]
