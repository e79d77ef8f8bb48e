"""What ``list --loaders`` prints."""

from pathlib import Path
from typing import TYPE_CHECKING

from bootkit.app.verbs.loader_words import name_of, sentences_about, state_of
from bootkit.app.verbs.loaders import LoaderRow
from bootkit.cli import output
from bootkit.i18n import tr

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
        for line in sentences_about(row):
            output.answer(f"{name_of(row)}: {line}")


def _cells(row: LoaderRow) -> tuple[str, ...]:
    file = row.file
    return (
        name_of(row),
        file.firmware.value,
        tr("hop") if row.image else tr("signed") if file.signed else tr("built"),
        file.package or "-",
        ", ".join(row.authorities) or "-",
        state_of(row),
        "-" if row.image else tr("newer") if row.newer else tr("older") if row.older else tr("same or unknown"),
    )


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
