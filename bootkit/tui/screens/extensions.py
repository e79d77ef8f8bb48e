"""The extensions of a stick: what is laid over the live systems."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widgets import DataTable

from bootkit.app.stick.extensions import extension_named, find_extensions
from bootkit.app.stick.user_files import plan_file_removal
from bootkit.app.verbs.ext import InspectedExtension, look_at_extensions, plan_switch
from bootkit.i18n import spoken, tr
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick
from bootkit.tui import things
from bootkit.tui.incoming import EXTENSIONS
from bootkit.tui.keys import key
from bootkit.tui.screens.add import AddScreen
from bootkit.tui.screens.collection import CollectionScreen, Row
from bootkit.tui.screens.form import FormField
from bootkit.tui.screens.text import TextScreen
from bootkit.units import format_size


class ExtensionsScreen(CollectionScreen):
    SECTION: ClassVar[str] = "3"
    WHAT: ClassVar[str] = tr("Extensions: programs that are laid over live systems")
    COLUMNS: ClassVar[tuple[str, ...]] = (tr("Extension"), tr("On"), tr("Size"), tr("Machine"), tr("For"))
    EMPTY: ClassVar[str] = tr(
        "No extension is on the stick. a brings one from this computer, m makes one out of packages or a folder."
    )
    OF_ONE: ClassVar[frozenset[str]] = frozenset({"switch", "look", "verify", "remove"})
    HELP_TEXT = tr("""\
An extension is one file with programs, fonts, drivers; live systems get them as if they were installed. Each says for which
system it is. One that is off stays on the stick, and no system gets it.""")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "add", tr("Add"), twin="bootkit ext add"),
        key("m", "make", tr("Make"), twin="bootkit ext create"),
        key("space", "switch", tr("On or off"), display="Space", twin="bootkit ext disable"),
        key("enter", "look", tr("Look into it"), display="Enter", twin="bootkit ext inspect", first=True),
        key("v", "verify", tr("Verify"), twin="bootkit ext verify"),
        key("delete", "remove", tr("Remove"), display="Del", twin="bootkit ext remove"),
    ]

    def read(self, stick: Stick) -> Sequence[Row]:
        found = look_at_extensions(stick.volume, find_extensions(stick.volume))
        self._found = {extension.path: extension for extension in found}
        return [
            Row(
                name=one.path,
                cells=(
                    one.name,
                    tr("yes") if one.enabled else tr("no"),
                    format_size(one.size),
                    one.machine,
                    tr("a problem: see below") if one.problems else one.system,
                ),
                about="\n".join(map(spoken, one.problems))
                or tr("{path}, for {system}", path=one.path, system=one.system),
            )
            for one in found
        ]

    def action_add(self) -> None:
        self.ask(AddScreen(self.access, EXTENSIONS, Path.cwd()), lambda _: self.action_refresh())

    def action_make(self) -> None:
        fields = (
            FormField(name="name", label=tr("Name"), example="tools"),
            FormField(name="packages", label=tr("Packages"), example=tr("of Debian, by name: htop vim")),
            FormField(
                name="source",
                label=tr("Or a source"),
                example=tr("a folder, an archive, a .deb, an AppImage"),
                is_path=True,
            ),
            FormField(
                name="onto",
                label=tr("For the image"),
                example=tr("ISO file whose own packages are left out"),
                is_path=True,
            ),
            FormField(name="id", label=tr("Or a system"), example="debian"),
            FormField(name="version", label=tr("Its version"), example="13"),
        )
        self.fill(
            tr("Make an extension"),
            tr("It is made on this computer and copied to the stick. Without a system it is for every one."),
            fields,
            lambda filled, job: things.make_extension(self.access, filled, job),
        )

    def action_switch(self) -> None:
        if row := self.marked:
            path, turn_on = row.name, row.cells[1] == tr("no")
            self.change(
                tr("Writing the choice"),
                lambda stick, _: apply_changes(plan_switch(stick.volume, [path], enabled=turn_on).plan, stick.volume),
                tr("{name} is on.", name=row.cells[0]) if turn_on else tr("{name} is off.", name=row.cells[0]),
            )

    @on(DataTable.RowSelected)
    def action_look(self) -> None:
        if row := self.marked:
            self.show(TextScreen(row.cells[0], _text(self._found[row.name])))

    def action_verify(self) -> None:
        self.work(
            tr("Reading the extensions back"),
            lambda progress: things.verify_extensions(self.access, progress),
            lambda text: self.show(TextScreen(tr("Read back from the stick"), text)),
        )

    def action_remove(self) -> None:
        if row := self.marked:
            path, name = row.name, row.cells[0]

            def remove(stick: Stick, _: object) -> None:
                found = extension_named(stick.volume, path)
                apply_changes(plan_file_removal(stick.volume, [found.path]), stick.volume)

            self.confirmed(
                tr("Remove an extension"),
                tr(
                    "{name} will be removed from the stick, {size}. Space only turns it off.",
                    name=name,
                    size=row.cells[2],
                ),
                lambda: self.change(tr("Removing {name}", name=name), remove, tr("{name} is removed.", name=name)),
            )


def _text(extension: InspectedExtension) -> str:
    lines = [
        tr(
            "{path}, {size}, for {system}",
            path=extension.path,
            size=format_size(extension.size),
            system=extension.system,
        )
    ]
    if facts := extension.facts:
        lines += [tr("files: {files}", files=facts.files), tr("folders: {folders}", folders=" ".join(facts.folders))]
        lines += [
            tr("programs: {programs}", programs=" ".join(facts.programs) or tr("none")),
            *map(spoken, facts.notes),
        ]
    return "\n".join([*lines, *map(spoken, extension.problems)])
