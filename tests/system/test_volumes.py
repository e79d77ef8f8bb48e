"""One behaviour, three ways to a data partition: a folder, and FAT and ext4 inside an image file."""

import hashlib
import os
import random
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from bootkit.app.verbs.prepare import prepare_image
from bootkit.errors import BootkitError
from bootkit.formats.reader import Window
from bootkit.model.filesystem import DataFs
from bootkit.system.extents import file_extents
from bootkit.system.recognise import read_contents
from bootkit.system.sticks import open_stick
from bootkit.system.volume import Volume, data_digest, read_file, walk
from bootkit.system.volumes.exfat import ExfatVolume
from bootkit.system.volumes.ext4 import Ext4Volume
from bootkit.system.volumes.fat import FatVolume
from bootkit.system.volumes.folder import FolderVolume

OFFSET = 1 << 20
SIZE = 48 << 20
PIECE = 64 << 10


# 512 and 4096 bytes a cluster: with more, so small a FAT32 would not be one, and no directory of two hundred files would grow
MAKERS = {
    "fat": ("mkfs.fat", "-F", "32", "-s", "1", "-h", str(OFFSET // 512), "-i", "B007C177"),
    "ext4": ("mke2fs", "-q", "-F", "-t", "ext4"),
    "exfat": ("mkfs.exfat", "-c", "4096"),
}


def _pieces(file: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """What a partition holds beside zeros, and where in it."""
    file.seek(start)
    for at in range(0, SIZE, PIECE):
        piece = file.read(PIECE)
        if piece.count(0) != len(piece):
            yield at, piece


@cache
def _made(kind: str) -> tuple[tuple[int, bytes], ...]:
    """A new file system, made once by its own program."""
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(SIZE)
        subprocess.run([*MAKERS[kind], file.name], check=True, capture_output=True)
        return tuple(_pieces(cast("BinaryIO", file), 0))


def _image(tmp_path: Path, kind: str) -> Path:
    image = tmp_path / "stick.img"
    with image.open("wb") as file:
        file.truncate(OFFSET + SIZE)
        for at, piece in _made(kind):
            file.seek(OFFSET + at)
            file.write(piece)
    return image


def make_folder(tmp_path: Path) -> Volume:
    folder = tmp_path / "stick"
    folder.mkdir()
    return FolderVolume(folder)


def make_fat(tmp_path: Path) -> Volume:
    return FatVolume(_image(tmp_path, "fat"), OFFSET, SIZE)


def make_ext4(tmp_path: Path) -> Volume:
    return Ext4Volume(_image(tmp_path, "ext4"), OFFSET, SIZE)


def make_exfat(tmp_path: Path) -> Volume:
    return ExfatVolume(_image(tmp_path, "exfat"), OFFSET, SIZE)


def check(volume: Volume) -> None:
    """The file system's own checker finds nothing wrong."""
    match volume:
        case Ext4Volume():
            checker = ["e2fsck", "-fn"]
        case FatVolume():
            checker = ["fsck.fat", "-n"]
        case ExfatVolume():
            checker = ["fsck.exfat", "-n"]
        case _:
            return
    image = Path(volume.where)
    part = image.with_suffix(".part")
    with image.open("rb") as source, part.open("wb") as target:
        target.truncate(SIZE)
        for at, piece in _pieces(source, OFFSET):
            target.seek(at)
            target.write(piece)
    subprocess.run([*checker, part], check=True, capture_output=True)


@pytest.fixture(params=[make_folder, make_fat, make_ext4, make_exfat])
def volume(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Volume]:
    with closing(request.param(tmp_path)) as made:
        yield made


def _content(volume: Volume, path: str) -> bytes | None:
    return read_file(volume, path, 1 << 30)


def test_gives_back_what_was_written(volume: Volume) -> None:
    files = {"/boot/grub/grub.cfg": b"menu\n", "/boot/bootkit/state/images/boot/iso/x.iso.json": b"{}", "/empty": b""}
    volume.write(files)
    assert {path: _content(volume, path) for path in files} == files
    check(volume)


def test_replaces_a_file_and_keeps_its_neighbours(volume: Volume) -> None:
    volume.write({"/boot/grub/grub.cfg": b"old", "/boot/grub/custom.cfg": b"mine"})
    volume.write({"/boot/grub/grub.cfg": b"new and longer"})
    assert _content(volume, "/boot/grub/grub.cfg") == b"new and longer"
    assert _content(volume, "/boot/grub/custom.cfg") == b"mine"
    check(volume)


def test_lists_a_folder_by_name(volume: Volume) -> None:
    volume.write({"/b": b"22", "/a/x": b"1", "/c": b""})
    listed = [(stat.name, stat.is_dir, stat.size) for stat in volume.listdir("/") if stat.name != "lost+found"]
    assert listed == [("a", True, 0), ("b", False, 2), ("c", False, 0)]
    assert volume.listdir("/nothing") == ()
    assert volume.listdir("/b") == ()


def test_walks_files_but_not_hidden_ones(volume: Volume) -> None:
    volume.write({"/iso/z.iso": b"z", "/iso/sub/a.iso": b"a", "/iso/.half.part": b"p"})
    assert [path for path, _ in walk(volume, "/iso")] == ["/iso/sub/a.iso", "/iso/z.iso"]


def test_writes_two_hundred_files_at_once(volume: Volume) -> None:
    files = {f"/state/images/boot/iso/image-number-{number}.iso.json": b"x" * number for number in range(200)}
    volume.write(files)
    assert {path: stat.size for path, stat in walk(volume, "/state")} == {path: len(files[path]) for path in files}
    check(volume)


def test_renames_over_another_file_and_into_another_folder(volume: Volume) -> None:
    volume.write({"/iso/.new.iso.copy": b"new", "/iso/new.iso": b"old"})
    volume.rename("/iso/.new.iso.copy", "/iso/new.iso")
    assert _content(volume, "/iso/new.iso") == b"new"
    volume.rename("/iso/new.iso", "/other/place.iso")
    assert _content(volume, "/other/place.iso") == b"new"
    assert volume.stat("/iso/new.iso") is None
    check(volume)


@pytest.mark.parametrize("name", ["hello.raw", "x.iso", "README", "Mixed.txt", "longer than eight.home"])
def test_a_name_keeps_its_case_when_it_is_renamed(volume: Volume, name: str) -> None:
    volume.write({"/boot/.a.part": b"a"})
    volume.rename("/boot/.a.part", f"/boot/{name}")
    volume.flush()
    assert [stat.name for stat in volume.listdir("/boot")] == [name]
    assert read_file(volume, f"/boot/{name}", 10) == b"a"


def test_a_copy_with_holes_is_the_same_file(volume: Volume, tmp_path: Path) -> None:
    source = tmp_path / "holes"
    with source.open("wb") as file:
        file.write(b"beginning")
        file.seek(3 << 20)
        file.write(b"middle")
        file.truncate(7 << 20)
    before = volume.free()
    digest = volume.copy_in(source, "/a.home", lambda _: None, sparse=True)
    volume.flush()
    assert data_digest(volume, "/a.home", lambda _: None) == digest
    with volume.open("/a.home") as file:
        assert file.read() == source.read_bytes()
    if isinstance(volume, Ext4Volume):
        assert before - volume.free() < 2 << 20


def test_a_file_with_holes_is_compared_by_what_is_in_it(volume: Volume, tmp_path: Path) -> None:
    """Zeros count as holes and holes as zeros, on both sides; another byte, place or size makes another checksum."""
    content = bytearray(b"beginning".ljust(1 << 20, b"\0") + bytes(5 << 20))
    digests: list[str] = []
    for at, byte, size in ((3 << 20, 1, 0), (3 << 20, 1, 1), (3 << 20, 2, 0), ((3 << 20) + 1, 1, 0), (200_000, 1, 0)):
        changed = content + bytes(size)
        changed[at] = byte
        full, sparse = tmp_path / "full", tmp_path / "sparse"
        full.write_bytes(changed)
        subprocess.run(["cp", "--sparse=always", full, sparse], check=True)
        names = {f"/{source.name}.home": source for source in (full, sparse)}
        found = {volume.copy_in(source, name, lambda _: None, sparse=True) for name, source in names.items()}
        volume.flush()
        found |= {data_digest(volume, name, lambda _: None) for name in names}
        assert len(found) == 1
        assert all(read_file(volume, name, 1 << 24) == bytes(changed) for name in names)
        digests += found
    assert len(set(digests)) == len(digests)


def test_of_a_file_with_holes_only_the_rest_is_compared(volume: Volume, tmp_path: Path) -> None:
    source = tmp_path / "home"
    with source.open("wb") as file:
        file.write(b"beginning")
        file.truncate(30 << 20)
    volume.copy_in(source, "/a.home", lambda _: None, sparse=True)
    volume.flush()
    assert sum(length for _, length in volume.data_parts("/a.home")) <= 1 << 20
    with volume.open("/a.home") as file:
        assert file.read(9) == b"beginning"
        assert file.seek(0, os.SEEK_END) == 30 << 20


@pytest.mark.parametrize("path", ["/../x", "/boot/iso/../../../x", "/a/./x", "/a\0b", "../x"])
def test_no_path_leads_out_of_the_volume(volume: Volume, path: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"content")
    volume.write({"/payload": b"payload"})
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BootkitError, match="no path on a stick"):
        volume.write({path: b"content"})
    with pytest.raises(BootkitError, match="no path on a stick"):
        volume.copy_in(source, path, lambda _: None)
    with pytest.raises(BootkitError, match="no path on a stick"):
        volume.rename("/payload", path)
    with pytest.raises(BootkitError, match="no path on a stick"):
        volume.remove(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_is_never_a_pattern(volume: Volume) -> None:
    volume.write({"/a1.iso": b"1", "/a2.iso": b"2", "/a[12].iso": b"12"})
    volume.remove("/a[12].iso")
    with pytest.raises(BootkitError):
        volume.remove("/a*")
    assert {stat.name for stat in volume.listdir("/")} - {"lost+found"} == {"a1.iso", "a2.iso"}
    check(volume)


@pytest.mark.parametrize("name", ['say "hi".iso', "x\ndump payload.iso", "-rf", "?*[x]\\.iso", "a\tb", "'"])
def test_ext4_takes_every_name_for_a_name(name: str, tmp_path: Path) -> None:
    with closing(make_ext4(tmp_path)) as volume:
        volume.write({f"/boot/{name}/{name}": b"old"})
        volume.write({f"/boot/{name}/{name}": b"new"})
        volume.rename(f"/boot/{name}/{name}", f"/boot/{name}/.{name}")
        assert _content(volume, f"/boot/{name}/.{name}") == b"new"
        volume.remove(f"/boot/{name}/.{name}")
        assert volume.listdir(f"/boot/{name}") == ()
        check(volume)


@pytest.mark.parametrize("name", ["a*.iso", "a:b", "end.", "end ", "x\ny", "a" * 256, "\ud800"])
@pytest.mark.parametrize("make", [make_fat, make_exfat])
def test_fat_and_exfat_refuse_names_that_they_cannot_hold(
    make: Callable[[Path], Volume], name: str, tmp_path: Path
) -> None:
    with closing(make(tmp_path)) as volume:
        with pytest.raises(BootkitError, match="cannot hold a file named"):
            volume.write({f"/boot/{name}": b"x"})
        assert volume.listdir("/boot") == ()
        check(volume)


def test_a_folder_is_written_through_no_link(tmp_path: Path) -> None:
    outside, stick = tmp_path / "outside", tmp_path / "stick"
    (outside / "grub").mkdir(parents=True)
    (outside / "secret").write_bytes(b"secret")
    (stick / "boot").mkdir(parents=True)
    (stick / "boot/grub").symlink_to(outside / "grub")
    (stick / "letter").symlink_to(outside / "secret")
    with closing(FolderVolume(stick)) as volume:
        for path in ("/boot/grub/grub.cfg", "/boot/grub/deeper/grub.cfg"):
            with pytest.raises(BootkitError, match="/boot/grub on the stick is a symbolic link"):
                volume.write({path: b"menu"})
        with pytest.raises(BootkitError, match="is a symbolic link"):
            volume.rename("/letter", "/boot/grub/letter")
        with pytest.raises(BootkitError, match="is a symbolic link"):
            volume.remove("/boot/grub/x")
        volume.write({"/letter": b"mine"})
    assert (outside / "secret").read_bytes() == b"secret"
    assert list((outside / "grub").iterdir()) == []
    assert (stick / "letter").read_bytes() == b"mine"


def test_links_in_a_folder_lead_to_what_is_on_the_stick(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    stick = tmp_path / "stick"
    (stick / "iso").mkdir(parents=True)
    (stick / "iso/x.iso").write_bytes(b"image")
    (stick / "same.iso").symlink_to("iso/x.iso")
    (stick / "from-the-top.iso").symlink_to("/iso/x.iso")
    (stick / "out.iso").symlink_to("../secret")
    (stick / "host.iso").symlink_to(tmp_path / "secret")
    (stick / "round").symlink_to("round")
    with closing(FolderVolume(stick)) as volume:
        assert [stat.name for stat in volume.listdir("/")] == ["from-the-top.iso", "iso", "same.iso"]
        assert _content(volume, "/same.iso") == _content(volume, "/from-the-top.iso") == b"image"
        assert volume.stat("/host.iso") is volume.stat("/out.iso") is volume.stat("/round") is None


def test_a_name_is_never_a_command(volume: Volume, tmp_path: Path) -> None:
    volume.write({"/payload": b"payload"})
    with suppress(BootkitError):
        volume.write({f"/x\ndump /payload {tmp_path}/PWNED\n.iso": b"content"})
    with suppress(BootkitError):
        volume.write({f'/x" "y"\tdump /payload {tmp_path}/PWNED': b"content"})
    with suppress(BootkitError):
        volume.remove(f"/x\ndump /payload {tmp_path}/PWNED\n.iso")
    assert not (tmp_path / "PWNED").exists()
    check(volume)


def test_removes_a_file(volume: Volume) -> None:
    before = volume.free()
    volume.write({"/x": bytes(range(256)) * 4096})
    volume.remove("/x")
    assert volume.stat("/x") is None
    if not isinstance(volume, FolderVolume):  # others write to the host's disk, too
        assert abs(volume.free() - before) < 1 << 16
    check(volume)


def test_takes_a_big_file_with_its_digest_and_reports_progress(volume: Volume, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(5_000_001)
    source = tmp_path / "a source with blanks.iso"
    source.write_bytes(content)
    seen: list[int] = []
    digest = volume.copy_in(source, "/boot/iso/x.iso", seen.append)
    assert digest == hashlib.sha256(content).hexdigest()
    assert seen == sorted(seen)
    assert seen[-1] == len(content)
    volume.flush()
    assert _content(volume, "/boot/iso/x.iso") == content
    check(volume)


def test_a_file_of_zeros_begins_with_real_blocks(volume: Volume, tmp_path: Path) -> None:
    source = tmp_path / "zeros.iso"
    content = bytes(200_000) + b"end"
    source.write_bytes(content)
    volume.copy_in(source, "/zeros.iso", lambda _: None)
    assert _content(volume, "/zeros.iso") == content
    if isinstance(volume, Ext4Volume):
        blocks = subprocess.run(
            ["debugfs", "-R", "ex /zeros.iso", f"{volume.where}?offset={OFFSET}"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert " 0 - " in blocks.stdout  # the first logical block is mapped
        assert _raw_blocks_are_zero(volume, "/zeros.iso")
    elif isinstance(volume, FolderVolume):
        host = Path(volume.where) / "zeros.iso"
        with host.open("rb") as file:
            assert os.lseek(file.fileno(), 0, os.SEEK_DATA) == 0
    check(volume)


def _raw_blocks_are_zero(volume: Ext4Volume, path: str) -> bool:
    """What GRUB 2.06 reads there: it takes blocks that were set aside for blocks that were written."""
    request = ["debugfs", "-R", f"bmap {path} 0", f"{volume.where}?offset={OFFSET}"]
    block = int(subprocess.run(request, check=True, capture_output=True, text=True).stdout.split()[0])
    with Path(volume.where).open("rb") as file:
        file.seek(OFFSET + block * 1024)
        return file.read(1024) == bytes(1024)


@pytest.mark.parametrize("make", [make_fat, make_ext4, make_exfat])
def test_refuses_what_does_not_fit_and_leaves_nothing(make: Callable[[Path], Volume], tmp_path: Path) -> None:
    source = tmp_path / "big.iso"
    with source.open("wb") as file:
        file.truncate(SIZE + 1)
    with closing(make(tmp_path)) as volume:
        free = volume.free()
        with pytest.raises(BootkitError, match="no room"):
            volume.copy_in(source, "/boot/iso/big.iso", lambda _: None)
        assert volume.stat("/boot/iso/big.iso") is None
        assert volume.free() == free


def test_a_copy_that_is_interrupted_leaves_nothing(volume: Volume, tmp_path: Path) -> None:
    source = tmp_path / "x.iso"
    source.write_bytes(random.Random(2).randbytes(4 << 20))

    def interrupt(done: int) -> None:
        if done > 1 << 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        volume.copy_in(source, "/x.iso", interrupt)
    assert volume.stat("/x.iso") is None
    check(volume)


def test_tells_its_file_system_and_uuid(tmp_path: Path) -> None:
    with closing(make_fat(tmp_path)) as fat:
        assert (fat.filesystem, fat.uuid) == ("vfat", "B007-C177")
    (tmp_path / "other").mkdir()
    with closing(make_exfat(tmp_path / "other")) as exfat:
        place = ("-p", "-O", str(OFFSET), tmp_path / "other/stick.img")
        blkid = subprocess.run(
            ["blkid", "-o", "value", "-s", "UUID", *place], check=True, capture_output=True, text=True
        )
        assert (exfat.filesystem, exfat.uuid) == ("exfat", blkid.stdout.strip())


def test_exfat_keeps_a_file_in_one_piece_behind_holes_that_are_too_small(tmp_path: Path) -> None:
    source = tmp_path / "x.iso"
    source.write_bytes(random.Random(3).randbytes(3 << 20))
    with closing(make_exfat(tmp_path)) as volume:
        assert isinstance(volume, ExfatVolume)
        volume.write({f"/{number}": bytes([number]) * 8192 for number in range(1, 40)})
        for number in range(1, 40, 2):
            volume.remove(f"/{number}")
        volume.copy_in(source, "/x.iso", lambda _: None)
        assert len(volume.extents("/x.iso") or ()) == 1
        volume.write({"/Straße-ΑΩ-ж.txt": b"its hash is made of the volume's own capitals"})
        check(volume)


@pytest.mark.root
@pytest.mark.parametrize("data_fs", [DataFs.NTFS, DataFs.BTRFS])
def test_what_only_a_driver_can_write_is_mounted_as_long_as_it_is_open(data_fs: DataFs, tmp_path: Path) -> None:
    stick, source = tmp_path / "stick.img", tmp_path / "x.iso"
    source.write_bytes(random.Random(4).randbytes(3 << 20))
    prepare_image(stick, 400 << 20, data_fs=data_fs)
    with open_stick(stick, writing=True) as opened:
        opened.volume.copy_in(source, "/boot/iso/x.iso", lambda _: None)
        extents = opened.volume.extents("/boot/iso/x.iso")
        with opened.volume.open("/boot/iso/x.iso") as mounted:
            assert extents in (None, file_extents(Path(f"/proc/self/fd/{mounted.fileno()}")))
    with open_stick(stick) as opened:
        assert opened.volume.filesystem == data_fs.value
        assert _content(opened.volume, "/boot/iso/x.iso") == source.read_bytes()
        assert opened.volume.extents("/boot/iso/x.iso") == extents
        uuid = opened.volume.uuid
    (first, *_) = read_contents(stick).partitions
    assert (first.filesystem, first.uuid) == (data_fs.value, uuid)
    if data_fs is DataFs.BTRFS:  # it maps its own addresses to several devices
        assert extents is None
        return
    assert extents is not None
    with stick.open("rb") as file:
        pieces = [
            Window(file, first.offset + offset, length).read() for offset, length in extents if offset is not None
        ]
    assert b"".join(pieces) == source.read_bytes()


def test_the_kernel_tells_where_the_bytes_of_a_file_lie(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(range(256)) * 1000)
    extents = file_extents(path)
    assert extents is None or sum(length for _, length in extents) == 256_000


@pytest.mark.parametrize("make", [make_fat, make_ext4, make_exfat])
def test_what_is_told_to_be_free_has_room_for_the_records_too(make: Callable[[Path], Volume], tmp_path: Path) -> None:
    with closing(make(tmp_path)) as volume:
        volume.write({"/old": b"x" * 9000})
        whole = tmp_path / "whole"
        whole.touch()
        os.truncate(whole, volume.free())
        volume.copy_in(whole, "/whole", lambda _: None)
        volume.remove("/old")
        volume.remove("/whole")
        check(volume)


@pytest.mark.parametrize(
    "options",
    [
        ("-O", "^extents,^has_journal,^64bit,^metadata_csum"),
        ("-O", "bigalloc,casefold,inline_data,encrypt"),
        ("-b", "1024"),
    ],
)
def test_other_kinds_of_ext4_are_written_as_well(options: tuple[str, ...], tmp_path: Path) -> None:
    image = tmp_path / "stick.img"
    with image.open("wb") as file:
        file.truncate(OFFSET + SIZE)
    place = f"offset={OFFSET}"
    subprocess.run([*MAKERS["ext4"], *options, "-E", place, image, f"{SIZE >> 10}k"], check=True, capture_output=True)
    with closing(Ext4Volume(image, OFFSET, SIZE)) as volume:
        volume.write({"/boot/grub/grub.cfg": b"old" * 999, "/empty": b""})
        volume.write({"/boot/grub/grub.cfg": b"new" * 9999})
        volume.remove("/empty")
        assert _content(volume, "/boot/grub/grub.cfg") == b"new" * 9999
        check(volume)
