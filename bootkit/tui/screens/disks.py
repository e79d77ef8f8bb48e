"""The installed systems of a stick, each in the file of its disk: brought, made, grown, encrypted, copied elsewhere."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from bootkit.app.stick.catalog import read_catalog
from bootkit.app.verbs.check import predictions_of
from bootkit.app.verbs.disk import find_disks
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Prediction
from bootkit.render.check import advice
from bootkit.system.sticks import Stick
from bootkit.tui import disks, jobs
from bootkit.tui.keys import key
from bootkit.tui.reports import TAKEN_BACK, checked_text
from bootkit.tui.screens.collection import CollectionScreen, Row
from bootkit.tui.screens.form import FormField
from bootkit.tui.screens.text import TextScreen
from bootkit.tui.widgets.image_table import ANSWERS
from bootkit.units import format_size

_FILE = FormField(name="file", label=tr("Disk"), example="debian.qcow2, debian.raw.xz", is_path=True)
_ISO = FormField(
    name="iso", label=tr("ISO file"), example=tr("of a live system: /home/anna/debian-live.iso"), is_path=True
)
_SAME = FormField(name="same", label=tr("Same name"), choices=(tr("refuse"), tr("replace")))
_CHANGES = FormField(
    name="changes", label=tr("Changes"), choices=(tr("kept, in the file"), disks.ONLY_LIVE, disks.OVERLAID)
)


def _twice(label: str) -> tuple[FormField, FormField]:
    return (
        FormField(name="passphrase", label=label, hidden=True),
        FormField(name="again", label=tr("Once more"), hidden=True),
    )


class DisksScreen(CollectionScreen):
    SECTION: ClassVar[str] = "7"
    WHAT: ClassVar[str] = tr("Disks: installed systems, each in a file of the stick")
    COLUMNS: ClassVar[tuple[str, ...]] = (tr("Disk"), tr("System"), tr("Size"), tr("Starts"))
    EMPTY: ClassVar[str] = tr(
        "No installed system is on the stick. a brings the disk of one, m makes one of a live system. It starts from the "
        "stick on any computer, and keeps what is changed in it."
    )
    OF_ONE: ClassVar[frozenset[str]] = frozenset({"grow", "check", "encrypt", "take_out", "remove"})
    HELP_TEXT = tr("""\
A disk is a file with a whole installed system, as a virtual machine has it. It starts from the stick on any computer and
writes into its file; the menu has an entry that keeps nothing, too. Its other options are those of its line in the images.

What changes a disk does so to a copy, which takes its place when it is complete: that needs its size in free room.""")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "add", tr("Add"), twin="bootkit disk add"),
        key("m", "make", tr("Make"), twin="bootkit disk create"),
        key("c", "check", tr("Check"), twin="bootkit disk check"),
        key("z", "grow", tr("Grow"), twin="bootkit disk grow"),
        key("x", "encrypt", tr("Encrypt"), twin="bootkit disk encrypt"),
        key("o", "take_out", tr("Copy out"), twin="bootkit disk take-out"),
        key("delete", "remove", tr("Remove"), display="Del", twin="bootkit disk remove"),
        key("u", "undo", tr("Undo"), twin="bootkit disk add"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action can be taken now."""
        return self.access.removed is not None if action == "undo" else super().check_action(action, parameters)

    def read(self, stick: Stick) -> Sequence[Row]:
        items = read_catalog(stick.volume, find_disks(stick.volume)).items
        return list(map(_row, items, predictions_of(stick, items)))

    def action_add(self) -> None:
        fields = (
            _FILE,
            FormField(name="name", label=tr("Name"), example=tr("as the file is called")),
            FormField(name="size", label=tr("Grows to"), example=tr("stays as it is; 20G")),
            _CHANGES,
            _SAME,
        )
        text = tr("The disk of an installed system is copied to the stick, as a raw one. The file here stays as it is.")
        self.fill(tr("Add a disk"), text, fields, lambda filled, job: disks.add_disk(self.access, filled, job))

    def action_make(self) -> None:
        fields = (
            _ISO,
            FormField(name="name", label=tr("Name"), example=tr("of the disk and of its host: travel")),
            FormField(name="size", label=tr("Size"), text="8G"),
            FormField(name="user", label=tr("Login name"), text="user"),
            *_twice(tr("Password")),
        )
        text = tr("What a live system holds becomes an installed one. Its user may become root by sudo.")
        self.fill(tr("Make a disk"), text, fields, lambda filled, job: disks.create_disk(self.access, filled, job))

    def action_check(self) -> None:
        if row := self.marked:
            path = row.name
            self.work(
                tr("Looking into {name}", name=row.cells[0]),
                lambda job: jobs.check(self.access, [path], job),
                lambda done: self.show(TextScreen(tr("Will it boot?"), checked_text(done))),
            )

    def action_grow(self) -> None:
        if row := self.marked:
            name = row.cells[0]
            self.fill(
                tr("Grow {name}", name=name),
                tr("Its last partition and the ext4 on it grow with it."),
                [FormField(name="size", label=tr("New size"), text=row.cells[2].replace(" ", ""))],
                lambda filled, job: disks.grow_disk(self.access, name, filled, job),
            )

    def action_encrypt(self) -> None:
        if row := self.marked:
            name = row.cells[0]
            self.fill(
                tr("Encrypt {name}", name=name),
                tr("Its passphrase is asked for at each start. Without it, all that is on the disk is lost."),
                _twice(tr("Passphrase")),
                lambda filled, job: disks.encrypt_disk(self.access, name, filled, job),
            )

    def action_take_out(self) -> None:
        if row := self.marked:
            name = row.cells[0]
            where = tr("a new file, or a folder")
            self.fill(
                tr("Copy {name} out", name=name),
                tr("It is copied to this computer as it is, for a disk of its own or a virtual machine."),
                [FormField(name="file", label=tr("Where to"), text="~/", example=where, is_path=True)],
                lambda filled, job: disks.take_out_disk(self.access, name, filled, job),
            )

    def action_remove(self) -> None:
        if row := self.marked:
            path, name = row.name, row.cells[0]
            text = tr(
                "{name} will be removed with everything in it, {size}.\n{taken_back}",
                name=name,
                size=row.cells[2],
                taken_back=TAKEN_BACK,
            )
            said = tr("{name} is removed: u takes it back.", name=name)
            self.confirmed(
                tr("Remove a disk"),
                text,
                lambda: self.work(
                    tr("Removing {name}", name=name),
                    lambda _: jobs.remove(self.access, path),
                    lambda _: self.done(said),
                ),
            )

    def action_undo(self) -> None:
        self.work(tr("Bringing it back"), lambda _: jobs.take_back(self.access), lambda _: self.done(tr("It is back.")))


def _row(item: ImageItem, prediction: Prediction) -> Row:
    cells = (
        item.path.rpartition("/")[2].rpartition(".")[0],
        item.title,
        format_size(item.size),
        ANSWERS[prediction.answer],
    )
    return Row(name=item.path, cells=cells, about=f"{item.path}: {advice(prediction)}")
