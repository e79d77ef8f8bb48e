"""A computer's own keys and revocations, out of a folder that looks as efivarfs does."""

import base64
import struct
import uuid
from pathlib import Path

from bootkit.plan.microsoft import MicrosoftCa, trusted_authorities
from bootkit.system.efivars import machine_keys
from tests.plan.conftest import DEBIAN_SHIM

GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
SECURITY = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
SHIM = "605dab50-e046-4300-abb6-3dd810dd8b23"
X509, SHA256 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072", "c1c41626-504c-4092-aca9-41f936934328"


def signature_list(kind: str, *values: bytes) -> bytes:
    rows = b"".join(bytes(16) + value for value in values)
    header = struct.pack("<III", 28 + len(rows), 0, 16 + len(values[0]))
    return uuid.UUID(kind).bytes_le + header + rows


def put(folder: Path, name: str, value: bytes) -> None:
    (folder / name).write_bytes(struct.pack("<I", 7) + value)


def test_keys_and_revocations_are_read(tmp_path: Path) -> None:
    authority = base64.b64decode(DEBIAN_SHIM.signatures[0].chain[1])
    put(tmp_path, f"SecureBoot-{GLOBAL}", b"\1")
    put(tmp_path, f"SetupMode-{GLOBAL}", b"\0")
    put(tmp_path, f"db-{SECURITY}", signature_list(X509, authority))
    put(tmp_path, f"dbx-{SECURITY}", signature_list(SHA256, b"\1" * 32, b"\2" * 32))
    put(tmp_path, f"SbatLevelRT-{SHIM}", b"sbat,1,2025021800\nshim,4\n")
    keys = machine_keys(tmp_path)
    assert keys is not None
    assert trusted_authorities(keys) == (MicrosoftCa.UEFI_2011,)
    assert keys.revokes == ("01" * 32, "02" * 32)
    assert (keys.secure_boot, keys.setup_mode) == (True, False)
    assert keys.sbat_level.endswith("shim,4\n")


def test_odd_variables_are_no_error(tmp_path: Path) -> None:
    assert machine_keys(tmp_path) is None
    put(tmp_path, f"SecureBoot-{GLOBAL}", b"\0")
    put(tmp_path, f"dbx-{SECURITY}", b"\xff" * 50)
    keys = machine_keys(tmp_path)
    assert keys is not None
    assert (keys.secure_boot, keys.revokes, keys.sbat_level) == (False, (), "")
