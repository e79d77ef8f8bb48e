"""EROFS images of mkfs.erofs, and damaged ones."""

import io
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.erofs import Erofs
from bootkit.formats.tree import Tree
from tests.formats.explore import explored

pytestmark = pytest.mark.skipif(not shutil.which("mkfs.erofs"), reason="erofs-utils is not installed")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("source")
    dice = random.Random(11)
    (root / "usr/lib/modules/6.1/kernel/fs").mkdir(parents=True)
    (root / "usr/lib/os-release").write_text("ID=fedora\n")
    (root / "empty").touch()
    (root / "block").write_bytes(dice.randbytes(4096))
    (root / "large").write_bytes(b"text " * 20_000)
    (root / "noise").write_bytes(dice.randbytes(50_000))
    (root / "lib").symlink_to("usr/lib")
    (root / "os-release").symlink_to("/lib/os-release")
    for number in range(400):
        (root / f"usr/lib/modules/6.1/kernel/fs/a module with a long name {number}.ko").touch()
    return root


def made(image: Path, source: Path, *options: str) -> Path:
    subprocess.run(("mkfs.erofs", "--quiet", *options, image, source), check=True, capture_output=True, timeout=60)
    return image


@pytest.mark.parametrize(
    "options", [(), ("-E", "force-inode-extended"), ("-E", "noinline_data"), ("--chunksize=8192",)]
)
def test_every_file_is_read_as_it_was(
    options: tuple[str, ...], source: Path, tmp_path: Path, walked: Callable[[Tree], dict[str, int | None]]
) -> None:
    image = made(tmp_path / "image", source, *options)
    with image.open("rb", buffering=0) as fh:
        fs = Erofs(fh)
        found = walked(fs)
        assert sorted(found) == sorted(f"/{path.relative_to(source)}" for path in source.rglob("*"))
        for path in source.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert fs.read(str(path.relative_to(source)), 1 << 20) == path.read_bytes()
        assert fs.read("/os-release", 99) == b"ID=fedora\n"
        assert not fs.warnings


def test_names_in_a_compressed_image_are_read_and_contents_are_refused(source: Path, tmp_path: Path) -> None:
    image = made(tmp_path / "image", source, "-z", "lz4hc")
    with image.open("rb", buffering=0) as fh:
        fs = Erofs(fh)
        assert len(fs.listdir("/lib/modules/6.1/kernel/fs") or ()) == 400
        assert fs.read("/noise", 1 << 20) == (source / "noise").read_bytes()
        found = fs.find("/large")
        assert found is not None
        assert found.size == 100_000
        with pytest.raises(FormatError, match="large is compressed"):
            fs.open("/large")


def test_an_image_says_what_it_is_packed_with(source: Path, tmp_path: Path) -> None:
    plain, packed = made(tmp_path / "plain", source), made(tmp_path / "packed", source, "-z", "lz4hc")
    content = bytearray(packed.read_bytes())
    content[1024 + 80] |= 2  # as Linux 5.16 has it: which of them, by bits
    content[1024 + 84 : 1024 + 86] = b"\x0a\x00"
    newer = tmp_path / "newer"
    newer.write_bytes(content)
    for image, compressions in ((plain, ()), (packed, ("lz4",)), (newer, ("lzma", "zstd"))):
        with image.open("rb", buffering=0) as fh:
            assert Erofs(fh).compressions == compressions


def test_what_is_no_image_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="there is no EROFS"):
        Erofs(io.BytesIO(bytes(4096)))
    data = bytearray(made(tmp_path / "image", source).read_bytes())
    data[1024 + 80] |= 0x80
    with pytest.raises(FormatError, match="features that bootkit cannot read"):
        Erofs(io.BytesIO(data))


def tried(data: bytes) -> int:
    try:
        return explored(Erofs(io.BytesIO(data)), depth=6, most=50)
    except FormatError:
        return 0


@pytest.mark.parametrize("options", [(), ("--chunksize=8192",)])
def test_damage_gives_an_answer_or_one_error(options: tuple[str, ...], source: Path, tmp_path: Path) -> None:
    image = made(tmp_path / "image", source, *options).read_bytes()
    assert tried(image) > 50
    used = [at for at in range(1024, len(image)) if image[at]]
    head = [at for at in used if at < 1024 + 3 * 4096]
    dice = random.Random(2)
    for _ in range(250):
        data = bytearray(image)
        for _ in range(dice.choice((1, 1, 4, 40))):
            at = dice.choice(dice.choice((head, used))) + dice.choice((0, 0, 1))
            data[min(at, len(data) - 1)] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        tried(bytes(data))
    for part in range(32):
        tried(image[: len(image) * part // 32])
