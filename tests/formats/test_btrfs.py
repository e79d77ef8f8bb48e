"""btrfs of mkfs.btrfs and of the kernel, and damaged ones."""

import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.btrfs import Btrfs
from bootkit.formats.tree import Tree
from tests.formats.explore import explored

Run = Callable[..., str]
Walked = Callable[[Tree], dict[str, int | None]]
SUBVOLUMES = Path(__file__).with_name("btrfs-subvolumes.img.gz")
"""Made by Linux 6.1 and btrfs-progs 6.2: subvolumes @ (with a nested one, .snapshots/1/snapshot, which is the default) and
@home; in @ the folder etc, and /z, /l and /s with the text of :data:`TEXT`, compressed by zlib, LZO and Zstandard."""
TEXT = b"all the same words " * 20_000


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("source")
    dice = random.Random(11)
    (root / "usr/lib/modules/6.1").mkdir(parents=True)
    (root / "empty").touch()
    (root / "short").write_bytes(b"in the tree")
    (root / "noise").write_bytes(dice.randbytes(300_001))
    (root / "lib").symlink_to("usr/lib")
    (root / "short link").symlink_to("/lib/../../short")
    for number in range(400):
        (root / f"usr/lib/modules/6.1/a module with a long name {number}.ko").touch()
    return root


@pytest.fixture(scope="module")
def image(source: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("btrfs") / "image"
    made.touch()
    run("truncate", "-s", "120M", made)
    run("mkfs.btrfs", "-q", "-L", "a label", "-U", "0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e01", "--rootdir", source, made)
    return made


def test_every_file_is_read_as_it_was(image: Path, source: Path, walked: Walked) -> None:
    with image.open("rb", buffering=0) as fh:
        fs = Btrfs(fh)
        assert (fs.superblock.uuid, fs.superblock.label) == ("0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e01", "a label")
        assert sorted(walked(fs)) == sorted(f"/{path.relative_to(source)}" for path in source.rglob("*"))
        for path in source.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert fs.read(str(path.relative_to(source)), 1 << 20) == path.read_bytes()
        assert fs.read("/short link", 99) == b"in the tree"
        place = b"".join(image.read_bytes()[start or 0 :][:length] for start, length in fs.extents("/noise"))
        assert place == (source / "noise").read_bytes()
        with pytest.raises(FormatError, match="lies in the tree"):
            fs.extents("/short")
        assert (fs.default_subvolume(), fs.warnings) == ("", ())


def test_what_the_kernel_made_is_read_too() -> None:
    whole = io.BytesIO(gzip.decompress(SUBVOLUMES.read_bytes()))
    top = Btrfs(whole)
    assert [entry.name for entry in top.listdir("/") or ()] == ["@", "@home"]
    assert top.default_subvolume() == "@/.snapshots/1/snapshot"
    root = Btrfs(whole, "@")
    for name in ("z", "l", "s"):
        assert root.read(f"/{name}", 1 << 20) == TEXT == top.read(f"/@/{name}", 1 << 20)
        with pytest.raises(FormatError, match="compressed"):
            root.extents(f"/{name}")
    with root.open("/s") as file:
        file.seek(200_001)
        assert file.read(5_000) == TEXT[200_001:205_001]
    assert Btrfs(whole, top.default_subvolume()).read("/etc/hostname", 99) == b"from a snapshot\n"
    with pytest.raises(FormatError, match="no subvolume @root"):
        Btrfs(whole, "@root")


def test_what_cannot_be_read_is_refused(image: Path) -> None:
    with pytest.raises(FormatError, match="there is no btrfs"):
        Btrfs(io.BytesIO(bytes(1 << 20)))
    data = bytearray(image.read_bytes()[: 32 << 20])
    data[(64 << 10) + 136] = 2
    with pytest.raises(FormatError, match="lies on 2 devices"):
        Btrfs(io.BytesIO(data))
    data[(64 << 10) + 136] = 1
    data[(64 << 10) + 189] |= 0x20
    with pytest.raises(FormatError, match="features that bootkit cannot read"):
        Btrfs(io.BytesIO(data))


def test_damage_is_told_and_ends() -> None:
    dice = random.Random(5)
    sound = gzip.decompress(SUBVOLUMES.read_bytes())
    blocks = [at for at in range(0, len(sound), 4096) if sound[at : at + 4096].strip(b"\0")]
    answered = 0
    for _ in range(60):
        data = bytearray(sound)
        for at in dice.sample(blocks, 3):
            data[at + dice.randrange(4096)] = dice.randrange(256)
        try:
            answered += bool(explored(Btrfs(io.BytesIO(data)), depth=5, most=30))
        except FormatError:
            continue
    assert answered
