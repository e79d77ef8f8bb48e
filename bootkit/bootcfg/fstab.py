"""The table of file systems of an installed system.

Source: fstab(5) of util-linux 2.38; mount(8) for the ways to name a device.
"""

from bootkit.values import dataclass

_LINE_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FstabEntry:
    device: str
    """``UUID=...``, ``LABEL=...``, ``PARTUUID=...``, ``PARTLABEL=...`` or a path."""
    folder: str
    type: str
    options: tuple[str, ...] = ()


def parse_fstab(text: str) -> tuple[FstabEntry, ...]:
    """The lines that mount something; what cannot be understood is left out."""
    rows = (line.split() for line in text.splitlines()[:_LINE_LIMIT] if not line.lstrip().startswith("#"))
    return tuple(
        FstabEntry(device=_unescaped(row[0]), folder=_unescaped(row[1]), type=row[2], options=tuple(row[3].split(",")))
        for row in (row if len(row) > 3 else [*row, "defaults"] for row in rows if len(row) > 2)
        if row[1].startswith("/")
    )


def _unescaped(field: str) -> str:
    return field.replace('"', "").replace("\\040", " ").replace("\\011", "\t")
