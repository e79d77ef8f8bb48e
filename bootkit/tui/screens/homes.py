"""The homes of a stick: made, chosen, resized, checked, kept elsewhere and brought back."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from bootkit.app.stick.homes import NO_HOME, find_homes, home_that_counts, homes_note
from bootkit.app.stick.settings import choices_on
from bootkit.app.verbs.options import plan_change
from bootkit.i18n import spoken, tr
from bootkit.model.options import STICK
from bootkit.plan.edit_settings import Change
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick
from bootkit.tui import things
from bootkit.tui.keys import key
from bootkit.tui.progress import Job
from bootkit.tui.screens.ask import AskScreen
from bootkit.tui.screens.collection import CollectionScreen, Row
from bootkit.tui.screens.form import FormField
from bootkit.tui.screens.text import TextScreen
from bootkit.units import format_size

_PASSPHRASE = (
    FormField(name="passphrase", label=tr("Passphrase"), hidden=True, example=tr("none: not encrypted")),
    FormField(name="again", label=tr("Once more"), hidden=True),
)


class HomesScreen(CollectionScreen):
    SECTION: ClassVar[str] = "2"
    WHAT: ClassVar[str] = tr("Homes: your own folder on every live system, one file")
    COLUMNS: ClassVar[tuple[str, ...]] = (tr("Home"), tr("On"), tr("Size"), tr("Used"), tr("State"))
    EMPTY: ClassVar[str] = tr(
        "No home is on the stick. a makes one: your files and settings then come along to every system."
    )
    OF_ONE: ClassVar[frozenset[str]] = frozenset({"switch", "resize", "check", "backup", "remove"})
    HELP_TEXT = tr("""\
A home is one file with your files and settings; every live system that can mounts it as the folder of its user. Only one is
on; Space chooses it. A backup is a copy on this computer, as it is: an encrypted one stays encrypted.""")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "make", tr("Make"), twin="bootkit home create"),
        key("space", "switch", tr("On or off"), display="Space", twin="bootkit options set home"),
        key("z", "resize", tr("Resize"), twin="bootkit home resize"),
        key("c", "check", tr("Check"), twin="bootkit home check"),
        key("b", "backup", tr("Back up"), twin="bootkit home backup"),
        key("i", "bring_back", tr("Bring a backup"), twin="bootkit home restore"),
        key("delete", "remove", tr("Remove"), display="Del", twin="bootkit home remove"),
    ]

    def read(self, stick: Stick) -> Sequence[Row]:
        homes = find_homes(stick.volume)
        choices = choices_on(stick.volume)
        names = [home.name for home in homes]
        on = home_that_counts(names, choices.text("home"))
        note = homes_note(names, choices)
        self._encrypted = frozenset(home.name for home in homes if home.encrypted)
        return [
            Row(
                name=home.name,
                cells=(
                    home.name,
                    tr("yes") if home.name == on else tr("no"),
                    format_size(home.size),
                    format_size(home.used) if home.used else "-",
                    home.state,
                ),
                about=spoken(note) or f"{home.path}: {_who_gets(is_on=home.name == on)}",
            )
            for home in homes
        ]

    def action_make(self) -> None:
        fields = (
            FormField(name="name", label=tr("Name"), example="anna"),
            FormField(name="size", label=tr("Size"), example="4G", text="4G"),
            *_PASSPHRASE,
        )
        text = tr("Its size can be changed later. With a passphrase it is encrypted, and asked for at each start.")
        self.fill(tr("Make a home"), text, fields, lambda filled, job: things.make_home(self.access, filled, job))

    def action_switch(self) -> None:
        if row := self.marked:
            value = NO_HOME if row.cells[1] == tr("yes") else row.name
            change = Change(key="home", value=value, place=STICK)
            said = tr("No home is on.") if value == NO_HOME else tr("{name} is on.", name=row.name)
            self.change(
                tr("Writing the choice"),
                lambda stick, _: apply_changes(plan_change(stick.volume, [change]).plan, stick.volume),
                said,
            )

    def action_resize(self) -> None:
        if row := self.marked:
            name = row.name
            fields = [FormField(name="size", label=tr("New size"), text=row.cells[2].replace(" ", ""))]
            fields += _PASSPHRASE[:1] if name in self._encrypted else ()
            self.fill(
                tr("Resize {name}", name=name),
                tr("What is in it stays."),
                fields,
                lambda filled, job: things.resize_home(self.access, name, filled, job),
            )

    def action_check(self) -> None:
        if row := self.marked:
            if row.name in self._encrypted:
                self.ask(
                    AskScreen(tr("Check {name}", name=row.name), tr("Its passphrase:"), hidden=True),
                    lambda word: self._check(row.name, word, repair=False) if word else None,
                )
            else:
                self._check(row.name, "", repair=False)

    def action_backup(self) -> None:
        if row := self.marked:
            name = row.name
            fields = [
                FormField(
                    name="file", label=tr("Where to"), text="~/", example=tr("a new file, or a folder"), is_path=True
                )
            ]
            self.fill(
                tr("Back up {name}", name=name),
                tr("It is copied to this computer as it is."),
                fields,
                lambda filled, job: things.backup_home(self.access, name, filled, job),
            )

    def action_bring_back(self) -> None:
        fields = (
            FormField(name="file", label=tr("Backup"), example="/home/anna/anna.home", is_path=True),
            FormField(name="name", label=tr("Name"), example=tr("as the file is called")),
            FormField(name="same", label=tr("Same name"), choices=(tr("refuse"), tr("replace"))),
        )
        self.fill(
            tr("Bring a backup"),
            tr("A home of the stick is made of it."),
            fields,
            lambda filled, job: things.restore_home(self.access, filled, job),
        )

    def action_remove(self) -> None:
        if row := self.marked:
            name = row.name
            self.named(
                tr("Remove a home"),
                tr("Everything in the home {name} will be lost.", name=name),
                name,
                lambda: self.change(
                    tr("Removing {name}", name=name),
                    lambda stick, _: things.remove_home(stick, name),
                    tr("{name} is removed.", name=name),
                ),
            )

    def _check(self, name: str, passphrase: str, *, repair: bool) -> None:
        def look(progress: Job) -> tuple[bool, str]:
            return things.check_home(self.access, name, passphrase, progress, repair=repair)

        def tell(answer: tuple[bool, str]) -> None:
            sound, said = answer
            if sound:
                self.show(TextScreen(tr("{name} is clean", name=name), said))
                self.action_refresh()
            else:
                text = f"{said.strip()}\n\n{tr('It is damaged. Shall it be mended?')}"
                self.confirmed(tr("Check {name}", name=name), text, lambda: self._check(name, passphrase, repair=True))

        self.work(tr("Checking {name}", name=name), look, tell)


def _who_gets(*, is_on: bool) -> str:
    return tr("every live system gets it") if is_on else tr("no system gets it")
