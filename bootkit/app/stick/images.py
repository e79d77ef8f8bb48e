"""The images on a stick: which there are, and which of them a name means. No image and no record is opened for that."""

from collections.abc import Callable, Generator

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.places import APP_FOLDER, DISK_FOLDER, IMAGE_FOLDER
from bootkit.system.volume import FileStat, Volume, walk

SUFFIXES = (".iso",)
"""Of images anywhere on the partition."""
FOLDER_SUFFIXES = (*SUFFIXES, ".efi", ".img", ".ima", ".wim", ".bin", ".krn", ".lkrn")
"""Of images in the image folder: programs, floppies, Windows images."""
DISK_SUFFIXES = (".raw", ".img")
"""Of disks with an installed system in the folder for them."""
_DEPTH = 6
"""Folders below the root in which images are looked for outside of /boot/iso."""
_NOT_FOR_IMAGES = frozenset({"boot", "efi", "lost+found", "system volume information", "$recycle.bin", APP_FOLDER[1:]})


def find_images(volume: Volume) -> tuple[tuple[str, FileStat], ...]:
    """The images on the partition: those in /boot/iso first in order, then those that lie elsewhere."""
    found = [
        *_images(walk(volume, IMAGE_FOLDER), FOLDER_SUFFIXES),
        *_images(walk(volume, DISK_FOLDER), DISK_SUFFIXES),
        *_images(walk(volume, "/", enters=_may_hold_images), SUFFIXES),
    ]
    return tuple(sorted(found, key=lambda pair: pair[0]))


def image_named(volume: Volume, name: str) -> str:
    """The path of the image that is meant by a path, a file name with or without its ending, or a part that fits only one.

    Raises:
        BootkitError: none fits, or several do.
    """
    paths = [path for path, _ in find_images(volume)]
    tests: tuple[Callable[[str], bool], ...] = (
        lambda path: path in (name, f"{IMAGE_FOLDER}/{name}"),
        lambda path: path.rpartition("/")[2] == name,
        lambda path: path.rpartition("/")[2].rpartition(".")[0].lower() == name.lower(),
        lambda path: name.lower() in path.lower(),
    )
    for test in tests:
        match [path for path in paths if test(path)]:
            case [path]:
                return path
            case [_, *_] as several:
                raise BootkitError(
                    tr("{name} fits several images: {several}", name=name, several=", ".join(several)),
                    hint=tr("write more of the path"),
                )
            case _:
                continue
    raise BootkitError(tr("no image on the stick is called {name}", name=name), hint=tr("bootkit list shows them"))


def _images(files: Generator[tuple[str, FileStat]], suffixes: tuple[str, ...]) -> Generator[tuple[str, FileStat]]:
    return ((path, stat) for path, stat in files if path.lower().endswith(suffixes))


def _may_hold_images(folder: str) -> bool:
    return folder.count("/") <= _DEPTH and folder[1:].lower() not in _NOT_FOR_IMAGES
