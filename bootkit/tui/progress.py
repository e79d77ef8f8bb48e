"""How far a long step is, in words: bytes, speed, time left. Counts in the worker thread, is read in the other."""

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from bootkit.errors import Interrupted
from bootkit.system.changes import Watcher
from bootkit.system.watcher import LINE_LIMIT, plain
from bootkit.units import format_size

_KEPT = 4000
"""Lines that the console shows at most: a machine may talk for ever."""
_LINE_ENDS = re.compile(r"[\r\n]+")
_MOVES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[A-HJdf]|[DEM])")
"""The cursor goes elsewhere, or the screen is cleared: what comes then does not belong to the line before."""


@dataclass(kw_only=True)
class Job:
    """One piece of work that can be cancelled: the worker asks at every step, and ends with :class:`Interrupted`."""

    clock: Callable[[], float] = time.monotonic
    phase: str = "working"
    path: str = ""
    size: int = 0
    done: int = 0
    _started: float = 0.0
    _cancelled: Event = field(default_factory=Event)
    _open: str = ""
    """The line that has not ended yet."""
    _heard: str = ""
    _said: deque[str] = field(default_factory=lambda: deque[str](maxlen=_KEPT))

    def cancel(self) -> None:
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    def check(self) -> None:
        """Go on only if the user has not cancelled.

        Raises:
            Interrupted: the user has.
        """
        if self._cancelled.is_set():
            raise Interrupted("cancelled", hint="What was complete stays; nothing half-written is left.")

    def say(self, phase: str) -> None:
        """Another step, of which nobody knows how long it takes."""
        self.check()
        self._begin_at(phase.strip(), "", 0)

    def hear(self, text: str) -> None:
        """What a machine says on its console, escape sequences and all; nothing at all means that it is quiet just now."""
        self.check()
        *lines, self._open = _LINE_ENDS.split(_MOVES.sub("\n", self._open + text))
        if not text or len(self._open) > LINE_LIMIT:
            lines.append(self._open)  # a prompt, or half a line of somebody slow
            self._open = ""
        for line in map(plain, lines):
            if line and line != self._heard:  # GRUB writes its countdown again and again
                self._said.append(f"{line}\n")
                self._heard = line

    def moved(self, done: int, size: int) -> None:
        """Bytes done of the step that was told last, and the bytes there are."""
        self.check()
        if size != self.size or done < self.done:
            self._started = self.clock()
        self.size, self.done = size, done

    def watcher(self) -> Watcher:
        return Watcher(begin=self._begin, progress=self._progress)

    def told(self) -> str:
        """What was said since this was asked last, for a log."""
        parts: list[str] = []
        while self._said:
            parts.append(self._said.popleft())
        return "".join(parts)

    def line(self) -> str:
        """``copying x.iso``."""
        return f"{self.phase} {self.path.rpartition('/')[2]}".strip()

    def figures(self) -> str:
        """``1.2 GiB of 3.0 GiB   85.0 MiB/s   0:21 left``; empty while nobody knows."""
        if not self.size:
            return ""
        words = f"{format_size(self.done)} of {format_size(self.size)}"
        seconds = self.clock() - self._started
        if not self.done or seconds <= 0:
            return words
        speed = self.done / seconds
        left = int((self.size - self.done) / speed)
        return f"{words}   {format_size(int(speed))}/s   {left // 60}:{left % 60:02} left"

    def _begin(self, phase: str, path: str, size: int) -> None:
        self.check()
        self._begin_at(phase, path, size)

    def _begin_at(self, phase: str, path: str, size: int) -> None:
        self.phase, self.path, self.size, self.done = phase, path, size, 0
        self._started = self.clock()
        self._said.append(f"{phase} {path}".strip() + "\n")

    def _progress(self, done: int) -> None:
        self.check()
        self.done = done
