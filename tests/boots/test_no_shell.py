"""Initrds that open no ISO file and have no shell: a busybox of ours makes a disk of the file before they look."""

from pathlib import Path

import pytest

from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.filesystem import DataFs
from bootkit.model.prepare import Layout
from bootkit.model.testboot import TestFirmware
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.live_iso import host_suite
from tests.boots.machine import Session, session
from tests.boots.no_shell_iso import cached_no_shell_iso
from tests.boots.test_matrix import seen
from tests.boots.test_overlays import furnish, make_stick, run_through

pytestmark = pytest.mark.boots


@pytest.mark.parametrize("cure_off", [False, pytest.param(True, marks=pytest.mark.long)])
def test_systemd_finds_its_label_on_the_file(*, cure_off: bool) -> None:
    """And not without the overlay, for which it waits for minutes."""
    iso = cached_no_shell_iso(host_suite(), "nixos")
    cells = seen(iso, DataFs.FAT32, firmware=TestFirmware.UEFI, cure_off=cure_off)
    assert cells == [(DataFs.FAT32, "finder", True), *([(DataFs.FAT32, "", False)] if cure_off else [])]


def test_everything_is_laid_over_a_system_whose_initrd_has_no_shell(work: Path, accelerator: Accelerator) -> None:
    stick = make_stick(work, Layout.SINGLE, ("nixos",), accelerator)
    furnish(stick, work)
    run_through(stick, ("nixos",))


@pytest.mark.parametrize(("filesystem", "overlay"), [(DataFs.EXT4, "finder"), (DataFs.EXFAT, "map")])
def test_an_init_that_is_no_shell_script_finds_its_label_on_the_file(
    filesystem: DataFs, overlay: str, work: Path, accelerator: Accelerator
) -> None:
    stick = work / "stick.img"
    prepare_image(stick, 320 * MIB, data_fs=filesystem)
    with open_stick(stick, writing=True) as opened:
        add_images(opened.volume, plan_additions(opened.volume, [cached_no_shell_iso(host_suite(), "guix")]))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    with open_stick(stick) as opened:
        (prediction,) = check_stick(opened).predictions
        (target,) = choose_targets(opened.volume, [], every=False)
    assert (prediction.boots, prediction.overlay) == (True, overlay)

    def booted(*words: str) -> Session:
        return session(stick, entry=target.id_path, script="", accelerator=accelerator, words=words)

    facts = booted().facts
    assert (facts["root"], facts["loaded"]) == ("/dev/loop0", "the system of the image")
    assert "no disk has the label" in booted("bootkit=nocure").facts["failed"]
