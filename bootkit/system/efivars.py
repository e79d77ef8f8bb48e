"""What this computer's firmware trusts and refuses, from its variables. Anybody may read them.

Source: UEFI specification 2.10, 3.3 (SecureBoot, SetupMode), 32.6 (db, dbx); Linux 6.1, Documentation/filesystems/efivarfs.rst
(four bytes of attributes come first); shim 16.1, mok.c (``SbatLevelRT`` mirrors what only firmware sees).
"""

from pathlib import Path

from bootkit.errors import FormatError
from bootkit.formats.efi import encoded
from bootkit.formats.siglist import SignatureLists, parse_signature_lists
from bootkit.model.efi import MachineKeys

EFIVARS = Path("/sys/firmware/efi/efivars")
_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
_SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
_SHIM = "605dab50-e046-4300-abb6-3dd810dd8b23"
_ATTRIBUTES = 4
_LIMIT = 1 << 20


def machine_keys(folder: Path | None = None) -> MachineKeys | None:
    """The keys and revocations of this computer; ``None`` where UEFI did not start it, or its variables are not shown."""
    folder = folder or EFIVARS
    secure_boot = _variable(folder, f"SecureBoot-{_GLOBAL}")
    if secure_boot is None:
        return None
    trusted, revoked = _lists(folder, f"db-{_SECURITY}"), _lists(folder, f"dbx-{_SECURITY}")
    level = _variable(folder, f"SbatLevelRT-{_SHIM}") or b""
    return MachineKeys(
        trusts=tuple(map(encoded, trusted.certificates)),
        trusted_digests=trusted.digests,
        revokes=revoked.digests,
        revoked_certificates=tuple(map(encoded, revoked.certificates)),
        sbat_level=level.rstrip(b"\0").decode("ascii", "replace"),
        secure_boot=secure_boot == b"\1",
        setup_mode=_variable(folder, f"SetupMode-{_GLOBAL}") == b"\1",
    )


def _lists(folder: Path, name: str) -> SignatureLists:
    try:
        return parse_signature_lists(_variable(folder, name) or b"")
    except FormatError:
        return SignatureLists()  # firmware has odder things in its variables


def _variable(folder: Path, name: str) -> bytes | None:
    try:
        with (folder / name).open("rb") as fh:
            return fh.read(_LIMIT)[_ATTRIBUTES:]
    except OSError:
        return None
