"""A data partition in an image file or an unmounted device, read by our own readers."""

import abc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

from bootkit.formats.reader import Extent
from bootkit.formats.tree import Entry, FileTree
from bootkit.system.direct import chunks_past_cache
from bootkit.system.holes import Part, data_parts
from bootkit.system.staged import Staged
from bootkit.system.volume import FileStat, Progress, chunks_of

T = TypeVar("T", bound=FileTree[Any])


class TreeVolume(abc.ABC, Generic[T]):
    """The part of a volume that only reads: a partition of ``size`` bytes at ``offset`` of an image file or device."""

    filesystem: str

    def __init__(self, image: Path, offset: int, size: int) -> None:
        self._image = image
        self._offset = offset
        self._size = size
        self._reading: int | None = None
        self._tree: T | None = None
        self.where = os.fspath(image)

    @abc.abstractmethod
    def _open_tree(self, fh: BinaryIO) -> T: ...

    @property
    def offset(self) -> int:
        """Where the partition begins in the image file or device, in bytes."""
        return self._offset

    def listdir(self, path: str) -> tuple[FileStat, ...]:
        entries: tuple[Entry, ...] = self._reader().listdir(path) or ()
        return tuple(sorted(map(_file_stat, entries), key=lambda stat: stat.name))

    def incoming(self, path: str) -> None:  # noqa: ARG002
        return None  # only what is here can write to it, and has to know the size before

    def stat(self, path: str) -> FileStat | None:
        entry: Entry | None = self._reader().find(path)
        return None if entry is None else _file_stat(entry)

    def open(self, path: str) -> BinaryIO:
        return cast("BinaryIO", self._reader().open(path))

    def reread(self, path: str, progress: Progress) -> Iterator[bytes | memoryview]:
        known, stat = self.extents(path) or (), self.stat(path)
        places = [(self._offset + at, length) for at, length in known if at is not None]
        with self.open(path) as file:
            assert self._reading is not None  # by the three
            if stat is None or sum(length for _, length in places) != stat.size:
                yield from chunks_of(file, progress)  # packed, or with holes
            else:
                yield from chunks_past_cache(self._reading, places, file, progress)

    def extents(self, path: str) -> tuple[Extent, ...] | None:
        return self._reader().extents(path)

    def data_parts(self, path: str) -> Iterator[Part]:
        known, stat = self.extents(path), self.stat(path)
        assert self._reading is not None  # by the two
        if known is None:
            yield 0, stat.size if stat else 0
            return
        done = 0
        for at, length in known:
            if at is not None:
                first = self._offset + at
                yield from (
                    (done + start - first, size) for start, size in data_parts(self._reading, first + length, first)
                )
            done += length

    @abc.abstractmethod
    def free(self) -> int: ...

    def flush(self) -> None:
        self._forget()
        descriptor = os.open(self._image, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, self._offset, self._size, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        self._forget()

    def _reader(self) -> T:
        if self._tree is None:
            self._reading = os.open(self._image, os.O_RDONLY | os.O_CLOEXEC)
            staged = Staged(self._reading, self._offset, self._size)
            self._as_completed(staged)
            self._tree = self._open_tree(cast("BinaryIO", staged))
        return self._tree

    def _as_completed(self, staged: Staged) -> None:
        """Put what an interrupted change has still to write."""

    def _forget(self) -> None:
        """Drop what the readers keep of what they have read."""
        self._tree = None
        if self._reading is not None:
            os.close(self._reading)
            self._reading = None


def _file_stat(entry: Entry) -> FileStat:
    return FileStat(
        name=entry.name,
        is_dir=entry.is_dir,
        size=0 if entry.is_dir else entry.size,
        mtime_ns=entry.mtime_ns,
        ident=entry.ident if entry.is_dir else 0,
    )
