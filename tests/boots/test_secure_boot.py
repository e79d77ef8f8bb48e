"""Secure Boot on, with Microsoft's keys and nothing enrolled: what boots, and what is refused as it was predicted."""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.check import Trust
from bootkit.model.testboot import MachineKind
from bootkit.system.boot import boot
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.live_iso import cached_iso, host_suite
from tests.boots.secure import CASES, LIMITS, MEMORY_MIB, SECURE, VENDORS, Case, Lab, fill

pytestmark = pytest.mark.boots


@pytest.fixture(scope="module")
def folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="bootkit-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def lab(folder: Path) -> Lab:
    return Lab(folder)


def test_an_image_larger_than_the_memory_boots(folder: Path, accelerator: Accelerator) -> None:
    large = folder / "large.iso"
    shutil.copyfile(cached_iso(host_suite()), large)
    os.truncate(large, (MEMORY_MIB + 128) * MIB)
    stick = folder / "large.img"
    prepare_image(stick, (MEMORY_MIB + 512) * MIB)
    fill(stick, large)
    with open_stick(stick) as opened:
        (target,) = choose_targets(opened.volume, [], every=False)
    result = boot(
        stick, entry=target.id_path, firmware=SECURE, accelerator=accelerator, memory_mib=MEMORY_MIB, limits=LIMITS
    )
    assert result.ok, (result.reason, *result.tail)


@pytest.mark.parametrize(
    ("name", "trust"),
    [("changed", Trust.UNSIGNED), ("homemade", Trust.FOREIGN), ("unsigned", Trust.UNSIGNED)],
)
def test_what_shim_refuses_is_predicted_and_refused(
    name: str, trust: Trust, lab: Lab, accelerator: Accelerator
) -> None:
    tried = lab.try_it(Case(image=name, machine=MachineKind.MS2011), accelerator)
    assert tried.said.trust is trust
    assert (tried.result.ok, tried.result.reason) == (False, "GRUB: bad shim signature.")
    assert any("Secure Boot is on" in line for line in tried.result.tail)


def test_the_kernel_of_another_vendor_boots_after_its_shim(lab: Lab, accelerator: Accelerator) -> None:
    tried = lab.try_it(Case(image="vendor", machine=VENDORS), accelerator)
    assert tried.said.trust is Trust.HOP
    assert tried.result.ok, (tried.result.reason, *tried.result.tail)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.image}-{case.machine}")
def test_no_boot_contradicts_its_prediction(case: Case, lab: Lab, accelerator: Accelerator) -> None:
    tried = lab.try_it(case, accelerator)
    assert tried.agrees, (tried.prediction.line, tried.result.reason, *tried.result.tail)
