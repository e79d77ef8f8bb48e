"""What all screens of the program do alike: start work, show errors, open other screens."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from textual.app import App
from textual.screen import Screen

from bootkit.errors import BootkitError
from bootkit.tui.progress import Job
from bootkit.tui.screens.text import ErrorScreen
from bootkit.tui.screens.work import Outcome, WorkScreen, gone

R = TypeVar("R")
T = TypeVar("T")


class BaseScreen(Screen[R], Generic[R]):
    HELP_TEXT = ""
    """What F1 shows above the keys."""

    @property
    def program(self) -> App[None]:
        """The app, with its type."""
        return self.app  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    def show(self, screen: Screen[None]) -> None:
        """Lay a screen over this one that gives no answer."""
        _ = self.program.push_screen(screen)

    def ask(self, screen: Screen[T], then: Callable[[T | None], None]) -> None:
        """Lay a screen over this one; ``then`` gets its answer."""
        _ = self.program.push_screen(screen, then)

    def work(self, title: str, job: Callable[[Job], T], then: Callable[[T], None]) -> None:
        """Do ``job`` in a thread, with its progress shown; ``then`` gets what it gives, an error is shown instead."""

        def ended(outcome: Outcome[T] | BootkitError | None) -> None:
            if isinstance(outcome, BootkitError):
                self.failed()
                self.show(ErrorScreen(outcome))
            elif outcome is not None:
                then(outcome.value)

        self.ask(WorkScreen(title, job), ended)

    def in_background(
        self,
        group: str,
        job: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[BootkitError], None] | None = None,
    ) -> None:
        """Do ``job`` in a thread without a word; nobody waits for it any more when the next of its group begins."""

        async def run() -> None:
            try:
                outcome: Outcome[T] | BootkitError = Outcome(await asyncio.to_thread(job))
            except BootkitError as error:
                outcome = error
            except OSError as error:
                outcome = gone(error)
            if self not in self.program.screen_stack or not self.children:
                return  # left in the meantime, or taken apart because the program ends
            if isinstance(outcome, BootkitError):
                (failed or self._show_error)(outcome)
            else:
                then(outcome.value)

        self.run_worker(run(), group=group, exclusive=True)

    def failed(self) -> None:
        """Hook for the end of work by an error; a part of it may be done."""

    def complain(self, text: str) -> None:
        """Refuse what was just typed, in a sentence."""
        self.notify(text, severity="error", markup=False)

    def _show_error(self, error: BootkitError) -> None:
        self.show(ErrorScreen(error))
