"""Keys of our own: a vendor beside Debian, and who signs its shim in the place of Microsoft."""

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bootkit.formats.pe import read_pe

SHIM = Path("/usr/lib/shim/shimx64.efi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    private: Path
    certificate: Path
    """PEM."""

    @property
    def der(self) -> bytes:
        argv: list[str | Path] = ["openssl", "x509", "-in", self.certificate, "-outform", "der"]
        return subprocess.run(argv, check=True, capture_output=True).stdout

    def sign(self, program: Path, signed: Path) -> Path:
        """A copy of ``program`` with a signature of this key, and without those that it had."""
        signed.write_bytes(program.read_bytes())
        subprocess.run(["sbattach", "--remove", signed], check=False, capture_output=True)
        argv: list[str | Path] = [
            "sbsign",
            "--key",
            self.private,
            "--cert",
            self.certificate,
            "--output",
            signed,
            signed,
        ]
        subprocess.run(argv, check=True, capture_output=True)
        return signed


def make_key(folder: Path, name: str) -> Key:
    key = Key(private=folder / f"{name}.key", certificate=folder / f"{name}.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650", "-subj", f"/CN={name}",
         "-addext", "extendedKeyUsage=codeSigning", "-keyout", key.private, "-out", key.certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return key


def vendor_shim(vendor: Key, microsoft: Key, path: Path, *, generation: int = 4) -> Path:
    """Debian's shim as another vendor would have built it: with its certificate inside, and signed by ``microsoft``.

    ``generation`` is what it says of itself in its SBAT; below 4 it is revoked.
    """
    content = bytearray(SHIM.read_bytes())
    with SHIM.open("rb") as fh:
        pe = read_pe(fh)
    assert pe is not None
    at, size = pe.sections[".vendor_cert"]
    der = vendor.der
    content[at : at + size] = (
        struct.pack("<4I", len(der), 0, 16, 16 + len(der)).ljust(16) + der + bytes(size - 16 - len(der))
    )
    at, size = pe.sections[".sbat"]
    said = bytes(content[at : at + size])
    content[at : at + size] = said.replace(b"\nshim,4,", b"\nshim,%d," % generation)
    bare = path.with_suffix(".bare")
    bare.write_bytes(content)
    return microsoft.sign(bare, path)
