"""How far a long step is, on stderr: of one file, and of all that are to be copied."""

import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from bootkit.cli import output
from bootkit.i18n import spoken, tr
from bootkit.model.plan import CopyImage
from bootkit.plain import one_line
from bootkit.system.changes import Watcher
from bootkit.units import format_size

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


class Work(NamedTuple):
    """All that is to be done."""

    files: int = 0
    size: int = 0
    """Bytes to move: each one is written once, and read once for the check. 0 where nobody knows."""


def work_of(steps: Iterable[CopyImage]) -> Work:
    sizes = [step.size if step.arrived else 2 * step.size for step in steps]
    return Work(len(sizes), sum(sizes))


@contextmanager
def watching(work: Work = Work()) -> Generator[Watcher]:  # noqa: B008 - a tuple
    """Progress: moving lines with bytes, speed and time left on a terminal, one plain line a phase elsewhere."""
    if sys.stderr.isatty():
        with _bars(work) as watcher:
            yield watcher
        return
    files = _Files(work.files)

    def begin(phase: str, path: str, size: int) -> None:
        place = files.place(phase)
        output.say(f"{spoken(phase)} {path} ({format_size(size)}){place and f', {place}'}")

    yield Watcher(begin=begin)


class _Files:
    """Counts the files that were begun."""

    def __init__(self, named: int) -> None:
        self._named = named
        self._begun = 0

    def place(self, phase: str) -> str:
        """``2 of 5``; empty where there is only one."""
        self._begun += phase == "copying"
        return tr("{done} of {size}", done=self._begun, size=self._named) if self._named > 1 else ""


def _speed_column() -> "ProgressColumn":
    """Bytes in a second in the units of all other sizes; rich's own column counts in thousands."""
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class SpeedColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{format_size(int(speed))}/s" if speed else "?", style="progress.data.speed")

    return SpeedColumn()


@contextmanager
def _bars(work: Work) -> Generator[Watcher]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    columns = (
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=12),
        DownloadColumn(binary_units=True),
        _speed_column(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=Console(stderr=True, highlight=False), transient=True, expand=True, speed_estimate_period=60
    ) as bars:
        one = bars.add_task("", visible=False)
        words = tr("all {files} files", files=work.files) if work.files > 1 else tr("copying and checking")
        total = bars.add_task(words, total=work.size, visible=work.size > 0)
        files = _Files(work.files)
        before = 0
        size = 0

        def begin(phase: str, path: str, length: int) -> None:
            nonlocal before, size
            before, size = before + size, length
            place = files.place(phase)
            # the name last: it may be long, and is cut there
            line = one_line(f"{spoken(phase)} {place and f'{place}: '}{path.rpartition('/')[2]}")
            bars.reset(one, description=line, total=length, visible=True)

        def progress(done: int) -> None:
            bars.update(one, completed=done)
            bars.update(total, completed=before + done)

        yield Watcher(begin=begin, progress=progress, end=lambda: bars.update(one, visible=False))
