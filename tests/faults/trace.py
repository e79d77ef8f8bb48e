"""What a command writes to an image file, recorded and replayed in part.

Every write of this project goes through :func:`os.pwrite`; that nothing else changes the image is part of the check: the whole
trace over the image as it was gives the image as it is.
"""

import os
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pytest

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Write:
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Sync:
    """All writes before it are on the medium."""


@dataclass(slots=True)
class Trace:
    events: list[Write | Sync] = field(default_factory=list[Write | Sync])

    @property
    def writes(self) -> int:
        return sum(isinstance(event, Write) for event in self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A state in which an interruption can leave the medium."""

    kind: str
    """K: killed, the first writes are there. P: power cut, what was not synchronised is there by chance. T: the same, and the
    last write is there in part."""
    number: int
    """Of the first write that was not begun."""
    seed: int = 0

    def writes(self, trace: Trace) -> Iterator[Write]:
        begun, synced = _until(trace, self.number)
        chance = random.Random(self.seed)
        for number, write in enumerate(begun):
            if self.kind == "T" and number == len(begun) - 1:
                cut = chance.randrange(0, len(write.data) + 1, SECTOR)
                yield Write(write.offset, write.data[:cut])
            elif self.kind == "K" or number < synced or chance.random() < 0.5:
                yield write


def points(trace: Trace, *, each: int) -> tuple[Point, ...]:
    """At most ``each`` points of a kind, spread over the whole trace."""
    count = trace.writes
    numbers = (
        sorted({round(step * count / each) for step in range(each + 1)} | {count}) if count > each else range(count + 1)
    )
    return tuple(
        Point(kind=kind, number=number, seed=number * 7 + 1)
        for kind in ("K", "P", "T")
        for number in numbers
        if number or kind == "K"
    )


def apply(writes: Iterator[Write], image: Path) -> None:
    with image.open("r+b", buffering=0) as fh:
        for write in writes:
            os.pwrite(fh.fileno(), write.data, write.offset)


@contextmanager
def recorded(image: Path) -> Generator[Trace]:
    """What is written to ``image`` in the block, by this process."""
    trace = Trace()
    wanted = image.stat()

    def is_it(descriptor: int) -> bool:
        status = os.fstat(descriptor)
        return (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino)

    def synced(real: Callable[[int], None]) -> Callable[[int | BinaryIO], None]:
        def called(file: int | BinaryIO) -> None:
            descriptor = file if isinstance(file, int) else file.fileno()
            real(descriptor)
            if is_it(descriptor):
                trace.events.append(Sync())

        return called

    pwrite = os.pwrite

    def written(descriptor: int, data: bytes | memoryview, offset: int) -> int:
        done = pwrite(descriptor, data, offset)
        if is_it(descriptor):
            trace.events.append(Write(offset, bytes(data[:done])))
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pwrite", written)
        patch.setattr(os, "fsync", synced(os.fsync))
        patch.setattr(os, "fdatasync", synced(os.fdatasync))
        yield trace


def _until(trace: Trace, number: int) -> tuple[Sequence[Write], int]:
    """The first ``number`` writes, and how many of them were synchronised."""
    begun: list[Write] = []
    synced = 0
    for event in trace.events:
        if isinstance(event, Sync):
            synced = len(begun)
        elif len(begun) == number:
            break
        else:
            begun.append(event)
    return begun, synced
