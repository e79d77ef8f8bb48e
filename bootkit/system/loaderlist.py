"""The list of a stick's boot loaders, which lies beside them and, for everybody to read, on its data partition."""

import hashlib
import io
import json
from collections.abc import Sequence

from bootkit import __version__
from bootkit.errors import FormatError
from bootkit.formats.efi import read_efi
from bootkit.model.fields import json_list, json_object, parse_json
from bootkit.model.initrdrecord import efi_to_json
from bootkit.model.places import EFI_FOLDER, STICK_RECORD
from bootkit.model.prepare import BuildLoader, PreparePlan, TakeLoader
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLoader:
    """A loader as it goes on the stick."""

    step: TakeLoader | BuildLoader
    content: bytes


def loaders_record(plan: PreparePlan, loaders: list[MadeLoader], before: bytes | None = None) -> bytes:
    """The list of loaders with origin and checksum, as JSON.

    What the list ``before`` says of others stays: this computer has nothing to renew them with, and they start as before.
    """
    rows = [
        {
            "path": made.step.path or "BIOS core image",
            "firmware": str(made.step.firmware),
            "source": made.step.source if isinstance(made.step, TakeLoader) else made.step.directory,
            "kind": "signed" if isinstance(made.step, TakeLoader) else "built",
            "package": made.step.package,
            "sha256": hashlib.sha256(made.content).hexdigest(),
            **_secure_boot(made),
        }
        for made in loaders
    ]
    left, left_hop = _left(loaders, before)
    rows += left
    hops = left_hop or any(isinstance(made.step, TakeLoader) for made in loaders)
    document = {"bootkit": __version__, "action": str(plan.action), "hops": hops, "loaders": rows}
    return json.dumps(document, indent=2).encode() + b"\n"


def _left(loaders: Sequence[MadeLoader], before: bytes | None) -> tuple[list[dict[str, object]], bool]:
    """The rows of a list that are of other firmware, or of a second shim; and whether the loaders that they name know hops."""
    renewed = {made.step.firmware for made in loaders}
    paths = {made.step.path for made in loaders}
    try:
        document = json_object(parse_json(before or b"{}", STICK_RECORD), STICK_RECORD)
        rows = json_list(document.get("loaders", []), "loaders", json_object)
    except FormatError:
        return [], False
    left = [
        row
        for row in rows
        if row.get("path") not in paths
        and (row.get("firmware") not in renewed or not str(row.get("path")).startswith((EFI_FOLDER, "BIOS")))
    ]
    return left, document.get("hops") is True and any(row.get("kind") == "signed" for row in left)


def _secure_boot(made: MadeLoader) -> dict[str, object]:
    """What Secure Boot looks at in a signed loader: where the stick is mounted, nobody but root can read the file again."""
    efi = read_efi(io.BytesIO(made.content)) if isinstance(made.step, TakeLoader) else None
    return {} if efi is None else {"efi": efi_to_json(efi)}
