"""Bounded reads, and parts of a file as files of their own.

All offsets are bytes. The underlying file is shared and repositioned by every read, so one thread at a time uses it.
"""

import io
import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from bootkit.errors import FormatError, HostError, MediumError, host_errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Extent: TypeAlias = tuple[int | None, int]
"""Offset in the underlying file and length; an offset of ``None`` is a hole, which reads as zeros."""

_ZEROS = bytes(4096)
_ADDRESSABLE = 1 << 63
"""Bytes that the kernel can count in a file; damaged tables point to places behind."""


def read_upto(fh: BinaryIO, offset: int, size: int) -> bytes:
    """At most ``size`` bytes; fewer only where the file ends.

    Raises:
        FormatError: the medium does not give its bytes.
    """
    if not 0 <= offset < _ADDRESSABLE:
        return b""
    try:
        fh.seek(offset)
    except OSError:
        # Farther than the host's file system can address: far behind the end of any file on it.
        return b""
    try:
        data = fh.read(size)
        # An unbuffered file may stop early: one read(2) never gives more than 2 GiB.
        while data and len(data) < size and (more := fh.read(size - len(data))):
            data += more
    except HostError as error:
        raise MediumError(error.message, offset=offset, hint=error.hint) from error
    except OSError as error:
        raise MediumError(f"the medium cannot be read: {error.strerror}", offset=offset) from error
    return data


def read_at(fh: BinaryIO, offset: int, size: int) -> bytes:
    """Exactly ``size`` bytes.

    Raises:
        FormatError: the file ends before.
    """
    data = read_upto(fh, offset, size)
    if len(data) < size:
        raise FormatError(f"the file ends {size - len(data)} bytes too early", offset=offset + len(data))
    return data


def size_of(fh: BinaryIO) -> int:
    """Bytes of a file or a block device, by seeking to its end."""
    return fh.seek(0, os.SEEK_END)


def clip(extents: Iterable[Extent], size: int) -> tuple[Extent, ...]:
    """The first ``size`` bytes of ``extents``, neighbours joined; a hole at the end where they are shorter."""
    joined: list[Extent] = []
    left = size
    for start, available in chain(extents, ((None, size),)):
        length = min(available, left)
        if length <= 0:
            continue
        left -= length
        if joined and _continues(joined[-1], start):
            joined[-1] = (joined[-1][0], joined[-1][1] + length)
        else:
            joined.append((start, length))
    return tuple(joined)


def _continues(before: Extent, start: int | None) -> bool:
    offset, length = before
    return start is None if offset is None else start == offset + length


class HostFileIO(io.FileIO):
    """A file of the host, open for reading and unbuffered, which is named in every error.

    Raises:
        HostError: the kernel refuses to open it, or later to read it.
    """

    def __init__(self, path: Path, opener: Callable[[str, int], int] | None = None) -> None:
        try:
            super().__init__(path, opener=opener)
        except OSError as error:
            raise HostError.of(error, f"{path} cannot be opened") from error
        self._path = os.fspath(path)

    def read(self, size: int | None = -1, /) -> bytes:
        with host_errors(self._path):
            return super().read(-1 if size is None else size) or b""

    def readall(self) -> bytes:
        with host_errors(self._path):
            return super().readall() or b""

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        with host_errors(self._path):
            return super().readinto(buffer) or 0


class Positioned(io.RawIOBase):
    """The part of a read-only file that only counts; what is left to others is ``readinto``."""

    def __init__(self, size: int) -> None:
        super().__init__()
        # a damaged size must not lead where no offset does
        self.size = min(size, _ADDRESSABLE - 1)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position


class _Extents(Positioned):
    def __init__(self, fh: BinaryIO, extents: Sequence[Extent]) -> None:
        self._fh = fh
        self._extents = [extent for extent in extents if extent[1] > 0]
        self._starts = [0, *accumulate(length for _, length in self._extents)]
        super().__init__(self._starts[-1])

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        if self._position >= self.size:
            return 0
        index = bisect_right(self._starts, self._position) - 1
        start, length = self._extents[index]
        skipped = self._position - self._starts[index]
        wanted = min(len(view), length - skipped)
        if start is None:
            wanted = min(wanted, len(_ZEROS))
            view[:wanted] = _ZEROS[:wanted]
        else:
            view[:wanted] = read_at(self._fh, start + skipped, wanted)
        self._position += wanted
        return wanted


class TreeFile(io.BufferedReader):
    """A seekable, read-only file out of a file system in a file, which stays open when this one is closed."""

    def __init__(self, raw: io.RawIOBase, size: int) -> None:
        super().__init__(raw, 4096)
        self.size = size


class ExtentFile(TreeFile):
    """A file made of parts of another one.

    Reading raises FormatError where the underlying file ends before an extent does.
    """

    def __init__(self, fh: BinaryIO, extents: Sequence[Extent]) -> None:
        super().__init__(_Extents(fh, extents), sum(length for _, length in extents))


class Window(ExtentFile):
    """One part of another file as a file of its own."""

    def __init__(self, fh: BinaryIO, offset: int, size: int) -> None:
        super().__init__(fh, ((offset, size),))
