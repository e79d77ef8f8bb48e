"""An installer that takes the first disk it finds: never the stick that it was started from, which does not change."""

import subprocess
import sys
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.prepare import Layout
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.installer import NETBOOT, installer_iso
from tests.boots.machine import Session, session

pytestmark = [pytest.mark.boots, pytest.mark.long]


def stick_with_installer(work: Path, *, disks: int) -> Path:
    if not NETBOOT.is_dir():
        pytest.skip("needs the package debian-installer-12-netboot-amd64")
    try:
        iso = installer_iso(work, disks=disks)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"partman is not to be had: {error.stderr.decode()[-200:]}")
    stick = work / "stick.img"
    prepare_image(stick, 300 * MIB, layout=Layout.SPLIT)
    with open_stick(stick, writing=True) as opened:
        add_images(opened.volume, plan_additions(opened.volume, [iso]))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    return stick


def install(
    stick: Path, accelerator: Accelerator, *, disks: tuple[Path, ...] = (), words: tuple[str, ...] = ()
) -> Session:
    with open_stick(stick) as opened:
        (target,) = choose_targets(opened.volume, [], every=False)
    ran = session(
        stick,
        entry=target.id_path,
        script="",
        words=("auto=true", "priority=critical", *words),
        accelerator=accelerator,
        disks=disks,
        disk_driver="usb-storage",
    )
    sys.stdout.write("\n".join((*ran.report, "")))
    assert ran.ended, ran.serial[-4000:]
    return ran


def differing(before: bytes, after: bytes) -> int:
    """How many pages of 4 KiB differ."""
    assert len(before) == len(after)
    return sum(before[at : at + 4096] != after[at : at + 4096] for at in range(0, len(before), 4096))


def test_beside_the_stick_alone_there_is_no_disk_to_install_to(work: Path, accelerator: Accelerator) -> None:
    stick = stick_with_installer(work, disks=1)
    before = stick.read_bytes()
    ran = install(stick, accelerator)
    assert ran.facts["there"] == "/sys/block/sda"
    assert [ran.facts[name].strip() for name in ("listed", "partitions", "offered")] == ["", "", ""]
    assert ran.facts["taken"] == "none"
    assert differing(before, stick.read_bytes()) == 0


def test_the_other_disk_is_partitioned_and_the_stick_is_not(work: Path, accelerator: Accelerator) -> None:
    stick = stick_with_installer(work, disks=2)
    disk = work / "disk.img"
    with disk.open("wb") as file:
        file.truncate(64 * MIB)
    before = stick.read_bytes()
    ran = install(stick, accelerator, disks=(disk,))
    assert ran.facts["there"] == "/sys/block/sda /sys/block/sdb"
    assert ran.facts["listed"].strip() == "/dev/sdb"
    assert ran.facts["taken"].startswith("/dev/sdb ")
    assert differing(before, stick.read_bytes()) == 0
    assert b"EFI PART" in disk.read_bytes()[:1024]


def test_as_the_image_is_it_takes_the_stick(work: Path, accelerator: Accelerator) -> None:
    """The test can fail: this is what the installer does without us."""
    stick = stick_with_installer(work, disks=1)
    before = stick.read_bytes()
    ran = install(stick, accelerator, words=("bootkit=off",))
    assert ran.facts["taken"].startswith("/dev/sda ")
    assert differing(before, stick.read_bytes()) > 0
