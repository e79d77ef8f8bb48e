"""The lines of images in the menu, made anew or as they were written before.

To make the line of an image, its entries and their script takes half a millisecond, and of a thousand images all but one are as
they were. What the rest of the menu asks of one is so little that it can be kept, and its script stands in the file beside the menu.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from bootkit.model.catalog import Additions, ImageAppearance, ImageItem
from bootkit.render.entries import image_title, menu_image
from bootkit.render.menu_image import MenuImage
from bootkit.render.names import OWN_NAME
from bootkit.values import dataclass

Appearances = Mapping[str, ImageAppearance]
PLAIN = ImageAppearance()
NO_APPEARANCES: Appearances = MappingProxyType({})
NO_ADDITIONS: Mapping[str, Additions] = MappingProxyType({})
_NOTHING = Additions()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptImage:
    """What was kept of an image's line; its fields mean what those of :class:`~bootkit.render.menu_image.MenuImage` do."""

    path: str
    own_title: str
    """Without what tells it from another of that title."""
    title: str
    id: str
    id_path: str
    loop: str
    classes: tuple[str, ...]
    judged: str
    default: str
    offers_itself: bool
    installs: bool
    is_disk: bool
    place: str
    """Where its script stood in the file beside the menu, as ``START+COUNT`` in sectors."""
    script: bytes = b""
    appearance: ImageAppearance = PLAIN

    @property
    def key(self) -> str:
        return self.loop.removeprefix(OWN_NAME)


MenuRow: TypeAlias = MenuImage | KeptImage
NOTHING_KEPT: Mapping[str, KeptImage] = MappingProxyType({})


class MenuRows:
    """Makes the lines of images.

    ``kept`` are those of images of which nothing has changed that their scripts are made from, but perhaps their place in the menu
    and the images beside them. ``chosen`` puts the user's choices into an image's entries, where they are asked for.
    """

    def __init__(
        self,
        appearances: Appearances = NO_APPEARANCES,
        additions: Mapping[str, Additions] = NO_ADDITIONS,
        *,
        kept: Mapping[str, KeptImage] = NOTHING_KEPT,
        chosen: Callable[[ImageItem], ImageItem] = lambda item: item,
    ) -> None:
        self._appearances = appearances
        self._additions = additions
        self._kept = kept
        self._make_chosen = chosen
        self._chosen: dict[str, ImageItem] = {}
        self._titles: dict[str, str] = {}

    def appearance(self, path: str) -> ImageAppearance:
        return self._appearances.get(path, PLAIN)

    def own_title(self, item: ImageItem) -> str:
        """What an image is called where no other is called so."""
        known = self._kept.get(item.path)
        title = known.own_title if known is not None else image_title(self._with_choices(item))
        self._titles[item.path] = title
        return title

    def row(self, item: ImageItem, title: str, place: str) -> MenuRow:
        """The line of an image in the folder at ``place``, as GRUB's ``default`` names it."""
        known, appearance = self._kept.get(item.path), self.appearance(item.path)
        if known is not None and known.title == title and known.id_path == inside(place, known.id):
            return replace(known, appearance=appearance) if appearance != PLAIN else known
        additions = self._additions.get(item.path, _NOTHING)
        return replace(menu_image(self._with_choices(item), title, place, additions), appearance=appearance)

    def to_keep(self, row: MenuRow, place: str) -> KeptImage:
        """What to keep of a line whose script stands at ``place`` now."""
        if isinstance(row, KeptImage):
            return replace(row, place=place)
        return KeptImage(
            path=row.path,
            own_title=self._titles[row.path],
            title=row.title,
            id=row.id,
            id_path=row.id_path,
            loop=row.loop,
            classes=row.classes,
            judged=row.judged,
            default=row.default,
            offers_itself=row.offers_itself,
            installs=row.installs,
            is_disk=row.is_disk,
            place=place,
        )

    def _with_choices(self, item: ImageItem) -> ImageItem:
        if item.path not in self._chosen:
            self._chosen[item.path] = self._make_chosen(item)
        return self._chosen[item.path]


def inside(place: str, own: str) -> str:
    """A line's own id behind those of the folders above it."""
    return f"{place}>{own}" if place else own
