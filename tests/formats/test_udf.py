"""Images come from genisoimage, pycdlib and mkudffs; what they hold is known, and blkid knows their names too."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootkit.errors import FormatError
from bootkit.formats.udf import Udf

PyCdlib: Any = pytest.importorskip("pycdlib").PyCdlib
Run = Callable[..., str]
Walked = Callable[[Udf], dict[str, int | None]]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name, content in {
        "bootmgr": os.urandom(5000),
        "sources/install.wim": os.urandom(600_000),
        "sources/empty": b"",
        "efi/boot/bootx64.efi": os.urandom(2048),
        "Grüße an alle/日本語 and a long name with blanks.txt": b"long\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "many").mkdir()
    for number in range(120):
        (root / "many" / f"{number:03}.mum").write_bytes(b"%d" % number)
    return root


def test_shows_the_tree_that_genisoimage_wrote(run: Run, walked: Walked, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    run("genisoimage", "-quiet", "-udf", "-input-charset", "utf-8", "-V", "CCCOMA_X64FRE", "-o", image, tree)
    with image.open("rb") as fh:
        udf = Udf(fh)
        assert walked(udf) == {
            f"/{path.relative_to(tree)}": None if path.is_dir() else path.stat().st_size for path in tree.rglob("*")
        }
        for path in (path for path in tree.rglob("*") if path.is_file()):
            assert udf.read(f"/{path.relative_to(tree)}", 1 << 20) == path.read_bytes()
        assert udf.warnings == ()
        assert udf.label == "CCCOMA_X64FRE"
        assert f"ID_FS_UUID={udf.uuid}\n" in run("blkid", "-p", "-o", "udev", image)


def with_pycdlib(image: Path, content: bytes) -> Path:
    iso = PyCdlib()
    iso.new(interchange_level=3, udf="2.60")
    (image.parent / "content").write_bytes(content)
    iso.add_directory("/DIR", udf_path="/dir")
    iso.add_file(os.fspath(image.parent / "content"), "/DIR/FILE.;1", udf_path="/dir/file")
    iso.add_symlink(udf_symlink_path="/link", udf_target="dir/file")
    iso.write(os.fspath(image))
    iso.close()
    return image


def test_follows_a_link_that_pycdlib_wrote(tmp_path: Path) -> None:
    with with_pycdlib(tmp_path / "x.iso", b"content").open("rb") as fh:
        udf = Udf(fh)
        assert udf.read("/link", 99) == b"content"
        assert [(entry.name, entry.size) for entry in udf.listdir("/") or ()] == [("dir", 0), ("link", 7)]


def tagged(data: bytearray) -> bytes:
    """The descriptor with a sound checksum of its tag."""
    data[4] = 0
    data[4] = sum(data[:16]) & 0xFF
    return bytes(data)


def test_reads_through_a_metadata_partition(tmp_path: Path) -> None:
    """The file set and the root are moved, on paper, to a metadata partition whose blocks are in another order."""
    image = with_pycdlib(tmp_path / "x.iso", b"content")
    with image.open("rb") as fh:
        udf = Udf(fh)
        volume = udf._volume  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        start = volume.offset(volume.file_set) // 2048 - volume.file_set.block
        file_set = volume.file_set.block
        root = udf._root.file.address.block  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        ((data_offset, data_size),) = volume.file_extents(udf._root.file)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    whole = bytearray(image.read_bytes())
    assert data_offset is not None
    blocks = (root, data_offset // 2048 - start, file_set)

    def at(block: int) -> slice:
        return slice((start + block) * 2048, (start + block + 1) * 2048)

    # The metadata file: three extents of one block each.
    metadata_file = len(whole) // 2048 - start
    entry = bytearray(whole[at(root)])
    entry[27], entry[34:36] = 250, b"\0\0"
    struct.pack_into("<Q", entry, 56, 3 * 2048)
    header = 216 if entry[0] == 266 & 0xFF else 176
    struct.pack_into("<II", entry, header - 8, 0, 24)
    struct.pack_into("<6I", entry, header, *(number for block in blocks for number in (2048, block)))
    whole += tagged(entry)
    # The root's own descriptor counts in the metadata partition.
    moved = bytearray(whole[at(root)])
    assert moved[34] & 7 == 0
    attributes = struct.unpack_from("<I", moved, header - 8)[0]
    struct.pack_into("<II", moved, header + attributes, data_size, 1)
    whole[at(root)] = moved
    struct.pack_into("<IH", whole, (start + file_set) * 2048 + 404, 0, 1)
    # The logical volume gets the second partition map.
    for sector in range(32, 64):
        if struct.unpack_from("<H", whole, sector * 2048)[0] == 6:
            struct.pack_into("<IH", whole, sector * 2048 + 248 + 4, 2, 1)
            struct.pack_into("<II", whole, sector * 2048 + 264, 70, 2)
            map_2 = struct.pack("<BBHB23s8xHHI", 2, 64, 0, 0, b"*UDF Metadata Partition", 1, 0, metadata_file)
            whole[sector * 2048 + 446 : sector * 2048 + 510] = map_2.ljust(64, b"\0")
    image.write_bytes(whole)
    with image.open("rb") as fh:
        assert Udf(fh).read("/dir/file", 99) == b"content"


@pytest.mark.parametrize(
    "options",
    [("--media-type=dvdram",), ("--media-type=hd", "-b", "512"), ("--media-type=cdrw", "--udfrev=1.50")],
    ids=" ".join,
)
def test_an_empty_volume_has_the_names_that_blkid_shows(options: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    image = tmp_path / "x.img"
    with image.open("wb") as fh:
        fh.truncate(8 << 20)
    run("mkudffs", *options, "--label=Größe", "--uuid=0123456789abcdef", image)
    with image.open("rb") as fh:
        udf = Udf(fh)
        assert (udf.label, udf.uuid) == ("Größe", "0123456789abcdef")
        assert [entry.name for entry in udf.listdir("/") or ()] in ([], ["lost+found"], ["Non-Allocatable Space"])
    assert "ID_FS_UUID=0123456789abcdef\n" in run("blkid", "-p", "-o", "udev", image)


def test_a_virtual_partition_is_refused_by_name(run: Run, tmp_path: Path) -> None:
    image = tmp_path / "x.img"
    with image.open("wb") as fh:
        fh.truncate(8 << 20)
    run("mkudffs", "--media-type=cdr", image)
    with image.open("rb") as fh, pytest.raises(FormatError, match="UDF Virtual Partition"):
        Udf(fh)
