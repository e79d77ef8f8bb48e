"""Secure Boot on, with Microsoft's keys and nothing enrolled: what boots, and what is refused as it was predicted."""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.testboot import TestFirmware
from bootkit.system.boot import boot
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.live_iso import cached_iso, host_suite

pytestmark = pytest.mark.boots

MEMORY_MIB = 1024


@pytest.fixture(scope="module")
def folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="bootkit-") as name:
        yield Path(name)


def fill(stick: Path, *images: Path) -> None:
    with open_stick(stick, writing=True) as opened:
        add_images(opened.volume, plan_additions(opened.volume, images))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)


def test_an_image_larger_than_the_memory_boots(folder: Path, accelerator: Accelerator) -> None:
    large = folder / "large.iso"
    shutil.copyfile(cached_iso(host_suite()), large)
    os.truncate(large, (MEMORY_MIB + 128) * MIB)
    stick = folder / "large.img"
    prepare_image(stick, (MEMORY_MIB + 512) * MIB)
    fill(stick, large)
    with open_stick(stick) as opened:
        (target,) = choose_targets(opened.volume, [], every=False)
    verdict = boot(
        stick,
        entry=target.id_path,
        firmware=TestFirmware.SECUREBOOT,
        accelerator=accelerator,
        memory_mib=MEMORY_MIB,
    )
    assert verdict.ok, (verdict.reason, *verdict.tail)
