"""Reading past the page cache: the same bytes, whatever the length and wherever the file lies."""

import io
import os
import random
from pathlib import Path

import pytest

from bootkit.system.direct import chunks_past_cache

LENGTHS = (0, 1, 4096, 5000, (4 << 20) - 1, 4 << 20, (4 << 20) + 513)


@pytest.mark.parametrize("length", LENGTHS)
def test_all_of_a_file_comes_in_its_order(length: int, tmp_path: Path) -> None:
    content = random.Random(length).randbytes(length)
    path = tmp_path / "file"
    path.write_bytes(content)
    told: list[int] = []
    with path.open("rb") as file:
        assert b"".join(map(bytes, chunks_past_cache(file, told.append))) == content
    assert told == sorted(told)
    assert told[-1:] == ([length] if length else [])


def test_what_was_just_written_is_what_comes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as writer, path.open("rb") as file:
        writer.write(b"new" * 5000)
        writer.flush()
        assert b"".join(map(bytes, chunks_past_cache(file, lambda _: None))) == b"new" * 5000


def test_where_the_kernel_refuses_it_is_read_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content" * 1000)

    def refused(*_: object) -> int:
        raise OSError(22, os.strerror(22))

    monkeypatch.setattr(os, "preadv", refused)
    with path.open("rb") as file:
        assert b"".join(map(bytes, chunks_past_cache(file, lambda _: None))) == b"content" * 1000


def test_what_is_no_file_of_the_kernel_is_read_as_ever() -> None:
    assert b"".join(map(bytes, chunks_past_cache(io.BytesIO(b"content"), lambda _: None))) == b"content"
