"""The images of a stick in the folders of its menu, and in groups where a folder holds too many for one screen."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from bootkit.model.catalog import Additions, ImageAppearance, ImageItem
from bootkit.render.entries import image_title, menu_image
from bootkit.render.menu_image import MenuImage
from bootkit.render.names import clean_text, folder_id
from bootkit.values import dataclass

Appearances = Mapping[str, ImageAppearance]
_PLAIN = ImageAppearance()
_NO_APPEARANCES: Appearances = {}
_NOTHING = Additions()
_NO_ADDITIONS: Mapping[str, Additions] = {}

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
    images: tuple[MenuImage, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every image in it and below."""
        return tuple(image.path for image in self.all_images)

    @property
    def all_images(self) -> tuple[MenuImage, ...]:
        """The images in the order of the menu: those of a folder, then those of the folders in it."""
        return (*self.images, *(image for folder in self.folders for image in folder.all_images))

    @property
    def all_folders(self) -> tuple["MenuFolder", ...]:
        """Itself, and those in it and below."""
        return (self, *(one for folder in self.folders for one in folder.all_folders))


def menu_tree(
    items: Iterable[ImageItem],
    appearances: Appearances = _NO_APPEARANCES,
    additions: Mapping[str, Additions] = _NO_ADDITIONS,
) -> MenuFolder:
    """The images in folders, in order of title; the outermost folder is the menu itself.

    An image whose path cannot be said is left out.
    """
    speakable = [item for item in items if is_speakable(item.path)]
    shown = [item for item in speakable if not appearances.get(item.path, _PLAIN).hidden]
    return _folder("", "", shown, appearances, additions)


def is_speakable(path: str) -> bool:
    """Whether a path can be said in a script that is read by lines: it holds no control characters."""
    return not re.search(r"[\x00-\x1f\x7f]", path)


def _folder(
    folder: str, place: str, items: Sequence[ImageItem], appearances: Appearances, additions: Mapping[str, Additions]
) -> MenuFolder:
    prefix = f"{folder}/" if folder else ""
    below: dict[str, list[ImageItem]] = {}
    here: list[ImageItem] = []
    for item in items:
        name = item.folder[len(prefix) :].partition("/")[0] if item.folder != folder else ""
        (below.setdefault(name, []) if name else here).append(item)
    folders = [
        _folder(prefix + name, _inside(place, folder_id(prefix + name)), inside, appearances, additions)
        for name, inside in below.items()
    ]
    titles = _distinct_titles(here, appearances)
    images = [
        replace(
            menu_image(item, title, place, additions.get(item.path, _NOTHING)),
            appearance=appearances.get(item.path, _PLAIN),
        )
        for item, title in zip(here, titles, strict=True)
    ]
    images.sort(key=lambda one: (one.appearance.order, one.title.casefold(), one.path))
    groups = _groups(images, place) if len(images) > MANY else []
    return MenuFolder(
        title=clean_text(folder.rpartition("/")[2]),
        id=folder_id(folder),
        place=place,
        folders=(*groups, *sorted(folders, key=lambda one: (one.title.casefold(), one.id))),
        images=() if groups else tuple(images),
    )


def _groups(images: Sequence[MenuImage], place: str) -> list[MenuFolder]:
    """The images of one folder in groups of about one size, which are opened as folders are."""
    count = -(-len(images) // GROUP)
    bounds = [len(images) * number // count for number in range(count + 1)]
    return [
        _group(images[start:end], start, _inside(place, f"group:{number}"))
        for number, (start, end) in enumerate(pairwise(bounds), 1)
    ]


def _group(images: Sequence[MenuImage], start: int, place: str) -> MenuFolder:
    first, last = (clean_text(images[at].title, limit=_GROUP_TITLE) for at in (0, -1))
    return MenuFolder(
        title=f"{start + 1}-{start + len(images)}: {first} ... {last}",
        id=place.rpartition(">")[2],
        place=place,
        images=tuple(replace(image, id_path=_inside(place, image.id)) for image in images),
    )


def _inside(place: str, own: str) -> str:
    return f"{place}>{own}" if place else own


def _distinct_titles(items: Sequence[ImageItem], appearances: Appearances) -> list[str]:
    titles = [clean_text(appearances.get(item.path, _PLAIN).alias) or image_title(item) for item in items]
    seen = {title: titles.count(title) for title in set(titles)}
    return [
        title if seen[title] == 1 else f"{title} - {clean_text(item.name)}"
        for item, title in zip(items, titles, strict=True)
    ]
