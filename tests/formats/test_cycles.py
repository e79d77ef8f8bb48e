"""Directories that lie in themselves: an end is found soon, and by no more memory than a sound tree takes."""

import gzip
import io
import struct
import subprocess
import tracemalloc
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from bootkit.errors import FormatError
from bootkit.formats.fat import Fat
from bootkit.formats.squashfs import Squashfs
from bootkit.probe.extension import read_extension
from bootkit.system.volume import walk
from bootkit.system.volumes.fat import FatVolume
from tests.work import counted

CASES = Path(__file__).parent.parent / "fuzz/cases"


def test_an_extension_whose_directories_run_in_a_circle_is_refused_at_once() -> None:
    image = io.BytesIO(gzip.decompress((CASES / "extension-cycle.raw.gz").read_bytes()))
    tracemalloc.start()
    try:
        with counted() as work, pytest.raises(FormatError, match="several ways lead to the directory"):
            read_extension(image, "cycle.raw")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert work.calls < 50_000
    assert peak < 64 << 20


@pytest.fixture
def snake(tmp_path: Path) -> Path:
    """A FAT file system whose folder /a/b is /a again, and whose /a/c is the root."""
    image = tmp_path / "fat.img"
    subprocess.run(["mkfs.fat", "-C", image, "4096"], check=True, capture_output=True)
    subprocess.run(["mmd", "-i", image, "::/a", "::/a/b", "::/a/c"], check=True)
    subprocess.run(["mcopy", "-i", image, Path(__file__), "::/a/here.iso"], check=True)
    with image.open("r+b") as fh:
        above = Fat(cast("BinaryIO", fh)).find("/a")
        assert above is not None
        whole = image.read_bytes()
        for name, cluster in ((b"B", above.ident), (b"C", 0)):
            fh.seek(whole.index(name.ljust(11)) + 26)
            fh.write(struct.pack("<H", cluster))
        assert [entry.name for entry in Fat(cast("BinaryIO", fh)).listdir("/a/b/b/b") or ()] == ["b", "c", "here.iso"]
    return image


def test_a_stick_with_such_a_folder_is_walked_to_its_end(snake: Path) -> None:
    volume = FatVolume(snake, 0, snake.stat().st_size)
    try:
        assert [path for path, _ in walk(volume, "/")] == ["/a/here.iso"]
    finally:
        volume.close()


def test_a_sound_tree_is_walked_whole(tmp_path: Path) -> None:
    (tmp_path / "tree/usr/share/doc").mkdir(parents=True)
    (tmp_path / "tree/usr/share/doc/x").write_text("x")
    (tmp_path / "tree/usr/link").symlink_to("..")
    subprocess.run(
        ["mksquashfs", tmp_path / "tree", tmp_path / "x.raw", "-quiet", "-noappend"], check=True, capture_output=True
    )
    with (tmp_path / "x.raw").open("rb") as fh:
        found = [path for path, _ in Squashfs(fh).walk()]
    assert sorted(found) == ["/usr", "/usr/link", "/usr/share", "/usr/share/doc", "/usr/share/doc/x"]
