"""What would be done: steps as data, to be printed, compared, saved as JSON, and only then carried out.

Paths of the steps below are paths on the stick's data partition, absolute, with slashes.
"""

from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """A small file, written under a temporary name and renamed over the old one."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOld:
    """``path`` stays readable as ``old`` when it is replaced by a later step."""

    path: str
    old: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameFile:
    """``old`` gets the name ``path``, on the same stick; nothing is copied."""

    old: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyImage:
    """An image from the host: copied, hashed in the same pass, flushed, read back and compared."""

    source: str
    """Path on the host."""
    path: str
    size: int
    sparse: bool = False
    """Whether runs of zeros stay holes, where the stick's file system has holes."""
    arrived: str = ""
    """Its checksum, where it lies on the stick already, under the name of an unfinished copy; empty if it is to be copied."""


StickStep = WriteFile | KeepOld | RemoveFile | RenameFile | CopyImage


@dataclass(frozen=True, slots=True, kw_only=True)
class StickPlan:
    """Changes to the data partition of one stick, in order."""

    steps: tuple[StickStep, ...]
    warnings: tuple[str, ...] = ()
