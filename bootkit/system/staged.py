"""A partition as it will be: what is written to it is kept in memory, in front of an image file or device.

Writers change a file system in place here; :mod:`bootkit.system.redo` then brings all of it to the medium at once. Only what
goes to room that nothing uses yet may be written past it.

All at once takes a while, and a stick whose owner pulls it meanwhile should boot nevertheless. Therefore the changes have an
order, the one that keeps a file system readable at every instant: first what is taken, then the names of it, then what is let go.
Source: McKusick and Ganger, "Soft Updates" (USENIX 1999), section 2, for the three rules.
"""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from bootkit.formats.reader import Extent, Positioned
from bootkit.system.direct import DirectWriter
from bootkit.system.holes import Part, data_parts

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SECTOR = 512
"""Bytes that a medium writes whole or not at all."""
_PAGE = 4096


class SectorChange(NamedTuple):
    """A sector that differs; ``at`` is in bytes from the start of the partition. A tuple: a large file's table has thousands."""

    at: int
    before: bytes
    after: bytes


Step = Sequence[SectorChange]
"""Changes that may reach the medium in any order."""


class Staged(Positioned):
    """The ``size`` bytes at ``offset`` of an open file, read with what was put in front of them.

    ``offset`` is a multiple of :data:`SECTOR`. The file stays open when this one is closed.
    """

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        super().__init__(size)
        self._descriptor = descriptor
        self._offset = offset
        self._pages: dict[int, bytearray] = {}
        self._steps: list[Step] = []
        self._stepped: dict[int, bytes] = {}
        """The pages as the last of the steps leaves them."""
        self._naming: Sequence[range] = ()
        """Where what is put now are names."""
        self._names: set[int] = set()
        """Numbers of the sectors that hold names which changed since."""

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.peek(self._position, min(len(view), max(0, self.size - self._position)))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def peek(self, at: int, size: int) -> bytes:
        """``size`` bytes; zeros where the file ends before the partition does."""
        if not self._pages:
            return self.on_medium(at, size)
        touched = self._touched(at, size)
        if not touched:
            return self.on_medium(at, size)
        data = bytearray(self.on_medium(at, size))
        for number in touched:
            start, end = max(at, number * _PAGE), min(at + size, (number + 1) * _PAGE)
            data[start - at : end - at] = self._pages[number][start - number * _PAGE : end - number * _PAGE]
        return bytes(data)

    def on_medium(self, at: int, size: int) -> bytes:
        """What the file holds, without what was put."""
        data = os.pread(self._descriptor, size, self._offset + at)
        while data and len(data) < size and (more := self._more(at + len(data), size - len(data))):
            data += more
        return data.ljust(size, b"\0")

    def put(self, at: int, data: bytes | memoryview) -> None:
        """Change bytes; nobody but a reader of this object sees it."""
        view = memoryview(data)
        for place in self._naming:
            first, end = max(at, place.start), min(at + len(view), place.stop)
            if first < end:
                self._names.update(range(first // SECTOR, -(-end // SECTOR)))
        while view:
            number, inside = divmod(at, _PAGE)
            part = view[: _PAGE - inside]
            page = self._pages.get(number)
            if len(part) == _PAGE:  # nothing is left of what was there
                self._pages[number] = bytearray(part)
            else:
                if page is None:
                    page = self._pages[number] = bytearray(self.on_medium(number * _PAGE, _PAGE))
                page[inside : inside + len(part)] = part
            at, view = at + len(part), view[len(part) :]

    @contextmanager
    def naming(self, places: Sequence[Extent] | None = None) -> Generator[None]:
        """What is put in the block tells where something lies: it reaches the medium behind all else of the same step.

        ``places`` limits that to the parts of the partition which hold names, for a writer that does not put them alone.
        """
        self._naming = _ranges([(0, self.size)] if places is None else places)
        try:
            yield
        finally:
            self._naming = ()

    def end_step(self) -> None:
        """All that was put so far reaches the medium before what is put from now on."""
        rest: list[SectorChange] = []
        names: list[SectorChange] = []
        for change in self._changes():
            (names if change.at // SECTOR in self._names else rest).append(change)
        self._steps += [step for step in (rest, names) if step]
        self._stepped = {number: bytes(page) for number, page in self._pages.items()}
        self._names.clear()

    def steps(self) -> Sequence[Step]:
        """What would be written, in this order."""
        self.end_step()
        return tuple(self._steps)

    def direct_writer(self) -> DirectWriter:
        """What writes large parts of the medium at the least cost, for :meth:`write_past`."""
        return DirectWriter(self._descriptor)

    def write_past(self, at: int, data: bytes | memoryview, writer: DirectWriter | None = None) -> None:
        """Write to the medium at once; only where nothing lies, neither before nor after the change.

        With a ``writer``, ``data`` begins where a page of memory does.
        """
        view = memoryview(data)
        if self._touched(at, len(view)):
            self.put(at, view)  # smaller blocks share a page: what was read into it before is no longer so
        if writer is not None:
            writer.write(self._offset + at, view)
            return
        while view:
            done = os.pwrite(self._descriptor, view, self._offset + at)
            at, view = at + done, view[done:]

    def data_parts(self, at: int, size: int) -> Iterator[Part]:
        """The parts of a range that are no holes of the file, and what lies behind its end; of a device, all of it."""
        start, end = self._offset + at, self._offset + at + size
        known = max(start, min(end, os.fstat(self._descriptor).st_size))  # 0 for a device
        for begin, length in data_parts(self._descriptor, known, start):
            yield begin - self._offset, length
        if known < end:
            yield known - self._offset, end - known

    def sync(self) -> None:
        """Return when all that was written is on the medium."""
        os.fdatasync(self._descriptor)

    def _changes(self) -> Iterator[SectorChange]:
        """The sectors that were changed since the last step, in order."""
        for number in sorted(self._pages):
            before = self._stepped.get(number) or self.on_medium(number * _PAGE, _PAGE)
            after = bytes(self._pages[number])
            if before == after:
                continue
            for start in range(0, _PAGE, SECTOR):
                was, becomes = before[start : start + SECTOR], after[start : start + SECTOR]
                if was != becomes:
                    yield SectorChange(number * _PAGE + start, was, becomes)

    def write_all(self) -> None:
        """Write all that was put, also what the file reads as already: a hole of it that must be zeros elsewhere becomes data."""
        for number in sorted(self._pages):
            at = number * _PAGE
            os.pwrite(self._descriptor, self._pages[number][: self.size - at], self._offset + at)
        self.forget()

    def forget(self) -> None:
        """Drop what was put, because it is on the medium or must not get there."""
        self._pages.clear()
        self._steps.clear()
        self._stepped.clear()
        self._names.clear()

    def _touched(self, at: int, size: int) -> list[int]:
        """The pages of a range that were changed."""
        numbers = range(at // _PAGE, -(-(at + size) // _PAGE))
        # whichever is shorter: a bitmap of megabytes, or the few pages that were changed
        if len(numbers) < len(self._pages):
            return [number for number in numbers if number in self._pages]
        return [number for number in self._pages if number in numbers]

    def _more(self, at: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, self._offset + at)


def _ranges(places: Sequence[Extent]) -> Sequence[range]:
    return [range(at, at + length) for at, length in places if at is not None]
