"""Reading past the page cache: the same bytes, whatever the length and wherever the file lies."""

import fcntl
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from bootkit.system.direct import DirectWriter, Place, ReadAhead, chunks_past_cache
from bootkit.system.volume import CHUNK

LENGTHS = (0, 1, 4096, 5000, (4 << 20) - 1, 4 << 20, (4 << 20) + 513)


@pytest.mark.parametrize("length", LENGTHS)
def test_all_of_a_file_comes_in_its_order(length: int, tmp_path: Path) -> None:
    content = random.Random(length).randbytes(length)
    path = tmp_path / "file"
    path.write_bytes(content)
    told: list[int] = []
    with path.open("rb") as file:
        pieces = chunks_past_cache(file.fileno(), ((0, length),), file, told.append)
        assert b"".join(map(bytes, pieces)) == content
    assert told == sorted(told)
    assert told[-1:] == ([length] if length else [])


def test_what_was_just_written_is_what_comes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as writer, path.open("rb") as file:
        writer.write(b"new" * 5000)
        writer.flush()
        assert _read(file, ((0, 15_000),)) == b"new" * 5000


def test_where_the_kernel_refuses_it_is_read_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content" * 1000)

    def refused(*_: object) -> int:
        raise OSError(22, os.strerror(22))

    monkeypatch.setattr(os, "preadv", refused)
    with path.open("rb") as file:
        assert _read(file, ((0, 7000),)) == b"content" * 1000


def test_places_may_begin_and_end_anywhere(tmp_path: Path) -> None:
    content = random.Random(3).randbytes(9 << 20)
    path = tmp_path / "file"
    path.write_bytes(content)
    places = ((512, 1), (4097, 5000), (1 << 20, (4 << 20) + 7), (9 << 20, 0), ((9 << 20) - 513, 513))
    with path.open("rb") as file:
        assert _read(file, places) == b"".join(content[at : at + length] for at, length in places)


def test_what_ends_too_early_is_not_made_up(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        assert _read(file, ((3, 9000),)) == b"tent"


@pytest.mark.parametrize("refused", [False, True], ids=["direct", "as usual"])
@pytest.mark.parametrize("length", [0, 1, 5000, 3 << 20, (3 << 20) + 513])
def test_parts_are_read_ahead_and_written_at_their_places(
    length: int, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = random.Random(length).randbytes(length)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    target.write_bytes(bytes(length + 9000))
    if refused:
        monkeypatch.setattr("bootkit.system.direct._opened_direct", _nothing)
    parts = [(at, min(CHUNK, length - at)) for at in range(0, length, CHUNK)]
    for shift in (0, 512, 8192):
        with source.open("rb") as reader, target.open("r+b") as written, DirectWriter(written.fileno()) as writer:
            for (at, size), part in zip(parts, ReadAhead(reader.fileno(), parts), strict=True):
                assert len(part) == size
                writer.write(at + shift, part)
        assert target.read_bytes()[shift : shift + length] == content


def test_what_was_written_past_the_cache_is_seen_in_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old" * 30_000)
    assert path.read_bytes().startswith(b"old")
    (tmp_path / "new").write_bytes(b"new" * 30_000)
    with (tmp_path / "new").open("rb") as reader, path.open("r+b") as written:
        with DirectWriter(written.fileno()) as writer:
            for part in ReadAhead(reader.fileno(), [(0, 90_000)]):
                writer.write(0, part)
        assert path.read_bytes() == b"new" * 30_000


def test_a_file_that_ends_too_early_gives_less(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb") as reader:
        assert [bytes(part) for part in ReadAhead(reader.fileno(), [(0, 4096), (4096, 4096)])] == [b"content", b""]


def test_a_medium_that_takes_nothing_past_the_cache_is_written_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 8192)
    usual = os.pwrite

    def written(descriptor: int, data: bytes, at: int) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            raise OSError(22, os.strerror(22))
        return usual(descriptor, data, at)

    with path.open("r+b") as file, DirectWriter(file.fileno()) as writer:
        parts = ReadAhead(file.fileno(), [(0, 4096)])
        monkeypatch.setattr(os, "pwrite", written)
        for part in parts:
            writer.write(4096, part)
    assert path.read_bytes() == b"x" * 8192


def _read(file: BinaryIO, places: Sequence[Place]) -> bytes:
    return b"".join(map(bytes, chunks_past_cache(file.fileno(), places, file, lambda _: None)))


def _nothing(*_: object) -> None:
    """A kernel that has no way past its cache."""
