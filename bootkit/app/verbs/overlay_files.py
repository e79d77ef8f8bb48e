"""``explain --overlay``: every file that the stick adds to an image's initrds."""

import io
import stat
from collections.abc import Iterator
from typing import TypedDict

from bootkit.app.menu.added import plan_added
from bootkit.app.menu.overlays import plan_overlays
from bootkit.app.stick.state import read_state
from bootkit.errors import BootkitError
from bootkit.formats.compression import Budget
from bootkit.formats.cpio import read_cpio
from bootkit.formats.stream import Plain
from bootkit.i18n import tr
from bootkit.model.boot import ON_STICK
from bootkit.model.catalog import Additions, ImageItem
from bootkit.model.places import ADDED_FOLDER
from bootkit.model.plan import WriteFile
from bootkit.system.volume import Volume, read_file
from bootkit.values import dataclass

_LIMIT = 64 << 20


class LoadedFileDocument(TypedDict):
    """One record of an archive that is loaded behind an image's own initrds."""

    archive: str
    name: str
    mode: str
    """As ``ls -l`` writes it."""
    size: int
    content: str
    """Of a link where it points; what is no text is shown with replacement characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFile:
    """One record of an archive that is loaded behind an image's own initrds."""

    archive: str
    """Path on the stick."""
    name: str
    mode: int
    content: bytes
    """Of a link where it points; of a folder nothing."""

    def to_json(self) -> LoadedFileDocument:
        return {
            "archive": self.archive,
            "name": self.name,
            "mode": stat.filemode(self.mode),
            "size": len(self.content),
            "content": self.content.decode(errors="replace"),
        }


def loaded_files(volume: Volume, name: str) -> tuple[LoadedFile, ...]:
    """What is loaded behind the initrds of an image on the stick, in the order in which the kernel unpacks it.

    It is what ``generate`` writes with the choices of this moment.

    Raises:
        BootkitError: there is no such image, or nothing is loaded behind its initrds.
    """
    state = read_state(volume, [name])
    (item,), (offered,) = state.catalog.items, state.offered
    overlays = plan_overlays(volume, (item,), state.choices)
    steps = (*overlays.steps, *plan_added(volume, (item,), state.variants))
    new = {step.path: step.content for step in steps if isinstance(step, WriteFile)}
    archives = (*overlays.by_image.get(item.path, Additions()).initrds, *_of_single_entries(offered))
    if not archives:
        stack = item.detection.stack if item.detection else "unknown"
        raise BootkitError(
            tr("{path}: nothing is loaded behind its initrds", path=item.path),
            hint=tr("no overlay is for systems of the kind {stack}", stack=stack),
        )
    return tuple(
        member
        for archive in archives
        for member in _members(archive, new.get(archive) or read_file(volume, archive, _LIMIT) or b"")
    )


def _of_single_entries(item: ImageItem) -> tuple[str, ...]:
    """What only the entries for kept changes and for answer files load."""
    entries = item.detection.entries if item.detection else ()
    paths = (path.removeprefix(ON_STICK) for entry in entries for path in entry.initrds if path.startswith(ON_STICK))
    return tuple(path for path in dict.fromkeys(paths) if path.startswith(ADDED_FOLDER))


def loaded_file(files: tuple[LoadedFile, ...], name: str) -> LoadedFile:
    """The one of that name; where two archives have one, the later one takes the place of the other.

    Raises:
        BootkitError: there is none.
    """
    found = [file for file in files if file.name == name]
    if not found:
        raise BootkitError(
            tr("no file {name} is loaded", name=repr(name)), hint=tr("without --file, all of them are listed")
        )
    return found[-1]


def _members(archive: str, content: bytes) -> Iterator[LoadedFile]:
    stream = Plain(io.BytesIO(content), 0, len(content), budget=Budget(output=_LIMIT, seconds=60))
    stream.skip_zeros()
    for member in read_cpio(stream, lambda _name, _mode, _size: True):
        yield LoadedFile(archive=archive, name=member.name, mode=member.mode, content=member.data or b"")
