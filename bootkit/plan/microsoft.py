"""Microsoft's certificate authorities, one of which has to vouch for what the firmware of a PC starts.

Each is known by the SHA-256 of its certificate, which comes along in every signature by it.

Source: the certificates in the signatures of Debian's shim 15.8 and 16.1 and in OVMF's variables; Microsoft, "Windows Secure
Boot Key Creation and Management Guidance" (which are in db, and that those of 2011 expire in 2026).
"""

import base64
import hashlib
from collections.abc import Iterable
from enum import StrEnum

from bootkit.errors import FormatError
from bootkit.formats.efi import decoded
from bootkit.formats.x509 import chain_to
from bootkit.model.efi import EfiFacts, MachineKeys


class MicrosoftCa(StrEnum):
    """Who signs what is not Windows; new computers may carry the second one alone, old ones know the first alone."""

    UEFI_2011 = "2011"
    UEFI_2023 = "2023"


FINGERPRINTS = {
    "48e99b991f57fc52f76149599bff0a58c47154229b9f8d603ac40d3500248507": MicrosoftCa.UEFI_2011,
    "f6124e34125bee3fe6d79a574eaa7b91c0e7bd9d929c1a321178efd611dad901": MicrosoftCa.UEFI_2023,
}


def signed_by_microsoft(efi: EfiFacts) -> tuple[MicrosoftCa, ...]:
    """Which of the authorities have signed a program, by signatures that fit it."""
    found = (ca for signature in efi.signatures if signature.fits for ca in _authorities(signature.chain))
    return tuple(dict.fromkeys(found))


def trusted_authorities(machine: MachineKeys) -> tuple[MicrosoftCa, ...]:
    """Which of the authorities a machine's db has."""
    found = (FINGERPRINTS.get(hashlib.sha256(base64.b64decode(text)).hexdigest()) for text in machine.trusts)
    return tuple(ca for ca in found if ca is not None)


def _authorities(chain: Iterable[str]) -> Iterable[MicrosoftCa]:
    try:
        certificates = [decoded(text) for text in chain]
    except FormatError:
        return
    known = [one for one in certificates if one.sha256 in FINGERPRINTS]
    anchor = chain_to(certificates, known)
    if anchor is not None:
        yield FINGERPRINTS[anchor.sha256]
