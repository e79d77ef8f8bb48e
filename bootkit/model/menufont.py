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
_CHINESE = MenuFont(face=Face.CHINESE, size=TEXT.size)


def fonts_of(language: str) -> tuple[MenuFont, ...]:
    """What the menu loads."""
    return (TEXT, _CHINESE) if language == "zh" else (TEXT,)
