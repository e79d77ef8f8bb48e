"""The images of a stick in the folders of its menu, and in groups where a folder holds too many for one screen."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from bootkit.model.catalog import ImageItem
from bootkit.render.menu_rows import MenuRow, MenuRows, inside
from bootkit.render.names import clean_text, folder_id
from bootkit.values import dataclass

_Titled = tuple[str, ImageItem]

MANY = 64
"""Images of one folder up to which each has a line there. GRUB takes two milliseconds for a line before it shows the first."""
GROUP = 40
"""Images of a group, at most."""
_GROUP_TITLE = 30
"""Columns for each of the two titles that name a group: its line has to fit a text screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuFolder:
    title: str
    id: str
    place: str
    """As GRUB's ``default`` takes it: the ids of the folders above, and its own; empty for the menu itself."""
    folders: tuple["MenuFolder", ...] = ()
    images: tuple[MenuRow, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every image in it and below."""
        return tuple(image.path for image in self.all_images)

    @property
    def all_images(self) -> tuple[MenuRow, ...]:
        """The images in the order of the menu: those of a folder, then those of the folders in it."""
        return (*self.images, *(image for folder in self.folders for image in folder.all_images))

    @property
    def all_folders(self) -> tuple["MenuFolder", ...]:
        """Itself, and those in it and below."""
        return (self, *(one for folder in self.folders for one in folder.all_folders))


def menu_tree(items: Iterable[ImageItem], rows: MenuRows | None = None) -> MenuFolder:
    """The images in folders, in order of title; the outermost folder is the menu itself.

    An image whose path cannot be said is left out.
    """
    rows = rows or MenuRows()
    speakable = [item for item in items if is_speakable(item.path)]
    return _folder("", "", [item for item in speakable if not rows.appearance(item.path).hidden], rows)


def is_speakable(path: str) -> bool:
    """Whether a path can be said in a script that is read by lines: it holds no control characters."""
    return not re.search(r"[\x00-\x1f\x7f]", path)


def _folder(folder: str, place: str, items: Sequence[ImageItem], rows: MenuRows) -> MenuFolder:
    prefix = f"{folder}/" if folder else ""
    below: dict[str, list[ImageItem]] = {}
    here: list[ImageItem] = []
    for item in items:
        name = item.folder[len(prefix) :].partition("/")[0] if item.folder != folder else ""
        (below.setdefault(name, []) if name else here).append(item)
    folders = [
        _folder(prefix + name, inside(place, folder_id(prefix + name)), members, rows)
        for name, members in below.items()
    ]
    titled = _titled(here, rows)
    groups = _groups(titled, place, rows) if len(titled) > MANY else []
    return MenuFolder(
        title=clean_text(folder.rpartition("/")[2]),
        id=folder_id(folder),
        place=place,
        folders=(*groups, *sorted(folders, key=lambda one: (one.title.casefold(), one.id))),
        images=() if groups else tuple(rows.row(item, title, place) for title, item in titled),
    )


def _titled(items: Sequence[ImageItem], rows: MenuRows) -> list[_Titled]:
    """Images with titles no two of which are the same, in their order."""
    own_titles = [rows.own_title(item) for item in items]
    titles = [clean_text(rows.appearance(item.path).alias) or own for item, own in zip(items, own_titles, strict=True)]
    seen = Counter(titles)
    titled = [
        (title if seen[title] == 1 else f"{title} - {clean_text(item.name)}", item)
        for item, title in zip(items, titles, strict=True)
    ]
    return sorted(titled, key=lambda one: (rows.appearance(one[1].path).order, one[0].casefold(), one[1].path))


def _groups(titled: Sequence[_Titled], place: str, rows: MenuRows) -> list[MenuFolder]:
    """The images of one folder in groups of about one size, which are opened as folders are."""
    count = -(-len(titled) // GROUP)
    bounds = [len(titled) * number // count for number in range(count + 1)]
    return [
        _group(titled[start:end], start, inside(place, f"group:{number}"), rows)
        for number, (start, end) in enumerate(pairwise(bounds), 1)
    ]


def _group(titled: Sequence[_Titled], start: int, place: str, rows: MenuRows) -> MenuFolder:
    first, last = (clean_text(titled[at][0], limit=_GROUP_TITLE) for at in (0, -1))
    return MenuFolder(
        title=f"{start + 1}-{start + len(titled)}: {first} ... {last}",
        id=place.rpartition(">")[2],
        place=place,
        images=tuple(rows.row(item, title, place) for title, item in titled),
    )
