"""Packed disks that are unpacked to a mounted stick: all of it moves once, and nothing is left of what is refused."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootkit.app.stick.user_files import SPARE
from bootkit.app.verbs.disk import planned_disk
from bootkit.app.verbs.images import add_images
from bootkit.errors import BootkitError
from bootkit.formats.partitions import read_partitions
from bootkit.system.changes import Watcher
from bootkit.system.holes import DataDigest
from bootkit.system.sticks import open_stick
from bootkit.system.unpack import unpacked
from bootkit.system.volume import CHUNK
from bootkit.system.volumes.folder import FolderVolume
from bootkit.units import MIB
from tests.app.installed import DiskMaker

PATH = "boot/disk/debian.raw"
Files = dict[str, int]


def pack(program: str, disk: Path) -> Path:
    packed = disk.with_name(f"debian.raw.{ {'gzip': 'gz', 'zstd': 'zst', 'bzip2': 'bz2'}.get(program, program) }")
    packed.write_bytes(subprocess.run([program, "-c", disk], stdout=subprocess.PIPE, check=True).stdout)
    return packed


def files_of(stick: Path) -> Files:
    """All files of a stick with the blocks that they take up."""
    return {os.fspath(path.relative_to(stick)): path.stat().st_blocks for path in stick.rglob("*") if path.is_file()}


def add(stick: Path, source: Path, watcher: Watcher | None = None, *, size: int = 0) -> None:
    with (
        open_stick(stick, writing=True) as opened,
        planned_disk(opened, source, watcher or Watcher(), name="debian", size=size) as plan,
    ):
        add_images(opened.volume, (plan.addition,), watcher)


@pytest.fixture
def no_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for files that are needed for a while; it is empty in the end."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", os.fspath(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("program", ["gzip", "xz", "zstd", "bzip2"])
def test_it_is_unpacked_to_its_place_with_its_holes(
    program: str, stick: Path, no_scratch: Path, make_disk: DiskMaker
) -> None:
    disk = make_disk()
    seen: list[tuple[Files, int]] = []

    def look(_done: int) -> None:
        seen.append((files_of(stick), sum(file.stat().st_size for file in no_scratch.rglob("*") if file.is_file())))

    add(stick, pack(program, disk), Watcher(progress=look))
    assert (stick / PATH).read_bytes() == disk.read_bytes()
    # what is no zeros is a tenth of it; no part of it was anywhere else
    assert files_of(stick)[PATH] * 512 < 2 * MIB
    assert {size for _, size in seen} == {0}
    assert all(PATH not in files for files, _ in seen)
    assert any("boot/disk/.debian.raw.part" in files for files, _ in seen)


def test_the_backup_of_its_table_is_put_at_its_end(stick: Path, no_scratch: Path, make_disk: DiskMaker) -> None:
    disk = make_disk()
    content = disk.read_bytes()
    with disk.open("ab") as file:
        file.write(bytes(2 * MIB + 100))
    add(stick, pack("zstd", disk))
    made = (stick / PATH).read_bytes()
    assert (len(made), made[-512:-504]) == (18 * MIB + 512, b"EFI PART")
    assert made[MIB : 14 * MIB] == content[MIB : 14 * MIB]


def test_it_grows_in_its_place(stick: Path, no_scratch: Path, make_disk: DiskMaker) -> None:
    packed = pack("zstd", make_disk())
    with pytest.raises(BootkitError, match=r"debian\.raw\.zst has 16\.0 MiB already"):
        add(stick, packed, size=15 * MIB)
    add(stick, packed, size=40 * MIB)
    with (stick / PATH).open("rb") as file:
        table = read_partitions(file)
    assert (table.warnings, table.partitions[-1].size // MIB) == ((), 37)


def cut(packed: Path) -> None:
    packed.write_bytes(packed.read_bytes()[: -packed.stat().st_size // 3])


@pytest.mark.parametrize("program", ["gzip", "xz", "zstd", "bzip2"])
def test_nothing_is_left_of_a_stream_that_is_cut(
    program: str, stick: Path, no_scratch: Path, make_disk: DiskMaker
) -> None:
    packed = pack(program, make_disk())
    cut(packed)
    before = files_of(stick)
    with pytest.raises(BootkitError, match=f"cannot be unpacked by {program}"):
        add(stick, packed)
    assert files_of(stick) == before


def test_nothing_is_left_of_what_cannot_start(stick: Path, no_scratch: Path, make_disk: DiskMaker) -> None:
    before = files_of(stick)
    with pytest.raises(BootkitError, match="no driver for USB sticks"):
        add(stick, pack("zstd", make_disk(usb=False)))
    assert files_of(stick) == before


def free_of(room: int) -> Callable[[FolderVolume], int]:
    return lambda _: room


def test_nothing_is_left_of_what_there_is_no_room_for(
    stick: Path, no_scratch: Path, make_disk: DiskMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = make_disk()
    with disk.open("r+b") as file:
        file.seek(-4 * MIB, os.SEEK_END)
        file.write(b"\1" * 2 * MIB)  # packs well
    before = files_of(stick)
    monkeypatch.setattr(FolderVolume, "free", free_of(SPARE + MIB))
    with pytest.raises(BootkitError, match=r"has 1\.0 MiB free, and .*debian\.raw\.zst unpacks to more"):
        add(stick, pack("zstd", disk))
    assert files_of(stick) == before
    monkeypatch.setattr(FolderVolume, "free", free_of(0))
    with pytest.raises(BootkitError, match=r"has 0 B free; 16\.0 MiB are needed"):
        add(stick, pack("zstd", disk))


def test_nothing_is_left_of_what_was_interrupted(stick: Path, no_scratch: Path, make_disk: DiskMaker) -> None:
    def stop(_done: int) -> None:
        raise KeyboardInterrupt

    before = files_of(stick)
    with pytest.raises(KeyboardInterrupt):
        add(stick, pack("zstd", make_disk()), Watcher(progress=stop))
    assert files_of(stick) == before


def test_what_a_killed_command_has_left_makes_room(stick: Path, no_scratch: Path, make_disk: DiskMaker) -> None:
    left = stick / "boot/disk/.other.raw.part"
    left.parent.mkdir()
    left.write_bytes(b"x")
    add(stick, pack("zstd", make_disk()))
    assert (left.exists(), (stick / PATH).exists()) == (False, True)


def test_what_the_medium_does_not_give_back_gets_no_name(stick: Path, no_scratch: Path, make_disk: DiskMaker) -> None:
    packed = pack("zstd", make_disk())
    with (
        open_stick(stick, writing=True) as opened,
        planned_disk(opened, packed, Watcher(), name="debian") as plan,
    ):
        with (stick / "boot/disk/.debian.raw.part").open("r+b") as file:
            file.seek(3 * MIB)
            file.write(b"other")
        with pytest.raises(BootkitError, match="does not give back what was written to it"):
            add_images(opened.volume, (plan.addition,))
    assert not list((stick / "boot/disk").iterdir())


def test_a_taken_name_is_refused_before_anything_is_unpacked(
    stick: Path, no_scratch: Path, make_disk: DiskMaker
) -> None:
    packed = pack("zstd", make_disk())
    add(stick, packed)
    cut(packed)
    with pytest.raises(BootkitError, match=r"debian\.raw is on the stick already"):
        add(stick, packed)


def test_a_dry_run_leaves_the_stick_alone(stick: Path, no_scratch: Path, make_disk: DiskMaker) -> None:
    before = files_of(stick)
    with (
        open_stick(stick) as opened,
        planned_disk(opened, pack("zstd", make_disk()), Watcher(), name="debian", dry_run=True) as plan,
    ):
        assert plan.addition.step.path == f"/{PATH}"
        assert files_of(stick) == before


def test_pieces_are_whole_whatever_the_pipe_holds(tmp_path: Path) -> None:
    content = os.urandom(2 * CHUNK + 5)
    file = tmp_path / "x.raw"
    file.write_bytes(content)
    packed = pack("zstd", file)
    done: list[int] = []
    pieces = [bytes(piece) for piece in unpacked("zstd", packed, done.append)]  # type: ignore[arg-type]  # its value
    assert (list(map(len, pieces)), b"".join(pieces)) == ([CHUNK, CHUNK, 5], content)
    assert done[-1] == packed.stat().st_size


def test_the_checksum_of_what_has_holes_does_not_depend_on_the_pieces() -> None:
    content = bytes(100_000) + os.urandom(200_000) + bytes(300_000) + b"end"
    sums: set[str] = set()
    for length in (1000, 64 << 10, 100_001, CHUNK):
        digest = DataDigest()
        for at in range(0, len(content), length):
            digest.add(at, content[at : at + length])
        sums.add(digest.of_size(len(content)))
    assert len(sums) == 1
