"""NTFS as mkfs.ntfs and ntfs-3g leave it, and damaged."""

import io
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.ntfs import Ntfs
from bootkit.formats.reader import Extent
from bootkit.formats.tree import Tree
from tests.work import CountedBytes

pytestmark = pytest.mark.skipif(not shutil.which("ntfscp"), reason="ntfs-3g is not installed")

Run = Callable[..., str]
FILES = {
    "empty": b"",
    "resident": b"short enough for its record",
    "large": random.Random(1).randbytes(300_001),
    **{f"one of many names, long enough to fill an index {number}.txt": b"%d" % number for number in range(40)},
}


@pytest.fixture(scope="module")
def image(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ntfs")
    image, source = made(run, folder / "image", 8 << 20), folder / "source"
    for name, content in FILES.items():
        source.write_bytes(content)
        run("ntfscp", "-q", image, source, name)
    source.write_bytes(b"x")
    run("ntfscp", "-q", image, source, "set aside")
    run("ntfsfallocate", "-f", "-l", "100000", image, "set aside")
    return image


def made(run: Run, image: Path, size: int) -> Path:
    image.touch()
    os.truncate(image, size)
    run("mkfs.ntfs", "-F", "-q", "-Q", "-L", "BOOTKIT", image)
    return image


def mapped(fh: io.FileIO, extents: tuple[Extent, ...]) -> bytes:
    pieces: list[bytes] = []
    for offset, length in extents:
        fh.seek(offset or 0)
        pieces.append(bytes(length) if offset is None else fh.read(length))
    return b"".join(pieces)


def test_every_file_is_read_as_it_was(image: Path) -> None:
    with image.open("rb", buffering=0) as fh:
        fs = Ntfs(fh)
        found = {entry.name: entry.size for entry in fs.listdir("/") or ()}
        assert found == {"set aside": 100_000, **{name: len(content) for name, content in FILES.items()}}
        assert {name: fs.read(name, 1 << 20) for name in FILES} == FILES
        assert mapped(fh, fs.extents("large")) == FILES["large"]
        assert not fs.warnings


def test_what_was_set_aside_and_never_written_is_a_hole(image: Path) -> None:
    with image.open("rb", buffering=0) as fh:
        fs = Ntfs(fh)
        assert fs.read("set aside", 1 << 20) == b"x" + bytes(99_999)
        assert fs.extents("set aside")[-1] == (None, 99_999)


def test_a_file_in_its_record_has_no_place_of_its_own(image: Path) -> None:
    with image.open("rb", buffering=0) as fh, pytest.raises(FormatError, match="lies in its record"):
        Ntfs(fh).extents("resident")


def test_the_volume_knows_its_serial_number_and_its_room(image: Path, run: Run) -> None:
    with image.open("rb", buffering=0) as fh:
        fs = Ntfs(fh)
        assert fs.uuid == run("blkid", "-o", "value", "-s", "UUID", image).strip()
        said = run("ntfsinfo", "-m", image)
        assert f"Free Clusters: {fs.free_clusters()} " in said


def test_what_is_no_ntfs_is_refused(image: Path) -> None:
    data = image.read_bytes()
    for wrong in (b"", bytes(8192), data[:11] + bytes(2) + data[13:], data[:48] + b"\xff" * 8 + data[56:]):
        with pytest.raises(FormatError):
            Ntfs(io.BytesIO(wrong))


def explored(data: bytes) -> int:
    fh = CountedBytes(data)
    try:
        fs = Ntfs(fh)
        entries = fs.listdir("/") or ()
    except FormatError:
        return 0
    for entry in entries:
        try:
            fs.read(entry.name, 4096)
            fs.extents(entry.name)
        except FormatError:
            continue
    assert fh.reads < 1000
    return len(entries)


def test_damage_gives_an_answer_or_one_error(image: Path) -> None:
    data = image.read_bytes()
    assert explored(data) == len(FILES) + 1
    table = data.index(b"FILE0")
    used = [at for at in range(table, min(table + (96 << 10), len(data))) if data[at]]
    dice = random.Random(5)
    for _ in range(40):
        damaged = bytearray(data)
        for _ in range(dice.choice((1, 4, 40))):
            damaged[dice.choice(used)] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        explored(bytes(damaged))
    for part in range(8):
        explored(data[: len(data) * part // 8])


@pytest.mark.root
def test_what_ntfs_3g_writes_is_read_as_it_was(
    run: Run, tmp_path: Path, walked: Callable[[Tree], Mapping[str, int | None]]
) -> None:
    image, folder = made(run, tmp_path / "image", 24 << 20), tmp_path / "mounted"
    folder.mkdir()
    subprocess.run(["ntfs-3g", image, folder], check=True)
    try:
        (folder / "boot/iso/Übung").mkdir(parents=True)
        for number in range(300):
            (folder / f"boot/iso/a folder with an index of several blocks {number}").write_bytes(b"%d" % number)
        for number in range(0, 300, 2):
            (folder / f"boot/iso/a folder with an index of several blocks {number}").unlink()
        with (folder / "boot/pieces").open("wb", 0) as file:
            for number in range(1000):
                file.seek(number << 17)
                file.write(number.to_bytes(4, "big"))
        found = {f"/{path.relative_to(folder)}": path for path in folder.rglob("*")}
        sizes = {name: None if path.is_dir() else path.stat().st_size for name, path in found.items()}
        times = {name: path.stat().st_mtime_ns for name, path in found.items()}
        contents = {name: path.read_bytes() for name, path in found.items() if path.is_file()}
    finally:
        subprocess.run(["umount", folder], check=True)
    with image.open("rb", buffering=0) as fh:
        fs = Ntfs(fh)
        assert walked(fs) == sizes
        assert {name: entry.mtime_ns for name in found if (entry := fs.find(name))} == times
        assert {name: fs.read(name, 1 << 28) for name in contents} == contents
        extents = fs.extents("/boot/pieces")
        assert len(extents) > 1000, "enough for a list of attributes"
        assert mapped(fh, extents) == contents["/boot/pieces"]
        assert not fs.warnings
