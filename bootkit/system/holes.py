"""Files with holes: which parts hold something, and a checksum of those alone.

An empty home of 4 GiB is two megabytes of data. Nothing that copies or compares it has to look at the rest.
"""

import errno
import hashlib
import os
from collections.abc import Iterator

Part = tuple[int, int]
"""Offset and length, bytes."""

_BLOCK = 64 << 10
_NO_BLOCK = bytes(_BLOCK)
_FIRST = 64


def data_parts(descriptor: int, end: int, start: int = 0) -> Iterator[Part]:
    """The parts of an open file between ``start`` and ``end`` that are not holes; all of it where nobody can tell."""
    while start < end:
        try:
            start = os.lseek(descriptor, start, os.SEEK_DATA)
            hole = min(os.lseek(descriptor, start, os.SEEK_HOLE), end)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole from here on
                return
            if error.errno != errno.EINVAL:
                raise
            hole = end  # a device
        if start < hole:
            yield start, hole - start
        start = hole


class DataDigest:
    """SHA-256 of all blocks of a file that are not zeros, and of their places: the same whatever part of the zeros is holes."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._number = 0
        self._block = bytearray(_BLOCK)
        self._is_begun = False

    def add(self, at: int, data: bytes | memoryview) -> None:
        """Bytes at their offset in the file, in ascending order; what is left out is zeros."""
        view = memoryview(data)
        while view:
            number, inside = divmod(at, _BLOCK)
            if number != self._number:
                self._close(number)
            part = view[: _BLOCK - inside]
            if len(part) == _BLOCK:  # as it is, without a copy of it
                self._take(number, part)
            else:
                self._block[inside : inside + len(part)] = part
                self._is_begun = True
            at, view = at + len(part), view[len(part) :]

    def of_size(self, size: int) -> str:
        """The checksum of the file, whose size it has in it; hex."""
        self._close(0)
        self._digest.update(size.to_bytes(8, "big"))
        return self._digest.hexdigest()

    def _close(self, following: int) -> None:
        """Take the block whose parts have come, if there is one."""
        if self._is_begun:
            self._take(self._number, memoryview(self._block))
            self._block[:] = _NO_BLOCK
            self._is_begun = False
        self._number = following

    def _take(self, number: int, block: memoryview) -> None:
        if any(block[:_FIRST]) or bytes(block) != _NO_BLOCK:
            self._digest.update(number.to_bytes(8, "big"))
            self._digest.update(block)
