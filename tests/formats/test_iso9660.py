"""Images come from three mastering programs; what they hold is known from the tree they were made of."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from bootkit.errors import FormatError
from bootkit.formats.iso9660 import Iso9660, read_volume_descriptors

Run = Callable[..., str]
Walked = Callable[[Iso9660], dict[str, int | None]]
PyCdlib: Any = pytest.importorskip("pycdlib").PyCdlib
LONG = "a name of two hundred characters " + "x" * 160 + ".cfg"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A live system's tree in small, with the names and links that make trouble."""
    root = tmp_path_factory.mktemp("tree")
    for name, content in {
        "README": b"read me\n",
        "boot/grub/grub.cfg": b"menuentry 'Live' { linux /casper/vmlinuz }\n",
        "casper-6.1/vmlinuz": os.urandom(3000),
        "casper-6.1/initrd.img": os.urandom(70_000),
        "casper-6.1/leer": b"",
        "Grüße/日本語.txt": "ü".encode(),
        f"long/{LONG}": b"long\n",
        "d1/d2/d3/d4/d5/d6/d7/d8/d9/d10/deep.txt": b"deep\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "casper").symlink_to("casper-6.1")
    (root / "boot/kernel").symlink_to("../casper/vmlinuz")
    (root / "boot/absolute").symlink_to("/boot/grub/grub.cfg")
    (root / "boot/dangling").symlink_to("/no/where")
    (root / "boot/loop").symlink_to("loop")
    (root / "boot/far").symlink_to("../" + "long/../" * 25 + "README")
    return root


def on_disk(root: Path) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for path in root.rglob("*"):
        known = {"loop": 0, "dangling": 0, "absolute": (root / "boot/grub/grub.cfg").stat().st_size}
        size = None if path.is_dir() else known[path.name] if path.name in known else path.stat().st_size
        found[f"/{path.relative_to(root)}"] = size
    return found


@pytest.mark.parametrize(
    "mastering",
    [
        ("xorriso", "-as", "mkisofs", "-R"),
        ("xorriso", "-as", "mkisofs", "-R", "-J", "-joliet-long"),
        ("xorriso", "-as", "mkisofs", "-R", "-D"),
        ("xorriso", "-as", "mkisofs", "-R", "-iso-level", "3", "-partition_offset", "16"),
        ("genisoimage", "-R", "-quiet", "-input-charset", "utf-8"),
        ("genisoimage", "-r", "-J", "-quiet", "-input-charset", "utf-8", "-D"),
    ],
    ids=" ".join,
)
def test_rock_ridge_shows_the_tree_it_was_made_of(
    run: Run, walked: Walked, mastering: tuple[str, ...], tree: Path, tmp_path: Path
) -> None:
    image = tmp_path / "x.iso"
    run(*mastering, "-o", image, tree)
    with image.open("rb") as fh:
        iso = Iso9660(fh)
        found = {path: size for path, size in walked(iso).items() if path.lower() != "/rr_moved"}
        assert found == on_disk(tree)
        assert iso.filesystem == "rock_ridge"
        assert iso.warnings == ()
        for path in (path for path in tree.rglob("*") if path.is_file()):
            assert iso.read(f"/{path.relative_to(tree)}", 1 << 20) == path.read_bytes()


def test_links_lead_through_directories_and_stay_inside_the_image(run: Run, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    (tmp_path / "farther").symlink_to("boot/../long/../" * 60 + "README")
    run("xorriso", "-as", "mkisofs", "-R", "-graft-points", "-o", image, f"/={tree}", f"/farther={tmp_path}/farther")
    with image.open("rb") as fh:
        iso = Iso9660(fh)
        kernel = (tree / "casper-6.1/vmlinuz").read_bytes()
        assert [entry.name for entry in iso.listdir("/casper") or ()] == ["initrd.img", "leer", "vmlinuz"]
        assert iso.read("/boot/kernel", 5000) == kernel
        assert iso.read("/boot/absolute", 5000).startswith(b"menuentry")
        assert iso.read("/boot/far", 5000) == b"read me\n"
        assert iso.read("/farther", 5000) == b"read me\n"
        assert iso.read("/casper/../../../boot/../casper/vmlinuz", 5000) == kernel
        assert iso.find("/boot/loop") is None
        assert iso.find("/boot/dangling") is None
        assert iso.listdir("/README") is None
        assert iso.listdir("/README/..") is None
        assert iso.listdir("/nowhere") is None


def test_joliet_names_are_used_without_rock_ridge(run: Run, walked: Walked, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    run("genisoimage", "-J", "-quiet", "-input-charset", "utf-8", "-V", "JOLIET_TEST", "-o", image, tree / "Grüße")
    with image.open("rb") as fh:
        iso = Iso9660(fh)
        assert iso.filesystem == "joliet"
        assert walked(iso) == {"/日本語.txt": 2}
        assert iso.read("/日本語.txt", 9) == "ü".encode()
        joliet = read_volume_descriptors(fh).joliet
        assert joliet is not None
        assert joliet.volume_id == "JOLIET_TEST"


def test_plain_names_lose_their_version_and_dot(run: Run, walked: Walked, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    run(
        "genisoimage", "-quiet", "-graft-points", "-o", image, f"EMPTY={tree}/casper-6.1/leer", f"GRUB={tree}/boot/grub"
    )
    with image.open("rb") as fh:
        iso = Iso9660(fh)
        assert iso.filesystem == "iso9660"
        assert set(walked(iso)) == {"/EMPTY", "/GRUB", "/GRUB/GRUB.CFG"}


class Mostly:
    """A huge file of zeros with a few marks. What it reads it recognises when it is told to write it: as a hole."""

    mode = "rb"
    zeros = bytes(1 << 20)

    def __init__(self, marks: dict[int, bytes]) -> None:
        self.marks = marks
        self.at = 0

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int) -> None:
        self.at = offset

    def read(self, size: int) -> bytes:
        data = bytearray(size)
        here = [at for at in self.marks if self.at <= at < self.at + size]
        for at in here:
            data[at - self.at : at - self.at + 10] = self.marks[at]
        self.at += size
        return bytes(data) if here or size < len(self.zeros) else self.zeros


class Sparse:
    def __init__(self, fh: BinaryIO) -> None:
        self.fh = fh
        self.seek, self.tell = fh.seek, fh.tell

    def write(self, data: bytes) -> int:
        return self.fh.seek(len(data), os.SEEK_CUR) if data is Mostly.zeros else self.fh.write(data)


def test_reads_a_file_over_four_gib(walked: Walked, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    size = (4 << 30) + 12_345
    marks = {at: f"{at:10}".encode() for at in (0, 5 << 20, size - 10)}
    iso = PyCdlib()
    iso.new(interchange_level=3, rock_ridge="1.09")
    iso.add_fp(Mostly(marks), size, "/BIG.;1", rr_name="big")
    with image.open("wb") as out:
        iso.write_fp(Sparse(out), 1 << 20)
    iso.close()
    with image.open("rb") as fh:
        found = Iso9660(fh)
        assert walked(found) == {"/big": size}
        assert len(found.extents("/big")) in (1, 2)
        file = found.open("/big")
        for at, mark in marks.items():
            file.seek(at)
            assert file.read(10) == mark


def record_of(image: bytearray, name: bytes) -> int:
    """Where the first directory record with this identifier begins."""
    return image.index(bytes([len(name)]) + name) - 32


def test_a_directory_that_contains_itself_is_read_once(run: Run, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    run("xorriso", "-as", "mkisofs", "-R", "-o", image, tree)
    data = bytearray(image.read_bytes())
    with image.open("rb") as fh:
        root = Iso9660(fh).pvd.root_offset // 2048
    at = record_of(data, b"BOOT") + 2
    data[at : at + 8] = root.to_bytes(4, "little") + root.to_bytes(4, "big")
    iso = Iso9660(io.BytesIO(data))
    assert iso.listdir("/boot/boot/boot/boot") == iso.listdir("/")
    assert iso.read("/boot/boot/README", 9) == b"read me\n"


def test_a_directory_that_claims_four_gib_costs_no_more_than_the_file(run: Run, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    run("xorriso", "-as", "mkisofs", "-R", "-o", image, tree)
    data = bytearray(image.read_bytes())
    at = record_of(data, b"BOOT") + 10
    data[at : at + 4] = b"\xff" * 4
    iso = Iso9660(io.BytesIO(data))
    assert "grub" in [entry.name for entry in iso.listdir("/boot") or ()]
    assert "a directory claims 4294967295 bytes" in " ".join(iso.warnings)


def test_a_truncated_image_still_shows_what_it_has(run: Run, walked: Walked, tree: Path, tmp_path: Path) -> None:
    image = tmp_path / "x.iso"
    run("xorriso", "-as", "mkisofs", "-R", "-o", image, tree)
    data = image.read_bytes()
    ((offset, size),) = Iso9660(io.BytesIO(data)).extents("/casper/initrd.img")
    assert offset is not None
    iso = Iso9660(io.BytesIO(data[: offset + size - 5]))
    assert [warning for warning in iso.warnings if "an incomplete download?" in warning]
    assert len(walked(iso)) == len(on_disk(tree))
    with pytest.raises(FormatError, match="ends 5 bytes too early"):
        iso.read("/casper/initrd.img", 1 << 20)


def test_a_file_compressed_by_zisofs_is_refused_with_a_warning(run: Run, tree: Path, tmp_path: Path) -> None:
    image, zeros = tmp_path / "x.iso", tmp_path / "zeros"
    zeros.write_bytes(bytes(300_000))
    run(
        "xorriso", "-outdev", image, "-map", tree / "boot/grub/grub.cfg", "/plain", "-map", zeros, "/packed",
        "-set_filter", "--zisofs", "/packed", "--",
    )  # fmt: skip
    with image.open("rb") as fh:
        iso = Iso9660(fh)
        assert iso.read("/plain", 9) == b"menuentry"
        with pytest.raises(FormatError, match="packed is compressed by zisofs"):
            iso.open("/packed")
        assert iso.warnings == ("packed is compressed by zisofs: it cannot be read",)
