"""A section of things that lie on the stick, as a table: homes, extensions, AppImages, kept changes, answer files."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import DataTable, Static

from bootkit.i18n import tr
from bootkit.system.sticks import Stick
from bootkit.tui.access import StickAccess
from bootkit.tui.keys import key
from bootkit.tui.progress import Job
from bootkit.tui.screens.ask import AskScreen, ConfirmScreen
from bootkit.tui.screens.form import Filled, FormField, FormScreen
from bootkit.tui.screens.section import SectionScreen
from bootkit.tui.screens.text import ErrorScreen
from bootkit.tui.widgets.key_bar import KeyBar
from bootkit.tui.widgets.section_bar import SectionBar
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing. Two of a section never have the same ``name``, which the use cases take."""

    name: str
    cells: tuple[str, ...]
    about: str = ""
    """What stands below the table when it is marked."""


class Things(DataTable[Text]):
    HELP_TEXT = tr("Each line is one of the things; the letters below act on the marked one.")

    def on_mount(self) -> None:
        self.cursor_type = "row"


class CollectionScreen(SectionScreen[str]):
    """One section; its answer is the digit of the section to go to."""

    WHAT: ClassVar[str] = ""
    """What they are, in a line."""
    COLUMNS: ClassVar[tuple[str, ...]] = ()
    OF_ONE: ClassVar[frozenset[str]] = frozenset({"remove"})
    """Actions for which one must be marked."""
    EMPTY: ClassVar[str] = ""
    """Said where there is none: what they are for, and the key that brings one."""
    BINDINGS: ClassVar[list[BindingType]] = [
        key("r", "refresh", tr("Read again"), shown=False, twin="bootkit list"),
        key("escape,q", "leave", tr("Back"), display="Esc"),
    ]

    def __init__(self, access: StickAccess) -> None:
        super().__init__()
        self.access = access
        self.rows: tuple[Row, ...] = ()

    def read(self, stick: Stick) -> Sequence[Row]:
        """What is on the stick; called in a worker thread."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield SectionBar(self.SECTION)
        yield Static(Content.styled(self.WHAT, "bold $primary"), classes="heading")
        yield Things(id="things")
        yield Static(id="about", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        table = self.query_one(Things)
        table.add_columns(*self.COLUMNS)
        table.focus()
        self.action_refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - textual's
        """Whether an action can be taken now."""
        return action not in self.OF_ONE or bool(self.rows)

    def go_to(self, digit: str) -> None:
        _ = self.dismiss(digit)

    def action_leave(self) -> None:
        _ = self.dismiss("1")

    def action_refresh(self) -> None:
        def look() -> tuple[Row, ...]:
            with self.access.open() as stick:
                return tuple(self.read(stick))

        self.in_background("read", look, self._show, lambda error: self.show(ErrorScreen(error)))

    @property
    def marked(self) -> Row | None:
        at = self.query_one(Things).cursor_row
        return self.rows[at] if 0 <= at < len(self.rows) else None

    @on(DataTable.RowHighlighted)
    def tell(self) -> None:
        words = row.about if (row := self.marked) else self.EMPTY
        self.query_one("#about", Static).update(words)

    def change(self, title: str, job: Callable[[Stick, Job], object], said: str) -> None:
        """Let ``job`` write to the stick, say so when it is done, and read the stick again."""

        def run(progress: Job) -> None:
            with self.access.open(writing=True) as stick:
                _ = job(stick, progress)

        self.work(title, run, lambda _: self.done(said))

    def fill(self, title: str, text: str, fields: Sequence[FormField], job: Callable[[Filled, Job], str]) -> None:
        """Let the user fill a form for ``job``, say what it says when it is done, and read the stick again."""
        self.ask(FormScreen(title, text, fields, job), lambda said: self.done(said) if said is not None else None)

    def done(self, said: str) -> None:
        self.notify(said, markup=False)
        self.action_refresh()

    def confirmed(self, title: str, text: str, then: Callable[[], None]) -> None:
        """Go on if the user says so."""
        self.ask(ConfirmScreen(title, text), lambda yes: then() if yes else None)

    def named(self, title: str, text: str, name: str, then: Callable[[], None]) -> None:
        """Go on if the user types the name: what is lost comes from nowhere else."""

        def typed(word: str | None) -> None:
            if word == name:
                then()
            elif word:
                self.complain(tr("That is not {name}. Nothing was removed.", name=name))

        self.ask(
            AskScreen(title, tr("{text}\nIt cannot be undone. Type the name to go on: {name}", text=text, name=name)),
            typed,
        )

    def failed(self) -> None:
        self.action_refresh()

    def _show(self, rows: tuple[Row, ...]) -> None:
        table = self.query_one(Things)
        at = table.cursor_row
        self.rows = rows
        table.clear()
        for row in rows:
            table.add_row(*(Text(cell, no_wrap=True) for cell in row.cells), key=row.name)
        table.move_cursor(row=min(at, len(rows) - 1))
        self.set_class(not rows, "-empty")
        self.refresh_bindings()
        self.tell()
