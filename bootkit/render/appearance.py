"""All files beside grub.cfg that give the menu its appearance and its language."""

from collections.abc import Iterable

from bootkit.model.catalog import MenuSettings
from bootkit.model.places import LOCALE_FOLDER, THEME_FOLDER
from bootkit.render.icons import icon
from bootkit.render.texts import catalogue
from bootkit.render.theme import is_our_theme, theme_files


def appearance_files(
    settings: MenuSettings, *, searches: bool = False, classes: Iterable[str] = ()
) -> dict[str, bytes]:
    """By their path on the stick. The menu works without any of them.

    ``searches`` tells whether it has a search to speak of; ``classes`` are those of its lines.
    """
    files = theme_files(settings.theme, settings.language, searches=searches)
    if is_our_theme(settings.theme):
        files |= {f"{THEME_FOLDER}/icons/{name}.png": icon(name) for name in classes}
    if settings.language != "en":
        files[f"{LOCALE_FOLDER}/{settings.language}.mo"] = catalogue(settings.language)
    return files
