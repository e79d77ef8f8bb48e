"""Kernels, initrds and root file systems: looked into once, and kept with the rest of what is known of an image."""

import subprocess
from pathlib import Path

import pytest

from bootkit.app.stick.catalog import Catalog, read_catalog
from bootkit.app.stick.images import find_images
from bootkit.app.verbs.generate import plan_generation
from bootkit.app.verbs.images import add_images, plan_additions
from bootkit.model.initrd import InitrdFacts
from bootkit.overlay.pack import pack
from bootkit.system.changes import apply_changes
from bootkit.system.volume import Volume
from tests.app.conftest import LIVE_BOOT, MakeIso

KERNEL = "6.1.0-9-amd64"
INITRD = pack({"conf/initramfs.conf": b"", f"usr/lib/modules/{KERNEL}/kernel/fs/ext4/ext4.ko": b""})


@pytest.fixture
def live_iso(make_iso: MakeIso, tmp_path: Path) -> Path:
    root = tmp_path / "root" / "usr/lib/modules" / KERNEL
    (root / "kernel/fs/exfat").mkdir(parents=True)
    (root / "kernel/fs/exfat/exfat.ko").write_text("exfat")
    (root / "modules.dep").write_text("kernel/fs/exfat/exfat.ko:\n")
    squashed = tmp_path / "root.squashfs"
    argv = ["mksquashfs", str(tmp_path / "root"), str(squashed), "-quiet", "-no-progress", "-all-root"]
    subprocess.run(argv, check=True, capture_output=True)
    tree = tmp_path / "live.iso.tree" / "live"
    tree.mkdir(parents=True)
    (tree / "filesystem.squashfs").write_bytes(squashed.read_bytes())
    (tree / "initrd.img").write_bytes(INITRD)
    others = {name: text for name, text in LIVE_BOOT.items() if not (tree.parent / name).exists()}
    return make_iso("live.iso", others)


def _insides(volume: Volume, told: list[str]) -> Catalog:
    return read_catalog(volume, find_images(volume), insides=True, told=told.append)


def test_what_lies_inside_is_read_once_and_kept(volume: Volume, stick: Path, live_iso: Path) -> None:
    (stick / "boot/iso").mkdir()
    (stick / "boot/iso/live.iso").write_bytes(live_iso.read_bytes())
    told: list[str] = []
    (item,) = _insides(volume, told).items
    assert item.facts is not None
    assert item.facts.initrds["/live/initrd.img"].kernels == (KERNEL,)
    assert item.facts.roots["/live/filesystem.squashfs"].kernels[KERNEL].modules == ("exfat",)
    assert item.facts.kernels["/live/vmlinuz"].size == len("kernel")
    apply_changes(plan_generation(volume).plan, volume)
    assert _insides(volume, told).items == (item,)
    assert told == ["/boot/iso/live.iso"]


def test_a_record_without_insides_gets_them_when_they_are_asked_for(
    volume: Volume, stick: Path, live_iso: Path
) -> None:
    (stick / "boot/iso").mkdir()
    (stick / "boot/iso/live.iso").write_bytes(live_iso.read_bytes())
    (item,) = read_catalog(volume, find_images(volume)).items
    assert item.facts is not None
    assert not item.facts.initrds
    (item,) = _insides(volume, []).items
    assert item.facts is not None
    assert item.facts.initrds


def test_add_keeps_what_lies_inside(volume: Volume, live_iso: Path) -> None:
    add_images(volume, plan_additions(volume, [live_iso]))
    told: list[str] = []
    (item,) = _insides(volume, told).items
    assert item.facts is not None
    assert (list(item.facts.initrds), told) == (["/live/initrd.img"], [])


def test_another_version_looks_again_if_asked_and_goes_by_the_record_if_not(
    volume: Volume, live_iso: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another() -> str:
        return "of another version"

    add_images(volume, plan_additions(volume, [live_iso]))
    known = _insides(volume, []).items
    monkeypatch.setattr("bootkit.app.stick.catalog.program_fingerprint", another)
    assert read_catalog(volume, find_images(volume)).items == known
    told: list[str] = []
    assert _insides(volume, told).items == known
    assert told == ["/boot/iso/live.iso"]


def test_an_initrd_that_is_none_gives_one_warning(volume: Volume, make_iso: MakeIso) -> None:
    iso = make_iso("live.iso", {**LIVE_BOOT, "live/initrd.img": "an old ramdisk image"})
    add_images(volume, plan_additions(volume, [iso]))
    (item,) = _insides(volume, []).items
    assert item.facts is not None
    facts = item.facts.initrds["/live/initrd.img"]
    assert facts == InitrdFacts(size=facts.size, warnings=facts.warnings)
    assert len(facts.warnings) == 1
