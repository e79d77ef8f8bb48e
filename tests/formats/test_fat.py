"""File systems come from mkfs.fat and mtools; what they hold is known from the tree they were made of."""

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.fat import Fat

Run = Callable[..., str]
Walked = Callable[[Fat], dict[str, int | None]]

KINDS = {
    12: ("-F", "12", "-s", "1", "1440"),
    16: ("-F", "16", "-s", "1", "16384"),
    32: ("-F", "32", "-s", "1", "65536"),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name, content in {
        "EFI/BOOT/BOOTX64.EFI": os.urandom(30_000),
        "EFI/BOOT/grubx64.efi": os.urandom(3_001),
        "boot/A long name with blanks and ümläuts 日本語.cfg": b"long\n",
        "boot/.hidden.tar.gz": b"x",
        "EMPTY": b"",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "many").mkdir()
    for number in range(60):
        (root / "many" / f"a file with a number, {number:03}").write_bytes(b"%d" % number)
    return root


def made(image: Path, run: Run, tree: Path, *, bits: int) -> Path:
    *options, blocks = KINDS[bits]
    run("mkfs.fat", "-C", "-n", "BOOTKIT", "-i", "CAFE1234", *options, image, blocks)
    run("mcopy", "-s", "-m", "-i", image, *sorted(tree.iterdir()), "::/")
    return image


@pytest.mark.parametrize("bits", KINDS)
def test_shows_the_tree_it_was_made_of(bits: int, run: Run, walked: Walked, tree: Path, tmp_path: Path) -> None:
    with made(tmp_path / "x.img", run, tree, bits=bits).open("rb") as fh:
        fat = Fat(fh)
        assert fat.geometry.bits == bits
        assert (fat.uuid, fat.label) == ("CAFE-1234", "BOOTKIT")
        assert walked(fat) == {
            f"/{path.relative_to(tree)}": None if path.is_dir() else path.stat().st_size for path in tree.rglob("*")
        }
        for path in (path for path in tree.rglob("*") if path.is_file()):
            assert fat.read(f"/{path.relative_to(tree)}", 1 << 20) == path.read_bytes()
        assert fat.read("/efi/boot/GRUBX64.efi", 9) == (tree / "EFI/BOOT/grubx64.efi").read_bytes()[:9]


@pytest.mark.parametrize("bits", KINDS)
def test_counts_the_free_clusters_that_mdir_counts(bits: int, run: Run, tree: Path, tmp_path: Path) -> None:
    image = made(tmp_path / "x.img", run, tree, bits=bits)
    told = re.search(r"([\d ]+) bytes free", run("mdir", "-i", image, "::/"))
    assert told is not None
    with image.open("rb") as fh:
        fat = Fat(fh)
        assert fat.free_clusters() * fat.geometry.cluster_size == int(told[1].replace(" ", ""))


def test_a_file_in_pieces_is_put_together(run: Run, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.img"
    run("mkfs.fat", "-C", "-F", "12", "-s", "1", image, "1440")
    content = os.urandom(200_000)
    (tmp_path / "content").write_bytes(content)
    for number in range(20):
        (tmp_path / "pad").write_bytes(bytes(600 * (number + 1)))
        run("mcopy", "-i", image, tmp_path / "pad", f"::/pad{number}")
    run("mdel", "-i", image, *(f"::/pad{number}" for number in range(0, 20, 2)))
    (tmp_path / "rest").write_bytes(bytes(900_000))
    run("mcopy", "-i", image, tmp_path / "rest", "::/rest")
    run("mcopy", "-i", image, tmp_path / "content", "::/content")
    run("mdel", "-i", image, "::/rest")
    run("mcopy", "-o", "-i", image, tmp_path / "content", "::/content2")
    with image.open("rb") as fh:
        fat = Fat(fh)
        assert fat.read("/content", 1 << 20) == content
        assert fat.read("/content2", 1 << 20) == content
        assert len(fat.extents("/content2")) > 5


def test_times_are_those_that_mtools_kept(run: Run, tmp_path: Path) -> None:
    image, file = tmp_path / "x.img", tmp_path / "file"
    file.touch()
    os.utime(file, (1_700_000_000, 1_700_000_000))
    run("mkfs.fat", "-C", image, "1440")
    run("env", "TZ=UTC", "mcopy", "-m", "-i", image, file, "::/")
    with image.open("rb") as fh:
        assert [entry.mtime for entry in Fat(fh).listdir("/") or ()] == [1_700_000_000]


def test_the_label_in_the_root_directory_counts(run: Run, tmp_path: Path) -> None:
    image = tmp_path / "x.img"
    run("mkfs.fat", "-C", "-n", "OLD", image, "1440")
    run("mlabel", "-i", image, "::NEW LABEL")
    with image.open("rb") as fh:
        assert Fat(fh).label == "NEW LABEL"


def test_a_chain_that_bites_its_tail_ends(run: Run, tmp_path: Path, tree: Path) -> None:
    image = made(tmp_path / "x.img", run, tree, bits=16)
    with image.open("r+b") as fh:
        geometry = Fat(fh).geometry
        entry = Fat(fh).find("/EFI/BOOT")
        assert entry is not None
        cluster = entry.cluster
        fh.seek(geometry.fat_offset + cluster * 2)
        fh.write(struct.pack("<H", cluster))
        # The directory's end mark is overwritten too, so that only the chain could end the walk.
        fh.seek(geometry.data_offset + (cluster - 2) * geometry.cluster_size + 64)
        fh.write((b"FILE0000TXT" + bytes(21)) * 14)
        fh.flush()
        fat = Fat(fh)
        assert [entry.name for entry in fat.listdir("/EFI/BOOT") or ()] == ["FILE0000.TXT"]
        assert fat.warnings == ("the cluster chain of the directory BOOT bites its tail",)


def test_a_chain_shorter_than_its_file_is_an_error(run: Run, tmp_path: Path, tree: Path) -> None:
    image = made(tmp_path / "x.img", run, tree, bits=16)
    with image.open("r+b") as fh:
        fat = Fat(fh)
        entry = fat.find("/EFI/BOOT/BOOTX64.EFI")
        assert entry is not None
        fh.seek(fat.geometry.fat_offset + entry.cluster * 2)
        fh.write(b"\xff\xff")
        fh.flush()
        with pytest.raises(FormatError, match="shorter than the file"):
            Fat(fh).open("/EFI/BOOT/BOOTX64.EFI")


def test_what_is_no_fat_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.img").write_bytes(bytes(4096))
    with (tmp_path / "x.img").open("rb") as fh, pytest.raises(FormatError, match="no FAT"):
        Fat(fh)
