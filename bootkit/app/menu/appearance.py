"""The files beside grub.cfg that give the menu its appearance and its language."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from bootkit.app.menu.fonts import plan_fonts
from bootkit.app.menu.freshness import drawn_pictures
from bootkit.errors import FormatError
from bootkit.formats.pf2 import characters
from bootkit.model.catalog import MENU_LANGUAGES, ImageItem, MenuSettings
from bootkit.model.places import MENU_FONT
from bootkit.model.plan import WriteFile
from bootkit.render.appearance import appearance_files
from bootkit.render.entries import image_class
from bootkit.render.texts import translations
from bootkit.render.theme import PICTURE
from bootkit.system.volume import Volume, read_file
from bootkit.values import dataclass

_FONT_LIMIT = 16 << 20
_FILE_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuAppearance:
    settings: MenuSettings
    """The menu's settings, with a language that the font on the stick can show."""
    steps: tuple[WriteFile, ...] = ()
    """Steps that write what is not on the stick as it should be."""
    warnings: tuple[str, ...] = ()
    pictures: Mapping[str, int] = field(default_factory=dict[str, int])
    """Bytes of each picture that is there then, by its path."""


def plan_appearance(volume: Volume, settings: MenuSettings, items: Sequence[ImageItem]) -> MenuAppearance:
    """What of the appearance has to be written for a menu of these images."""
    classes = {image_class(item.detection) for item in items} - {""}
    trouble = _font_problem(volume, settings.language)
    if trouble:
        settings = replace(settings, language=MENU_LANGUAGES[0])
    if settings.theme.startswith("/") and volume.stat(settings.theme) is None:
        trouble = (*trouble, f"the menu has a plain look: there is no {settings.theme} on the stick")
    fonts = plan_fonts(volume, settings)
    settings = replace(settings, has_fonts=fonts.are_there)
    drawn = drawn_pictures(volume, settings.theme)
    files = appearance_files(settings, searches=len(items) > 1, classes=sorted(classes), drawn=drawn)
    steps = tuple(
        WriteFile(path=path, content=content)
        for path, content in files.items()
        if read_file(volume, path, _FILE_LIMIT) != content
    )
    pictures = {path: len(content) for path, content in files.items() if path.endswith(PICTURE)}
    return MenuAppearance(
        settings=settings, steps=(*fonts.steps, *steps), warnings=trouble, pictures={**drawn, **pictures}
    )


def _font_problem(volume: Volume, language: str) -> tuple[str, ...]:
    """A warning if the stick's font lacks letters; without a font there are no graphics, and the menu speaks English."""
    needed = {char for text in translations(language).values() for char in text}
    font = read_file(volume, MENU_FONT, _FONT_LIMIT) if needed else None
    if font is None:
        return ()
    try:
        missing = needed - characters(font)
    except FormatError as error:
        return (f"the menu stays in English: {MENU_FONT} cannot be read: {error.message}",)
    if not missing:
        return ()
    return (f"the menu stays in English: {MENU_FONT} lacks {len(missing)} of the letters, such as {min(missing)}",)
