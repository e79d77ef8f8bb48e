"""How far a long step is, in words: bytes, speed, time left. Counts in the worker thread, is read in the other."""

import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event

from bootkit.errors import Interrupted
from bootkit.i18n import spoken, tr
from bootkit.system.changes import Watcher
from bootkit.system.watcher import LINE_LIMIT, plain
from bootkit.units import format_size

_KEPT = 4000
"""Lines that the console shows at most: a machine may talk for ever."""
_GRAPHED = 200
_MEASURE = 0.5
"""Seconds for which one speed is measured."""
_LINE_ENDS = re.compile(r"[\r\n]+")
_MOVES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[A-HJdf]|[DEM])")
"""The cursor goes elsewhere, or the screen is cleared: what comes then does not belong to the line before."""


@dataclass(kw_only=True)
class Job:
    """One piece of work that can be cancelled: the worker asks at every step, and ends with :class:`Interrupted`."""

    clock: Callable[[], float] = time.monotonic
    phase: str = tr("working")
    path: str = ""
    size: int = 0
    done: int = 0
    files: int = 0
    """All that are to be copied; 0 where nobody counts."""
    total: int = 0
    """Bytes of all of them: each is written once, and read once for the check."""
    speeds: deque[float] = field(default_factory=lambda: deque[float](maxlen=_GRAPHED))
    """Bytes a second, one for each half second that has passed."""
    _before: int = 0
    """Bytes of the steps that are complete."""
    _begun: int = 0
    _started: float = 0.0
    _all_started: float = 0.0
    _measured: tuple[float, int] = (0.0, 0)
    """When the speed was measured last, and the bytes moved until then."""
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
            raise Interrupted(tr("cancelled"), hint=tr("What was complete stays; nothing half-written is left."))

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

    def expect(self, sizes: Sequence[int]) -> None:
        """Files of these sizes are to be copied now, one after the other."""
        self.files, self.total = len(sizes), 2 * sum(sizes)
        self._before = self._begun = self.size = self.done = 0
        self._all_started = self.clock()

    def measure(self) -> None:
        """Note the speed, if it is time to; whoever looks at the figures now and then calls this."""
        now, moved = self.clock(), self._moved
        since, before = self._measured
        if now - since >= _MEASURE:
            if since and moved >= before:
                self.speeds.append((moved - before) / (now - since))
            self._measured = now, moved

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
        return f"{spoken(self.phase)} {self.path.rpartition('/')[2]}".strip()

    def figures(self) -> str:
        """``1.2 GiB of 3.0 GiB   85.0 MiB/s   0:21 left``; empty while nobody knows."""
        if not self.size:
            return ""
        return _figures(self.done, self.size, self.clock() - self._started)

    def total_line(self) -> str:
        """``file 2 of 3``; empty where nobody counts or there is only one."""
        return tr("file {begun} of {files}", begun=max(self._begun, 1), files=self.files) if self.files > 1 else ""

    def total_figures(self) -> str:
        """As :meth:`figures`, of all files."""
        return _figures(self.total_done, self.total, self.clock() - self._all_started) if self.files > 1 else ""

    @property
    def total_done(self) -> int:
        return min(self._moved, self.total)

    @property
    def _moved(self) -> int:
        return self._before + self.done

    def _begin(self, phase: str, path: str, size: int) -> None:
        self.check()
        self._begun += phase == "copying"
        self._begin_at(phase, path, size)

    def _begin_at(self, phase: str, path: str, size: int) -> None:
        self._before += self.size
        self.phase, self.path, self.size, self.done = phase, path, size, 0
        self._started = self.clock()
        self._said.append(f"{spoken(phase)} {path}".strip() + "\n")

    def _progress(self, done: int) -> None:
        self.check()
        self.done = done


def _figures(done: int, size: int, seconds: float) -> str:
    words = tr("{done} of {size}", done=format_size(done), size=format_size(size))
    if not done or seconds <= 0:
        return words
    speed = done / seconds
    left = int((size - done) / speed)
    time_left = tr("{time} left", time=f"{left // 60}:{left % 60:02}")
    return f"{words}   {format_size(int(speed))}/s   {time_left}"
