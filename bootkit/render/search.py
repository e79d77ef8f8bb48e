"""What of the menu can be searched for, in the words that GRUB's script compares."""

import re
import unicodedata
from collections.abc import Iterable

from bootkit.render.menu_rows import MenuRow
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Findable:
    """One image as the search lists it."""

    path: str
    function: str
    """Of the menu's script: it lists the image's entries."""
    id_path: str
    title: str
    words: str
    """What is compared with that which is typed: small letters of ASCII, because GRUB reads the keys of a US keyboard."""
    free: str
    """What lets it start without a password."""
    judged: str
    """As :attr:`bootkit.render.entries.MenuImage.judged`."""


def findable(images: Iterable[MenuRow], free: str) -> tuple[Findable, ...]:
    """The images in the order of the menu; ``free`` is GRUB's option for entries that need no password."""
    return tuple(
        Findable(
            path=image.path,
            function=image.loop,
            id_path=image.id_path,
            title=image.title,
            words=_typeable(" ".join((image.title, image.appearance.tip, image.path.rpartition("/")[2]))),
            free="" if image.appearance.locked else free,
            judged=image.judged,
        )
        for image in images
    )


def first_letters(images: Iterable[Findable]) -> tuple[str, ...]:
    """The letters and digits with which their words begin."""
    return tuple(sorted({word[0] for image in images for word in re.findall(r"[a-z0-9]+", image.words)}))


def _typeable(text: str) -> str:
    """``text`` without accents and capitals, and without what has no key: "Café Ö1" is "cafe o1"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(plain.split())
