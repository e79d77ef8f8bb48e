"""Files for the stick: found in folders or named by their path, put into a queue, copied one after the other."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import DirectoryTree, Input, OptionList, Static
from textual.widgets.option_list import Option

from bootkit.i18n import spoken, tr
from bootkit.tui.access import StickAccess
from bootkit.tui.incoming import Brought, Incoming, Wishes
from bootkit.tui.keys import key
from bootkit.tui.progress import Job
from bootkit.tui.screens.base import BaseScreen
from bootkit.tui.screens.text import ErrorScreen, TextScreen
from bootkit.tui.widgets.choice_field import ChoiceField
from bootkit.tui.widgets.field import Field
from bootkit.tui.widgets.key_bar import KeyBar
from bootkit.tui.widgets.path_suggester import PathSuggester, is_offered
from bootkit.units import format_size


class SourceTree(DirectoryTree):
    """Folders, and the files in them that can be added."""

    HELP_TEXT = tr("Return opens a folder, and puts a file into the queue. Backspace goes to the folder above.")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("enter", "select_cursor", tr("Take"), display="Enter", twin="bootkit add"),
        key("space", "select_cursor", tr("Take"), shown=False, twin="bootkit add"),
        key("backspace", "up", tr("Folder above"), display="Bksp"),
    ]
    ICON_NODE = "+ "
    ICON_NODE_EXPANDED = "- "
    ICON_FILE = "  "

    def __init__(self, folder: Path, suffixes: tuple[str, ...]) -> None:
        super().__init__(folder, id="tree")
        self._suffixes = suffixes

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [path for path in paths if not path.name.startswith(".") and is_offered(path, self._suffixes)]

    def action_up(self) -> None:
        self.path = Path(self.path).parent


class Queue(OptionList):
    HELP_TEXT = tr("The files that will be copied, in this order. Delete takes the marked one out.")
    BINDINGS: ClassVar[list[BindingType]] = [
        key("delete,backspace", "screen.drop", tr("Take out"), display="Del"),
    ]


class AddScreen(BaseScreen[bool]):
    """The screen that adds files of one kind; it answers whether something was written to the stick."""

    HELP_TEXT = tr("""\
Return on a file of the tree, or a path in the field above it, puts it into the queue; Delete takes the marked one out
again. Ctrl+S copies the queue, one file after the other. Each is looked into first, an image is compared with a checksum file
that lies beside it, and all are read back from the stick. One that is refused does not stop the others; one that is on the
stick already is skipped. Cancelling leaves what is complete, and no part of the rest.

