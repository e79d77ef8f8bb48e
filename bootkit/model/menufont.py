"""The menu's own fonts, which GRUB finds by the names that stand in them."""

from enum import StrEnum

from bootkit.model.places import THEME_FOLDER
from bootkit.values import dataclass


class Face(StrEnum):
    """What a font is for."""

    SANS = "sans"
    CHINESE = "chinese"
    """Of the signs that the others lack: GRUB takes from any font what the one that is asked for has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuFont:
    face: Face
    size: int
    """Height of its letters in pixels."""

    @property
    def family(self) -> str:
        """Ours, whatever font it is made of."""
        return f"bootkit {self.face}"

    @property
    def name(self) -> str:
        """What a theme calls it."""
        return f"{self.family} Regular {self.size}"

    @property
    def path(self) -> str:
        return f"{THEME_FOLDER}/{self.face}-{self.size}.pf2"


TEXT = MenuFont(face=Face.SANS, size=20)
LARGE_TEXT = MenuFont(face=Face.SANS, size=32)
"""As large as a title of forty-odd letters fits a line of 1024 points; what the keys do is told in the other."""


def text_font(*, large: bool) -> MenuFont:
    return LARGE_TEXT if large else TEXT


def fonts_of(language: str, *, large: bool = False) -> tuple[MenuFont, ...]:
    """What the menu loads."""
    texts = (LARGE_TEXT, TEXT) if large else (TEXT,)
    return (*texts, *(MenuFont(face=Face.CHINESE, size=text.size) for text in texts if language == "zh"))
