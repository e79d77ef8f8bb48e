"""What writing to FAT and to exFAT has in common: directories of records of 32 bytes, and files of clusters.

A folder is read once and then kept; room of what was removed is let go last, so that nothing new is written where something
old lies that is still needed if the change is never committed.
"""

import abc
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bootkit.errors import BootkitError
from bootkit.formats.reader import clip
from bootkit.formats.tree import Entry
from bootkit.i18n import tr
from bootkit.system.redo import Piece, Room
from bootkit.system.staged import Staged
from bootkit.system.volume import parts_of
from bootkit.system.writer import Reserved, is_a_file, no_file

RECORD = 32
NAME_LIMIT = 255
"""UTF-16 units of a name."""
_BAD_CHARACTERS = re.compile(r'["*/:<>?\\|\x00-\x1f\ud800-\udfff]')
"""Characters that neither file system can hold in a name."""

E = TypeVar("E", bound=Entry)
Run = tuple[int, int]
"""First cluster and number of clusters that follow one another."""


@dataclass(slots=True)
class Member(Generic[E]):
    entry: E
    first: int
    """Number of the first of its records in the folder."""
    count: int


@dataclass(slots=True)
class Folder(Generic[E]):
    """A directory, as far as a writer must know it."""

    entry: E
    path: str
    places: list[int] = field(default_factory=list[int])
    """Where each record lies, in bytes from the start of the file system."""
    used: bytearray = field(default_factory=bytearray)
    """A byte for each record: 0 for an unused one."""
    members: dict[str, Member[E]] = field(default_factory=dict[str, Member[E]])
    """By the folded name."""
    short_names: set[bytes] = field(default_factory=set[bytes])
    """FAT only: the names of the form 8.3 that are taken."""

    def row(self, count: int) -> int:
        """The number of the first of ``count`` unused records in a row; negative if there is none."""
        return self.used.find(bytes(count))


