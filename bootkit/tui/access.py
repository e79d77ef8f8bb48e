"""The way to the stick: the workers of this program take turns, so that none finds it locked by another."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from bootkit.system.sticks import Stick, open_stick


@dataclass(frozen=True, kw_only=True)
class StickAccess:
    path: Path
    _turn: Lock = field(default_factory=Lock)

    @contextmanager
    def open(self, *, writing: bool = False) -> Generator[Stick]:
        """The stick, for one piece of work; only a worker thread may wait here.

        Raises:
            BootkitError: it is gone, or another program is writing to it.
        """
        with self._turn, open_stick(self.path, writing=writing) as opened:
            yield opened
