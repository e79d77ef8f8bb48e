"""Reading past the page cache: the same bytes, whatever the length and wherever the file lies."""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from bootkit.system.direct import Place, chunks_past_cache

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


def _read(file: BinaryIO, places: Sequence[Place]) -> bytes:
    return b"".join(map(bytes, chunks_past_cache(file.fileno(), places, file, lambda _: None)))
