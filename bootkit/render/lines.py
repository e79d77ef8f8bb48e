"""The lines of the menu: an image or a folder each, and where in the file beside it stands what they do."""

from collections.abc import Mapping

from bootkit.render.grub import render
from bootkit.render.menu_image import GO, MenuImage
from bootkit.render.menu_rows import MenuRow
from bootkit.render.names import clean_text
from bootkit.render.parts import Parts
from bootkit.render.prose import columns
from bootkit.render.tree import MenuFolder

_TIP_LIMIT = 80


def render_image(image: MenuImage, free: str) -> str:
    """The image's entries, as they are shown when it is chosen."""
    return render("image.cfg.j2", image=image, free=_free(image, free), go=GO)


class MenuLines:
    """Writes the lines of folders; those of what lies in a folder are parts of their own.

    ``places`` are where the images' entries stand in ``parts``, by their paths. ``checked`` lines hide where their file is
    gone; the others are as short as can be.
    """

    def __init__(self, parts: Parts, places: Mapping[str, str], free: str, *, checked: bool) -> None:
        self._parts = parts
        self._places = places
        self._free = free
        self._checked = checked

    def of(self, folder: MenuFolder) -> str:
        """What is shown of a folder: its images and the folders in it."""
        column = max((columns(image.title) for image in folder.images if image.appearance.tip), default=0)
        at_top = not folder.place
        images = [self._image(image, offered=at_top, column=column) for image in folder.images]
        lines = render("lines.cfg.j2", lines=images, checked=self._checked) if images else ""
        return lines + "".join(self._folder(one, offered=at_top) for one in folder.folders)

    # Only what stands at the top of the menu can offer itself as the default: a submenu is not run before it is opened.
    def _folder(self, folder: MenuFolder, *, offered: bool) -> str:
        starting = [image for image in folder.all_images if image.offers_itself] if offered else []
        first = next((image for image in starting if not image.judged), next(iter(starting), None))
        place = self._parts.add(self.of(folder))
        return render("folder.cfg.j2", folder=folder, place=place, first=first, free=self._free, checked=self._checked)

    def _image(self, image: MenuRow, *, offered: bool, column: int) -> dict[str, object]:
        """What an image's line is filled in with."""
        tip = clean_text(image.appearance.tip, limit=_TIP_LIMIT)
        free = _free(image, self._free)
        return {
            "image": image,
            "tip": " " * (max(column - columns(image.title), 0) + 2) + tip if tip else "",
            "place": self._places[image.path],
            "default": image.default if offered and image.offers_itself else "",
            "free": free,
            "function": "image" if free == self._free else "locked_image",
        }


def _free(image: MenuRow, free: str) -> str:
    return "" if image.appearance.locked else free
