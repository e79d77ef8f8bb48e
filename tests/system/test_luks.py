"""LUKS2 around a file system: what seals it is ours, what opens it is cryptsetup."""

import subprocess
from pathlib import Path

import pytest

from bootkit.errors import BootkitError
from bootkit.formats.luks import is_encrypted
from bootkit.system.fsimage import check_ext4, make_ext4, used_parts
from bootkit.system.luks import LUKS_HEADER, decrypt, seal
from bootkit.system.xts import Xts
from bootkit.units import MIB

PASSPHRASE = b"correct horse"
SIZE = 64 * MIB
MARK = b"what nobody else may read " * 200


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A file system with two files, of which one was deleted again."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "kept").write_bytes(MARK * 100)
    (tree / "gone").write_bytes(MARK * 100)
    image = tmp_path / "plain"
    make_ext4(image, SIZE, label="anna", content=tree)
    subprocess.run(["debugfs", "-w", "-R", "rm gone", image], check=True, capture_output=True)
    return image


@pytest.fixture
def sealed(plain: Path, tmp_path: Path, light_keys: None) -> Path:
    image = tmp_path / "sealed"
    image.touch()
    seal(plain, image, PASSPHRASE, label="anna")
    return image


def test_sectors_are_encrypted_as_the_standard_says() -> None:
    """IEEE 1619-2007, annex B, vector 10."""
    key = bytes.fromhex(
        "2718281828459045235360287471352662497757247093699959574966967627"
        "3141592653589793238462643383279502884197169399375105820974944592"
    )
    with Xts(key) as cipher:
        two = cipher.encrypted(bytes(range(256)) * 4, 0xFE)
    assert two[512:544].hex() == "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b"


def test_cryptsetup_opens_what_was_sealed_and_the_file_system_is_sound(sealed: Path, tmp_path: Path) -> None:
    argv: list[str | Path] = ["cryptsetup", "open", "--test-passphrase", "--disable-locks", "--key-file", "-", sealed]
    subprocess.run(argv, check=True, input=PASSPHRASE)
    decrypt(sealed, PASSPHRASE, tmp_path / "header")
    assert sealed.stat().st_size == SIZE
    assert check_ext4(sealed, repair=False)[0]
    read = subprocess.run(["debugfs", "-R", "cat kept", sealed], check=True, capture_output=True).stdout
    assert read == MARK * 100


def test_what_is_sealed_has_holes_where_nothing_is_used(plain: Path, sealed: Path) -> None:
    assert sealed.stat().st_size == SIZE + LUKS_HEADER
    assert sealed.stat().st_blocks * 512 < 24 * MIB
    assert plain.stat().st_size == 0


def test_nothing_of_a_file_can_be_read_in_what_is_sealed(sealed: Path) -> None:
    content = sealed.read_bytes()
    assert is_encrypted(content)
    assert MARK[:16] not in content


def test_another_passphrase_opens_nothing(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(BootkitError, match="the passphrase does not open it"):
        decrypt(sealed, b"wrong", tmp_path / "header")


def test_every_block_that_is_not_free_counts_as_used(plain: Path) -> None:
    parts = tuple(used_parts(plain))
    found = subprocess.run(["dumpe2fs", "-h", plain], check=True, capture_output=True, text=True).stdout
    rows = dict(line.split(":", 1) for line in found.splitlines() if ":" in line)
    used = int(rows["Block count"]) - int(rows["Free blocks"])
    assert sum(length for _, length in parts) == used * int(rows["Block size"])
