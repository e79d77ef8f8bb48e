"""The options of the stick, of a boot stack or of an image, with what follows from them beside."""

import difflib
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widgets import Static

from bootkit.app.menu.overlays import overlay_text
from bootkit.app.verbs.generate import Generation
from bootkit.app.verbs.options import list_options, password_digest, preview, with_changes
from bootkit.app.verbs.overview import Overview, known_values
from bootkit.errors import BootkitError
from bootkit.i18n import spoken, tr
from bootkit.model.catalog import ImageItem
from bootkit.model.options import Choices, Kind, Place, Scope, Value
from bootkit.model.places import MENU, STICK_FILE
from bootkit.model.plan import WriteFile
from bootkit.plan.changes import describe_change
from bootkit.plan.edit_settings import Change
from bootkit.system.volume import read_file
from bootkit.tui import jobs
from bootkit.tui.access import StickAccess
from bootkit.tui.keys import key
from bootkit.tui.progress import Job
from bootkit.tui.screens.ask import AskScreen, PickScreen
from bootkit.tui.screens.base import BaseScreen
from bootkit.tui.screens.text import TextScreen
from bootkit.tui.widgets.key_bar import KeyBar
from bootkit.tui.widgets.option_row import OptionRow
from bootkit.tui.widgets.preview import Preview, PreviewPart, entries_text
from bootkit.units import format_size

_SHOWN = 20
"""Images in the preview of options that count for many."""
_QUIET = 0.4
"""Seconds without a key after which the plan is made: it reads the stick."""
_TEXTS = (STICK_FILE, MENU)
"""What the plan shows line by line."""


