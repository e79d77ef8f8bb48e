"""What ``list --loaders`` prints."""

from pathlib import Path

from bootkit.app.verbs.loaders import LoaderRow
from bootkit.cli import output
from bootkit.model.boot import IN_EFI
from bootkit.plan.sbat import generations

_HEADERS = ("LOADER", "FIRMWARE", "KIND", "PACKAGE", "MICROSOFT", "SINCE WRITTEN", "HERE")


def list_loaders(where: Path | None, *, wide: bool, as_json: bool) -> None:
    from bootkit.app.verbs import loaders
    from bootkit.system.sticks import open_stick

    with open_stick(where) as stick:
        rows = loaders.list_loaders(stick)
    if as_json:
        output.json([_json(row) for row in rows])
        return
    output.table([_cells(row) for row in rows], _HEADERS, wide=wide)
    for row in rows:
        for line in _sentences(row):
            output.answer(f"{_name(row)}: {line}")


def _cells(row: LoaderRow) -> tuple[str, ...]:
    file = row.file
    return (
        _name(row),
        file.firmware.value,
        "hop" if row.image else "signed" if file.signed else "built",
        file.package or "-",
        ", ".join(row.authorities) or "-",
        _state(row),
        "-" if row.image else "newer" if row.newer else "older" if row.older else "same or unknown",
    )


def _name(row: LoaderRow) -> str:
    return f"{row.image}:{row.file.path.removeprefix(IN_EFI)}" if row.image else row.file.path


def _state(row: LoaderRow) -> str:
    if row.image:
        return "-"
    if not row.file.sha256_now:
        return "not read"
    return "same" if row.file.sha256_now == row.file.sha256 else "CHANGED"


def _sentences(row: LoaderRow) -> list[str]:
    efi = row.file.efi
    lines = [f"signed by {row.signer}"] if row.signer else []
    if efi is not None and efi.sbat:
        lines.append(f"SBAT {', '.join(f'{name} {number}' for name, number in generations(efi.sbat).items())}")
    lines += _machines(row)
    if row.newer:
        lines.append(f"this computer has {row.newer}: bootkit upgrade")
    if row.refused:
        lines.append(f"this computer would not start it with Secure Boot on: {row.refused}")
    return lines


def _machines(row: LoaderRow) -> list[str]:
    """On which kinds of machine it starts, and why not on the others."""
    starts = [kind.value for kind, why in row.machines.items() if not why]
    lines = [f"starts on the machines {', '.join(starts)}"] if starts else []
    for reason in dict.fromkeys(filter(None, row.machines.values())):
        kinds = [kind.value for kind, why in row.machines.items() if why == reason]
        lines.append(f"does not start on {', '.join(kinds)}: {reason}")
    return lines


def _json(row: LoaderRow) -> dict[str, object]:
    file = row.file
    return {
        "path": file.path,
        "image": row.image,
        "firmware": file.firmware,
        "kind": "hop" if row.image else "signed" if file.signed else "built",
        "package": file.package,
        "sha256": file.sha256,
        "sha256_now": file.sha256_now,
        "authenticode": file.efi.digest if file.efi else "",
        "signer": row.signer,
        "microsoft": row.authorities,
        "sbat": file.efi.sbat.splitlines() if file.efi else [],
        "machines": {kind.value: {"starts": not why, "reason": why} for kind, why in row.machines.items()},
        "refused_here": row.refused,
        "newer_here": row.newer,
        "older_here": row.older,
    }
