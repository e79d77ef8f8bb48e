"""What images want on the stick beside them: memdisk, wimboot, initrds for Debian's installer, headers of members, marks.

Only what is made here or comes with the host is put there; for the rest the user is told where it comes from.
"""

from collections.abc import Iterator
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.model.boot import BootEntry
from bootkit.model.catalog import ImageItem
from bootkit.model.filesystem import file_system
from bootkit.model.places import MEMDISK, OVERLAY_FOLDER, WIMBOOT
from bootkit.model.plan import RemoveFile, StickStep, WriteFile
from bootkit.overlay.pack import member_header
from bootkit.render.entries import HEADER_SUFFIX, image_header
from bootkit.system.volume import Volume, read_file, walk
from bootkit.values import dataclass

MEMDISK_PLACES = ("/usr/lib/syslinux/memdisk", "/usr/share/syslinux/memdisk", "/usr/lib/syslinux/bios/memdisk")
"""Paths of memdisk on Debian; Fedora and openSUSE; Arch."""
_SOURCES = {
    MEMDISK: "install syslinux (Debian: syslinux-common), then: bootkit generate",
    WIMBOOT: f"get wimboot from the iPXE project (github.com/ipxe/wimboot) and copy it to {WIMBOOT}",
}
_MEMDISK_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Companions:
    steps: tuple[StickStep, ...]
    missing: tuple[str, ...]
    """What could not be provided, each a warning."""


def plan_companions(
    volume: Volume, items: tuple[ImageItem, ...], *, memdisk_places: tuple[str, ...] = MEMDISK_PLACES
) -> Companions:
    """What has to be written so that the entries of ``items`` find what they need."""
    steps: dict[str, StickStep] = {}
    missing: dict[str, str] = {}
    for item in items:
        steps.update((mark, WriteFile(path=mark, content=b"")) for mark in _new_marks(volume, item))
        for entry in _entries(item):
            for path in entry.stick_files:
                if path in missing or volume.stat(path) is not None:
                    continue
                content = _from_host(memdisk_places) if path == MEMDISK else None
                if content is None:
                    missing[path] = f"{item.path} needs {path} on the stick: {_SOURCES.get(path, _by_hand(path))}"
                else:
                    steps[path] = WriteFile(path=path, content=content)
            if entry.image_as:
                _add_header(volume, item, entry.image_as, steps, missing)
    wanted = {image_header(item.path) for item in items for entry in _entries(item) if entry.image_as}
    headers = (path for path, _ in walk(volume, OVERLAY_FOLDER) if path.endswith(HEADER_SUFFIX))
    strays = tuple(RemoveFile(path=path) for path in headers if path not in wanted)
    return Companions(steps=(*steps.values(), *strays), missing=tuple(missing.values()))


def _entries(item: ImageItem) -> Iterator[BootEntry]:
    if item.recognition is not None and item.recognition.detection is not None:
        yield from item.recognition.detection.entries


def _new_marks(volume: Volume, item: ImageItem) -> Iterator[str]:
    """The marks that an image wants and the stick lacks. They stay when the image goes: they protect the stick."""
    known = file_system(volume.filesystem)
    if item.detection is not None and known is not None and known.is_common_ground:
        yield from (mark for mark in item.detection.marks if volume.stat(mark) is None)


def _from_host(places: tuple[str, ...]) -> bytes | None:
    found = next((path for path in map(Path, places) if path.is_file()), None)
    if found is None:
        return None
    with found.open("rb") as fh:
        return fh.read(_MEMDISK_LIMIT)


def _by_hand(path: str) -> str:
    return f"'bootkit explain' of the image says where {path.rpartition('/')[2]} comes from"


def _add_header(
    volume: Volume, item: ImageItem, name: str, steps: dict[str, StickStep], missing: dict[str, str]
) -> None:
    path = image_header(item.path)
    try:
        content = member_header(name, item.size)
    except BootkitError as error:
        missing[path] = f"{item.path}: {error.message}"
        return
    if read_file(volume, path, 1 << 16) != content:
        steps[path] = WriteFile(path=path, content=content)
