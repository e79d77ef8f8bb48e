"""What is said of a boot loader of the stick, by the commands and by the text interface."""

from bootkit.app.verbs.loaders import LoaderRow
from bootkit.i18n import tr
from bootkit.model.boot import IN_EFI
from bootkit.plan.sbat import generations


def name_of(row: LoaderRow) -> str:
    """Its path on the stick; of a shim in an image, behind that image's path."""
    return f"{row.image}:{row.file.path.removeprefix(IN_EFI)}" if row.image else row.file.path


def state_of(row: LoaderRow) -> str:
    """Whether it is what was written."""
    if row.image:
        return "-"
    if not row.file.sha256_now:
        return tr("not read")
    return tr("same") if row.file.sha256_now == row.file.sha256 else tr("CHANGED")


def sentences_about(row: LoaderRow) -> list[str]:
    """Its signer, its generations, on which machines it starts, and what this computer makes of it; clauses."""
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
