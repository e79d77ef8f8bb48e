"""A file as its medium gives and takes it, past the kernel's cache of pages: what was written is compared with what is really there.

It is also the cheapest way: nothing is copied from page to page. Of the processor time of a copy that is hashed, half went there.
"""

import errno
import mmap
import os
from collections.abc import Generator, Sequence
from typing import BinaryIO, Self

from bootkit.system.volume import CHUNK, Progress, chunks_of

_AT_ONCE = 4 << 20
_ALIGNED = 4096
"""Bytes; what every medium and file system takes for a beginning and an end."""

Place = tuple[int, int]
"""Offset and length in bytes, in what the descriptor leads to."""


def chunks_past_cache(
    descriptor: int, places: Sequence[Place], file: BinaryIO, progress: Progress
) -> Generator[bytes | memoryview]:
    """The bytes at ``places``, in pieces that are good until the next one is asked for.

    They are those of ``file``, which is read as any other where the kernel has no such way.
    """
    direct = _opened_direct(descriptor, os.O_RDONLY)
    if direct is None:
        yield from chunks_of(file, progress)
        return
    view = _aligned(_AT_ONCE)
    done = 0
    try:
        for at, length in places:
            end = at + length
            while at < end:
                lead = at % _ALIGNED
                wanted = min(-(-(end - at + lead) // _ALIGNED) * _ALIGNED, _AT_ONCE)
                count = min(os.preadv(direct, [view[:wanted]], at - lead) - lead, end - at)
                if count <= 0:
                    return  # it ends before
                yield view[lead : lead + count]
                at, done = at + count, done + count
                progress(done)
    finally:
        os.close(direct)


class ReadAhead:
    """The parts of a file in the order in which they are asked for: while one is at work, the next is read."""

    def __init__(self, descriptor: int, parts: Sequence[Place]) -> None:
        """``parts`` have at most ``CHUNK`` bytes each; the descriptor stays the caller's."""
        self._descriptor = descriptor
        self._parts = parts

    def __iter__(self) -> Generator[memoryview]:
        """The bytes of each, good until the next one is asked for; fewer where the file ends before."""
        from concurrent.futures import ThreadPoolExecutor  # 4 ms, and only what copies needs it

        direct = _opened_direct(self._descriptor, os.O_RDONLY)
        views = (_aligned(CHUNK), _aligned(CHUNK))
        try:
            with ThreadPoolExecutor(max_workers=1) as reader:
                coming = [reader.submit(self._read, direct, views[0], self._parts[0])] if self._parts else []
                for number in range(len(self._parts)):
                    part = coming.pop().result()
                    if number + 1 < len(self._parts):
                        view = views[(number + 1) % 2]
                        coming.append(reader.submit(self._read, direct, view, self._parts[number + 1]))
                    yield part
        finally:
            if direct is not None:
                os.close(direct)

    def _read(self, direct: int | None, view: memoryview, part: Place) -> memoryview:
        at, length = part
        if direct is not None and at % _ALIGNED == 0:
            count = min(os.preadv(direct, [view[: -(-length // _ALIGNED) * _ALIGNED]], at), length)
        else:
            count = 0
        while count < length and (more := os.preadv(self._descriptor, [view[count:length]], at + count)):
            count += more
        return view[:count]


class DirectWriter:
    """Writes what begins where a page does, in memory and in the file; the last bytes of it, and all else, as usual.

    Whatever reads the file as usual sees it at once.
    """

    def __init__(self, descriptor: int, *, direct: bool = True) -> None:
        """The descriptor stays the caller's; without ``direct`` all is written as usual."""
        self._descriptor = descriptor
        self._direct = _opened_direct(descriptor, os.O_RDWR) if direct else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._give_up()

    def write(self, at: int, view: memoryview) -> None:
        """Write all of ``view``, which begins where a page does."""
        done = 0
        whole = len(view) // _ALIGNED * _ALIGNED if at % _ALIGNED == 0 else 0
        while self._direct is not None and done < whole:
            try:
                done += os.pwrite(self._direct, view[done:whole], at + done)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self._give_up()
        while done < len(view):
            done += os.pwrite(self._descriptor, view[done:], at + done)

    def _give_up(self) -> None:
        if self._direct is not None:
            os.close(self._direct)
            self._direct = None


def _aligned(size: int) -> memoryview:
    return memoryview(mmap.mmap(-1, size))  # which begins where a page does; it goes with the last piece of it


def _opened_direct(descriptor: int, access: int) -> int | None:
    """The same once more, past the cache; ``None`` where the kernel refuses that."""
    try:
        direct = os.open(f"/proc/self/fd/{descriptor}", access | os.O_DIRECT | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        with mmap.mmap(-1, _ALIGNED) as buffer:
            os.preadv(direct, [buffer], 0)  # some file systems take the flag, and refuse to read
    except OSError:
        os.close(direct)
        return None
    return direct
