"""What ``bootkit persist`` makes, in the systems themselves: a first boot leaves a mark, a second one finds it."""

import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.app.verbs.persist import create_persistence, plan_persistence
from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.test import choose_targets
from bootkit.model.prepare import Layout
from bootkit.system.changes import apply_changes
from bootkit.system.qemu import Accelerator
from bootkit.system.sticks import open_stick
from bootkit.units import MIB
from tests.boots.clean import require_clean_data
from tests.boots.conftest import Proves
from tests.boots.dracut_iso import FEDORA_MENU, KERNEL_WORDS, KIWI_MENU, cached_dracut_iso, label_of
from tests.boots.live_iso import cached_iso, host_suite
from tests.boots.machine import session

pytestmark = pytest.mark.boots

REPORT = r"""
echo "before=$(cat /root/mark)"
echo "$(uname -r) was here" >/root/mark
echo "kept by=$(grep -o 'bootkit.persistence=[^ ]*\|rd.live.cowfile.path=[^ ]*\|rd.live.overlay=[^ ]*' /proc/cmdline)"
sync
"""


LOADER = "/boot/x86_64/loader"
DISGUISES = {
    "kiwi-disguised": (FEDORA_MENU, "/live"),
    "f42-disguised": (KIWI_MENU, LOADER),
}
"""The images of KIWI's two live modules, each with the other's menu; kiwi-live's kernel lies where KIWI puts none."""


def iso_of(stack: str, folder: Path) -> Path:
    if stack in DISGUISES:
        return disguised_iso(stack.removesuffix("-disguised"), *DISGUISES[stack], folder)
    return cached_iso(host_suite()) if stack == "live-boot" else cached_dracut_iso(host_suite(), stack)


def disguised_iso(layout: str, menu: str, place: str, folder: Path) -> Path:
    """The image of ``layout`` with another menu, kernel and initrd in the folder ``place``."""
    text, iso, label = folder / "grub.cfg", folder / f"{layout}-disguised.iso", label_of(layout)
    words = KERNEL_WORDS["f42" if layout == "f42" else "f41"].format(label=label)
    text.write_text(
        menu.format(label=label, suite=host_suite(), kernel=f"{place}/linux", initrd=f"{place}/initrd", words=words)
    )
    moved = () if place == LOADER else ("-mv", f"{LOADER}/linux", f"{LOADER}/initrd", place, "--")
    subprocess.run(
        ["xorriso", "-indev", cached_dracut_iso(host_suite(), layout), "-outdev", iso, "-overwrite", "on",
         "-mkdir", place, "--", *moved,
         "-map", text, "/boot/grub2/grub.cfg", "-map", text, "/EFI/BOOT/grub.cfg"],
        stdout=subprocess.DEVNULL, stderr=sys.stderr, check=True,
    )  # fmt: skip
    return iso


@pytest.fixture(
    scope="module",
    params=[
        ("live-boot", Layout.SINGLE),
        ("kiwi", Layout.SPLIT),
        *(
            pytest.param(other, marks=pytest.mark.long)
            for other in (
                ("f41", Layout.SPLIT),
                ("live-boot", Layout.SPLIT),
                ("f41", Layout.SINGLE),
                ("f42", Layout.SPLIT),
                ("kiwi-disguised", Layout.SPLIT),
                ("f42-disguised", Layout.SPLIT),
            )
        ),
    ],
    ids=lambda param: f"{param[0]}-{param[1]}",
)
def stick(request: pytest.FixtureRequest) -> Generator[Path]:
    """One image on a stick that keeps its changes."""
    stack, layout = request.param
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        iso = iso_of(stack, Path(folder))
        image = Path(folder, "stick.img")
        prepare_image(image, 900 * MIB, layout=layout)
        with open_stick(image, writing=True) as opened:
            volume = opened.volume
            add_images(volume, plan_additions(volume, [iso]))
            create_persistence(volume, plan_persistence(volume, iso.name, 64 * MIB))
            apply_changes(plan_generation(volume).plan, volume)
        yield image


def test_changes_are_there_at_the_next_boot(
    stick: Path, accelerator: Accelerator, proves: Proves, request: pytest.FixtureRequest
) -> None:
    if "kiwi" in request.node.name:
        proves(stick, ".iso")
    with open_stick(stick) as opened:
        (target,) = choose_targets(opened.volume, [], every=False)
    found: list[str] = []
    for _ in range(2):
        ran = session(stick, entry=target.id_path, script=REPORT, accelerator=accelerator)
        sys.stdout.write("\n".join((target.id_path, *ran.report, "")))
        assert ran.ended, ran.serial[-4000:]
        assert "/boot/persistence/" in ran.facts["kept by"]
        require_clean_data(stick, "vfat" if Layout.SINGLE in request.node.name else "ext4")
        found.append(ran.facts["before"])
    assert found[0] == ""
    assert found[1].endswith("was here")
