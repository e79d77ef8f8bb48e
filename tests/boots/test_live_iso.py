"""The main job, end to end: a stick is prepared, given a real live ISO, and boots it to userspace."""

import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import boot_targets, choose_targets
from bootkit.model.prepare import Layout
from bootkit.model.testboot import Stage, TestFirmware
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.conftest import Proves
from tests.boots.live_iso import cached_iso, host_suite

pytestmark = pytest.mark.boots


@pytest.fixture(scope="module")
def stick(request: pytest.FixtureRequest) -> Generator[Path]:
    """``split`` with ext4, and ``single`` with FAT32, each with the live ISO on it."""
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        image = Path(folder, "stick.img")
        prepare_image(image, 600 * MIB, layout=request.param)
        with open_stick(image, writing=True) as opened:
            add_images(opened.volume, plan_additions(opened.volume, [cached_iso(host_suite())]))
            apply_changes(plan_generation(opened.volume).plan, opened.volume)
        yield image


@pytest.mark.parametrize(
    ("stick", "firmware"),
    [
        (Layout.SPLIT, TestFirmware.BIOS),
        (Layout.SINGLE, TestFirmware.UEFI),
        pytest.param(Layout.SPLIT, TestFirmware.UEFI, marks=pytest.mark.long),
        pytest.param(Layout.SINGLE, TestFirmware.BIOS, marks=pytest.mark.long),
    ],
    indirect=["stick"],
)
def test_a_live_iso_boots_to_userspace(stick: Path, firmware: TestFirmware, tmp_path: Path, proves: Proves) -> None:
    proves(stick, ".iso")
    before = stick.stat().st_mtime_ns
    with open_stick(stick) as opened:
        targets = choose_targets(opened.volume, [], every=False)
        (proof,) = boot_targets(opened, targets, [firmware], pictures=tmp_path)
    assert proof.result.ok, (proof.result.reason, *proof.result.tail)
    assert proof.result.stage is Stage.USERSPACE
    assert proof.result.pretty_name.startswith("Debian GNU/Linux")
    assert proof.result.iso.endswith(proof.target.path)
    assert [Path(picture).name for picture in proof.result.screenshots] == ["menu.png", "end.png"]
    assert stick.stat().st_mtime_ns == before  # a test never writes to the stick
