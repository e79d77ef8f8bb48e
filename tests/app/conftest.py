"""A stick that is a plain folder, and small images of a real shape."""

import json
import subprocess
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bootkit.app.stick.records import read_records
from bootkit.model.places import MENU
from bootkit.render.parts import parts_of_menu
from bootkit.system.volume import Volume, read_file
from bootkit.system.volumes.folder import FolderVolume
from tests.app.installed import DiskMaker, disk_maker

LIVE_BOOT: Mapping[str, str] = {
    "live/vmlinuz": "kernel",
    "live/initrd.img": "initrd",
    "live/filesystem.squashfs": "squashfs",
    ".disk/info": 'Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 LIVE Binary 20240210-11:51\n',
    "boot/grub/grub.cfg": (
        'menuentry "Live system (amd64)" {\n'
        "  linux /live/vmlinuz boot=live components quiet splash findiso=${iso_path}\n"
        "  initrd /live/initrd.img\n}\n"
    ),
}
UNKNOWN: Mapping[str, str] = {"readme.txt": "holiday pictures", "pictures/1.jpg": "x"}

MakeIso = Callable[..., Path]


def record_on(volume: Volume, path: str) -> Mapping[str, Any]:
    """What the stick keeps of an image, both lines of it."""
    record = read_records(volume).get(path)
    assert record is not None
    rest = json.loads(record.rest)
    facts = rest["facts"]
    if facts and "kernels" in facts:
        facts["kernels"] = {path: json.loads(record.shared[one]) for path, one in facts["kernels"].items()}
    return {**rest, **json.loads(record.head), "facts": facts}


def menu_on(volume: Volume) -> bytes:
    """The whole menu of a stick: grub.cfg, and the file beside it."""
    first = read_file(volume, MENU, 1 << 20) or b""
    parts = parts_of_menu(first)
    assert parts is not None
    return first + (read_file(volume, parts, 1 << 20) or b"")


@pytest.fixture
def make_iso(tmp_path: Path) -> MakeIso:
    """``make_iso(name, files)``: an ISO file outside of the stick."""

    def make(name: str, files: Mapping[str, str] = LIVE_BOOT, folder: str = "downloads") -> Path:
        (tmp_path / folder).mkdir(exist_ok=True)
        return small_iso(tmp_path / folder, name, files)

    return make


def small_iso(folder: Path, name: str, files: Mapping[str, str] = LIVE_BOOT) -> Path:
    """An ISO file of these texts in ``folder``."""
    tree = folder.parent / f"{name}.tree"
    for path, text in files.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    iso = folder / name
    argv = ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "LIVE", "-o", str(iso), str(tree)]
    subprocess.run(argv, check=True, capture_output=True)
    return iso


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    (folder / "boot/bootkit").mkdir(parents=True)
    (folder / "boot/bootkit/stick.toml").write_text("[menu]\ntimeout = 7\n")
    return folder


@pytest.fixture
def volume(stick: Path) -> Generator[Volume]:
    with closing(FolderVolume(stick)) as opened:
        yield opened


@pytest.fixture
def make_disk(tmp_path: Path) -> DiskMaker:
    return disk_maker(tmp_path)
