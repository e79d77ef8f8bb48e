"""The menu's own fonts, which GRUB finds by the names that stand in them."""

from enum import StrEnum

from bootkit.model.places import THEME_FOLDER
from bootkit.values import dataclass


class Face(StrEnum):
    """What a font is for."""

    SANS = "sans"
    MONO = "mono"
    """Of letters that are equally wide, as in GRUB's terminal."""
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
"""On a screen of 1024x768 or so."""
LARGE_TEXT = MenuFont(face=Face.SANS, size=32)
"""On a screen that has no mode but its own, which may have four times the points."""
LARGE_TERMINAL = MenuFont(face=Face.MONO, size=28)


def fonts_of(language: str) -> tuple[MenuFont, ...]:
    """What the menu loads where the screen is of the usual size."""
    return (TEXT, *_chinese(language, TEXT))


def large_fonts_of(language: str) -> tuple[MenuFont, ...]:
    return (LARGE_TEXT, *_chinese(language, LARGE_TEXT), LARGE_TERMINAL)


def _chinese(language: str, beside: MenuFont) -> tuple[MenuFont, ...]:
    return (MenuFont(face=Face.CHINESE, size=beside.size),) if language == "zh" else ()
