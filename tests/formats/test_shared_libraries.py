"""Zstandard and lz4 where Python has no module for them: by the host's own libraries, with the same answers."""

import io
import random
import subprocess
import sys

import pytest

from bootkit.errors import FormatError
from bootkit.formats.compression import Unpacker, unpack_block

TEXT = random.Random(5).randbytes(300_000) + b"the same again\n" * 90_000


@pytest.fixture
def no_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("backports", "backports.zstd", "compression", "compression.zstd", "lz4", "lz4.block"):
        monkeypatch.setitem(sys.modules, name, None)


def packed(*argv: str) -> bytes:
    return subprocess.run(argv, input=TEXT, capture_output=True, check=True).stdout


def unpacked(name: str, data: bytes, *, piece: int, limit: int) -> tuple[bytes, Unpacker]:
    """All that a stream holds, fed and asked for in such pieces."""
    unpacker, source, parts = Unpacker(name), io.BytesIO(data), list[bytes]()
    while not unpacker.eof:
        fed = source.read(piece) if unpacker.needs_input else b""
        part = unpacker.unpack(fed, limit)
        assert name == "lz4" or len(part) <= limit
        parts.append(part)
        if not fed and not part and unpacker.may_end:
            break
    return b"".join(parts), unpacker


@pytest.mark.parametrize(("piece", "limit"), [(1 << 20, 1 << 22), (1000, 777), (4096, 1 << 17), (1 << 20, 5)])
def test_a_zstandard_stream_is_the_same(no_modules: None, piece: int, limit: int) -> None:
    if limit == 5:
        data = subprocess.run(["zstd", "-c"], input=TEXT[:2000], capture_output=True, check=True).stdout
        assert unpacked("zstd", data + b"rest", piece=piece, limit=limit)[0] == TEXT[:2000]
        return
    content, unpacker = unpacked("zstd", packed("zstd", "-19", "-c") + b"rest", piece=piece, limit=limit)
    assert content == TEXT
    assert b"rest".startswith(unpacker.unused_data)


def test_lz4_is_the_same(no_modules: None) -> None:
    assert unpacked("lz4", packed("lz4", "-l", "-c"), piece=5000, limit=1)[0] == TEXT


@pytest.mark.parametrize("name", ["zstd", "lz4"])
def test_damage_is_an_error(no_modules: None, name: str) -> None:
    argv: dict[str, tuple[str, ...]] = {"zstd": ("zstd", "-c"), "lz4": ("lz4", "-l", "-c")}
    data = bytearray(packed(*argv[name]))
    for place in range(20, 60):
        data[place] ^= 0x5A
    with pytest.raises(FormatError, match=f"the {name} data are damaged"):
        unpacked(name, bytes(data), piece=1 << 20, limit=1 << 23)


def test_a_block_longer_than_allowed_is_an_error(no_modules: None) -> None:
    block = bytes([0x1F, 97, 1, 0, 200, 0x50]) + b"hello"  # 219 times a letter, and five more
    assert unpack_block("lz4block", block, 1000) == b"a" * 220 + b"hello"
    with pytest.raises(FormatError, match="damaged"):
        unpack_block("lz4block", block, 100)


def test_a_system_without_the_library_is_told_so(no_modules: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr("ctypes.CDLL", missing)
    with pytest.raises(FormatError, match="Zstandard data cannot be unpacked here"):
        Unpacker("zstd")
    with pytest.raises(FormatError, match="lz4 data cannot be unpacked here"):
        unpack_block("lz4block", b"", 1)
