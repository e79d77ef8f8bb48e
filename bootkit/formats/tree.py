"""What the file systems we read have in common: a path becomes an entry, an entry becomes bytes."""

import abc
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, Generic, Protocol, TypeVar

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, ExtentFile, TreeFile
from bootkit.values import dataclass

LINK_LIMIT = 40
"""Symbolic links followed in one path; Linux gives up at the same number."""
MEMBER_LIMIT = 250_000
"""Directory members read from one file system in all; the largest images met hold 60,000 files."""
DIRECTORY_LIMIT = 16 << 20
"""Bytes of one directory that are read at most."""
_WARNING_LIMIT = 20
_RESOLVE_LIMIT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A directory member."""

    name: str
    is_dir: bool
    size: int = 0
    """Bytes of a file; 0 for a directory."""
    mtime: int = 0
    """Seconds since 1970 UTC; 0 where the format is not asked for it."""
    is_link: bool = False
    ident: int = 0
    """What is unique to the file in its file system; one directory reached on two ways is read once."""

    @property
    def mtime_ns(self) -> int:
        """The time of the last change in nanoseconds since 1970, as exact as the file system tells it."""
        return self.mtime * 1_000_000_000


class Tree(Protocol):
    """What every file system in a file can be asked, whichever it is."""

    @property
    def warnings(self) -> Sequence[str]: ...
    def listdir(self, path: str) -> Sequence[Entry] | None: ...
    def extents(self, path: str) -> tuple[Extent, ...]: ...
    def open(self, path: str) -> TreeFile: ...
    def read(self, path: str, limit: int) -> bytes: ...


E = TypeVar("E", bound=Entry)


class FileTree(abc.ABC, Generic[E]):
    """A read-only directory tree in a file. Directories are read when somebody asks, and then kept.

    A damaged directory gives the members in front of the damage and a warning.
    """

    def __init__(self, fh: BinaryIO, root: E) -> None:
        self._fh = fh
        self._root = root
        self._known: dict[int, dict[str, E]] = {}
        self._budget = MEMBER_LIMIT
        self._warnings: list[str] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """Recoverable oddities met so far, each once."""
        return tuple(self._warnings)

    @abc.abstractmethod
    def _read_directory(self, directory: E) -> Iterable[E]:
        """The members as they are recorded, without ``.`` and ``..``."""

    @abc.abstractmethod
    def _extents(self, entry: E) -> tuple[Extent, ...]:
        """Where the bytes of a file lie, in order; they add up to its size."""

    @abc.abstractmethod
    def _target(self, link: E) -> str:
        """Where a symbolic link points."""

    def _open(self, entry: E) -> TreeFile:
        return ExtentFile(self._fh, self._extents(entry))

    def _fold(self, name: str) -> str:
        """What two spellings of one name have in common."""
        return name

    def warn(self, message: str) -> None:
        if message not in self._warnings and len(self._warnings) < _WARNING_LIMIT:
            self._warnings.append(message)

    def listdir(self, path: str) -> tuple[E, ...] | None:
        """The members of a directory in the order of the file system, ``None`` if there is no such directory.

        A symbolic link shows the kind and the size of what it points to; one that leads nowhere is an empty file.
        """
        directory = self.find(path)
        if directory is None or not directory.is_dir:
            return None
        members = tuple(self._members(directory).values())
        links = [member for member in members if member.is_link]
        if not links:
            return members
        resolved = {link.name: self._resolved(path, link) for link in links[:_RESOLVE_LIMIT]}
        return tuple(resolved.get(member.name, member) for member in members)

    def find(self, path: str) -> E | None:
        """What lies at ``path``, links followed; an absolute link starts at this tree's own root."""
        way = [self._root]
        todo = path.split("/")[::-1]
        links = 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if not way[-1].is_dir:
                return None
            if part == "..":
                del way[max(1, len(way) - 1) :]
                continue
            entry = self._members(way[-1]).get(self._fold(part))
            if entry is None:
                return None
            if not entry.is_link:
                way.append(entry)
                continue
            links += 1
            if links > LINK_LIMIT:
                return None
            target = self._target(entry)
            if target.startswith("/"):
                del way[1:]
            todo.extend(target.split("/")[::-1])
        return way[-1]

    def walk(self, path: str = "/") -> Iterator[tuple[str, E]]:
        """All that lies below a directory, with its path; links are not followed.

        Raises:
            FormatError: two ways lead to one directory, as only damage makes them; there may be no end of ways.
        """
        todo = [path.rstrip("/")]
        seen: set[int] = set()
        while todo:
            here = todo.pop()
            for entry in self.listdir(here) or ():
                below = f"{here}/{entry.name}"
                yield below, entry
                if not entry.is_dir or entry.is_link:
                    continue
                if entry.ident in seen:
                    raise FormatError(f"several ways lead to the directory {entry.name}: the file system is damaged")
                seen.add(entry.ident)
                todo.append(below)

    def extents(self, path: str) -> tuple[Extent, ...]:
        """Where the bytes of a file lie in the underlying file, in order and without gaps.

        Raises:
            FormatError: there is no such file, or the map of its blocks is damaged.
        """
        return self._extents(self._file(path))

    def open(self, path: str) -> TreeFile:
        """A file, seekable; reading raises FormatError where the underlying file is too short.

        Raises:
            FormatError: there is no such file.
        """
        return self._open(self._file(path))

    def read(self, path: str, limit: int) -> bytes:
        """The first ``limit`` bytes of a file.

        Raises:
            FormatError: there is no such file, or it cannot be read.
        """
        with self.open(path) as file:
            return file.read(limit)

    def _file(self, path: str) -> E:
        entry = self.find(path)
        if entry is None or entry.is_dir:
            raise FormatError(f"there is no file {path}")
        return entry

    def _members(self, directory: E) -> dict[str, E]:
        known = self._known.get(directory.ident)
        if known is None:
            known = self._known[directory.ident] = {}
            try:
                self._collect(directory, known)
            except FormatError as error:
                self.warn(f"a directory is damaged: {error.message}")
        return known

    def _collect(self, directory: E, known: dict[str, E]) -> None:
        for entry in self._read_directory(directory):
            self._budget -= 1
            if self._budget < 0:
                self.warn(f"more than {MEMBER_LIMIT} directory members: the rest is not looked at")
                return
            if _is_usable(entry.name):
                known.setdefault(self._fold(entry.name), entry)
            else:
                self.warn(f"a file is named {entry.name!r}: left out")

    def _resolved(self, path: str, link: E) -> E:
        found = self.find(f"{path}/{link.name}")
        if found is None:
            return replace(link, size=0)
        return replace(link, is_dir=found.is_dir, size=found.size)


def _is_usable(name: str) -> bool:
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name
