"""What the file systems have in common that are reached through the bytes of an image file or an unmounted device."""

import abc
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

from bootkit.errors import BootkitError
from bootkit.formats.reader import Extent, Window
from bootkit.formats.tree import Entry, FileTree
from bootkit.system.volume import FileStat

T = TypeVar("T", bound=FileTree[Any])


class RawVolume(abc.ABC, Generic[T]):
    """A partition of ``size`` bytes at ``offset`` of an image file or device, read by our own readers.

    The readers keep what they have read; whoever writes calls :meth:`_forget`.
    """

    def __init__(self, image: Path, offset: int, size: int) -> None:
        self._image = image
        self._offset = offset
        self._size = size
        self._fh: BinaryIO | None = None
        self._tree: T | None = None
        self.where = os.fspath(image)

    @abc.abstractmethod
    def _open_tree(self, fh: BinaryIO) -> T: ...

    def listdir(self, path: str) -> tuple[FileStat, ...]:
        entries: tuple[Entry, ...] = self._reader().listdir(path) or ()
        return tuple(sorted(map(_file_stat, entries), key=lambda stat: stat.name))

    def stat(self, path: str) -> FileStat | None:
        entry: Entry | None = self._reader().find(path)
        return None if entry is None else _file_stat(entry)

    def open(self, path: str) -> BinaryIO:
        return cast("BinaryIO", self._reader().open(path))

    def extents(self, path: str) -> tuple[Extent, ...] | None:
        return self._reader().extents(path)

    def flush(self) -> None:
        self._forget()
        descriptor = os.open(self._image, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, self._offset, self._size, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)

    def _reader(self) -> T:
        if self._tree is None:
            self._fh = self._image.open("rb")
            self._tree = self._open_tree(cast("BinaryIO", Window(self._fh, self._offset, self._size)))
        return self._tree

    def close(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._tree = None
        if self._fh is not None:
            self._fh.close()
            self._fh = None

    def _require_room(self, path: str, size: int, free: int) -> None:
        if size > free:
            hint = "make room: bootkit list, bootkit remove IMAGE"
            raise BootkitError(f"{self.where}: no room for {path}: {size} bytes needed, {free} free", hint=hint)


@contextmanager
def scratch() -> Generator[Path]:
    """A private folder on the host that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        yield Path(folder)


@contextmanager
def nameless_file() -> Generator[Path]:
    """A file of the host that has no name and is gone with this process, however that ends: for what nobody else may read.

    The path leads to it for us and for the programs that we start.
    """
    folder = tempfile.gettempdir()
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:  # a file system without; nothing is in the file yet when it loses its name
        descriptor, name = tempfile.mkstemp(prefix="bootkit-")
        Path(name).unlink()
    try:
        yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _file_stat(entry: Entry) -> FileStat:
    return FileStat(
        name=entry.name,
        is_dir=entry.is_dir,
        size=0 if entry.is_dir else entry.size,
        mtime_ns=entry.mtime_ns,
        ident=entry.ident if entry.is_dir else 0,
    )
