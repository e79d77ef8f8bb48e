"""All files beside grub.cfg that make the menu look and speak as the user wants."""

from bootkit.model.catalog import MenuSettings
from bootkit.render.texts import LOCALE_FOLDER, catalogue
from bootkit.render.theme import theme_files


def look_files(settings: MenuSettings) -> dict[str, bytes]:
    """By their path on the stick. The menu works without any of them."""
    files = theme_files(settings.theme, settings.language)
    if settings.language != "en":
        files[f"{LOCALE_FOLDER}/{settings.language}.mo"] = catalogue(settings.language)
    return files
