"""Images for the stick: found in folders or named by their path, put into a queue, copied one after the other."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import DirectoryTree, Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from bootkit.app.stick.images import FOLDER_SUFFIXES
from bootkit.tui import jobs
from bootkit.tui.access import StickAccess
from bootkit.tui.progress import Job
from bootkit.tui.screens.base import BaseScreen
from bootkit.tui.widgets.choice_field import ChoiceField
from bootkit.tui.widgets.field import Field
from bootkit.units import format_size


class IsoTree(DirectoryTree):
    """Folders, and the images in them."""

    HELP_TEXT = "Return opens a folder, and puts an image into the queue. Backspace goes to the folder above."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Take", key_display="Enter", tooltip="bootkit add"),
        Binding("space", "select_cursor", "Take", show=False, tooltip="bootkit add"),
        Binding("backspace", "up", "Folder above", show=False),
    ]
    ICON_NODE = "+ "
    ICON_NODE_EXPANDED = "- "
    ICON_FILE = "  "

    def filter_paths(self, paths: Iterable[Path]) -> Iterable[Path]:
        return [path for path in paths if not path.name.startswith(".") and _is_shown(path)]

    def action_up(self) -> None:
        self.path = Path(self.path).parent


class Queue(OptionList):
    HELP_TEXT = "The images that will be copied, in this order. Delete takes the marked one out."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,backspace", "screen.drop", "Take out", key_display="Del"),
    ]


class PathSuggester(Suggester):
    """What completes the path of a folder or an image."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        folder, _, start = value.rpartition("/")
        try:
            paths = [path for path in Path(folder or "/").expanduser().iterdir() if _is_shown(path)]
        except OSError:
            return None
        names = sorted(path.name + "/" * path.is_dir() for path in paths)
        found = next((name for name in names if name.startswith(start)), None)
        return None if found is None or not start else f"{folder}/{found}"


class AddScreen(BaseScreen[bool]):
    """The screen that adds images; it answers whether something was written to the stick."""

    HELP_TEXT = """\
Return on an image of the tree, or a path in the field above it, puts it into the queue; Delete takes the marked one out
again. Ctrl+S copies the queue, one image after the other. Each is looked into first, compared with a checksum file that
lies beside it, and read back from the stick. Cancelling leaves what is complete, and no part of the rest.

A folder below /boot/iso becomes a submenu. A name that no initrd could be told is refused, or changed if you allow it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "copy", "Copy the queue", key_display="^s", tooltip="bootkit add"),
        Binding("escape", "leave", "Back", key_display="Esc"),
    ]

    def __init__(self, access: StickAccess, folder: Path, free: int) -> None:
        super().__init__()
        self._access = access
        self._folder = folder
        self._free = free
        self.queue: dict[Path, int] = {}
        """Bytes of each image."""

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("Add images", "bold $primary"), classes="heading")
        yield Field(
            "Path",
            Input(
                placeholder="of an image; the right arrow completes it",
                suggester=PathSuggester(),
                compact=True,
                id="path",
            ),
        )
        with Container(id="panes"):
            yield IsoTree(self._folder, id="tree")
            with Vertical(id="queue-pane"):
                yield Static(id="sum", markup=False)
                yield Queue(id="queue")
                yield Field("Folder", Input(placeholder="on the stick; none is needed", compact=True, id="folder"))
                yield Field("Bad names", ChoiceField(("refuse", "change"), (False, True), value=False, name="rename"))
        yield Footer(show_command_palette=False)

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
            self.query_one(IsoTree).path = path
        elif self._put(path):
            event.input.clear()

    def action_drop(self) -> None:
        marked = self.query_one(Queue).highlighted
        if marked is not None:
            del self.queue[list(self.queue)[marked]]
            self._show_queue()

    def action_copy(self) -> None:
        if not self.queue:
            self.notify("The queue is empty: Return on an image puts it there.")
            return
        sources = list(self.queue)
        folder = self.query_one("#folder", Input).value.strip()
        rename = bool(self.query_one("#rename", ChoiceField).value)

        def copy(progress: Job) -> int:
            return jobs.add(self._access, sources, folder, progress, rename=rename)

        self.work(f"Copying {_images(len(sources))}", copy, self._copied)

    def action_leave(self) -> None:
        _ = self.dismiss(result=False)

    def _put(self, path: Path) -> bool:
        """Put an image into the queue; false if it cannot be."""
        try:
            size = path.stat().st_size
        except OSError as error:
            self.complain(f"{path}: {error.strerror}")
            return False
        if path in self.queue:
            self.notify(f"{path.name} is in the queue already.", markup=False)
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
        room = f"{format_size(needed)} of the {format_size(self._free)} that are free"
        words = f"{_images(len(self.queue))}, {room}" if self.queue else "The queue is empty."
        self.query_one("#sum", Static).update(f"{words}: TOO MUCH" if needed > self._free else words)

    def _copied(self, count: int) -> None:
        self.program.notify(f"Copied and read back: {_images(count)}.")
        _ = self.dismiss(result=True)


def _is_shown(path: Path) -> bool:
    return path.name.lower().endswith(FOLDER_SUFFIXES) or path.is_dir()


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
