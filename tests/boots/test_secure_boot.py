"""Secure Boot on, with Microsoft's keys and nothing enrolled: what boots, and what is refused as it was predicted."""

import os
import re
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.check import Trust
from bootkit.model.places import CUSTOM_MENU, GRUB_FOLDER
from bootkit.model.testboot import MachineKind, Stage
from bootkit.system.boot import boot
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.system.volume import read_file
from bootkit.units import MIB
from tests.boots.live_iso import cached_iso, host_suite
from tests.boots.secure import CASES, LIMITS, MEMORY_MIB, OTHERS, SECURE, VENDORS, Case, Lab, fill

pytestmark = pytest.mark.boots


TRIES = """\
serial --unit=0 --speed=115200
terminal_output --append serial
function try {
  if linux "(tried_$1)/linux"; then
    echo "tried: $1 $2 accepted"
  else
    echo "tried: $1 $2 refused"
  fi
}
show ''
for one in vendor unsigned changed revoked debian; do
  loopback "tried_$one" "($stick)/boot/iso/$one.iso"
done
try vendor before
set trouble=''
hop uefi once /boot/iso/vendor.iso /EFI/BOOT/BOOTX64.EFI
for one in unsigned changed revoked debian vendor; do
  try "$one" after
done
"""
"""What a user's own menu can do by the functions of ours: try kernels, and start a vendor's shim between them."""


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
    said: list[str] = []
    result = boot(
        stick,
        entry=target.id_path,
        firmware=SECURE,
        accelerator=accelerator,
        memory_mib=MEMORY_MIB,
        limits=LIMITS,
        heard=said.append,
    )
    assert result.ok, (result.reason, *result.tail)
    assert "Kernel is locked down from EFI Secure Boot" in "".join(said)


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


def test_a_vendors_shim_vouches_for_its_own_kernels_alone(lab: Lab, folder: Path, accelerator: Accelerator) -> None:
    stick = folder / "tries.img"
    shutil.copyfile(lab.stick, stick)
    with open_stick(stick, writing=True) as opened:
        opened.volume.write({CUSTOM_MENU: TRIES.encode()})
        (parts,) = (one.name for one in opened.volume.listdir(GRUB_FOLDER) if one.name.startswith("menu_"))
        entries = read_file(opened.volume, f"{GRUB_FOLDER}/{parts}", 1 << 20) or b""
    assert set(re.findall(rb"^ *hop \S+ \S+ (\S+)", entries, re.MULTILINE)) == {b"/boot/iso/vendor.iso"}
    said: list[str] = []
    result = boot(
        stick,
        entry="none",
        firmware=SECURE,
        accelerator=accelerator,
        until=Stage.MENU,
        variables=lab.variables(VENDORS),
        memory_mib=MEMORY_MIB,
        limits=LIMITS,
        heard=said.append,
    )
    assert result.ok, (result.reason, *result.tail)
    assert re.findall(r"tried: (\S+ \S+ \w+)", "".join(said)) == [
        "vendor before refused",
        "unsigned after refused",
        "changed after refused",
        "revoked after refused",
        "debian after accepted",
        "vendor after accepted",
    ]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[pytest.mark.long] if case.machine not in OTHERS else []) for case in CASES],
    ids=lambda case: f"{case.image}-{case.machine}",
)
def test_no_boot_contradicts_its_prediction(case: Case, lab: Lab, accelerator: Accelerator) -> None:
    tried = lab.try_it(case, accelerator)
    assert tried.agrees, (tried.prediction.line, tried.result.reason, *tried.result.tail)