A folder below /boot/iso becomes a submenu. A name that no initrd could be told is refused, or changed if you allow it.""")

    BINDINGS: ClassVar[list[BindingType]] = [
        key("ctrl+s", "copy", tr("Copy the queue"), display="^s", twin="bootkit add"),
        key("escape", "leave", tr("Back"), display="Esc"),
    ]

    def __init__(self, access: StickAccess, incoming: Incoming, folder: Path, free: int = 0) -> None:
        """``free`` are the bytes that are free on the stick; 0 if nobody knows."""
        super().__init__()
        self._access = access
        self._incoming = incoming
        self._folder = folder
        self._free = free
        self.queue: dict[Path, int] = {}
        """Bytes of each file."""

    def compose(self) -> ComposeResult:
        yield Static(Content.styled(self._incoming.title, "bold $primary"), classes="heading")
        yield Field(
            tr("Path"),
            Input(
                placeholder=tr("of a file; the right arrow completes it"),
                suggester=PathSuggester(self._incoming.suffixes),
                compact=True,
                id="path",
            ),
        )
        with Container(id="panes"):
            yield SourceTree(self._folder, self._incoming.suffixes)
            with Vertical(id="queue-pane"):
                yield Static(id="sum", markup=False)
                yield Queue(id="queue")
                if self._incoming.has_folder:
                    yield Field(
                        tr("Folder"), Input(placeholder=tr("on the stick; none is needed"), compact=True, id="folder")
                    )
                    yield Field(tr("Bad names"), _choice(tr("refuse"), tr("change"), name="rename"))
                yield Field(tr("Same name"), _choice(tr("keep the old one"), tr("replace it"), name="replacing"))
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#tree").focus()
        self._show_queue()

    @on(DirectoryTree.FileSelected)
    def take_file(self, event: DirectoryTree.FileSelected) -> None:
        self._put(event.path)

    @on(Input.Submitted, "#path")
    def take_path(self, event: Input.Submitted) -> None:
        path = Path(event.value).expanduser()
        if path.is_dir():
            self.query_one(SourceTree).path = path
        elif self._put(path):
            event.input.clear()

    def action_drop(self) -> None:
        marked = self.query_one(Queue).highlighted
        if marked is not None:
            del self.queue[list(self.queue)[marked]]
            self._show_queue()

    def action_copy(self) -> None:
        if not self.queue:
            self.notify(tr("The queue is empty: Return on a file puts it there."))
            return
        sources = list(self.queue)
        wishes = self._wishes()

        def copy(progress: Job) -> Brought:
            return self._incoming.bring(self._access, sources, wishes, progress)

        self.work(tr("Copying {count}", count=self._count(len(sources))), copy, self._copied)

    def action_leave(self) -> None:
        _ = self.dismiss(result=False)

    def _wishes(self) -> Wishes:
        replacing = bool(self.query_one("#replacing", ChoiceField).value)
        if not self._incoming.has_folder:
            return Wishes(replacing=replacing)
        return Wishes(
            folder=self.query_one("#folder", Input).value.strip(),
            rename=bool(self.query_one("#rename", ChoiceField).value),
            replacing=replacing,
        )

    def _put(self, path: Path) -> bool:
        """Put a file into the queue; false if it cannot be."""
        try:
            size = path.stat().st_size
        except OSError as error:
            self.complain(f"{path}: {error.strerror}")
            return False
        if path in self.queue:
            self.notify(tr("{path} is in the queue already.", path=path.name), markup=False)
            return False
        self.queue[path] = size
        self._show_queue()
        return True

    def _show_queue(self) -> None:
        queue = self.query_one(Queue)
        marked = queue.highlighted
        queue.clear_options()
        queue.add_options(Option(Content(f"{format_size(size):>9}  {path.name}")) for path, size in self.queue.items())
        if self.queue:
            queue.highlighted = min(marked or 0, len(self.queue) - 1)
        needed = sum(self.queue.values())
        size = format_size(needed)
        if self._free:
            size = tr("{size} of the {free} that are free", size=size, free=format_size(self._free))
        too_much = f": {tr('TOO MUCH')}" if self._free and needed > self._free else ""
        self.query_one("#sum", Static).update(
            f"{self._count(len(self.queue))}, {size}{too_much}" if self.queue else tr("The queue is empty.")
        )

    def _copied(self, brought: Brought) -> None:
        for warning in brought.warnings:
            self.program.notify(spoken(warning), severity="warning", markup=False)
        if len(brought.refused) == 1 and not brought.copied:
            self.show(ErrorScreen(brought.refused[0][1]))
            return
        words = [tr("Copied and read back: {count}.", count=self._count(len(brought.copied)))] if brought.copied else []
        words += [tr("On the stick already: {count}.", count=self._count(len(brought.there)))] if brought.there else []
        self.program.notify(" ".join(words))
        _ = self.dismiss(result=True)
        if brought.refused:
            _ = self.program.push_screen(TextScreen(tr("Not copied"), _refused_text(brought)))

    def _count(self, number: int) -> str:
        return self._incoming.counted(number)


def _choice(no: str, yes: str, *, name: str) -> ChoiceField:
    return ChoiceField((no, yes), (False, True), value=False, name=name)


def _refused_text(brought: Brought) -> str:
    return "\n\n".join(
        "\n".join(filter(None, (str(file), spoken(error.message), spoken(error.hint))))
        for file, error in brought.refused
    )
