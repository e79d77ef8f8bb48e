"""XFS of mkfs.xfs, and damaged ones."""

import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.xfs import Xfs
from tests.formats.explore import explored

Run = Callable[..., str]
UUID = "0b1f6d6a-5b0f-4c57-8c3a-5d1c6a3c1e01"
SIEVE = Path(__file__).with_name("xfs-sieve.img.gz")
"""Made by Linux 6.1 and xfsprogs 6.1, in blocks of 1 KiB: /sieve has its number at each 8 KiB, and holes between; of 300 members
of /many every second was removed."""
SMALL = ("--unsupported", "-d", "size=32m")
KINDS = {
    "version 5": (),
    "version 4": ("-m", "crc=0"),
    "big times": ("-m", "bigtime=1,inobtcount=1"),
    "small blocks": ("-b", "size=1024", "-n", "size=8192"),
    "large inodes": ("-i", "size=2048"),
}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """By their paths; a folder has its members below it."""
    dice = random.Random(11)
    many = {f"/many/a member with a long name {number}": b"" for number in range(600)}
    some = {f"/some/member {number}": b"%d" % number for number in range(40)}
    return {
        "/empty": b"",
        "/noise": dice.randbytes(300_001),
        "/etc/fstab": b"UUID=0b1f / xfs defaults 0 0\n",
        **many,
        **some,
    }


def made(folder: Path, files: dict[str, bytes], options: tuple[str, ...], run: Run) -> Path:
    """An XFS with the files; ``/link`` leads to /etc/fstab, ``/long`` by a link of more than an inode's bytes."""
    image, proto = folder / "image", folder / "proto"
    lines, folders = ["/", "0 0", "d--755 0 0"], sorted({path.split("/")[1] for path in files if path.count("/") == 2})
    for name in folders:
        lines.append(f"{name} d--755 0 0")
        lines += [_line(folder, path, data) for path, data in files.items() if path.startswith(f"/{name}/")]
        lines.append("$")
    lines += [_line(folder, path, data) for path, data in files.items() if path.count("/") == 1]
    lines += ["link l--777 0 0 /etc/fstab", f"long l--777 0 0 {'./' * 450}etc/fstab", "$"]
    proto.write_text("\n".join(lines) + "\n")
    image.touch()
    run("truncate", "-s", "32M", image)
    run("mkfs.xfs", "-q", *SMALL, *options, "-m", f"uuid={UUID}", "-L", "a label", "-p", proto, image)
    return image


def _line(folder: Path, path: str, data: bytes) -> str:
    # a proto file ends names at blanks
    source = folder / f"source-{len(data)}"
    source.write_bytes(data)
    return f"{path.rpartition('/')[2].replace(' ', '_')} ---644 0 0 {source}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_is_read_as_it_was(kind: str, files: dict[str, bytes], tmp_path: Path, run: Run) -> None:
    image = made(tmp_path, files, KINDS[kind], run)
    with image.open("rb", buffering=0) as fh:
        fs = Xfs(fh)
        assert (fs.superblock.uuid, fs.superblock.label) == (UUID, "a label")
        found = {f"/{entry.name}" for entry in fs.listdir("/") or ()}
        assert found == {"/empty", "/noise", "/etc", "/many", "/some", "/link", "/long"}
        assert len(fs.listdir("/many") or ()) == 600
        for path, data in files.items():
            name = path.replace(" ", "_")
            if not name.startswith("/some/"):
                assert fs.read(name, 1 << 20) == data
        assert fs.read("/link", 99) == fs.read("/long", 99) == files["/etc/fstab"]
        assert fs.warnings == ()


def test_a_file_whose_map_is_a_tree_and_a_folder_with_gaps_are_read() -> None:
    fs = Xfs(io.BytesIO(gzip.decompress(SIEVE.read_bytes())))
    sieve = fs.read("/sieve", 1 << 30)
    numbers = [b"%d" % number for number in range(300)]
    assert [sieve[at : at + 8192].rstrip(b"\0") for at in range(0, len(sieve), 8192)] == numbers
    assert {entry.name for entry in fs.listdir("/many") or ()} == {
        f"a member with a long name {number}" for number in range(1, 300, 2)
    }


def test_what_cannot_be_read_is_refused(files: dict[str, bytes], tmp_path: Path, run: Run) -> None:
    with pytest.raises(FormatError, match="there is no XFS"):
        Xfs(io.BytesIO(bytes(1 << 20)))
    data = bytearray(made(tmp_path, files, (), run).read_bytes()[: 8 << 20])
    data[218] |= 0x80
    with pytest.raises(FormatError, match="features that bootkit cannot read"):
        Xfs(io.BytesIO(data))


def test_damage_is_told_and_ends() -> None:
    dice = random.Random(5)
    sound = gzip.decompress(SIEVE.read_bytes())
    blocks = [at for at in range(0, len(sound), 512) if sound[at : at + 512].strip(b"\0")]
    answered = 0
    for _ in range(25):
        data = bytearray(sound)
        for at in dice.sample(blocks, 30):
            data[at + dice.randrange(512)] = dice.randrange(256)
        try:
            answered += bool(explored(Xfs(io.BytesIO(data)), depth=5, most=30))
        except FormatError:
            continue
    assert answered
