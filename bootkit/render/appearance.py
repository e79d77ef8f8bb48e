"""All files beside grub.cfg that give the menu its appearance and its language."""

from collections.abc import Collection, Iterable

from bootkit.model.catalog import MenuSettings
from bootkit.model.places import LOCALE_FOLDER
from bootkit.render.icons import icon
from bootkit.render.texts import catalogue
from bootkit.render.theme import is_our_theme, picture_path, theme_files


def appearance_files(
    settings: MenuSettings, *, searches: bool = False, classes: Iterable[str] = (), drawn: Collection[str] = ()
) -> dict[str, bytes]:
    """By their path on the stick. The menu works without any of them.

    ``searches`` tells whether it has a search to speak of; ``classes`` are those of its lines. What is ``drawn`` may be left out.
    """
    files = theme_files(settings.theme, settings.language, searches=searches, large=settings.large_letters, drawn=drawn)
    if is_our_theme(settings.theme):
        files |= {path: icon(name) for name in classes if (path := picture_path(f"icons/{name}")) not in drawn}
    if settings.language != "en":
        files[f"{LOCALE_FOLDER}/{settings.language}.mo"] = catalogue(settings.language)
    return files
