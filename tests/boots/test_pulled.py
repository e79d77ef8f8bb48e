"""A stick that is pulled out in the middle of ``add`` boots what was there before, ahead of any command of ours."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import boot_targets, choose_targets
from bootkit.model.filesystem import DataFs
from bootkit.model.testboot import TestFirmware
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.live_iso import cached_iso, host_suite
from tests.conftest import copy_with_holes
from tests.system.test_medium import attached_whole

pytestmark = [pytest.mark.boots, pytest.mark.long]

WRITTEN = 32 * MIB
"""Of the second image, when the stick is pulled."""


@pytest.mark.parametrize("data_fs", [DataFs.EXT4, DataFs.FAT32, DataFs.EXFAT])
def test_a_pulled_stick_boots_what_was_there_before(data_fs: DataFs, work: Path) -> None:
    stick, pulled, second = work / "stick.img", work / "pulled.img", work / "second.iso"
    second.write_bytes(cached_iso(host_suite()).read_bytes() + random.Random(7).randbytes(64 * MIB))
    prepare_image(stick, 1200 * MIB, data_fs=data_fs)
    with open_stick(stick, writing=True) as opened:
        add_images(opened.volume, plan_additions(opened.volume, [cached_iso(host_suite())]))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)
    with attached_whole(stick) as device:
        start = stick.stat().st_blocks
        adding = subprocess.Popen([sys.executable, "-m", "bootkit", "add", second, "--stick", device])
        while (stick.stat().st_blocks - start) * 512 < WRITTEN and adding.poll() is None:
            time.sleep(0.01)
        os.kill(adding.pid, signal.SIGSTOP)
        copy_with_holes(stick, pulled)
        adding.kill()
        assert adding.wait() == -signal.SIGKILL
    with open_stick(pulled) as opened:
        targets = choose_targets(opened.volume, [], every=False)
        (proof,) = boot_targets(opened, targets, [TestFirmware.BIOS])
    assert proof.result.ok, (proof.result.reason, *proof.result.tail)
    assert proof.result.iso.endswith(cached_iso(host_suite()).name)
