"""The main screen: what is on the stick, and what can be done with it."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import DataTable, Input, Static

from bootkit.app.stick.homes import home_that_counts
from bootkit.app.verbs.explain import explain_item
from bootkit.app.verbs.generate import Generation
from bootkit.app.verbs.options import preview
from bootkit.app.verbs.overview import Overview, brought
from bootkit.app.verbs.verify import Verified
from bootkit.errors import BootkitError
from bootkit.i18n import spoken, tr, trn
from bootkit.model.catalog import ImageItem
from bootkit.model.options import STICK, Place, image_place, stack_place
from bootkit.render.check import advice
from bootkit.tui import jobs
from bootkit.tui.access import StickAccess
from bootkit.tui.incoming import IMAGES
from bootkit.tui.keys import key
from bootkit.tui.reports import TAKEN_BACK, boots_text, logs_text, verified_text
from bootkit.tui.screens.add import AddScreen
from bootkit.tui.screens.answers import AnswersScreen
from bootkit.tui.screens.apps import AppsScreen
from bootkit.tui.screens.ask import ConfirmScreen
from bootkit.tui.screens.care import CareScreen
from bootkit.tui.screens.disks import DisksScreen
from bootkit.tui.screens.extensions import ExtensionsScreen
from bootkit.tui.screens.homes import HomesScreen
from bootkit.tui.screens.options import OptionsScreen
from bootkit.tui.screens.persistence import KeptScreen
from bootkit.tui.screens.section import SectionScreen
from bootkit.tui.screens.text import ErrorScreen, TextScreen
from bootkit.tui.widgets.image_table import ImageTable
from bootkit.tui.widgets.key_bar import KeyBar
from bootkit.tui.widgets.preview import Preview, PreviewPart, entries_text
from bootkit.tui.widgets.section_bar import SectionBar
from bootkit.units import format_size

if TYPE_CHECKING:
    from bootkit.app.verbs.test import BootedEntry


_OTHERS = {
    screen.SECTION: screen
    for screen in (HomesScreen, ExtensionsScreen, AppsScreen, KeptScreen, AnswersScreen, DisksScreen, CareScreen)
}
_NARROW = 30
"""Columns of a pane that has no place on the screen yet."""
_OF_AN_IMAGE = frozenset({"remove", "test", "verify", "explain", "stack_options"})
_FIRST_STEPS = tr("""\
1. a adds images: ISO files of this computer, as many as you like.
2. t boots the marked one in a virtual machine, so that you see that it works.
3. q leaves. Start a computer from the stick: most ask for F12 or F8 when they start.""")


class StickScreen(SectionScreen[None]):
    HELP_TEXT = tr("""\
