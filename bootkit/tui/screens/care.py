"""What can be done with a stick as a whole, and what this computer has for it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import BindingType
from textual.widgets import DataTable

from bootkit.app.stick.target import disk_of
from bootkit.app.verbs.doctor import Diagnosis, examine
from bootkit.i18n import spoken, tr
from bootkit.model.prepare import PreparePlan
from bootkit.system.sticks import Stick
from bootkit.tui import jobs
from bootkit.tui.keys import key
from bootkit.tui.progress import Job
from bootkit.tui.reports import boots_text, checked_text, loaders_text, logs_text, verified_text
from bootkit.tui.screens.collection import CollectionScreen, Row
from bootkit.tui.screens.text import TextScreen

_TASKS = (
    Row(
        name="check",
        cells=(tr("Check"), "bootkit check"),
        about=tr(
            "Predicts which images boot from this stick, by which firmware, with how much memory, and what to do about the rest."
        ),
    ),
    Row(
        name="upgrade",
        cells=(tr("Upgrade"), "bootkit upgrade"),
        about=tr(
            "Renews the boot loaders and the menu. Images, settings and everything else of yours stay as they are."
        ),
    ),
    Row(
        name="verify_all",
        cells=(tr("Verify"), "bootkit verify"),
        about=tr(
            "Reads every image back from the stick and compares it with all that is known of it: sums, signatures."
        ),
    ),
    Row(
        name="test_all",
        cells=(tr("Test"), "bootkit test"),
        about=tr("Boots every image of the menu in virtual machines with BIOS and UEFI. It takes minutes for each."),
    ),
    Row(
        name="loaders",
        cells=(tr("Boot loaders"), "bootkit list --loaders"),
        about=tr(
            "Tells what starts the stick: packages, signatures, on which machines, and whether this computer has newer."
        ),
    ),
    Row(
        name="logs",
        cells=(tr("Logs"), "bootkit log"),
        about=tr(
            "What the systems that were booted from the stick have left: which home, which extensions, what went wrong."
        ),
    ),
    Row(
        name="doctor",
        cells=(tr("Doctor"), "bootkit doctor"),
        about=tr(
            "Lists the programs that bootkit uses, which of them are missing here, and the line that installs them."
        ),
    ),
    Row(
        name="prepare",
        cells=(tr("Make another"), "bootkit prepare"),
        about=tr("Makes a stick of a disk that is plugged in, or of a file."),
    ),
    Row(
        name="restore",
        cells=(tr("Give back"), "bootkit restore"),
        about=tr(
            "Makes one plain, empty partition of the whole stick. Everything on it is lost; you are asked before."
        ),
    ),
)
"""What a stick that does not start needs comes first."""


class CareScreen(CollectionScreen):
    SECTION: ClassVar[str] = "8"
    WHAT: ClassVar[str] = tr("The stick as a whole")
    COLUMNS: ClassVar[tuple[str, ...]] = (tr("What"), tr("On the command line"))
    HELP_TEXT = tr(
        "Each line is something that can be done with the stick; Return does it. What loses anything asks before."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "do_it", tr("Do it"), display="Enter", twin="bootkit upgrade", first=True),
    ]

    def read(self, stick: Stick) -> Sequence[Row]:  # noqa: ARG002 - it is the same for all
        return _TASKS

    @on(DataTable.RowSelected)
    async def action_do_it(self) -> None:
        if row := self.marked:
            await self.run_action(f"screen.{row.name}")

    def action_verify_all(self) -> None:
        self.work(
            tr("Reading all images back"),
            lambda progress: jobs.verify(self.access, (), progress),
            lambda result: self.show(TextScreen(tr("Read back from the stick, with SHA-256"), verified_text(result))),
        )

    def action_test_all(self) -> None:
        self.work(
            tr("Booting every image in virtual machines"),
            lambda progress: jobs.test(self.access, (), progress),
            lambda result: self.show(TextScreen(tr("How far they came"), boots_text(result))),
        )

    def action_logs(self) -> None:
        self.work(
            tr("Reading the logs"),
            lambda _: jobs.logs(self.access),
            lambda result: self.show(TextScreen(tr("The last boots"), logs_text(result))),
        )

    def action_check(self) -> None:
        self.work(
            tr("Reading what nobody has read yet"),
            lambda progress: jobs.check(self.access, (), progress),
            lambda done: self.show(TextScreen(tr("Will it boot?"), checked_text(done))),
        )

    def action_loaders(self) -> None:
        self.work(
            tr("Looking"),
            lambda _: jobs.loaders(self.access),
            lambda rows: self.show(TextScreen(tr("Boot loaders"), loaders_text(rows))),
        )

    def action_doctor(self) -> None:
        self.work(
            tr("Looking"), lambda _: examine(), lambda found: self.show(TextScreen(tr("Doctor"), _diagnosis(found)))
        )

    async def action_prepare(self) -> None:
        await self.run_action("app.prepare")

    def action_upgrade(self) -> None:
        from bootkit.app.verbs.upgrade import plan_upgrade_of  # what builds boot loaders, only where it is needed

        self._plan(tr("Upgrade"), lambda _: plan_upgrade_of(disk_of(self.access.path)), self._upgraded)

    def action_restore(self) -> None:
        from bootkit.app.verbs.restore import plan_restoration

        self._plan(tr("Give the stick back"), lambda _: plan_restoration(disk_of(self.access.path)), self._restored)

    def _plan(self, title: str, plan: Callable[[Job], PreparePlan], then: Callable[[Path], None]) -> None:
        """Show what would be done, and go on with ``then`` when it was done."""
        from bootkit.tui.screens.summary import SummaryScreen

        def written(done: str | None) -> None:
            if done:
                then(Path(done))

        self.work(tr("Looking at it"), plan, lambda made: self.ask(SummaryScreen(made, title), written))

    def _upgraded(self, disk: Path) -> None:
        from bootkit.app.verbs.upgrade import renew_menu

        def renew(_progress: Job) -> str:
            if renew_menu(disk):
                return tr("The boot loaders and the menu are those of this version.")
            return tr("The boot loaders are renewed. The menu is not: g on the first screen writes it.")

        self.work(tr("Writing the menu"), renew, self.notify)

    def _restored(self, _disk: Path) -> None:
        """There is no stick any more that the other screens could show."""
        self.program.exit(message=tr("The stick is one empty partition now."))


def _diagnosis(found: Diagnosis) -> str:
    missing = [tr("MISSING  {name}: {without_it}", name=one.name, without_it=one.without_it) for one in found.missing]
    install = [tr("To install all that is missing:\n  {command}", command=found.command)] if found.command else []
    there = [f"ok       {one.name}: {one.where}" for one in found.findings if one.where]
    parts = ("\n".join(missing), *install, "\n".join(map(spoken, found.secure_boot)), "\n".join(there))
    return "\n\n".join(filter(None, parts))
