"""The answer files of a stick, by which installers run on their own."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from bootkit.app.stick.images import find_images
from bootkit.app.stick.variants import read_variants
from bootkit.detect.registry import stacks
from bootkit.i18n import tr
from bootkit.model.plan import StickPlan
from bootkit.model.variants import Seed
from bootkit.system.sticks import Stick
from bootkit.tui import things
from bootkit.tui.keys import key
from bootkit.tui.screens.ask import PickScreen
from bootkit.tui.screens.collection import CollectionScreen, Row
from bootkit.tui.screens.form import FormField

_NO_IMAGE = tr("No image is on the stick yet: 1, then a.")


class AnswersScreen(CollectionScreen):
    SECTION: ClassVar[str] = "6"
    WHAT: ClassVar[str] = tr("Answers: files by which installers run on their own")
    COLUMNS: ClassVar[tuple[str, ...]] = (tr("Image"), tr("Kind"), tr("Name"))
    EMPTY: ClassVar[str] = tr(
        "No answer file is on the stick. a brings one: a preseed, a kickstart, an autoinstall, and so on."
    )
    HELP_TEXT = tr("""\
An answer file says to an installer what it would ask. The menu gets an entry for each, beside the image's own. u brings back
the one that was removed last.""")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "add", tr("Add"), twin="bootkit seed add"),
        key("delete", "remove", tr("Remove"), display="Del", twin="bootkit seed remove"),
        key("u", "undo", tr("Undo"), twin="bootkit seed add"),
    ]

    _removed: StickPlan | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action can be taken now: there must be something to undo."""
        return self._removed is not None if action == "undo" else super().check_action(action, parameters)

    def read(self, stick: Stick) -> Sequence[Row]:
        self._images = tuple(path for path, _ in find_images(stick.volume))
        seeds = read_variants(stick.volume).seeds
        self._seeds: dict[str, Seed] = {seed.path: seed for seed in seeds}
        return [Row(name=seed.path, cells=(seed.image, seed.kind, seed.name), about=seed.path) for seed in seeds]

    def action_add(self) -> None:
        if not self._images:
            self.notify(_NO_IMAGE)
            return
        self.ask(PickScreen(tr("For which image?"), self._images), self._form)

    def _form(self, image: str | None) -> None:
        if not image:
            return
        kinds = sorted({answers.kind for stack in stacks().values() for answers in stack.answers})
        fields = (
            FormField(name="file", label=tr("File"), example="/home/anna/preseed.cfg", is_path=True),
            FormField(name="kind", label=tr("Kind"), choices=(things.BY_ITS_LOOK, *kinds)),
            FormField(name="name", label=tr("Name"), example=tr("as the file is called")),
            FormField(name="same", label=tr("Same name"), choices=(tr("refuse"), tr("replace"))),
        )
        self.fill(
            tr("Add an answer file"),
            tr("For {image}. The menu gets an entry that installs with it.", image=image),
            fields,
            lambda filled, job: things.add_seed(self.access, image, filled, job),
        )

    def action_remove(self) -> None:
        if row := self.marked:
            seed = self._seeds[row.name]
            text = tr(
                "{kind} {name} of {image} will be removed. u brings it back.",
                kind=seed.kind,
                name=seed.name,
                image=seed.image,
            )
            self.confirmed(tr("Remove an answer file"), text, lambda: self._remove(seed))

    def action_undo(self) -> None:
        if plan := self._removed:
            self._undo_is(None)
            self.change(tr("Bringing it back"), lambda stick, _: things.apply_and_write(stick, plan), tr("It is back."))

    def _remove(self, seed: Seed) -> None:
        def remove(stick: Stick, _: object) -> None:
            self._removed = things.remove_seed(stick, seed)

        self.change(
            tr("Removing {name}", name=seed.name), remove, tr("{name} is removed: u brings it back.", name=seed.name)
        )

    def done(self, said: str) -> None:
        super().done(said)
        self.refresh_bindings()

    def _undo_is(self, plan: StickPlan | None) -> None:
        self._removed = plan
        self.refresh_bindings()