class OptionsScreen(BaseScreen[bool]):
    """The screen of options; it answers whether something was written to the stick."""

    HELP_TEXT = tr("""\
Each line is an option: its value, and where that comes from. An empty field takes the value of the wider scope: an image
that of its kind of system, that the stick's, that your own configuration's. What is grey has no effect on this image; the line
below the form tells why. A star marks what is not written yet.

Space goes through the values of a switch, Tab and the arrows through the fields. What is typed is completed where there is
a list: the right arrow takes the completion, F2 shows the whole list.

Ctrl+S writes stick.toml, whose comments stay, and the menu. Ctrl+L shows beforehand what would be written.""")

    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+s", "save", tr("Write"), display="^s", twin="bootkit options set"),
        key("ctrl+l", "plan", tr("Plan"), display="^l", twin="bootkit options set --dry-run"),
        key("f2", "choose", tr("Values"), display="F2"),
        key("ctrl+n", "password", tr("Password"), display="^n", twin="bootkit options set password"),
        key("escape", "leave", tr("Back"), display="Esc"),
    ]

    def __init__(self, access: StickAccess, overview: Overview, place: Place, item: ImageItem | None) -> None:
        super().__init__()
        self._access = access
        self._overview = overview
        self._place = place
        self._item = item
        self._edits: dict[str, Value | None] = {}
        self._wrong: dict[str, str] = {}
        self._leaving = False
        self._soon: Timer | None = None
        self._steps = tr("nothing: no choice was changed")

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was edited and differs from what the stick has."""
        kept = self._overview.choices.values.get(self._place, {})
        return tuple(
            Change(key=key, value=value, place=self._place)
            for key, value in self._edits.items()
            if value != kept.get(key)
        )

    def compose(self) -> ComposeResult:
        overview, place, item = self._overview, self._place, self._item
        wider = Choices(values={at: kept for at, kept in overview.choices.values.items() if at != place})
        own = overview.choices.values.get(place, {})
        yield Static(self._heading(), classes="heading")
        with Container(id="panes"):
            with VerticalScroll(id="form", can_focus=False):
                for listed in list_options(wider, place, item):
                    offered = known_values(listed.spec, overview, item)
                    yield OptionRow(listed, own.get(listed.spec.key), listed.value, scope=place.scope, offered=offered)
            yield Preview(id="preview")
        yield Static(id="help", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        self._show_preview()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - textual's
        """Whether an action can be taken now: the password is the stick's, a list there is for some options."""
        row = self._row()
        if action == "password":
            return row is not None and row.spec.kind is Kind.PASSWORD
        if action == "choose":
            return row is not None and bool(row.known)
        return True

    @on(OptionRow.Edited)
    def note(self, event: OptionRow.Edited) -> None:
        key = event.spec.key
        self._leaving = False
        if event.problem:
            self._wrong[key] = f"{spoken(event.spec.title)} {spoken(event.problem)}"
        else:
            self._wrong.pop(key, None)
            self._edits[key] = event.value
        self._show_help()
        self._show_preview()
        self._plan_soon()

    def on_descendant_focus(self, _event: DescendantFocus) -> None:
        self._show_help()
        self.refresh_bindings()

    def action_save(self) -> None:
        if self._wrong:
            self.complain(tr("Not written: {next}", next=next(iter(self._wrong.values()))))
        elif not self.changes:
            self.notify(tr("Nothing was changed."))
        else:
            changes = self.changes
            self.work(
                tr("Writing the choices"),
                lambda progress: jobs.write_choices(self._access, changes, progress),
                self._written,
            )

    def action_plan(self) -> None:
        changes = self.changes

        def look(_progress: Job) -> Content:
            generation = jobs.plan_choices(self._access, changes)
            with self._access.open() as stick:
                before = {path: read_file(stick.volume, path, 64 << 20) or b"" for path in _TEXTS}
            return _plan_text(generation, before)

        self.work(
            tr("Looking what would be written"), look, lambda text: self.show(TextScreen(tr("Would be written"), text))
        )

    def action_choose(self) -> None:
        if row := self._row():
            self.ask(PickScreen(spoken(row.spec.title), row.known), lambda value: row.take(value) if value else None)

    def action_password(self) -> None:
        text = tr("The menu will ask for it, of the user 'owner'. Only its PBKDF2 digest is kept.")
        self.ask(AskScreen(tr("Menu password"), text, hidden=True, twice=True), self._password_typed)

    def action_leave(self) -> None:
        if (self.changes or self._wrong) and not self._leaving:
            self._leaving = True
            self.notify(tr("Not written yet: Ctrl+S writes, Esc once more leaves it."), severity="warning")
            return
        _ = self.dismiss(result=False)

    def _row(self) -> OptionRow | None:
        above = self.focused.ancestors_with_self if self.focused else ()
        return next((widget for widget in above if isinstance(widget, OptionRow)), None)

    def _show_help(self) -> None:
        if row := self._row():
            self.query_one("#help", Static).update(row.text)

    def _written(self, generation: Generation) -> None:
        for warning in generation.plan.warnings:
            self.program.notify(spoken(warning), severity="warning", markup=False)
        self.program.notify(tr("Written: stick.toml and the menu."))
        _ = self.dismiss(result=True)

    def _password_typed(self, typed: str | None) -> None:
        if typed:
            row = self.query_one("#row-password", OptionRow)
            self.in_background("password", lambda: password_digest(typed), row.take)

    def _heading(self) -> Content:
        match self._place.scope:
            case Scope.IMAGE if self._item is not None:
                of, rest = self._item.title, f"  {self._item.name}, {format_size(self._item.size)}"
            case Scope.STACK:
                of, rest = self._place.name, "  " + tr("all images that boot by it")
            case _:
                of, rest = tr("the stick"), f"  {self._overview.where}"
        return Content.assemble((tr("Options of") + " ", "bold"), (of, "bold $primary"), rest)

    def _plan_soon(self) -> None:
        """Make the plan when nothing is typed any more."""
        if self._soon is not None:
            self._soon.stop()
        self._steps = "..."
        self._soon = self.set_timer(_QUIET, self._plan_now)

    def _plan_now(self) -> None:
        changes = self.changes
        self.in_background(
            "plan",
            lambda: jobs.plan_choices(self._access, changes) if changes else None,
            self._show_steps,
            lambda error: self._show_problem(f"{spoken(error.message)}\n{spoken(error.hint)}"),
        )

    def _show_steps(self, generation: Generation | None) -> None:
        steps = [] if generation is None else [spoken(describe_change(step)) for step in generation.plan.steps]
        warnings = (
            []
            if generation is None
            else [tr("warning: {warning}", warning=warning) for warning in generation.plan.warnings]
        )
        self._show_problem("\n".join([*steps, *warnings]) or tr("nothing: no choice was changed"))

    def _show_problem(self, text: str) -> None:
        self._steps = text
        self._show_preview()

    def _show_preview(self) -> None:
        choices = with_changes(self._overview.choices, self.changes)
        parts = [*self._menu_parts(choices), PreviewPart(tr("Would be written"), self._steps)]
        self.query_one(Preview).show(tr("What follows from it"), parts)

    def _menu_parts(self, choices: Choices) -> list[PreviewPart]:
        if self._item is None:
            meant = [item for item in self._overview.items if self._is_meant(item)]
            parts = [self._menu_part(item, choices) for item in meant[:_SHOWN]]
            return parts or [PreviewPart("", tr("There is no image on the stick that it would count for."))]
        try:
            overlay = overlay_text(self._item, choices, self._overview.uuid)
        except BootkitError as error:
            overlay = spoken(error.message)
        name = choices.text("alias", image=self._item.path) or self._item.title
        entries = entries_text(preview(self._item, choices)) or spoken(self._item.problem)
        parts = [PreviewPart(tr("In the menu: {name}", name=name), entries)]
        return [*parts, PreviewPart(tr("Loaded behind its initrd"), overlay)] if overlay else parts

    def _menu_part(self, item: ImageItem, choices: Choices) -> PreviewPart:
        name = choices.text("alias", image=item.path) or item.title
        return PreviewPart(name, entries_text(preview(item, choices)[:1]))

    def _is_meant(self, item: ImageItem) -> bool:
        if item.detection is None:
            return False
        return self._place.scope is Scope.STICK or item.detection.stack == self._place.name


def _plan_text(generation: Generation, before: dict[str, bytes]) -> Content:
    """What becomes of the choices line by line, the steps, and then what becomes of the other texts among them."""
    steps = generation.plan.steps
    lines = [
        Content.styled(tr("warning: {warning}", warning=warning), "$warning") for warning in generation.plan.warnings
    ]
    texts = {step.path: step for step in steps if isinstance(step, WriteFile) and step.path in _TEXTS}
    if choices := texts.pop(STICK_FILE, None):
        lines += [*_changed_lines(choices, before), Content("")]
    lines += [Content(spoken(describe_change(step))) for step in steps] or [Content(tr("nothing to do"))]
    for step in texts.values():
        lines += [Content(""), *_changed_lines(step, before)]
    return Content("\n").join(lines)


def _changed_lines(step: WriteFile, before: dict[str, bytes]) -> list[Content]:
    old = before[step.path].decode(errors="replace").splitlines()
    new = step.content.decode(errors="replace").splitlines()
    changed = difflib.unified_diff(old, new, step.path, tr("after it"), n=1, lineterm="")
    return [Content.styled(line, _style(line)) for line in changed]


def _style(line: str) -> str:
    return "bold" if line.startswith(("---", "+++")) else "$primary" if line.startswith("+") else ""
