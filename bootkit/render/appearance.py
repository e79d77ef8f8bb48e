"""All files beside grub.cfg that give the menu its appearance and its language."""

from bootkit.model.catalog import MenuSettings
from bootkit.model.places import LOCALE_FOLDER
from bootkit.render.texts import catalogue
from bootkit.render.theme import theme_files


def appearance_files(settings: MenuSettings, *, searches: bool = False) -> dict[str, bytes]:
    """By their path on the stick. The menu works without any of them. ``searches`` tells whether it has a search to speak of."""
    files = theme_files(settings.theme, settings.language, searches=searches)
    if settings.language != "en":
        files[f"{LOCALE_FOLDER}/{settings.language}.mo"] = catalogue(settings.language)
    return files
