"""What ``list --loaders`` prints."""

from pathlib import Path
from typing import TYPE_CHECKING

from bootkit.app.verbs.loaders import LoaderRow
from bootkit.cli import output
from bootkit.i18n import tr
from bootkit.model.boot import IN_EFI
from bootkit.plan.sbat import generations

if TYPE_CHECKING:
    from bootkit.cli.documents import ListedLoader

_HEADERS = (tr("LOADER"), tr("FIRMWARE"), tr("KIND"), tr("PACKAGE"), tr("MICROSOFT"), tr("SINCE WRITTEN"), tr("HERE"))


def list_loaders(where: Path | None, *, wide: bool, as_json: bool) -> None:
    from bootkit.app.verbs import loaders
    from bootkit.system.sticks import open_stick

    with open_stick(where) as stick:
        rows = loaders.list_loaders(stick)
    if as_json:
        output.json({"loaders": [_json(row) for row in rows]})
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
        tr("hop") if row.image else tr("signed") if file.signed else tr("built"),
        file.package or "-",
        ", ".join(row.authorities) or "-",
        _state(row),
        "-" if row.image else tr("newer") if row.newer else tr("older") if row.older else tr("same or unknown"),
    )


def _name(row: LoaderRow) -> str:
    return f"{row.image}:{row.file.path.removeprefix(IN_EFI)}" if row.image else row.file.path


def _state(row: LoaderRow) -> str:
    if row.image:
        return "-"
    if not row.file.sha256_now:
        return tr("not read")
    return tr("same") if row.file.sha256_now == row.file.sha256 else tr("CHANGED")


def _sentences(row: LoaderRow) -> list[str]:
    efi = row.file.efi
    lines = [tr("signed by {signer}", signer=row.signer)] if row.signer else []
    if efi is not None and efi.sbat:
        lines.append(f"SBAT {', '.join(f'{name} {number}' for name, number in generations(efi.sbat).items())}")
    lines += _machines(row)
    if row.newer:
        lines.append(tr("this computer has {newer}: bootkit upgrade", newer=row.newer))
    if row.refused:
        lines.append(tr("this computer would not start it with Secure Boot on: {refused}", refused=row.refused))
    return lines


def _machines(row: LoaderRow) -> list[str]:
    """On which kinds of machine it starts, and why not on the others."""
    starts = [kind.value for kind, why in row.machines.items() if not why]
    lines = [tr("starts on the machines {starts}", starts=", ".join(starts))] if starts else []
    for reason in dict.fromkeys(filter(None, row.machines.values())):
        kinds = [kind.value for kind, why in row.machines.items() if why == reason]
        lines.append(tr("does not start on {kinds}: {reason}", kinds=", ".join(kinds), reason=reason))
    return lines


def _json(row: LoaderRow) -> "ListedLoader":
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
