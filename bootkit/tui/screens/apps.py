"""The AppImages of a stick, which every booted system has in its menu."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType

from bootkit.app.stick.apps import app_named, find_apps, paths_of
from bootkit.app.stick.user_files import plan_file_removal
from bootkit.i18n import tr
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick
from bootkit.tui.incoming import APPS
from bootkit.tui.keys import key
from bootkit.tui.screens.add import AddScreen
from bootkit.tui.screens.collection import CollectionScreen, Row
from bootkit.units import format_size


class AppsScreen(CollectionScreen):
    SECTION: ClassVar[str] = "4"
    WHAT: ClassVar[str] = tr("Apps: AppImages in the menu of every live system")
    COLUMNS: ClassVar[tuple[str, ...]] = (tr("AppImage"), tr("Size"), tr("In the menu"))
    EMPTY: ClassVar[str] = tr(
        "No AppImage is on the stick. a brings one: a program that runs on every system as it is."
    )
    HELP_TEXT = tr(
        "An AppImage is a program in one file. The booted systems offer those of the stick in their own menus."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "add", tr("Add"), twin="bootkit app add"),
        key("delete", "remove", tr("Remove"), display="Del", twin="bootkit app remove"),
    ]

    def read(self, stick: Stick) -> Sequence[Row]:
        return [
            Row(name=app.name, cells=(app.name, format_size(app.size), app.title or "-"), about=app.path)
            for app in find_apps(stick.volume)
        ]

    def action_add(self) -> None:
        self.ask(AddScreen(self.access, APPS, Path.cwd()), lambda _: self.action_refresh())

    def action_remove(self) -> None:
        if row := self.marked:
            name = row.name

            def remove(stick: Stick, _: object) -> None:
                paths = paths_of(stick.volume, app_named(stick.volume, name))
                apply_changes(plan_file_removal(stick.volume, paths), stick.volume)

            self.confirmed(
                tr("Remove an AppImage"),
                tr("{name} will be removed from the stick, {size}.", name=name, size=row.cells[1]),
                lambda: self.change(tr("Removing {name}", name=name), remove, tr("{name} is removed.", name=name)),
            )
