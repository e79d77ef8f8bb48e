"""File systems come from mke2fs and debugfs; what they hold is known from the tree they were made of."""

import os
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.ext4 import Ext4, read_superblock
from bootkit.formats.iso9660 import Iso9660

Run = Callable[..., str]
Walked = Callable[[Ext4], dict[str, int | None]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name, content in {
        "boot/iso/Plasma 6.iso": os.urandom(300_000),
        "boot/iso/small": b"forty bytes that fit into an inode: here",
        "boot/iso/middle": os.urandom(130),
        "boot/iso/empty": b"",
        "Größe": b"x" * 5000,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        os.utime(root / name, (1_700_000_000, 1_700_000_000))
    (root / "few").mkdir()
    (root / "many").mkdir()
    for number in range(700):
        (root / "many" / f"file-with-a-long-name-{number:04}").touch()
    with (root / "sparse").open("wb") as fh:
        fh.truncate(3_000_000)
        for at in (0, 1_000_000, 2_900_000):
            fh.seek(at)
            fh.write(b"mark")
    (root / "isos").symlink_to("boot/iso")
    (root / "far").symlink_to("few/../" * 30 + "boot/iso/small")
    return root


def on_disk(root: Path) -> dict[str, int | None]:
    return {f"/{path.relative_to(root)}": None if path.is_dir() else path.stat().st_size for path in root.rglob("*")}


def made(run: Run, image: Path, *options: str | Path) -> Path:
    kind = () if "-t" in options else ("-t", "ext4")
    run("mke2fs", "-q", "-F", *kind, "-L", "BOOTKIT", *options, image, "24M")
    return image


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-b", "1024"),
        ("-b", "2048", "-I", "128"),
        ("-b", "4096", "-O", "64bit,metadata_csum,metadata_csum_seed"),
        ("-O", "^extents,^64bit,^flex_bg", "-b", "1024"),
        ("-O", "inline_data"),
        ("-O", "inline_data,^extents,^64bit"),
        ("-O", "meta_bg,^resize_inode", "-b", "1024"),
        ("-O", "meta_bg,^resize_inode,^flex_bg,^64bit,sparse_super2", "-b", "1024", "-g", "1024"),
        ("-O", "bigalloc,large_dir,casefold,encrypt"),
        ("-t", "ext2"),
        ("-t", "ext3"),
        ("-t", "ext2", "-r", "0"),
    ],
    ids=" ".join,
)
def test_shows_the_tree_it_was_made_of(
    run: Run, walked: Walked, options: tuple[str, ...], tree: Path, tmp_path: Path
) -> None:
    with made(run, tmp_path / "x.img", *options, "-d", tree).open("rb") as fh:
        fs = Ext4(fh)
        found = walked(fs)
        assert found.pop("/lost+found") is None
        known = on_disk(tree)
        if "inline_data" in " ".join(options):
            # mke2fs 1.47.0 forgets the hole at the end there; debugfs shows the same size.
            known["/sparse"] = 2_900_992
        assert found == known
        assert fs.warnings == ()
        for path in (path for path in tree.rglob("*") if path.is_file()):
            content = fs.read(f"/{path.relative_to(tree)}", 1 << 22)
            assert content == path.read_bytes()[: known[f"/{path.relative_to(tree)}"]]
        assert {entry.mtime for entry in fs.listdir("/boot/iso") or ()} == {1_700_000_000}


def test_superblock_tells_what_dumpe2fs_tells(run: Run, tmp_path: Path) -> None:
    image = made(run, tmp_path / "x.img", "-b", "1024")
    told = dict(re.findall(r"^(.+?): +(.+)$", run("dumpe2fs", "-h", image), re.MULTILINE))
    with image.open("rb") as fh:
        superblock = read_superblock(fh)
    assert superblock.uuid == told["Filesystem UUID"]
    assert superblock.label == told["Filesystem volume name"] == "BOOTKIT"
    assert superblock.blocks == int(told["Block count"])
    assert superblock.free_blocks == int(told["Free blocks"])
    assert superblock.free_inodes == int(told["Free inodes"])
    assert superblock.size == 24 << 20


