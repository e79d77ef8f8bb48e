"""``python -m tests.boots.secure``: what ``check`` says of images with Secure Boot on, beside what came of it.

One stick has Debian's installer under kernels of many hands; machines differ in whom they trust. A key of our own stands for
another vendor's, and another one for Microsoft's, which signs the shim of that vendor.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from bootkit.app.verbs.check import check_stick
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.formats.efi import encoded
from bootkit.formats.x509 import parse_certificate
from bootkit.model.check import Answer, FirmwareAnswer, Prediction
from bootkit.model.efi import MachineKeys
from bootkit.model.testboot import BootResult, MachineKind, Stage, TestFirmware
from bootkit.plan.certificates import MICROSOFT_2011, OWNER
from bootkit.plan.machine_kinds import keys_of
from bootkit.system.boot import STAGE_LIMITS, boot
from bootkit.system.changes import apply_changes
from bootkit.system.firmware import find_flash
from bootkit.system.qemu import Accelerator, choose_accelerator
from bootkit.system.sticks import open_stick
from bootkit.system.variables import variable_store
from bootkit.units import MIB
from tests.boots.keys import Key, make_key, vendor_shim

MEMORY_MIB = 1024
NETBOOT = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
SECURE = TestFirmware.SECUREBOOT
LIMITS = {stage: 4 * limit for stage, limit in STAGE_LIMITS.items()}
"""Firmware that verifies takes its time where it is emulated, and a vendor's shim waits for somebody to read what it says."""
VENDORS = "vendors"
"""The machine that trusts who signs the vendors' shims, beside Microsoft."""
OTHERS = (TestFirmware.UEFI, TestFirmware.BIOS)
"""The machines without Secure Boot."""
Machine = MachineKind | TestFirmware | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    image: str
    machine: Machine
    """A kind of machine with Secure Boot, a firmware without, or :data:`VENDORS`."""


