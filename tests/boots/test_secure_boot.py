"""Secure Boot on, with Microsoft's keys and nothing enrolled: what boots, and what is refused as it was predicted."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.formats.efi import encoded
from bootkit.formats.x509 import parse_certificate
from bootkit.model.check import Trust
from bootkit.model.efi import MachineKeys
from bootkit.model.testboot import BootResult, Stage, TestFirmware
from bootkit.system.boot import STAGE_LIMITS, boot
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.keys import make_key, trusting, vendor_shim
from tests.boots.live_iso import cached_iso, host_suite

pytestmark = pytest.mark.boots

MEMORY_MIB = 1024
NETBOOT = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
SECURE = TestFirmware.SECUREBOOT
LIMITS = {stage: 4 * limit for stage, limit in STAGE_LIMITS.items()}
"""Firmware that verifies takes its time where it is emulated, and a vendor's shim waits for somebody to read what it says."""


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
    result = boot(
        stick, entry=target.id_path, firmware=SECURE, accelerator=accelerator, memory_mib=MEMORY_MIB, limits=LIMITS
    )
    assert result.ok, (result.reason, *result.tail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendors:
    """A stick with Debian's installer under four kernels: its own, one that was changed, and two of other keys."""

    stick: Path
    variables: Path
    """Of a machine that trusts who signed the vendor's shim."""
    machine: MachineKeys


@pytest.fixture(scope="module")
def vendors(folder: Path) -> Vendors:
    microsoft, vendor, stranger = (
        make_key(folder, name) for name in ("Microsoft", "Vendor B", "built on debian by me")
    )
    kernel = NETBOOT / "linux"
    changed, bare = folder / "changed", folder / "unsigned"
    content = bytearray(kernel.read_bytes())
    content[1 << 20] ^= 1
    changed.write_bytes(content)
    shutil.copyfile(kernel, bare)
    subprocess.run(["sbattach", "--remove", bare], check=True, capture_output=True)
    shim = vendor_shim(vendor, microsoft, folder / "shim.efi")
    images = [
        installer(folder, "changed", changed),
        installer(folder, "homemade", stranger.sign(kernel, folder / "homemade")),
        installer(folder, "unsigned", bare),
        installer(folder, "vendor", vendor.sign(kernel, folder / "vendor"), shim),
    ]
    stick = folder / "vendors.img"
    prepare_image(stick, 500 * MIB)
    machine = MachineKeys(trusts=(encoded(parse_certificate(microsoft.der)),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bootkit.app.verbs.generate.machine_keys", lambda: machine)
        fill(stick, *images)
    return Vendors(stick=stick, variables=trusting(microsoft, folder / "variables"), machine=machine)


def installer(folder: Path, name: str, kernel: Path, shim: Path | None = None) -> Path:
    """Debian's netboot installer as its mini.iso has it, with another kernel."""
    tree = folder / f"tree-{name}"
    (tree / "boot/grub").mkdir(parents=True)
    shutil.copy(kernel, tree / "linux")
    shutil.copy(NETBOOT / "initrd.gz", tree / "initrd.gz")
    menu = (NETBOOT / "grub/grub.cfg").read_text().replace("/debian-installer/amd64/", "/")
    (tree / "boot/grub/grub.cfg").write_text(menu)
    if shim is not None:
        (tree / "EFI/BOOT").mkdir(parents=True)
        shutil.copy(shim, tree / "EFI/BOOT/BOOTX64.EFI")
    path = folder / f"{name}.iso"
    argv: list[str | Path] = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", name.upper(), "-o", path, tree]
    subprocess.run(argv, check=True, capture_output=True)
    return path


def predicted(vendors: Vendors, name: str, monkeypatch: pytest.MonkeyPatch) -> Trust | None:
    monkeypatch.setattr("bootkit.app.stick.facts.machine_keys", lambda: vendors.machine)
    with open_stick(vendors.stick) as opened:
        (prediction,) = check_stick(opened, [name], firmwares=[SECURE]).predictions
    return next(answer.trust for answer in prediction.firmware if answer.firmware is SECURE)


def booted(vendors: Vendors, name: str, accelerator: Accelerator, variables: Path | None = None) -> BootResult:
    with open_stick(vendors.stick) as opened:
        target = choose_targets(opened.volume, [name], every=False)[0]
    return boot(
        vendors.stick,
        entry=target.id_path,
        firmware=SECURE,
        accelerator=accelerator,
        until=Stage.INITRD,
        variables=variables,
        memory_mib=MEMORY_MIB,
        limits=LIMITS,
    )


@pytest.mark.parametrize(
    ("name", "trust"),
    [("changed.iso", Trust.UNSIGNED), ("homemade.iso", Trust.FOREIGN), ("unsigned.iso", Trust.UNSIGNED)],
)
def test_what_shim_refuses_is_predicted_and_refused(
    name: str, trust: Trust, vendors: Vendors, accelerator: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert predicted(vendors, name, monkeypatch) is trust
    result = booted(vendors, name, accelerator)
    assert (result.ok, result.reason) == (False, "GRUB: bad shim signature.")
    assert any("Secure Boot is on" in line for line in result.tail)


def test_the_kernel_of_another_vendor_boots_after_its_shim(
    vendors: Vendors, accelerator: Accelerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert predicted(vendors, "vendor.iso", monkeypatch) is Trust.HOP
    result = booted(vendors, "vendor.iso", accelerator, vendors.variables)
    assert result.ok, (result.reason, *result.tail)


@pytest.mark.long
def test_a_machine_that_does_not_trust_the_vendors_shim_refuses_its_kernel(
    vendors: Vendors, accelerator: Accelerator
) -> None:
    assert not booted(vendors, "vendor.iso", accelerator).ok