def test_a_hashed_directory_lists_what_debugfs_lists(run: Run, tree: Path, tmp_path: Path) -> None:
    image = made(run, tmp_path / "x.img", "-b", "1024", "-d", tree)
    subprocess.run(["e2fsck", "-fyD", image], capture_output=True, check=False, timeout=60)
    assert "Hash Version" in run("debugfs", "-R", "htree_dump /many", image)
    names = set(re.findall(r"file-with-a-long-name-\d{4}", run("debugfs", "-R", "ls -l /many", image)))
    with image.open("rb") as fh:
        assert {entry.name for entry in Ext4(fh).listdir("/many") or ()} == names
    assert len(names) == 700


def test_unwritten_extents_and_holes_read_as_zeros(run: Run, tmp_path: Path) -> None:
    image = made(run, tmp_path / "x.img")
    subprocess.run(
        ["debugfs", "-w", "-f", "-", image],
        input="write /dev/null file\nfallocate file 2 9\nset_inode_field file size 65536\nsif file mtime @77\n",
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    with image.open("rb") as fh:
        fs = Ext4(fh)
        assert fs.extents("/file") == ((None, 65536),)
        assert fs.read("/file", 1 << 20) == bytes(65536)


def test_extents_are_where_debugfs_says(run: Run, tree: Path, tmp_path: Path) -> None:
    image = made(run, tmp_path / "x.img", "-b", "1024", "-d", tree)
    blocks = [int(number) for number in run("debugfs", "-R", 'blocks "/boot/iso/Plasma 6.iso"', image).split()]
    with image.open("rb") as fh:
        extents = Ext4(fh).extents("/isos/Plasma 6.iso")
    assert sum(length for _, length in extents) == 300_000
    covered = [
        block for start, length in extents if start for block in range(start // 1024, (start + length - 1) // 1024 + 1)
    ]
    assert covered == [block for block in blocks if block in covered]
    assert len(covered) == 293


def test_reads_an_iso_that_lies_in_a_stick(run: Run, tree: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    run("xorriso", "-as", "mkisofs", "-R", "-o", stick / "x.iso", tree / "boot")
    with made(run, tmp_path / "x.img", "-d", stick).open("rb") as fh:
        iso = Iso9660(Ext4(fh).open("/x.iso"))
        assert iso.read("/iso/Plasma 6.iso", 1 << 20) == (tree / "boot/iso/Plasma 6.iso").read_bytes()


def test_times_after_2038_use_the_extra_bits(run: Run, tmp_path: Path) -> None:
    image = made(run, tmp_path / "x.img")
    run("debugfs", "-w", "-R", "set_inode_field /lost+found mtime @705032704", image)
    run("debugfs", "-w", "-R", "set_inode_field /lost+found mtime_extra 1", image)
    with image.open("rb") as fh:
        assert [entry.mtime for entry in Ext4(fh).listdir("/") or ()] == [5_000_000_000]


def test_an_unknown_feature_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    image = made(run, tmp_path / "x.img")
    with image.open("r+b") as fh:
        fh.seek(1024 + 96)
        (incompat,) = struct.unpack("<I", fh.read(4))
        fh.seek(1024 + 96)
        fh.write(struct.pack("<I", incompat | 0x1 | 0x80000000))
        with pytest.raises(FormatError, match="compression, 0x80000000"):
            Ext4(fh)


def test_an_encrypted_file_is_refused_and_its_neighbours_are_not(run: Run, tree: Path, tmp_path: Path) -> None:
    image = made(run, tmp_path / "x.img", "-d", tree)
    run("debugfs", "-w", "-R", "set_inode_field /boot/iso/small flags 0x80800", image)
    with image.open("rb") as fh:
        fs = Ext4(fh)
        with pytest.raises(FormatError, match="small is encrypted"):
            fs.open("/boot/iso/small")
        assert fs.read("/boot/iso/empty", 1) == b""


def test_a_file_system_that_was_not_unmounted_says_so(run: Run, tmp_path: Path) -> None:
    image = made(run, tmp_path / "x.img")
    run("debugfs", "-w", "-R", "feature +needs_recovery", image)
    with image.open("rb") as fh:
        assert "not unmounted cleanly" in " ".join(Ext4(fh).warnings)
