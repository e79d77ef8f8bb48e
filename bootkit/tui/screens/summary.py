"""What would be done to a disk, all of it, and the word that confirms it: the second step of making, renewing, giving back."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from bootkit.app.verbs.confirm import accepts, needs_confirmation
from bootkit.i18n import spoken, tr
from bootkit.model.prepare import PreparePlan
from bootkit.plan.describe import describe
from bootkit.system.apply import apply_plan
from bootkit.tui.keys import HELP, key
from bootkit.tui.progress import Job
from bootkit.tui.screens.base import BaseScreen
from bootkit.tui.widgets.key_bar import KeyBar
from bootkit.units import format_size


class SummaryScreen(BaseScreen[str]):
    """The screen that shows and carries out a plan; its answer is the target when that is done."""

    HELP_TEXT = tr("""\
What would be done, step by step. Nothing has been written yet. If something would be lost, type the name that is asked for;
Ctrl+S then writes. Cancelling afterwards leaves a disk that does not start; making the stick once more mends it. A new file
is gone again.""")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+s", "write", tr("Write it"), display="^s", twin="bootkit prepare"),
        key("escape", "leave", tr("Back"), display="Esc"),
        HELP,
    ]

    def __init__(self, plan: PreparePlan, heading: str) -> None:
        super().__init__()
        self._plan = plan
        self._heading = heading
        self._words = tr(" or ").join(plan.target.confirm[:2])

    def compose(self) -> ComposeResult:
        heading = Content.assemble((self._heading, "bold $primary"), "  " + tr("what would be done"))
        yield Static(heading, classes="heading")
        with VerticalScroll(id="plan"):
            yield Static(_summary(self._plan), id="text")
        if needs_confirmation(self._plan):
            yield Static(
                tr("Everything on it will be lost. Type {words} to go on:", words=self._words), id="loss", markup=False
            )
            yield Input(id="word", compact=True)
        else:
            is_new = not Path(self._plan.target.path).exists()
            why = tr("Nothing is lost: the file is new.") if is_new else tr("Nothing is lost: what is yours stays.")
            yield Static(f"{why} {tr('Ctrl+S writes it.')}", id="help", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        for field in self.query(Input):
            field.focus()

    @on(Input.Submitted)
    def action_write(self) -> None:
        if needs_confirmation(self._plan) and not accepts(self._plan, self.query_one("#word", Input).value):
            self.complain(tr("That is not {words}. Nothing was written.", words=self._words))
            return
        self.work(f"{self._heading}: {self._plan.target.path}", self._apply, self._applied)

    def action_leave(self) -> None:
        _ = self.dismiss("")

    def _apply(self, progress: Job) -> str:
        apply_plan(self._plan, told=lambda step: progress.say(describe(step)), moved=progress.moved)
        return self._plan.target.path

    def _applied(self, path: str) -> None:
        words = [tr("{path} is ready and was read back.", path=path)]
        words += [tr("It is safe to remove.")] if self._plan.target.is_device else []
        self.program.notify(" ".join(words), markup=False)
        _ = self.dismiss(path)


def _summary(plan: PreparePlan) -> Content:
    target = plan.target
    title = f" ({target.title})" if target.title else ""
    lines = [Content.styled(f"{plan.action} {target.path}{title}, {format_size(target.size)}", "bold")]
    if name := target.identity.by_id or target.identity.serial:
        lines.append(Content(tr("identity: {name}", name=name)))
    if target.twins:
        twins = ", ".join(target.twins)
        lines.append(Content.styled(tr("{twins} has the same serial number: look twice", twins=twins), "bold $warning"))
    for clause in target.contents:
        lost = Content.styled(tr("will be lost: {clause}", clause=clause), "bold $error")
        lines.append(lost if plan.destroys_data else Content(f"{tr('stays')}: {clause}"))
    lines += [Content(spoken(note)) for note in plan.notes]
    lines += [Content.styled(tr("warning: {warning}", warning=warning), "$warning") for warning in plan.warnings]
    steps = [Content(f"{number:3}. {describe(step)}") for number, step in enumerate(plan.steps, 1)]
    return Content("\n").join([*lines, Content(""), *steps])
