"""The menu's own fonts: made where this computer can, and kept on the stick when it meets one that cannot."""

from bootkit.errors import FormatError
from bootkit.formats.pf2 import characters
from bootkit.model.catalog import MENU_LANGUAGES, MenuSettings
from bootkit.model.menufont import Face, MenuFont, fonts_of
from bootkit.model.plan import WriteFile
from bootkit.render.texts import translations
from bootkit.render.theme import is_our_theme
from bootkit.system.menufont import make_menu_font
from bootkit.system.volume import Volume, read_file
from bootkit.values import dataclass

_LIMIT = 1 << 20
_LATIN = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2027))))
"""What titles of images may have, beside the menu's own texts."""
_CJK = "\u2e80"


@dataclass(frozen=True, slots=True, kw_only=True)
class FontPlan:
    are_there: bool = False
    """Whether the stick will have all of them, with the letters of the menu's language."""
    steps: tuple[WriteFile, ...] = ()


def plan_fonts(volume: Volume, settings: MenuSettings) -> FontPlan:
    """What of the fonts has to be written for this menu; nothing where one of them is not to be had."""
    if not is_our_theme(settings.theme):
        return FontPlan()
    steps: list[WriteFile] = []
    for font in fonts_of(settings.language, large=settings.large_letters):
        needed = _letters(font, settings.language)
        if _has(read_file(volume, font.path, _LIMIT), needed):
            continue
        made = make_menu_font(font, _wanted(font))
        if made is None or not _has(made, needed):
            return FontPlan()
        steps.append(WriteFile(path=font.path, content=made))
    return FontPlan(are_there=True, steps=tuple(steps))


def _wanted(font: MenuFont) -> str:
    """What a font is made with: all that a menu may say, in whatever language it will be."""
    said = _letters(font, *MENU_LANGUAGES)
    return "".join(sorted(said if font.face is Face.CHINESE else said.union(_LATIN)))


def _letters(font: MenuFont, *languages: str) -> set[str]:
    """What the menu says in these languages and this font has to have."""
    said = {letter for language in languages for text in translations(language).values() for letter in text}
    is_chinese = font.face is Face.CHINESE
    return {letter for letter in said if letter.isprintable() and (letter >= _CJK) is is_chinese}


def _has(font: bytes | None, letters: set[str]) -> bool:
    try:
        return font is not None and letters <= characters(font)
    except FormatError:
        return False
