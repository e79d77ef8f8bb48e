from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.probe.checksum import DIGITS, FILE_LIMIT, PublishedChecksum, read_sidecar, sidecar_names

SHA256 = "ab" * 32
SHA512 = "cd" * 64


def published_checksum(image: Path) -> PublishedChecksum | None:
    """The best that is said of a file by the files beside it."""
    names = sidecar_names(image.name, (path.name for path in image.parent.iterdir()))
    sizes = {name: image.with_name(name).stat().st_size for name in names}
    said = [
        replace(one, source=str(image.with_name(name)))
        for name in names
        if sizes[name] <= FILE_LIMIT
        for one in read_sidecar(image.name, name, image.with_name(name).read_bytes()).checksums
    ]
    return min(said, key=lambda checksum: list(DIGITS).index(checksum.algorithm), default=None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SHA256SUMS", f"{'00' * 32}  other.iso\n{SHA256}  x.iso\n"),
        ("SHA256SUMS", f"{SHA256} *x.iso\n"),
        ("SHA256SUMS", f"{SHA256}  ./x.iso\n"),
        ("x.iso.sha256", f"{SHA256.upper()}\n"),
        ("x.iso.sha256", f"{SHA256}  x.iso\n"),
        ("Fedora-Workstation-41-x86_64-CHECKSUM", f"# x.iso: 123 bytes\nSHA256 (x.iso) = {SHA256}\n"),
    ],
)
def test_finds_the_checksum_beside_an_image(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    found = published_checksum(tmp_path / "x.iso")
    assert found is not None
    assert (found.algorithm, found.digest, found.source) == ("sha256", SHA256, str(tmp_path / name))


def test_a_file_about_other_images_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text(f"{SHA256}  other.iso\n")
    assert published_checksum(tmp_path / "x.iso") is None


def test_sha256_is_preferred(tmp_path: Path) -> None:
    (tmp_path / "SHA512SUMS").write_text(f"{SHA512}  x.iso\n")
    assert getattr(published_checksum(tmp_path / "x.iso"), "algorithm", None) == "sha512"
    (tmp_path / "SHA256SUMS").write_text(f"{SHA256}  x.iso\n")
    assert getattr(published_checksum(tmp_path / "x.iso"), "algorithm", None) == "sha256"


def test_a_huge_or_binary_file_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_bytes(bytes(range(256)) * 100)
    with (tmp_path / "CHECKSUM").open("wb") as file:
        file.truncate(1 << 32)
    assert published_checksum(tmp_path / "x.iso") is None
