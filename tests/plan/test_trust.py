"""What shim says of a kernel: told beforehand for real ones, changed ones, and those of a key that anybody can make."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bootkit.formats.efi import encoded, read_efi
from bootkit.formats.x509 import parse_certificate
from bootkit.model.boot import Firmware
from bootkit.model.check import Trust, VendorShim
from bootkit.model.efi import EfiFacts, MachineKeys, ShimFacts
from bootkit.plan.microsoft import MicrosoftCa, signed_by_microsoft
from bootkit.plan.trust import anchor_names, trust_in, why_not
from tests.plan.conftest import DEBIAN_KERNEL, DEBIAN_SHIM

KERNEL = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64/linux")
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")


def facts(content: bytes) -> EfiFacts:
    found = read_efi(io.BytesIO(content))
    assert found is not None
    return found


@pytest.fixture(scope="session")
def home_made(tmp_path_factory: pytest.TempPathFactory) -> tuple[EfiFacts, str]:
    """Debian's kernel, signed by a key of our own with Debian in its name; and that key's certificate."""
    folder = tmp_path_factory.mktemp("keys")
    key, certificate, bare, signed = (folder / name for name in ("key", "certificate", "bare", "signed"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-subj", "/CN=built on debian by me",
         "-keyout", key, "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    bare.write_bytes(KERNEL.read_bytes())
    subprocess.run(["sbattach", "--remove", bare], check=True, capture_output=True)
    subprocess.run(
        ["sbsign", "--key", key, "--cert", certificate, "--output", signed, bare], check=True, capture_output=True
    )
    der = subprocess.run(["openssl", "x509", "-in", certificate, "-outform", "der"], check=True, capture_output=True)
    return facts(signed.read_bytes()), encoded(parse_certificate(der.stdout))


def vendor(certificate: str, **changed: str) -> VendorShim:
    """A shim as Debian's, of a vendor with another key."""
    efi = replace(DEBIAN_SHIM, shim=ShimFacts(trusts=(certificate,)), **changed)  # type: ignore[arg-type]
    return VendorShim(image="/boot/iso/b.iso", path="/EFI/BOOT/BOOTX64.EFI", firmware=Firmware.UEFI_X64, efi=efi)


def test_debians_shim_starts_debians_kernel() -> None:
    shim, kernel = facts(SHIM.read_bytes()), facts(KERNEL.read_bytes())
    assert anchor_names(shim.shim) == "Debian Secure Boot CA"
    assert trust_in(kernel, shim, ()).trust is Trust.DIRECT


def test_a_changed_byte_is_seen() -> None:
    changed = bytearray(KERNEL.read_bytes())
    changed[1 << 20] ^= 1
    answer = trust_in(facts(bytes(changed)), DEBIAN_SHIM, ())
    assert answer.trust is Trust.UNSIGNED
    assert "is not of this file: it was changed after it was signed" in answer.reason


def test_a_kernel_without_its_signature_is_unsigned(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.write_bytes(KERNEL.read_bytes())
    subprocess.run(["sbattach", "--remove", bare], check=True, capture_output=True)
    assert trust_in(facts(bare.read_bytes()), DEBIAN_SHIM, ()).reason == "Its kernel is not signed."


def test_a_name_makes_no_key(home_made: tuple[EfiFacts, str]) -> None:
    answer = trust_in(home_made[0], DEBIAN_SHIM, ())
    assert answer.trust is Trust.FOREIGN
    assert "signed by built on debian by me" in answer.reason
    assert "MokManager" in answer.cure


def test_a_certificate_that_only_names_its_issuer_leads_nowhere(home_made: tuple[EfiFacts, str]) -> None:
    forged = replace(home_made[0].signatures[0], chain=(home_made[1], *DEBIAN_SHIM.signatures[0].chain))
    answer = trust_in(replace(home_made[0], signatures=(forged,)), DEBIAN_SHIM, ())
    assert answer.trust is Trust.FOREIGN


def test_a_vendors_shim_vouches_for_its_kernels(home_made: tuple[EfiFacts, str]) -> None:
    shim = vendor(home_made[1])
    answer = trust_in(home_made[0], DEBIAN_SHIM, (shim,))
    assert (answer.trust, answer.shim) == (Trust.HOP, shim)
    assert trust_in(DEBIAN_KERNEL, DEBIAN_SHIM, (shim,)).trust is Trust.DIRECT


@pytest.mark.parametrize(
    ("sbat", "machine", "clause"),
    [
        ("", None, "it has no SBAT section"),
        ("sbat,1\nshim,3\n", None, "its component shim is of generation 3, and 4 is wanted"),
        ("sbat,1\nshim,4\nshim.b,1\n", MachineKeys(sbat_level="sbat,1,2\nshim.b,2\n"), "shim.b is of generation 1"),
        ("sbat,1\nshim,4\n", MachineKeys(revokes=(DEBIAN_SHIM.digest,)), "this computer's dbx forbids it"),
    ],
)
def test_a_vendors_shim_that_is_revoked_is_not_used(
    home_made: tuple[EfiFacts, str], sbat: str, machine: MachineKeys | None, clause: str
) -> None:
    answer = trust_in(home_made[0], DEBIAN_SHIM, (vendor(home_made[1], sbat=sbat),), machine)
    assert answer.trust is Trust.REVOKED
    assert clause in answer.reason


def test_a_shim_of_nobody_is_not_used(home_made: tuple[EfiFacts, str]) -> None:
    shim = vendor(home_made[1])
    own = replace(shim.efi, signatures=home_made[0].signatures)
    assert why_not(own, DEBIAN_SHIM) == "it is not signed by Microsoft"
    assert why_not(own, DEBIAN_SHIM, MachineKeys(trusts=(home_made[1],))) == ""


def test_what_is_revoked_is_refused_whoever_signed_it() -> None:
    assert DEBIAN_SHIM.shim is not None
    shim = replace(DEBIAN_SHIM, shim=replace(DEBIAN_SHIM.shim, revokes=(DEBIAN_KERNEL.digest,)))
    assert trust_in(DEBIAN_KERNEL, shim, ()).trust is Trust.REVOKED
    denied = MachineKeys(revoked_certificates=DEBIAN_SHIM.shim.trusts)
    assert trust_in(DEBIAN_KERNEL, DEBIAN_SHIM, (), denied).trust is Trust.REVOKED
    old = replace(DEBIAN_KERNEL, sbat="sbat,1\nlinux,1\n")
    assert trust_in(old, DEBIAN_SHIM, (), MachineKeys(sbat_level="linux,2")).trust is Trust.REVOKED


def test_debians_shim_is_signed_by_both_authorities() -> None:
    assert signed_by_microsoft(DEBIAN_SHIM) == (MicrosoftCa.UEFI_2011, MicrosoftCa.UEFI_2023)
    assert signed_by_microsoft(DEBIAN_KERNEL) == ()