The stick: its images, and for the one under the cursor what the menu will have. Letters start what can be done with it;
/ finds an image by any part of its name, Ctrl+P by a list of everything. The digits go to what else is on the stick: homes,
extensions, apps, changes, answer files, disks, and to what can be done with the stick as a whole.""")

    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "add", tr("Add"), twin="bootkit add"),
        key("delete", "remove", tr("Remove"), display="Del", twin="bootkit remove"),
        key("u", "undo", tr("Undo"), twin="bootkit add"),
        key("t", "test", tr("Test"), twin="bootkit test"),
        key("v", "verify", tr("Verify"), twin="bootkit verify"),
        key("e", "explain", tr("Explain"), twin="bootkit explain"),
        # at once, before the keys that were typed in the same breath: they are what is searched, and no commands
        Binding("slash", "search", tr("Find"), key_display="/", priority=True, id="search"),
        key("g", "generate", tr("Generate"), twin="bootkit generate"),
        key("o", "stick_options", tr("Options of all"), twin="bootkit options list"),
        key("s", "stack_options", tr("Of its kind"), twin="bootkit options list --stack"),
        key("l", "logs", tr("Logs"), twin="bootkit log"),
        key("r", "refresh", tr("Read the stick again"), shown=False, twin="bootkit list"),
        key("escape", "clear_search", tr("Clear the search"), shown=False),
        key("q", "app.quit", tr("Quit")),
    ]

    def __init__(self, stick: Path) -> None:
        super().__init__()
        self.access = StickAccess(path=stick)
        self.overview: Overview | None = None
        self._explains = False
        self._reading = ""

    def compose(self) -> ComposeResult:
        yield Static(f"bootkit  {self.access.path}", id="state", markup=False)
        yield SectionBar(self.SECTION)
        search = Input(placeholder=tr("any part of the name, the kind or the file"), compact=True, id="search")
        search.display = False  # before it is there: a key that comes early would be typed into it
        yield search
        with Container(id="panes"):
            yield ImageTable(id="images")
            yield Preview(id="preview")
        yield KeyBar()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - textual's
        """Whether an action can be taken now: in the search field a slash is a slash, and without an image nothing is."""
        if action == "search":
            return self.focused is not self.query_one("#search")
        if action == "undo":
            return self.access.removed is not None
        return action not in _OF_AN_IMAGE or self.chosen is not None

    def on_mount(self) -> None:
        self.query_one(ImageTable).focus()
        self.action_refresh()
        self.set_interval(0.2, self._say)

    @property
    def chosen(self) -> ImageItem | None:
        """The image under the cursor."""
        path = self.query_one(ImageTable).chosen
        return next((item for item in self.overview.items if item.path == path), None) if self.overview else None

    def choose(self, path: str) -> None:
        """Put the cursor on an image, whatever was searched for."""
        self.action_clear_search()
        self.query_one(ImageTable).choose(path)

    def action_refresh(self) -> None:
        self.in_background(
            "read", lambda: jobs.read_stick(self.access, self._now_reading), self._show, self._unreadable
        )

    @on(DataTable.RowHighlighted)
    def show_detail(self) -> None:
        item, overview = self.chosen, self.overview
        if overview is None:
            return
        pane = self.query_one(Preview)
        self.refresh_bindings()
        if item is None:
            first_steps = PreviewPart(tr("The next steps"), _FIRST_STEPS)
            pane.show("", [PreviewPart("", tr("Nothing is called so.")) if overview.items else first_steps])
            return
        prediction = overview.predictions[item.path]
        gets = ", ".join(brought(overview, item))
        verdict = PreviewPart(
            tr("Will it boot?"),
            (spoken(item.problem) or advice(prediction)) + ("\n" + tr("With: {gets}", gets=gets) if gets else ""),
        )
        if self._explains or item.problem:
            pane.show(
                item.path,
                [verdict, PreviewPart("", explain_item(item, overview.uuid, max(pane.content_size.width, _NARROW)))],
            )
        else:
            pane.show(item.path, [verdict, PreviewPart("", entries_text(preview(item, overview.choices)))])

    @on(Input.Changed, "#search")
    def show_images(self) -> None:
        if self.overview is None:
            return
        words = self.query_one("#search", Input).value.lower().split()
        overview = self.overview
        found = (item for item in overview.items if all(word in _searched(item, overview) for word in words))
        items = tuple(sorted(found, key=lambda item: overview.title(item).casefold()))
        self.query_one(ImageTable).show(items, overview)
        self.show_detail()

    @on(Input.Submitted, "#search")
    def to_table(self) -> None:
        self.query_one(ImageTable).focus()

    @on(DataTable.RowSelected)
    def edit_image(self) -> None:
        if item := self.chosen:
            self._edit(image_place(item.path), item)

    def action_stick_options(self) -> None:
        self._edit(STICK, None)

    def action_stack_options(self) -> None:
        if (item := self.chosen) and item.detection:
            self._edit(stack_place(item.detection.stack), None)

    def action_search(self) -> None:
        search = self.query_one("#search", Input)
        search.display = True
        self.set_focus(search)  # at once: what is typed next is the search, and no command

    def action_clear_search(self) -> None:
        search = self.query_one("#search", Input)
        search.clear()
        self.set_focus(self.query_one(ImageTable))
        search.display = False

    def action_explain(self) -> None:
        self._explains = not self._explains
        self.show_detail()

    def action_add(self) -> None:
        free = self.overview.free if self.overview else 0
        self.ask(AddScreen(self.access, IMAGES, Path.cwd(), free), self._back)

    def action_generate(self) -> None:
        self.work(tr("Writing the menu"), lambda progress: jobs.write_menu(self.access, progress), self._generated)

    def action_verify(self) -> None:
        if item := self.chosen:
            path = item.path
            title = tr("Reading {name} back", name=item.name)
            self.work(title, lambda progress: jobs.verify(self.access, [path], progress), self._verified)

    def action_test(self) -> None:
        if item := self.chosen:
            path = item.path
            title = tr("Booting {name} in a virtual machine", name=item.name)
            self.work(title, lambda progress: jobs.test(self.access, [path], progress), self._tested)

    def action_logs(self) -> None:
        self.work(tr("Reading the logs"), lambda _: jobs.logs(self.access), self._show_logs)

    def action_remove(self) -> None:
        if item := self.chosen:
            text = tr(
                "{path}, {size}, will be removed from the stick.\n{taken_back}",
                path=item.path,
                size=format_size(item.size),
                taken_back=TAKEN_BACK,
            )
            self.ask(ConfirmScreen(tr("Remove an image"), text), lambda yes: self._remove(item) if yes else None)

    def action_undo(self) -> None:
        self.work(tr("Taking it back"), lambda _: jobs.take_back(self.access), self._generated)

    def leave(self) -> None:
        """Free the room of what was removed, and end the program."""
        if self.access.removed is None:
            self.program.exit()
        else:
            self.work(tr("Freeing its room"), lambda _: jobs.let_go(self.access), lambda _: self.program.exit())

    def go_to(self, digit: str) -> None:
        self.ask(_OTHERS[digit](self.access), self._from_section)

    def _from_section(self, digit: str | None) -> None:
        if digit in _OTHERS:
            self.go_to(digit)
        elif digit is not None:
            self.action_refresh()

    def failed(self) -> None:
        self.action_refresh()

    def _now_reading(self, path: str) -> None:
        self._reading = path

    def _say(self) -> None:
        if self._reading:
            self.query_one("#state", Static).update(f"bootkit  {tr('Looking into {path} ...', path=self._reading)}")

    def _unreadable(self, error: BootkitError) -> None:
        self._reading = ""
        self.query_one("#state", Static).update(
            f"bootkit  {tr('{path} cannot be read: r tries again', path=self.access.path)}"
        )
        self.show(ErrorScreen(error))

    def _show(self, overview: Overview) -> None:
        self._reading = ""
        self.overview = overview
        self.query_one("#state", Static).update(_state(overview))
        self.show_images()

    def _edit(self, place: Place, item: ImageItem | None) -> None:
        if self.overview is None:
            return
        if self.overview.mistake:
            self.complain(tr("stick.toml has a mistake: {mistake}", mistake=self.overview.mistake))
            return
        self.ask(OptionsScreen(self.access, self.overview, place, item), self._back)

    def _back(self, _written: object) -> None:
        # an image that was copied before the rest was cancelled is there, too
        self.action_refresh()

    def _generated(self, result: Generation) -> None:
        for warning in result.plan.warnings:
            self.notify(spoken(warning), severity="warning", markup=False)
        self.notify(tr("The menu was up to date.") if result.catalog is None else tr("The menu is written."))
        self.action_refresh()

    def _verified(self, result: tuple[Verified, ...]) -> None:
        self.show(TextScreen(tr("Read back from the stick, with SHA-256"), verified_text(result)))

    def _tested(self, result: "tuple[BootedEntry, ...]") -> None:
        self.show(TextScreen(tr("How far it came"), boots_text(result)))

    def _show_logs(self, result: tuple[tuple[str, str], ...]) -> None:
        self.show(TextScreen(tr("The last boots"), logs_text(result)))

    def _remove(self, item: ImageItem) -> None:
        def removed(generation: Generation) -> None:
            self._generated(generation)
            self.notify(tr("{name} is removed: u takes it back.", name=item.name), markup=False)

        self.work(tr("Removing {name}", name=item.name), lambda _: jobs.remove(self.access, item.path), removed)


def _state(overview: Overview) -> Content:
    """Two lines, on narrow screens perhaps more: the stick, and what is on it."""
    menu = tr("menu up to date") if overview.up_to_date else tr("MENU OUT OF DATE: g writes it")
    menu = tr("a new stick") if overview.is_new else menu
    counts = [trn("{n} image", "{n} images", len(overview.items))]
    counts += [trn("{n} extension", "{n} extensions", len(overview.extensions))] if overview.extensions else []
    counts += [f"{trn('{n} home', '{n} homes', len(overview.homes))} ({_homes(overview)})"] if overview.homes else []
    counts += [trn("{n} script", "{n} scripts", len(overview.scripts))] if overview.scripts else []
    if kept := overview.variants.kept:
        counts.append(trn("{n} image with changes", "{n} images with changes", len(kept)))
    counts += [trn("{n} seed", "{n} seeds", len(seeds))] if (seeds := overview.variants.seeds) else []
    free = tr("{size} free", size=format_size(overview.free))
    lines = [
        Content.assemble(("bootkit", "bold $primary"), f"  {overview.where}  {overview.filesystem}, {free}"),
        Content.assemble(
            (menu, "" if overview.up_to_date or overview.is_new else "bold $warning"), f"   {', '.join(counts)}"
        ),
        *([Content.styled(f"stick.toml: {overview.mistake}", "bold $error")] if overview.mistake else []),
        *([Content.styled(spoken(overview.homes_note), "bold $warning")] if overview.homes_note else []),
    ]
    return Content("\n").join(lines)


def _homes(overview: Overview) -> str:
    on = home_that_counts(overview.homes, overview.choices.text("home"))
    return tr("{on} is on", on=on) if on and len(overview.homes) > 1 else ", ".join(overview.homes)


def _searched(item: ImageItem, overview: Overview) -> str:
    return f"{overview.title(item)} {item.title} {item.stack} {item.path}".lower()
