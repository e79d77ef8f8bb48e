"""The extensions that lie on a stick."""

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.extension import ExtensionItem
from bootkit.model.places import CUSTOMIZE_FOLDER, EXTENSION_FOLDER
from bootkit.system.volume import Volume

SUFFIXES = (".raw", ".ExtensionImage")


def find_extensions(volume: Volume) -> tuple[ExtensionItem, ...]:
    """All that the booted system would see, in its order: those of SystemImageKit's folder come last."""
    found: list[ExtensionItem] = []
    for folder, suffixes in ((EXTENSION_FOLDER, SUFFIXES), (CUSTOMIZE_FOLDER, ("ExtensionImage",))):
        for machine in volume.listdir(folder):
            if machine.is_dir:
                found += [
                    ExtensionItem(path=f"{folder}/{machine.name}/{stat.name}", size=stat.size, machine=machine.name)
                    for stat in volume.listdir(f"{folder}/{machine.name}")
                    if stat.name.endswith(suffixes) and not stat.is_dir and not stat.name.startswith(".")
                ]
    return tuple(found)


def extension_named(volume: Volume, name: str) -> ExtensionItem:
    """The extension of that path, file name, or name without its ending.

    Raises:
        BootkitError: there is none, or several.
    """
    items = find_extensions(volume)
    fits = [item for item in items if name in (item.path, item.name, item.name.removesuffix(".raw"))]
    fits = fits or [item for item in items if item.name.partition(".")[0] == name]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise BootkitError(
            tr("{name} fits several extensions", name=name),
            hint=tr("name its path: {fits}", fits=", ".join(one.path for one in fits)),
        )
    there = ", ".join(item.name for item in items)
    raise BootkitError(
        tr("there is no extension {name}", name=name),
        hint=tr("there are: {there}", there=there) if there else "bootkit ext add FILE",
    )