CASES = (
    *(Case(image="debian", machine=kind) for kind in MachineKind),
    *(Case(image=name, machine=MachineKind.MS2011) for name in ("changed", "homemade", "unsigned", "vendor")),
    *(Case(image=name, machine=VENDORS) for name in ("vendor", "revoked", "unsigned")),
    Case(image="unsigned", machine=MachineKind.SETUP),
    *(Case(image="vendor", machine=firmware) for firmware in OTHERS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    case: Case
    prediction: Prediction
    result: BootResult

    @property
    def said(self) -> FirmwareAnswer:
        """What was said of the very firmware."""
        firmware = firmware_of(self.case.machine)
        return next(answer for answer in self.prediction.firmware if answer.firmware is firmware)

    @property
    def agrees(self) -> bool:
        return self.prediction.answer is not Answer.UNKNOWN and self.prediction.boots is self.result.ok


@dataclass(frozen=True)
class Lab:
    """A stick, and the machines for it."""

    folder: Path

    @cached_property
    def keys(self) -> tuple[Key, Key, Key, Key]:
        """Who stands for Microsoft, two vendors, and a stranger with Debian in the name."""
        names = ("Microsoft", "Vendor B", "Vendor C", "built on debian by me")
        first, second, third, fourth = (make_key(self.folder, name) for name in names)
        return first, second, third, fourth

    @cached_property
    def vendors(self) -> MachineKeys:
        microsoft = encoded(parse_certificate(self.keys[0].der))
        return MachineKeys(trusts=(MICROSOFT_2011, microsoft), secure_boot=True, is_meant=True)

    @cached_property
    def stick(self) -> Path:
        microsoft, vendor, outdated, stranger = self.keys
        kernel = NETBOOT / "linux"
        changed, bare = self.folder / "changed", self.folder / "unsigned"
        content = bytearray(kernel.read_bytes())
        content[1 << 20] ^= 1
        changed.write_bytes(content)
        shutil.copyfile(kernel, bare)
        subprocess.run(["sbattach", "--remove", bare], check=True, capture_output=True)
        shim = vendor_shim(vendor, microsoft, self.folder / "shim.efi")
        old_shim = vendor_shim(outdated, microsoft, self.folder / "old.efi", generation=3)
        images = [
            self._installer("debian", kernel),
            self._installer("changed", changed),
            self._installer("homemade", stranger.sign(kernel, self.folder / "homemade")),
            self._installer("unsigned", bare),
            self._installer("vendor", vendor.sign(kernel, self.folder / "vendor"), shim),
            self._installer("revoked", outdated.sign(kernel, self.folder / "revoked"), old_shim),
        ]
        stick = self.folder / "vendors.img"
        prepare_image(stick, 600 * MIB)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bootkit.app.verbs.generate.machine_keys", lambda: self.vendors)
            fill(stick, *images)
        return stick

    def try_it(self, case: Case, accelerator: Accelerator) -> Tried:
        firmware, name = firmware_of(case.machine), f"{case.image}.iso"
        with open_stick(self.stick) as opened:
            (prediction,) = check_stick(
                opened, [name], firmwares=[firmware], machine=self._keys(case.machine)
            ).predictions
            target = choose_targets(opened.volume, [name], every=False)[0]
        result = boot(
            self.stick,
            entry=target.id_path,
            firmware=firmware,
            accelerator=accelerator,
            until=Stage.INITRD,
            variables=self.variables(case.machine),
            memory_mib=MEMORY_MIB,
            limits=LIMITS,
        )
        return Tried(case=case, prediction=prediction, result=result)

    def variables(self, machine: Machine) -> Path | None:
        """What its firmware keeps; ``None`` for one without Secure Boot."""
        keys = self._keys(machine)
        if keys is None:
            return None
        path = self.folder / "variables"
        path.write_bytes(variable_store(find_flash(SECURE).variables.read_bytes(), keys, platform_key=OWNER))
        return path

    def _keys(self, machine: Machine) -> MachineKeys | None:
        if isinstance(machine, TestFirmware):
            return None
        return keys_of(machine) if isinstance(machine, MachineKind) else self.vendors

    def _installer(self, name: str, kernel: Path, shim: Path | None = None) -> Path:
        """Debian's netboot installer as its mini.iso has it, with another kernel."""
        tree = self.folder / f"tree-{name}"
        (tree / "boot/grub").mkdir(parents=True)
        shutil.copy(kernel, tree / "linux")
        shutil.copy(NETBOOT / "initrd.gz", tree / "initrd.gz")
        menu = (NETBOOT / "grub/grub.cfg").read_text().replace("/debian-installer/amd64/", "/")
        (tree / "boot/grub/grub.cfg").write_text(menu)
        if shim is not None:
            (tree / "EFI/BOOT").mkdir(parents=True)
            shutil.copy(shim, tree / "EFI/BOOT/BOOTX64.EFI")
        path = self.folder / f"{name}.iso"
        argv: list[str | Path] = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", name.upper(), "-o", path, tree]
        subprocess.run(argv, check=True, capture_output=True)
        return path


def firmware_of(machine: Machine) -> TestFirmware:
    return machine if isinstance(machine, TestFirmware) else SECURE


def fill(stick: Path, *images: Path) -> None:
    with open_stick(stick, writing=True) as opened:
        add_images(opened.volume, plan_additions(opened.volume, images))
        apply_changes(plan_generation(opened.volume).plan, opened.volume)


def table(tried: Iterable[Tried]) -> str:
    rows = [("IMAGE", "MACHINE", "TRUST", "PREDICTED", "OUTCOME", "SECONDS", "")]
    for one in tried:
        outcome = "boots" if one.result.ok else f"{one.result.stage.title}: {one.result.reason}"
        sign = "as predicted" if one.agrees else "CONTRADICTS"
        trust, seconds = one.said.trust or "-", f"{one.result.seconds:.0f}"
        rows.append((one.case.image, one.case.machine, trust, one.prediction.verdict, outcome, seconds, sign))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)


def main() -> int:
    accelerator = choose_accelerator()
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        lab, tried = Lab(Path(folder)), list[Tried]()
        for case in CASES:
            tried.append(lab.try_it(case, accelerator))
            print(table(tried[-1:]).splitlines()[1], flush=True)
    print(table(tried))
    wrong = sum(not one.agrees for one in tried)
    print(f"{len(tried)} boots, {wrong} contradict their prediction")
    return min(1, wrong)


if __name__ == "__main__":
    sys.exit(main())
