"""The images that keep the changes to their systems."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from bootkit.app.stick.images import find_images
from bootkit.app.stick.variants import read_variants
from bootkit.i18n import tr
from bootkit.model.variants import FOLDER_MARK
from bootkit.system.sticks import Stick
from bootkit.tui import things
from bootkit.tui.keys import key
from bootkit.tui.screens.ask import PickScreen
from bootkit.tui.screens.collection import CollectionScreen, Row
from bootkit.tui.screens.form import FormField
from bootkit.units import format_size

_NO_IMAGE = tr("No image is on the stick yet: 1, then a.")


class KeptScreen(CollectionScreen):
    SECTION: ClassVar[str] = "5"
    WHAT: ClassVar[str] = tr("Changes: images that keep what is installed and set in them")
    COLUMNS: ClassVar[tuple[str, ...]] = (tr("Image"), tr("Size"), tr("Encrypted"))
    EMPTY: ClassVar[str] = tr(
        "No image keeps its changes. a lets one: what is installed and set in it is there the next time."
    )
    HELP_TEXT = tr("""\
A live system forgets everything when it ends. Here an image gets a place for its changes, and the menu an entry that uses
it. A home is for your own files on all systems; this is for one system as a whole.""")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "make", tr("Let an image keep them"), twin="bootkit persist create"),
        key("delete", "remove", tr("Remove"), display="Del", twin="bootkit persist remove"),
    ]

    def read(self, stick: Stick) -> Sequence[Row]:
        self._images = tuple(path for path, _ in find_images(stick.volume))
        return [
            Row(
                name=one.image,
                cells=(one.image, format_size(one.size) if one.size else "-", tr("yes") if one.encrypted else tr("no")),
                about=one.path,
            )
            for one in read_variants(stick.volume).kept.values()
        ]

    def action_make(self) -> None:
        if not self._images:
            self.notify(_NO_IMAGE)
            return
        self.ask(PickScreen(tr("Which image?"), self._images), self._form)

    def _form(self, image: str | None) -> None:
        if not image:
            return
        fields = (
            FormField(name="size", label=tr("Size"), example=tr("none, where it fills a folder itself"), text="4G"),
            FormField(name="passphrase", label=tr("Passphrase"), hidden=True, example=tr("none: not encrypted")),
            FormField(name="again", label=tr("Once more"), hidden=True),
        )
        self.fill(
            tr("Keep the changes"),
            tr("{image}\nThe menu gets one more entry, which uses them.", image=image),
            fields,
            lambda filled, job: things.keep_changes(self.access, image, filled, job),
        )

    def action_remove(self) -> None:
        if row := self.marked:
            image = row.name
            said = tr("{image} starts as new again.", image=image)
            if row.about.endswith(f"/{FOLDER_MARK}"):  # the live system has filled it as root
                said = tr(
                    "Its entry is gone. The changes are still in {folder}, where only root can remove them.",
                    folder=row.about.rpartition("/")[0],
                )
            self.named(
                tr("Remove kept changes"),
                tr("The changes of {image} will be lost.", image=image),
                image,
                lambda: self.change(
                    tr("Removing the changes of {image}", image=image),
                    lambda stick, _: things.drop_changes(stick, image),
                    said,
                ),
            )
