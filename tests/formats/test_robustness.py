"""Damaged images: whatever stands in them, the answer is one FormatError or a shorter tree, and it comes soon."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.eltorito import read_boot_catalog
from bootkit.formats.ext4 import Ext4
from bootkit.formats.fat import Fat
from bootkit.formats.iso9660 import Iso9660, read_volume_descriptors
from bootkit.formats.partitions import read_partitions
from bootkit.formats.tree import Tree
from bootkit.formats.udf import Udf

Run = Callable[..., str]


@pytest.fixture(scope="module")
def tree(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    (root / "a/b/c/d/e/f/g/h/i").mkdir(parents=True)
    (root / "a/b/c/d/e/f/g/h/i/deep").write_bytes(b"deep")
    (root / "boot").mkdir()
    (root / "boot" / ("long name " * 20)).write_bytes(b"x" * 3000)
    run("mkfs.fat", "-C", root / "efi.img", "320")
    return root


@pytest.fixture(scope="module")
def images(run: Run, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("images")
    (folder / "links").mkdir()
    (folder / "links/link").symlink_to("boot/../" * 40 + "boot")
    boot = ("-e", "efi.img", "-no-emul-boot", "-isohybrid-gpt-basdat")
    run("xorriso", "-as", "mkisofs", "-R", "-J", *boot, "-o", folder / "iso", tree, folder / "links")
    run("genisoimage", "-quiet", "-udf", "-o", folder / "udf", tree)
    run("mke2fs", "-q", "-t", "ext4", "-b", "1024", "-O", "inline_data,^has_journal", "-d", tree, folder / "ext4", "1M")
    run("mke2fs", "-q", "-t", "ext2", "-b", "1024", "-d", folder, folder / "ext2", "3M")
    run("mkfs.fat", "-C", folder / "fat", "720")
    run("mcopy", "-s", "-i", folder / "fat", tree / "a", tree / "boot", "::/")
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def explored(tree: Tree, path: str, depth: int) -> int:
    """Look at everything, bounded as a caller would bound it."""
    seen = 0
    for entry in list(tree.listdir(path) or ())[:40]:
        inner = f"{path}/{entry.name}"
        seen += 1
        if not entry.is_dir:
            try:
                tree.read(inner, 4096)
            except FormatError:
                continue
        elif depth:
            seen += explored(tree, inner, depth - 1)
    return seen


def opened(kind: str, fh: io.BytesIO) -> Tree:
    match kind:
        case "iso":
            read_partitions(fh)
            descriptors = read_volume_descriptors(fh)
            read_boot_catalog(fh, descriptors.boot_catalog or 0)
            return Iso9660(fh, descriptors)
        case "udf":
            return Udf(fh)
        case "fat":
            Fat(fh).free_clusters()
            return Fat(fh)
        case _:
            return Ext4(fh)


def tried(kind: str, data: bytes | bytearray) -> int:
    try:
        return explored(opened(kind, io.BytesIO(data)), "", 10)
    except FormatError:
        return 0


KINDS = ("iso", "udf", "fat", "ext4", "ext2")


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bytes_give_an_answer_or_one_error(kind: str, images: dict[str, bytes]) -> None:
    image = images[kind]
    whole = tried(kind, image)
    assert whole > 5
    # Zeros far from anything are mostly unused: damage is put at and behind bytes that say something.
    used = [at for at in range(len(image)) if image[at]]
    dice = random.Random(kind)
    for _ in range(300):
        data = bytearray(image)
        for _ in range(dice.choice((1, 1, 4, 40))):
            data[min(dice.choice(used) + dice.choice((0, 0, 1)), len(data) - 1)] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        tried(kind, data)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_images_give_an_answer_or_one_error(kind: str, images: dict[str, bytes]) -> None:
    image = images[kind]
    found = [tried(kind, image[: len(image) * part // 64]) for part in range(64)]
    assert found[0] == 0
    assert found[63] > 0 or kind == "udf"


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_no_image(kind: str) -> None:
    assert tried(kind, random.Random(1).randbytes(300_000)) == 0
    assert tried(kind, b"") == 0
