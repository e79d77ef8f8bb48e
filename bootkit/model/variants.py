"""What the user has put beside an image: a place for its changes, and answers for its installer."""

from collections.abc import Mapping
from dataclasses import field

from bootkit.values import dataclass

SEED_LIMIT = 4 << 20
"""Bytes of an answer file."""
FOLDER_MARK = "bootkit.txt"
"""What stands in a folder of changes that the live system fills itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """One answer file."""

    image: str
    """File name of its image."""
    kind: str
    name: str
    path: str
    """Of its file on the stick."""
    wipes: str = ""
    """What an installer destroys that is given it, in a sentence; empty if it asks before."""

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def label(self) -> str:
        """What it is called: two of an image differ in it."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A place for the changes of an image: a file, or a folder with :data:`FOLDER_MARK` in it."""

    image: str
    path: str
    size: int = 0
    encrypted: bool = False

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """All of a stick."""

    kept: Mapping[str, Kept] = field(default_factory=dict[str, Kept])
    """By the file name of the image."""
    seeds: tuple[Seed, ...] = ()
