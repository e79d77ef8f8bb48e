"""Making a stick, the first step: which disk, or which file stands for one, and how it is laid out."""

import asyncio
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import DataTable, Input, Static

from bootkit.app.verbs.devices import list_devices
from bootkit.app.verbs.prepare import plan_preparation
from bootkit.errors import UsageError
from bootkit.i18n import spoken, tr
from bootkit.model.device import BlockDevice
from bootkit.model.filesystem import DataFs
from bootkit.model.prepare import Layout, LoaderChoice, PreparePlan
from bootkit.plan.safety import Refusal
from bootkit.system.hotplug import DiskEvents
from bootkit.tui.keys import key
from bootkit.tui.screens.base import BaseScreen
from bootkit.tui.screens.summary import SummaryScreen
from bootkit.tui.widgets.choice_field import ChoiceField
from bootkit.tui.widgets.field import Field
from bootkit.tui.widgets.key_bar import KeyBar
from bootkit.units import format_size, parse_size

Judged = tuple[tuple[BlockDevice, tuple[Refusal, ...]], ...]
_LOOK = 2.0
"""Seconds between two looks at the disks where udev tells nothing."""
_SIZE = "8G"
"""Of a new image file, where none is given."""
_LAYOUTS = {
    Layout.SPLIT: tr("split: GPT, the data apart from the loaders; for everyone"),
    Layout.SINGLE: tr("single: MBR, all in one FAT32; for odd firmware"),
}


class DiskTable(DataTable[str]):
    HELP_TEXT = tr("""\
The disks that are plugged in; the list looks after itself. A disk that is mounted, carries the running system or is in use
otherwise is never taken. The lines below tell every rule that speaks against the marked one.""")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "select_cursor", tr("Take this disk"), display="Enter", twin="bootkit prepare"),
    ]

    disks: Judged = ()

    def on_mount(self) -> None:
        self.cursor_type = "row"
        self.add_columns(tr("Disk"), tr("Size"), tr("Bus"), tr("Model"), tr("Could it become a stick?"))

    def show(self, disks: Judged) -> None:
        marked = self.marked
        self.disks = disks
        self.clear()
        for device, refused in disks:
            verdict = tr("no: it {reason}", reason=refused[0].reason) if refused else tr("yes")
            model = f"{device.vendor} {device.model}".strip() or "-"
            _ = self.add_row(device.node, format_size(device.size), device.bus or "-", model, verdict)
        rows = [row for row, (device, _) in enumerate(disks) if marked and device.identity == marked[0].identity]
        if rows:
            self.move_cursor(row=rows[0])

    @property
    def marked(self) -> tuple[BlockDevice, tuple[Refusal, ...]] | None:
        return self.disks[self.cursor_row] if 0 <= self.cursor_row < len(self.disks) else None


class PrepareScreen(BaseScreen[Path | None]):
    """The screen that begins a stick; its answer is the stick that was made."""

    HELP_TEXT = tr("""\
Mark a disk and press Return, or write the path of a new image file and its size, and press Ctrl+S. Both lead to a summary of
what would be done. Nothing is written before that, nor before the name of the disk has been typed.""")

    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+s", "go_on", tr("Go on"), display="^s", twin="bootkit prepare --dry-run"),
        key("ctrl+r", "refresh", tr("Look again"), display="^r", twin="bootkit devices"),
        key("escape", "leave", tr("Back"), display="Esc"),
    ]

    def compose(self) -> ComposeResult:
        yield Static(_heading(1, tr("which disk, or which file stands for one?")), classes="heading")
        yield DiskTable(id="disks")
        yield Static(id="rules", markup=False)
        with Vertical(id="wishes"):
            yield Field(
                tr("Image file"),
                Input(placeholder=tr("instead of a disk, a new file: /home/me/stick.img"), compact=True, id="file"),
            )
            yield Field(tr("Its size"), Input(placeholder=_SIZE, compact=True, id="size"))
            yield Field(
                tr("Layout"), ChoiceField(tuple(_LAYOUTS.values()), tuple(_LAYOUTS), Layout.SPLIT, name="layout")
            )
            yield Field(tr("File system"), ChoiceField(tuple(DataFs), tuple(DataFs), DataFs.EXT4, name="fs"))
            yield Field(
                tr("Boot loaders"),
                ChoiceField(tuple(LoaderChoice), tuple(LoaderChoice), LoaderChoice.AUTO, name="loader"),
            )
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one(DiskTable).focus()
        self.run_worker(self._watch(), group="disks")

    def action_refresh(self) -> None:
        self.in_background("look", list_devices, self._show)

    @on(DataTable.RowHighlighted)
    def tell_rules(self) -> None:
        disk = self.query_one(DiskTable).marked
        if disk is None:
            words = tr("No disk is plugged in. A file does as well.")
        elif refused := disk[1]:
            words = "\n".join(
                f"{tr('It {reason}.', reason=one.reason)} {_sentence(spoken(one.hint))}".rstrip() for one in refused
            )
        else:
            words = tr("No safety rule speaks against it: it is unmounted, unused, removable, and not this system's.")
        self.query_one("#rules", Static).update(words)

    @on(DataTable.RowSelected)
    def take_disk(self) -> None:
        disk = self.query_one(DiskTable).marked
        if disk is not None:
            self._plan(Path(disk[0].node), None)

    @on(Input.Submitted)
    def action_go_on(self) -> None:
        file = self.query_one("#file", Input).value.strip()
        if not file:
            self.take_disk()
            return
        try:
            path = Path(file).expanduser()
            text = self.query_one("#size", Input).value.strip() or ("" if path.exists() else _SIZE)
            size = parse_size(text) if text else None
        except UsageError as error:
            self.complain(f"{spoken(error.message)}: {spoken(error.hint)}")
            return
        self._plan(path, size)

    def action_leave(self) -> None:
        _ = self.dismiss(None)

    async def _watch(self) -> None:
        """Look at the disks whenever udev tells of one, and now and then."""
        events = await asyncio.to_thread(DiskEvents)
        while True:
            disks = await asyncio.to_thread(list_devices)
            if self not in self.program.screen_stack or not self.children:
                return
            self._show(disks)
            if events.works:
                for _ in range(4):
                    if await asyncio.to_thread(events.wait, _LOOK / 4):
                        break
            else:
                await asyncio.sleep(_LOOK)

    def _show(self, disks: Judged) -> None:
        table = self.query_one(DiskTable)
        if disks != table.disks or not disks:
            table.show(disks)
            self.tell_rules()

    def _plan(self, path: Path, size: int | None) -> None:
        layout = Layout(str(self.query_one("#layout", ChoiceField).value))
        system = DataFs(str(self.query_one("#fs", ChoiceField).value))
        loader = LoaderChoice(str(self.query_one("#loader", ChoiceField).value))
        data_fs = None if layout is Layout.SINGLE else system
        self.work(
            tr("Looking at it"),
            lambda _: plan_preparation(path, size=size, layout=layout, data_fs=data_fs, loader=loader),
            self._planned,
        )

    def _planned(self, plan: PreparePlan) -> None:
        self.ask(SummaryScreen(plan, tr("Make a stick, step 2 of 2")), self._prepared)

    def _prepared(self, done: str | None) -> None:
        if done:
            _ = self.dismiss(Path(done))


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


def _heading(step: int, question: str) -> Content:
    return Content.assemble((tr("Make a stick, step {step} of 2", step=step), "bold $primary"), f"  {question}")
