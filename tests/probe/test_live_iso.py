"""Debian's own initrd and squashfs, out of the live ISO of the boot tests, compared with what its own tools say."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootkit.formats.initrd import Initrd
from bootkit.formats.tree import Tree
from bootkit.probe.image import ImageView, open_image
from tests.boots.live_iso import cached_iso, host_suite

pytestmark = pytest.mark.boots

INITRD = "/live/initrd.img"
ROOT = "/live/filesystem.squashfs"


@pytest.fixture(scope="module")
def live() -> Iterator[ImageView]:
    with open_image(cached_iso(host_suite())) as view:
        yield view


def extracted(view: ImageView, path: str, target: Path) -> Path:
    with view.open(path) as file, target.open("wb") as copy:
        while piece := file.read(1 << 20):
            copy.write(piece)
    return target


def said(*argv: str | Path) -> bytes:
    return subprocess.run(argv, check=True, capture_output=True, timeout=120).stdout


def names_below(tree: Tree, path: str) -> Iterator[str]:
    for entry in tree.listdir(path or "/") or ():
        yield f"{path}/{entry.name}"
        if entry.is_dir and not entry.is_link:
            yield from names_below(tree, f"{path}/{entry.name}")


def test_its_initrd_has_the_names_that_bsdtar_lists(live: ImageView, tmp_path: Path) -> None:
    image = extracted(live, INITRD, tmp_path / "initrd")
    with image.open("rb") as fh:
        names = [member.name for member in Initrd(fh, image.stat().st_size).members(lambda _name, _mode, _size: False)]
    assert names == [line.rstrip("/") for line in said("bsdtar", "-tf", image).decode().splitlines()]


def test_its_squashfs_has_the_names_that_unsquashfs_lists(live: ImageView, tmp_path: Path) -> None:
    image = extracted(live, ROOT, tmp_path / "root")
    tree = live.open_root(ROOT).tree
    listed = said("unsquashfs", "-l", "-d", "", image).decode().splitlines()
    assert sorted(names_below(tree, "")) == sorted(line for line in listed if line)
    facts = live.root(ROOT)
    assert facts is not None
    assert not facts.warnings
    for path in (
        "usr/lib/os-release",
        *(path for modules in facts.kernels.values() for path in modules.paths.values()),
    ):
        assert tree.read(path, 16 << 20) == said("unsquashfs", "-cat", image, path.lstrip("/"))


def test_exfat_is_missing_in_its_initrd_and_there_in_its_root(live: ImageView) -> None:
    initrd, root = live.initrd(INITRD), live.root(ROOT)
    assert initrd is not None
    assert root is not None
    assert not initrd.warnings
    assert initrd.maker == "initramfs-tools"
    assert initrd.markers == ("live-boot", "live-boot-findiso", "live-boot-ntfs-3g", "live-boot-search")
    (kernel,) = initrd.kernels
    assert {name for name in ("vfat", "exfat", "ntfs", "ext4", "iso9660") if initrd.support(name).is_readable} == {
        "vfat",
        "ext4",
        "iso9660",
    }
    assert "exfat" in root.kernels[kernel].paths
    assert root.kernels[kernel].depends["exfat"] == ()
