"""What a command that was killed has left on a stick, by names that nothing else has.

They are those of unfinished copies, and of what was removed and could still have been taken back.
"""

import re
from collections.abc import Collection, Sequence

from bootkit.model.places import APP_FOLDER, BOOT_FOLDER
from bootkit.model.plan import RemoveFile, StickPlan
from bootkit.system.changes import apply_changes
from bootkit.system.volume import Volume, walk
from bootkit.units import format_size
from bootkit.values import dataclass

_LEFT = re.compile(r"\..+\.(?:part|removed)")


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
        if _LEFT.fullmatch(stat.name)
    )


def remove_leftovers(volume: Volume, *, but: Collection[str] = ()) -> None:
    """Make room; ``but`` are the paths of those that somebody is still at work with."""
    steps = tuple(RemoveFile(path=one.path) for one in find_leftovers(volume) if one.path not in but)
    apply_changes(StickPlan(steps=steps), volume)


def aside_path(path: str) -> str:
    """Where a file lies that was removed and can be taken back: beside its place, under a name that is no image's."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.{name}.removed"


def leftovers_note(found: Sequence[Leftover], *, removed: bool) -> str:
    """A sentence; empty for none."""
    if not found:
        return ""
    names = ", ".join(f"{one.path} ({format_size(one.size)})" for one in found)
    return f"left behind by a command that was interrupted{', and removed now' if removed else ''}: {names}"