class ClusterWriter(abc.ABC, Generic[E]):
    """The changes to one file system; a subclass knows its records and its table of free clusters."""

    def __init__(self, staged: Staged, root: E) -> None:
        self._staged = staged
        self._root = self._load(root, "")
        self._folders: dict[str, Folder[E]] = {"": self._root}
        self._removed: list[Run] = []
        """To be freed by :meth:`settle`."""
        self._freed: list[Run] = []
        """Freed by it: not to be written to before the commit."""
        self._discarded: list[Run] = []
        """The same, whose content is worth nothing."""

    def reserve(self, size: int, data: Sequence[Piece]) -> Reserved:  # noqa: ARG002  # neither has holes
        runs = self._take(-(-size // self._cluster_size)) if size else ()
        extents = ((self._offset(first), count * self._cluster_size) for first, count in runs)
        return Reserved(size=size, extents=clip(extents, size), first=runs[0][0] if runs else 0)

    def publish(self, path: str, reserved: Reserved) -> None:
        folder, name = self._place(path)
        self._replace(folder, name, self._file_records(folder, name, reserved))

    def rename(self, old: str, new: str) -> None:
        folder, name = self._place(new)
        source, member = self._file(old)
        self._erase(source, member)
        self._replace(folder, name, self._moved_records(folder, name, member.entry))

    def remove(self, path: str) -> None:
        folder, member = self._file(path)
        self._erase(folder, member)
        self._removed.extend(self._runs(member.entry))

    def make_folder(self, path: str) -> None:
        """Make a folder with its parents; nothing if it is there."""
        self._folder(parts_of(path))

    def discard(self, path: str) -> None:
        folder, member = self._file(path)
        self._erase(folder, member)
        self._discarded.extend(self._runs(member.entry))

    def settle(self) -> None:
        gone = (*self._removed, *self._discarded)
        if gone:
            self._staged.end_step()
        for first, count in gone:
            self._give(first, count)
        self._freed, self._removed = self._removed, []

    def room(self, size: int) -> Sequence[Piece]:
        room = Room(size)
        runs = itertools.chain(self._discarded, self._spare_runs(-(-size // self._cluster_size)))
        while not room.is_enough and (run := next(runs, None)) is not None:
            room.add(self._offset(run[0]), run[1] * self._cluster_size)
        self._freed, self._discarded = [], []
        return room.pieces

    def close(self) -> None:
        """Nothing to give back."""

    @property
    @abc.abstractmethod
    def _cluster_size(self) -> int: ...

    @abc.abstractmethod
    def _offset(self, cluster: int) -> int: ...

    @abc.abstractmethod
    def _fold(self, name: str) -> str: ...

    @abc.abstractmethod
    def _load(self, entry: E, path: str) -> Folder[E]:
        """Read a directory."""

    @abc.abstractmethod
    def _take(self, count: int) -> tuple[Run, ...]:
        """Free clusters, marked as used; raises BootkitError if there are too few."""

    @abc.abstractmethod
    def _give(self, first: int, count: int) -> None:
        """Mark clusters as free."""

    @abc.abstractmethod
    def _free_runs(self, enough: int) -> Iterator[Run]:
        """The free clusters; a run of ``enough`` may be only a part of what is free there."""

    def _spare_runs(self, enough: int) -> Iterator[Run]:
        """What was free before the change, too."""
        freed = sorted((*self._freed, *self._discarded))
        for run in self._free_runs(enough):
            yield from _without(run, freed)

    @abc.abstractmethod
    def _runs(self, entry: E) -> Iterator[Run]:
        """The clusters of a file or a directory."""

    @abc.abstractmethod
    def _file_records(self, folder: Folder[E], name: str, reserved: Reserved) -> bytes: ...

    @abc.abstractmethod
    def _moved_records(self, folder: Folder[E], name: str, entry: E) -> bytes:
        """The records of a file under another name."""

    @abc.abstractmethod
    def _folder_records(self, folder: Folder[E], name: str) -> bytes:
        """The records of a new, empty folder, for which room is taken and filled."""

    @abc.abstractmethod
    def _renewed(self, folder: Folder[E], old: Member[E], records: bytes) -> bytes:
        """What makes the records of an old file mean the new one of the same name."""

    @abc.abstractmethod
    def _erased(self, record: bytes) -> bytes:
        """A record that is no longer in use."""

    @abc.abstractmethod
    def _grow(self, folder: Folder[E]) -> None:
        """Room for more records, all of it unused."""

    @abc.abstractmethod
    def _read_member(self, folder: Folder[E], first: int, count: int) -> E:
        """The entry that these records make."""

    def _place(self, path: str) -> tuple[Folder[E], str]:
        """The folder of a path, made where it is not there, and its name, which the file system can hold."""
        *above, name = parts_of(path)
        return self._folder(tuple(above)), _checked(name)

    def _folder(self, parts: tuple[str, ...]) -> Folder[E]:
        here, path = self._root, ""
        for part in parts:
            path = f"{path}/{self._fold(part)}"
            if path not in self._folders:
                member = here.members.get(self._fold(part)) or self._made(here, _checked(part))
                if not member.entry.is_dir:
                    raise is_a_file("/" + "/".join(parts))
                self._folders[path] = self._load(member.entry, path)
            here = self._folders[path]
        return here

    def _made(self, folder: Folder[E], name: str) -> Member[E]:
        return self._insert(folder, name, self._folder_records(folder, name))

    def _file(self, path: str) -> tuple[Folder[E], Member[E]]:
        """The folder of a file, and the file.

        Raises:
            BootkitError: there is no such file.
        """
        *above, name = parts_of(path)
        here = self._root
        for part in above:
            member = here.members.get(self._fold(part))
            if member is None or not member.entry.is_dir:
                raise no_file(path)
            here = self._folder((*parts_of(here.path), part))
        found = here.members.get(self._fold(name))
        if found is None or found.entry.is_dir:
            raise no_file(path)
        return here, found

    def _replace(self, folder: Folder[E], name: str, records: bytes) -> None:
        """Give a name to the file that these records make: in the place of an old one, so that there is always one of the two."""
        old = folder.members.get(self._fold(name))
        if old is not None:
            if old.entry.is_dir:
                raise BootkitError(
                    tr("{path}/{name} on the stick is a folder", path=folder.path, name=name),
                    hint=tr("remove it, or take another name"),
                )
            self._removed.extend(self._runs(old.entry))
            renewed = self._renewed(folder, old, records) if old.entry.name == name else b""
            if len(renewed) == old.count * RECORD:
                self._put(folder, old.first, renewed)
                old.entry = self._read_member(folder, old.first, old.count)
                return
            self._erase(folder, old)
        self._insert(folder, name, records)

    def _insert(self, folder: Folder[E], name: str, records: bytes) -> Member[E]:
        count = len(records) // RECORD
        while (first := folder.row(count)) < 0:
            self._grow(folder)
        self._put(folder, first, records)
        folder.used[first : first + count] = b"\x01" * count
        member = Member(self._read_member(folder, first, count), first, count)
        folder.members[self._fold(name)] = member
        return member

    def _put(self, folder: Folder[E], first: int, records: bytes) -> None:
        """Write records to a directory, from one of that number on."""
        with self._staged.naming():
            for number in range(len(records) // RECORD):
                self._staged.put(folder.places[first + number], records[number * RECORD : (number + 1) * RECORD])

    def _erase(self, folder: Folder[E], member: Member[E]) -> None:
        places = folder.places[member.first : member.first + member.count]
        self._put(folder, member.first, b"".join(self._erased(self._staged.peek(at, RECORD)) for at in places))
        folder.used[member.first : member.first + member.count] = bytes(member.count)
        del folder.members[self._fold(member.entry.name)]


def _checked(name: str) -> str:
    """``name``, if FAT and exFAT can hold it.

    Raises:
        BootkitError: they cannot.
    """
    bad = _BAD_CHARACTERS.search(name)
    if bad or name.endswith((".", " ")) or len(name.encode("utf-16-le")) // 2 > NAME_LIMIT:
        why = tr("it has {bad} in it", bad=repr(bad[0])) if bad else tr("it ends so, or is too long")
        raise BootkitError(
            tr("FAT and exFAT cannot hold a file named {name}: {why}", name=repr(name), why=why),
            hint=tr("give it another name"),
        )
    return name


def _without(run: Run, taken: Sequence[Run]) -> Iterator[Run]:
    """The parts of a run that are in none of the others, which are in order."""
    start, end = run[0], run[0] + run[1]
    for first, count in taken:
        if first < end and first + count > start:
            if first > start:
                yield start, first - start
            start = max(start, first + count)
    if start < end:
        yield start, end - start
