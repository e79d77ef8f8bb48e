"""The way to the stick: the workers of this program take turns, so that none finds it locked by another."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from bootkit.app.verbs.removal import Removal, plan_farewell
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick, open_stick


@dataclass(kw_only=True)
class StickAccess:
    path: Path
    removed: Removal | None = None
    """The image that was removed last, as long as it can be taken back: until something else is written."""
    _turn: Lock = field(default_factory=Lock)

    @contextmanager
    def open(self, *, writing: bool = False, taking_back: bool = False) -> Generator[Stick]:
        """The stick, for one piece of work; only a worker thread may wait here.

        Raises:
            BootkitError: it is gone, or another program is writing to it.
        """
        with self._turn, open_stick(self.path, writing=writing) as opened:
            if writing and not taking_back:
                self._let_go(opened)
            yield opened

    def _let_go(self, stick: Stick) -> None:
        """Free the room of what nobody asks back any more."""
        if self.removed is not None:
            apply_changes(plan_farewell(stick.volume, self.removed), stick.volume)
            self.removed = None
