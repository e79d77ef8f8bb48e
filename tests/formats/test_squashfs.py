"""squashfs images of mksquashfs, compared with what unsquashfs says, and damaged ones."""

import io
import os
import random
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.compression import Budget
from bootkit.formats.ext4 import Ext4
from bootkit.formats.squashfs import Squashfs, read_superblock
from bootkit.formats.tree import Tree
from tests.formats.explore import explored

Run = Callable[..., str]
COMPRESSIONS = ("gzip", "lzma", "lzo", "lz4", "xz", "zstd")
SHAPES = {
    "usual": (),
    "small_blocks": ("-b", "4K"),
    "large_blocks": ("-b", "1M"),
    "no_fragments": ("-no-fragments",),
    "only_fragments": ("-always-use-fragments",),
    "uncompressed": ("-noI", "-noD", "-noF"),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of every shape: empty, small, on a block's border, with holes, linked."""
    root = tmp_path_factory.mktemp("source")
    dice = random.Random(3)
    words = [dice.randbytes(7).hex() for _ in range(300)]
    contents = {
        "usr/lib/os-release": b'ID=debian\nVERSION_ID="12"\n',
        "empty": b"",
        "one": b"1",
        "block": dice.randbytes(4096),
        "blocks": b"".join(dice.choice(words).encode() for _ in range(30_000)),
        "noise": dice.randbytes(200_001),
        "deep/er/and/deeper/file": b"deep",
        "Grüße 日本": b"name",
    }
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    with (root / "sparse").open("wb") as fh:
        fh.write(b"start")
        fh.seek(3 << 20)
        fh.write(b"end")
    (root / "etc").mkdir()
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    (root / "etc/absolute").symlink_to("/usr/lib/os-release")
    (root / "etc/loop").symlink_to("loop")
    (root / "lib").symlink_to("usr/lib")
    os.link(root / "noise", root / "hard")
    os.mkfifo(root / "fifo")
    return root


def made(image: Path, source: Path, *options: str) -> Path:
    subprocess.run(
        ("mksquashfs", source, image, "-noappend", "-no-progress", "-quiet", "-all-root", "-processors", "1", *options),
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return image


def sizes(root: Path) -> dict[str, int]:
    return {
        f"/{path.relative_to(root)}": path.stat().st_size
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.mark.parametrize(
    ("compression", "shape"),
    [*((name, "usual") for name in COMPRESSIONS), *(("zstd", shape) for shape in SHAPES), ("lzo", "small_blocks")],
)
def test_every_file_is_read_as_it_was(compression: str, shape: str, source: Path, tmp_path: Path) -> None:
    image = made(tmp_path / "image", source, "-comp", compression, *SHAPES[shape])
    with image.open("rb", buffering=0) as fh:
        fs = Squashfs(fh)
        assert fs.superblock.compression == compression
        for path, size in sizes(source).items():
            found = fs.find(path)
            assert found is not None
            assert found.size == size
            assert fs.read(path, 8 << 20) == (source / path[1:]).read_bytes(), path
        assert fs.read("/etc/os-release", 9) == b"ID=debian"
        assert fs.read("/etc/absolute", 9) == b"ID=debian"
        assert fs.read("/lib/../lib/os-release", 9) == b"ID=debian"
        assert fs.find("/etc/loop") is None
        assert not fs.warnings


def test_names_are_those_that_unsquashfs_lists(
    source: Path, tmp_path: Path, run: Run, walked: Callable[[Tree], dict[str, int | None]]
) -> None:
    image = made(tmp_path / "image", source, "-comp", "xz")
    with image.open("rb", buffering=0) as fh:
        found = walked(Squashfs(fh))
    listed = run("unsquashfs", "-l", "-d", "", image).splitlines()
    assert sorted(found) == sorted(line for line in listed if line)


def test_a_directory_with_an_index_is_read_whole(tmp_path: Path) -> None:
    root = tmp_path / "many"
    root.mkdir()
    for number in range(800):
        (root / f"a rather long name, that fills metadata blocks {number:05}").write_bytes(b"%d" % number)
    image = made(tmp_path / "image", tmp_path / "many")
    with image.open("rb", buffering=0) as fh:
        fs = Squashfs(fh)
        assert [entry.name for entry in fs.listdir("/") or ()] == sorted(path.name for path in root.iterdir())
        assert fs.read("/a rather long name, that fills metadata blocks 00799", 10) == b"799"


def test_extended_attributes_are_stepped_over(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    (root / "folder").mkdir(parents=True)
    (root / "folder/file").write_bytes(b"content" * 1000)
    (root / "link").symlink_to("folder/file")
    for path in (root / "folder", root / "folder/file"):
        os.setxattr(path, "user.note", b"x" * 300)
    image = made(tmp_path / "image", root, "-xattrs")
    with image.open("rb", buffering=0) as fh:
        fs = Squashfs(fh)
        assert fs.read("/link", 1 << 20) == b"content" * 1000
        file = fs.find("/folder/file")
        assert file is not None
        assert file.kind == 9


def test_a_file_is_read_from_any_place(source: Path, tmp_path: Path) -> None:
    image = made(tmp_path / "image", source, "-comp", "gzip", "-b", "16K")
    content = (source / "noise").read_bytes()
    dice = random.Random(5)
    with image.open("rb", buffering=0) as fh, Squashfs(fh).open("/noise") as file:
        assert file.size == len(content)
        for _ in range(200):
            start, size = dice.randrange(len(content)), dice.randrange(40_000)
            file.seek(start)
            assert file.read(size) == content[start : start + size]
        file.seek(-3, os.SEEK_END)
        assert file.read() == content[-3:]
        assert file.read() == b""


def test_a_file_system_inside_a_squashfs_is_read_in_place(source: Path, tmp_path: Path, run: Run) -> None:
    """Fedora to 41 and KIWI put an ext4 image into the squashfs."""
    (tmp_path / "tree/LiveOS").mkdir(parents=True)
    inner = tmp_path / "tree/LiveOS/rootfs.img"
    run("mke2fs", "-q", "-t", "ext4", "-d", source / "usr", inner, "16M")
    image = made(tmp_path / "image", tmp_path / "tree", "-comp", "zstd")
    with image.open("rb", buffering=0) as fh, Squashfs(fh).open("/LiveOS/rootfs.img") as file:
        assert Ext4(file).read("/lib/os-release", 9) == b"ID=debian"


def test_a_squashfs_has_no_map_of_its_files(source: Path, tmp_path: Path) -> None:
    image = made(tmp_path / "image", source)
    with image.open("rb", buffering=0) as fh:
        fs = Squashfs(fh)
        with pytest.raises(FormatError, match="does not lie in the image"):
            fs.extents("/one")
        with pytest.raises(FormatError, match="no regular file"):
            fs.open("/fifo")
        with pytest.raises(FormatError, match="there is no file"):
            fs.read("/usr", 1)
        assert fs.listdir("/one") is None


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (0, b"sqsh", "there is no squashfs"),
        (28, b"\3\0", "version 3.0"),
        (20, b"\x63\0", "unknown number 99"),
        (22, b"\x1f\0", "contradicts itself"),
        (12, b"\0\0\0\0", "contradicts itself"),
    ],
)
def test_a_superblock_that_is_none_is_refused(at: int, value: bytes, words: str, source: Path, tmp_path: Path) -> None:
    data = bytearray(made(tmp_path / "image", source).read_bytes())
    data[at : at + len(value)] = value
    with pytest.raises(FormatError, match=words):
        read_superblock(io.BytesIO(data))


def tried(data: bytes) -> int:
    try:
        return explored(Squashfs(io.BytesIO(data)), depth=6, most=100)
    except FormatError:
        return 0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    root = tmp_path_factory.mktemp("small")
    (root / "folder/folder").mkdir(parents=True)
    for number in range(12):
        (root / f"folder/{number}").write_bytes(b"%d" % number * 900)
    (root / "link").symlink_to("folder/1")
    image = root.parent / "small.image"
    plain = ("-noI", "-noD", "-noF", "-b", "4K")
    return {name: made(image, root, "-comp", name, "-b", "4K").read_bytes() for name in COMPRESSIONS} | {
        "plain": made(image, root, *plain).read_bytes()
    }


@pytest.mark.parametrize("kind", [*COMPRESSIONS, "plain"])
def test_damage_gives_an_answer_or_one_error(kind: str, small: dict[str, bytes]) -> None:
    image = small[kind]
    assert tried(image) == 15
    used = [at for at in range(len(image)) if image[at]]
    dice = random.Random(kind)
    for _ in range(250):
        data = bytearray(image)
        for _ in range(dice.choice((1, 1, 4, 40))):
            data[min(dice.choice(used) + dice.choice((0, 0, 1)), len(data) - 1)] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        tried(bytes(data))
    assert not tried(b"")
    for part in range(32):
        tried(image[: len(image) * part // 32])


def test_a_block_that_unpacks_to_more_than_a_block_is_refused(tmp_path: Path, small: dict[str, bytes]) -> None:
    bomb = zlib.compress(bytes(1 << 20))
    block = (len(bomb)).to_bytes(2, "little") + bomb
    data = bytearray(small["gzip"])
    inode_table = read_superblock(io.BytesIO(data)).inode_table
    data[inode_table : inode_table + len(block)] = block
    with pytest.raises(FormatError, match="no end where it must"):
        Squashfs(io.BytesIO(bytes(data) + bytes(4096)))


def test_unpacking_ends_with_its_budget(source: Path, tmp_path: Path) -> None:
    image = made(tmp_path / "image", source, "-b", "4K")
    with image.open("rb", buffering=0) as fh:
        fs = Squashfs(fh, budget=Budget(output=200_000, seconds=30))
        with pytest.raises(FormatError, match="unpacks to more than"):
            fs.read("/blocks", 1 << 20)
        with pytest.raises(FormatError, match="unpacks to more than"):
            Squashfs(fh, budget=Budget(output=0, seconds=30))
