"""Unified kernel images in a file system: their sections as files beside them.

``linux.efi`` has ``linux.efi.linux``, ``linux.efi.initrd`` and ``linux.efi.cmdline`` beside it, so that what is inside is read as
anything else is. Source: UAPI group, "Unified Kernel Image" (names of the sections, and ``/EFI/Linux``, where they lie).
"""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence

from bootkit.errors import FormatError
from bootkit.formats.pe import read_pe
from bootkit.formats.reader import Extent, TreeFile, Window
from bootkit.formats.tree import Entry, Tree

FOLDER = ("efi", "linux")
SECTIONS = (".linux", ".initrd", ".cmdline", ".uname", ".osrel")
_IMAGES_LIMIT = 16


def find_sections(tree: Tree, folder: str) -> dict[str, tuple[int, int]]:
    """The sections of the unified kernel images in ``/EFI/Linux`` below ``folder``, by their paths: offset and bytes."""
    for part in FOLDER:
        found = next((one for one in tree.listdir(folder) or () if one.is_dir and one.name.lower() == part), None)
        if found is None:
            return {}
        folder = f"{folder.rstrip('/')}/{found.name}"
    images = [one.name for one in tree.listdir(folder) or () if fnmatch.fnmatchcase(one.name.lower(), "*.efi")]
    return {path: place for name in images[:_IMAGES_LIMIT] for path, place in _sections(tree, f"{folder}/{name}")}


def _sections(tree: Tree, path: str) -> Iterator[tuple[str, tuple[int, int]]]:
    try:
        pe = read_pe(tree.open(path))
    except FormatError:
        return
    if pe is not None and ".linux" in pe.sections:
        yield from ((path + name, pe.sections[name]) for name in SECTIONS if name in pe.sections)


class UnifiedTree:
    """A tree with such files in it."""

    def __init__(self, tree: Tree, sections: Mapping[str, tuple[int, int]]) -> None:
        self._tree = tree
        self._sections = sections

    @property
    def warnings(self) -> Sequence[str]:
        return self._tree.warnings

    def listdir(self, path: str) -> Sequence[Entry] | None:
        members = self._tree.listdir(path)
        start = f"{path.rstrip('/')}/"
        added = [
            Entry(name=place.removeprefix(start), is_dir=False, size=size)
            for place, (_, size) in self._sections.items()
            if place.rpartition("/")[0] == start.rstrip("/")
        ]
        return (*members, *added) if members is not None and added else members

    def extents(self, path: str) -> tuple[Extent, ...]:
        if path not in self._sections:
            return self._tree.extents(path)
        raise FormatError(f"{path} is a part of a file")

    def open(self, path: str) -> TreeFile:
        place = self._sections.get(path)
        return self._tree.open(path) if place is None else Window(self._tree.open(image_of(path)), *place)

    def read(self, path: str, limit: int) -> bytes:
        with self.open(path) as file:
            return file.read(limit)


def image_of(path: str) -> str:
    """The path of the image that has a section."""
    return path.rpartition(".")[0]
