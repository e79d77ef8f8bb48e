"""Variable stores of test machines, read back by virt-fw-vars, which knows the format from elsewhere."""

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from bootkit.errors import FormatError
from bootkit.formats.siglist import parse_signature_lists
from bootkit.formats.varstore import Variable, with_variables
from bootkit.formats.x509 import parse_certificate
from bootkit.model.testboot import MachineKind
from bootkit.plan.certificates import OWNER
from bootkit.plan.machine_kinds import NEWEST_SBAT_LEVEL, keys_of
from bootkit.system.variables import variable_store

FULL = Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
"""With Microsoft's keys of 2011, and what a first start of the firmware has left."""


def read_back(store: bytes, folder: Path) -> dict[str, bytes]:
    flash, listed = folder / "store", folder / "store.json"
    flash.write_bytes(store)
    program = Path(sys.executable).with_name("virt-fw-vars")
    subprocess.run([program, "--input", flash, "--output-json", listed], check=True, capture_output=True)
    return {one["name"]: bytes.fromhex(one["data"]) for one in json.loads(listed.read_text())["variables"]}


def subjects(data: bytes) -> list[str]:
    return [parse_certificate(one.der).name for one in parse_signature_lists(data).certificates]


@pytest.mark.parametrize(
    ("kind", "trusted"),
    [
        (MachineKind.MS2011, ["Microsoft Corporation UEFI CA 2011"]),
        (MachineKind.MS2023, ["Microsoft UEFI CA 2023"]),
        (MachineKind.BOTH, ["Microsoft Corporation UEFI CA 2011", "Microsoft UEFI CA 2023"]),
        (MachineKind.CUSTOM, ["Owner of a test machine"]),
    ],
)
def test_a_machine_trusts_whom_it_shall_and_nobody_else(kind: MachineKind, trusted: list[str], tmp_path: Path) -> None:
    found = read_back(variable_store(FULL.read_bytes(), keys_of(kind), platform_key=OWNER), tmp_path)
    assert sorted(found) == ["KEK", "PK", "SecureBootEnable", "db"]
    assert subjects(found["db"]) == trusted
    assert subjects(found["PK"]) == ["Owner of a test machine"]
    assert found["SecureBootEnable"] == b"\1"


def test_in_setup_mode_there_is_no_key_at_all(tmp_path: Path) -> None:
    store = variable_store(FULL.read_bytes(), keys_of(MachineKind.SETUP), platform_key=OWNER)
    assert read_back(store, tmp_path) == {}
    assert len(store) == FULL.stat().st_size


def test_a_raised_sbat_level_is_what_shim_compares_with(tmp_path: Path) -> None:
    found = read_back(variable_store(FULL.read_bytes(), keys_of(MachineKind.SBAT_RAISED), platform_key=OWNER), tmp_path)
    assert found["SbatLevel"].decode() == NEWEST_SBAT_LEVEL


@pytest.mark.parametrize("flash", [b"", bytes(4096), FULL.read_bytes()[:80]])
def test_what_is_no_store_is_refused(flash: bytes) -> None:
    with pytest.raises(FormatError):
        with_variables(flash, ())


def test_what_has_no_room_is_refused() -> None:
    large = Variable(name="x", owner=uuid.UUID(int=1), data=bytes(1 << 20), attributes=3)
    with pytest.raises(FormatError, match="have no room"):
        with_variables(FULL.read_bytes(), [large])
