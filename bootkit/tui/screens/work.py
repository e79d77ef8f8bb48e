"""A piece of work in its own thread: what it is at, how long it will take, and the way to stop it."""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import RichLog, Static

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.tui.graph import bar, graph
from bootkit.tui.keys import key
from bootkit.tui.progress import Job
from bootkit.tui.screens.dialog import Dialog
from bootkit.tui.widgets.key_bar import KeyBar
from bootkit.values import dataclass

T = TypeVar("T")
_AT_ONCE = 0.25
"""Seconds of work that are not worth a dialogue."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    value: T


class WorkScreen(Dialog["Outcome[T] | BootkitError"], Generic[T]):
    """The screen of a piece of work; its answer is what that gives, or the error that ended it."""

    HELP_TEXT = tr(
        "Work goes on. Esc stops it at the next safe point: what is complete stays, nothing half-written is left."
    )
    BINDINGS: ClassVar[list[BindingType]] = [key("escape,c", "cancel", tr("Cancel"), display="Esc", twin="Ctrl+C")]

    def __init__(self, title: str, job: Callable[[Job], T]) -> None:
        super().__init__()
        self._heading = title
        self._job = job
        self._progress = Job()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._heading
            yield Static(id="line", markup=False)
            yield Static(id="bar", markup=False)
            yield Static(id="figures", markup=False)
            yield Static(id="total", markup=False)
            yield Static(id="graph", markup=False)
            yield RichLog(id="log", max_lines=1000, wrap=True, min_width=1)
            yield KeyBar()

    def on_mount(self) -> None:
        self.set_timer(_AT_ONCE, lambda: self.add_class("-shown"))
        self.set_interval(0.1, self._show)
        self.run_worker(self._run())

    def action_cancel(self) -> None:
        self._progress.cancel()
        self.query_one("#line", Static).update(tr("Stopping at the next safe point ..."))

    async def _run(self) -> None:
        try:
            outcome: Outcome[T] | BootkitError = Outcome(await asyncio.to_thread(self._job, self._progress))
        except BootkitError as error:
            outcome = error
        except OSError as error:
            # a stick that is pulled out shows up as errors of the system, wherever the work is just then
            outcome = gone(error)
        _ = self.dismiss(outcome)

    def _show(self) -> None:
        progress = self._progress
        if said := progress.told():
            self.query_one("#log", RichLog).write(said.rstrip("\n"))
        if progress.is_cancelled:
            return
        self.query_one("#line", Static).update(progress.line())
        self.query_one("#bar", Static).update(bar(progress.done, progress.size))
        self.query_one("#figures", Static).update(progress.figures())
        if progress.files > 1:
            lines = (progress.total_line(), bar(progress.total_done, progress.total), progress.total_figures())
            self.query_one("#total", Static).update("\n".join(lines))
        if progress.size:
            self.add_class("-copying")
            progress.measure()
            self.query_one("#graph", Static).update(graph(progress.speeds))


def gone(error: OSError) -> BootkitError:
    """An error of the system as one of ours."""
    message = f"{error.filename or tr('the stick')}: {error.strerror or error}"
    return BootkitError(message, hint=tr("Was it pulled out? Plug it in again and press r."))
