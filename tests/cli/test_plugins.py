"""A detector out of another package, which its entry point announces: in the table, at work, and all that its stack can."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bootkit.overlay.pack import pack
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
COAL = """
from bootkit.detect import (
    ISO_PATH,
    STICK_UUID,
    AnswerFile,
    ChoiceWords,
    Detection,
    Detector,
    FileFinder,
    IsoView,
    NotMine,
    Persistence,
    Stack,
    boot_entries,
    read_menus,
    with_words,
)


def detect(iso: IsoView) -> Detection | NotMine:
    found = [entry for entry in read_menus(iso).linux if "coal" in entry.cmdline]
    if not found:
        return NotMine(reason="no kernel line of its menu says coal")
    words = lambda entry: with_words(entry.cmdline, f"coal.iso={ISO_PATH}")
    return Detection(stack="coal-boot", distro="Coal", entries=boot_entries(found, words), filesystems=("ext4", "vfat"))


DETECTOR = Detector(
    name="coal-boot",
    detect=detect,
    rank=30,
    stacks=(
        Stack(
            name="coal-boot",
            systems=("Coal",),
            source="coal-boot 1.0",
            words=ChoiceWords(language=("coal.lang={lang}",), keyboard=("coal.keys={keymap}",)),
            adapter="dracut",
            persistence=Persistence(file="coal.img", words=(f"coal.changes=UUID={STICK_UUID}:{{folder}}/coal.img",)),
            answers=(AnswerFile(kind="seam", file="seam.txt", member="seam", words=("coal.seam=/seam",), suffixes=(".seam",)),),
            roots=("/{coal.dir:coal}/*.sfs",),
            markers={"coal-live": ("sbin/coal-live",), "coal-scan": ("sbin/coal-scan",)},
            finder=FileFinder(
                markers=("coal-scan",), scripts="coal-live", lacking="Its initrd was made without coal-scan.", mounts_anything=True
            ),
            takes_device=True,
        ),
    ),
)
"""


def installed(folder: Path, name: str, text: str) -> Path:
    """A folder with the package as an installer leaves it there."""
    metadata = folder / f"bootkit_{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / f"bootkit_{name}.py").write_text(text)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bootkit-{name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[bootkit.detectors.v1]\n{name} = bootkit_{name}:DETECTOR\n")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return installed(tmp_path / "site", "ember", MODULE)


@pytest.fixture
def coal_site(tmp_path: Path) -> Path:
    return installed(tmp_path / "site", "coal", COAL)


def ran(site: Path | None, *words: str | Path) -> subprocess.CompletedProcess[str]:
    paths = [str(ROOT), *([str(site)] if site is not None else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    argv = [sys.executable, "-m", "bootkit", *words]
    return subprocess.run(argv, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def bootkit(site: Path | None, *words: str | Path) -> str:
    done = ran(site, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_detector_of_another_package_is_in_the_table(site: Path) -> None:
    (row,) = [
        row
        for row in json.loads(bootkit(site, "list", "--supported", "--json"))["stacks"]
        if row["detector"] == "ember-boot"
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


def coal_iso(make_iso: MakeIso, tmp_path: Path, *programs: str) -> Path:
    """Coal, with its root in a folder that its kernel line names, and with these programs in its initrd."""
    system = tmp_path / "system/usr/lib"
    system.mkdir(parents=True)
    (system / "os-release").write_text("ID=coal\nVERSION_ID=1\n")
    tree = tmp_path / "coal.iso.tree/seam7"
    tree.mkdir(parents=True)
    subprocess.run(["mksquashfs", system.parents[1], tree / "root.sfs", "-quiet", "-no-progress"], check=True)
    members = {f"usr/sbin/{name}": b"#!/bin/sh\n" for name in ("coal-live", *programs)}
    modules = {f"usr/lib/modules/6.1/kernel/fs/{name}/{name}.ko": b"" for name in ("ext4", "btrfs", "overlay")}
    (tree / "initrd").write_bytes(pack(members | modules))
    menu = 'menuentry "Coal" {\n linux /seam7/vmlinuz coal coal.dir=seam7\n initrd /seam7/initrd\n}\n'
    return make_iso("coal.iso", {"seam7/vmlinuz": "k", "boot/grub/grub.cfg": menu})


def stick_with(site: Path, tmp_path: Path, iso: Path) -> Path:
    stick = tmp_path / "stick"
    (stick / "boot/bootkit").mkdir(parents=True)
    (stick / "boot/bootkit/stick.toml").write_text('[options]\nlanguage = "de_DE"\n')
    done = ran(site, "add", iso, "--stick", stick)
    assert done.returncode == 0, done.stderr
    return stick


def test_the_stack_of_another_package_gets_all_that_a_stack_can(
    coal_site: Path, make_iso: MakeIso, tmp_path: Path
) -> None:
    stick = stick_with(coal_site, tmp_path, coal_iso(make_iso, tmp_path, "coal-scan"))
    answers = tmp_path / "lab.seam"
    answers.write_text("depth = 300\n")
    for words in (
        ("options", "set", "keyboard", "de", "--stack", "coal-boot", "--stick", stick),
        ("persist", "create", "coal", "--size", "32M", "--stick", stick),
        ("seed", "add", "coal", answers, "--stick", stick),
    ):
        done = ran(coal_site, *words)
        assert done.returncode == 0, (words, done.stderr)
    menu = "".join(path.read_text() for path in (stick / "boot/grub").glob("*.cfg"))
    assert "coal.lang=de_DE coal.keys=de" in menu
    assert re.search(r"coal\.changes=UUID=\S+/boot/persistence/coal\.iso/coal\.img", menu)
    assert "coal.seam=/seam" in menu
    (overlay,) = (stick / "boot/bootkit/overlays").glob("coal-boot*")
    assert b"dracut/hooks/pre-pivot/90-bootkit.sh" in overlay.read_bytes()
    told = ran(coal_site, "check", "--stick", stick, "--json").stdout
    assert "Its initrd has a driver for btrfs." in told


def test_an_extension_is_made_for_another_packages_stack(coal_site: Path, make_iso: MakeIso, tmp_path: Path) -> None:
    tree, image = tmp_path / "tool", tmp_path / "tool.raw"
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/tool").write_text("#!/bin/sh\n")
    iso = coal_iso(make_iso, tmp_path)
    assert ran(coal_site, "ext", "create", tree, "--name", "tool", "--onto", iso, "--output", image).returncode == 0
    assert "for          coal 1, any machine\n" in bootkit(coal_site, "ext", "inspect", image)


def test_another_packages_initrd_is_believed_and_cured(coal_site: Path, make_iso: MakeIso, tmp_path: Path) -> None:
    stick = stick_with(coal_site, tmp_path, coal_iso(make_iso, tmp_path))
    told = ran(coal_site, "check", "--stick", stick, "--json").stdout
    assert "Its initrd has a driver for btrfs, but does not look there; the overlay does." in told
