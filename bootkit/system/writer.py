"""What writes a file system that is not mounted: changes to a :class:`~bootkit.system.staged.Staged` partition.

The content of files goes past it, to room that is free; everything else stays in front of the medium until it is committed.
"""

from collections.abc import Sequence
from typing import Protocol

from bootkit.errors import BootkitError
from bootkit.formats.reader import Extent
from bootkit.i18n import tr
from bootkit.system.redo import Piece
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Room for a file that has no name yet."""

    size: int
    extents: tuple[Extent, ...]
    """Where its bytes go, in order; a hole where none were asked for."""
    first: int
    """The first cluster, or the inode: what the writer knows it by."""


class Writer(Protocol):
    """The changes to one file system. Paths are absolute; no name in them is anything but a name.

    Raises:
        BootkitError: no room, no such file, or a name that the file system does not take.
        FormatError: it is damaged.
    """

    def reserve(self, size: int, data: Sequence[Piece]) -> Reserved:
        """Room for a file of ``size`` bytes; ``data`` are the parts that need not become holes."""
        ...

    def publish(self, path: str, reserved: Reserved) -> None:
        """Give a file its name, in the place of one that has it; parents are made."""
        ...

    def rename(self, old: str, new: str) -> None: ...

    def remove(self, path: str) -> None: ...

    def discard(self, path: str) -> None:
        """Remove a file whose content is worth nothing: :meth:`room` may give away its room at once."""
        ...

    def settle(self) -> None:
        """Put all that is still only in memory, and let go of the room of what is gone."""
        ...

    def room(self, size: int) -> Sequence[Piece]:
        """At least ``size`` bytes that were free before the first change since the last commit, and still are, or were discarded.

        Less if there are not so many. Called behind :meth:`settle`; ends the change.
        """
        ...

    def close(self) -> None:
        """Give back what it holds; what was not committed is lost."""
        ...


def no_file(path: str) -> BootkitError:
    return BootkitError(tr("there is no file {path} on the stick", path=path))


def is_a_file(path: str) -> BootkitError:
    return BootkitError(
        tr("{path} on the stick is a file, not a folder", path=path), hint=tr("give it another name, or remove it")
    )


def no_room(size: int, *, piece: bool = False) -> BootkitError:
    return BootkitError(
        tr("there is no room for {size} bytes more{what}", size=size, what=tr(" in one piece") if piece else ""),
        hint=tr("make room: bootkit list, bootkit remove IMAGE"),
    )
