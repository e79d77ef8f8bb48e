"""The AppImages that lie on a stick."""

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.places import APP_ENTRY_FOLDER, APP_FOLDER
from bootkit.system.volume import Volume
from bootkit.values import dataclass

SUFFIX = ".AppImage"
ENTRY_LIMIT = 256 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    name: str
    path: str
    size: int
    title: str = ""
    """The name in its own menu entry; empty if it has none."""


def find_apps(volume: Volume) -> tuple[App, ...]:
    found = [
        stat for stat in volume.listdir(APP_FOLDER) if stat.name.lower().endswith(SUFFIX.lower()) and not stat.is_dir
    ]
    return tuple(_app(volume, stat.name, stat.size) for stat in found if not stat.name.startswith("."))


def app_named(volume: Volume, name: str) -> App:
    """The one AppImage that ``name`` fits.

    Raises:
        BootkitError: there is none, or several.
    """
    apps = find_apps(volume)
    fits = [app for app in apps if name in (app.name, app.path, stem_of(app.name))]
    fits = fits or [app for app in apps if name.lower() in app.name.lower()]
    if len(fits) != 1:
        there = ", ".join(app.name for app in apps)
        none, many = tr("{name} fits no AppImage", name=name), tr("{name} fits more than one AppImage", name=name)
        raise BootkitError(many if fits else none, hint=there or "bootkit app add FILE")
    return fits[0]


def paths_of(volume: Volume, app: App) -> tuple[str, ...]:
    """The AppImage and what was taken out of it."""
    stem = stem_of(app.name)
    beside = [stat.name for stat in volume.listdir(APP_ENTRY_FOLDER) if stat.name.rpartition(".")[0] == stem]
    return (app.path, *(f"{APP_ENTRY_FOLDER}/{name}" for name in beside))


def _app(volume: Volume, name: str, size: int) -> App:
    path = f"{APP_ENTRY_FOLDER}/{stem_of(name)}.desktop"
    title = ""
    if volume.stat(path) is not None:
        with volume.open(path) as fh:
            lines = fh.read(ENTRY_LIMIT).decode("utf-8", "replace").splitlines()
        title = next((line.partition("=")[2] for line in lines if line.startswith("Name=")), "")
    return App(name=name, path=f"{APP_FOLDER}/{name}", size=size, title=title)


def stem_of(name: str) -> str:
    return name[: -len(SUFFIX)]
