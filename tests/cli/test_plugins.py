"""A detector out of another package, which its entry point announces: in the table, and at work."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.conftest import MakeIso
from tests.cli.conftest import make_iso

__all__ = ["make_iso"]

ROOT = Path(__file__).parents[2]
MODULE = """
from bootkit.detect import Detection, Detector, IsoView, NotMine, Stack, Verdict


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file("/ember/root.img"):
        return NotMine(reason="there is no /ember/root.img")
    return Detection(
        stack="ember-boot",
        distro="Ember",
        evidence=("/ember/root.img is there",),
        obstacle="Its initrd wants a disk of its own.",
        instead="Give it one.",
    )


DETECTOR = Detector(
    name="ember-boot",
    detect=detect,
    stacks=(Stack(name="ember-boot", systems=("Ember",), source="ember-boot 3.2", verdict=Verdict.NO),),
)
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the package as an installer leaves it there."""
    folder = tmp_path / "site"
    metadata = folder / "bootkit_ember-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "bootkit_ember.py").write_text(MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bootkit-ember\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[bootkit.detectors.v1]\nember = bootkit_ember:DETECTOR\n")
    return folder


def bootkit(site: Path | None, *words: str | Path) -> str:
    paths = [str(ROOT), *([str(site)] if site is not None else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    argv = [sys.executable, "-m", "bootkit", *words]
    done = subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_detector_of_another_package_is_in_the_table(site: Path) -> None:
    (row,) = [
        row for row in json.loads(bootkit(site, "list", "--supported", "--json")) if row["detector"] == "ember-boot"
    ]
    assert (row["verdict"], row["distributions"], row["proof"]) == ("not from a file", ["Ember"], "facts only")
    text = bootkit(site, "list", "--supported")
    assert "ember-boot: not from a file\n  systems   Ember\n" in text
    assert "ember-boot" not in bootkit(None, "list", "--supported")


def test_a_detector_of_another_package_knows_its_image(site: Path, make_iso: MakeIso) -> None:
    iso = make_iso("ember.iso", {"ember/root.img": "root"})
    answer = bootkit(site, "explain", iso)
    assert answer.startswith("ember.iso is Ember. It cannot boot from a file.")
    assert "Its initrd wants a disk of its own." in answer
