"""What a command that was killed has left on a stick: files under a name that only an unfinished copy has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bootkit.model.places import APP_FOLDER, BOOT_FOLDER
from bootkit.system.volume import Volume, walk
from bootkit.units import format_size

_UNFINISHED = re.compile(r"\..+\.part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    path: str
    size: int


def find_leftovers(volume: Volume) -> tuple[Leftover, ...]:
    """Nobody writes them any more, where the stick is open for writing and so locked."""
    return tuple(
        Leftover(path=path, size=stat.size)
        for folder in (BOOT_FOLDER, APP_FOLDER)
        for path, stat in walk(volume, folder, hidden=True)
        if _UNFINISHED.fullmatch(stat.name)
    )


def leftovers_note(found: Sequence[Leftover], *, removed: bool) -> str:
    """A sentence; empty for none."""
    if not found:
        return ""
    names = ", ".join(f"{one.path} ({format_size(one.size)})" for one in found)
    return f"left behind by a command that was interrupted{', and removed now' if removed else ''}: {names}"
