"""Work that can be counted: the same on a busy machine as on an idle one, where seconds are not."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from types import FrameType

PATIENCE = 120.0
"""Seconds until a test gives up what hangs; what is only slow, because others compute as well, is waited for."""


def wait_until(reached: Callable[[], bool]) -> None:
    """Return when something has come about that another process or thread does."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass(slots=True)
class Work:
    calls: int = 0
    """Of functions, those of C among them."""


@contextmanager
def counted() -> Generator[Work]:
    """What this thread does in the block."""
    work = Work()

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            work.calls += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield work
    finally:
        sys.setprofile(before)


class CountedBytes(BytesIO):
    """A file in memory that knows how much was read of it, the same bytes twice if they were read twice."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads = 0
        self.bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.reads += 1
        self.bytes_read += len(data)
        return data
