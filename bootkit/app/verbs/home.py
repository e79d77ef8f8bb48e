"""``home``: the homes of a stick, each one file.

Everything is done to a copy on this computer that takes the old one's place when it is complete and was read back. The copy
has no name: whatever ends the program, no decrypted home is left behind.
"""

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from bootkit.app.stick.homes import Home, home_named, home_path
from bootkit.app.stick.user_files import (
    bring_out,
    copy,
    fill_warning,
    has_holes,
    plan_copy,
    require_fits,
    require_room,
    take_out,
)
from bootkit.errors import BootkitError, FormatError, HostError, UsageError
from bootkit.formats.ext4 import read_superblock
from bootkit.formats.luks import is_encrypted
from bootkit.i18n import tr
from bootkit.model.options import option, problem
from bootkit.system.changes import Watcher
from bootkit.system.fsimage import check_ext4, make_ext4, resize_ext4
from bootkit.system.luks import LUKS_HEADER, decrypt, seal
from bootkit.system.volume import Volume
from bootkit.system.volumes.raw import nameless_file, scratch
from bootkit.units import MIB, format_size

SMALLEST = 64 * MIB
_USER = (1000, 1000)
"""The first user of most live systems: there the files need no mapping."""

Ask = Callable[[], bytes]
"""Gives the passphrase of a home, once it is needed."""


def plan_home(volume: Volume, name: str, size: int) -> tuple[str, ...]:
    """Check that a new home can be made; returns warnings.

    Raises:
        BootkitError: a bad name, one that is there, or no room.
    """
    _require_name(name)
    if volume.stat(home_path(name)) is not None:
        raise BootkitError(
            tr("there is a home {name} already", name=name),
            hint=f"bootkit home resize {name} --size SIZE",
        )
    return _require_size(volume, name, size)


def create_home(
    volume: Volume, name: str, size: int, *, passphrase: bytes | None = None, watcher: Watcher | None = None
) -> Home:
    """An empty home; what the live system gives its user goes into it at the first boot."""
    with scratch() as work:
        image = work / "home"
        make_ext4(image, size - (LUKS_HEADER if passphrase is not None else 0), label=name, owner=_USER)
        _put(volume, name, image, passphrase, watcher)
    return home_named(volume, name)


def resize_home(volume: Volume, name: str, size: int, *, ask: Ask, watcher: Watcher | None = None) -> Home:
    """The home, made larger or smaller.

    Raises:
        BootkitError: no room on the stick, or what is in it needs more.
    """
    home = home_named(volume, name)
    _require_size(volume, home.name, size)
    with _taken_out(volume, home, ask, watcher) as (image, passphrase):
        resize_ext4(image, (size - (LUKS_HEADER if home.encrypted else 0)) // 4096 * 4096)
        _put(volume, home.name, image, passphrase, watcher)
    return home_named(volume, home.name)


def check_home(
    volume: Volume, name: str, *, repair: bool, ask: Ask, watcher: Watcher | None = None
) -> tuple[bool, str]:
    """Whether its file system is sound, and what e2fsck said of it; with ``repair``, it is mended."""
    home = home_named(volume, name)
    with _taken_out(volume, home, ask, watcher) as (image, passphrase):
        before = image.stat().st_mtime_ns
        sound, said = check_ext4(image, repair=repair)
        if repair and image.stat().st_mtime_ns != before:
            _put(volume, home.name, image, passphrase, watcher)
    return sound, said.replace(str(image), home.name)


def backup_home(volume: Volume, name: str, target: Path, watcher: Watcher | None = None) -> tuple[Path, str]:
    """Copy a home to this computer as it is, encrypted where it is; returns the new file and its SHA-256."""
    return bring_out(volume, home_named(volume, name).path, target, watcher)


def restore_home(
    volume: Volume, source: Path, name: str, *, replace: bool = False, watcher: Watcher | None = None
) -> Home:
    """A backup becomes a home of the stick.

    Raises:
        BootkitError: it is no home, or one of that name is there (unless ``replace``).
    """
    _require_name(name)
    require_home_image(source)
    step = plan_copy(volume, source, home_path(name), sparse=True, replace=replace)
    copy(volume, step, watcher, keep_sum=False)
    return home_named(volume, name)


def require_home_image(source: Path) -> None:
    """Refuse a file that is no home.

    Raises:
        BootkitError: it is neither an ext4 image nor one in LUKS.
    """
    try:
        with source.open("rb") as fh:
            if not is_encrypted(fh.read(8)):
                read_superblock(fh)
    except OSError as error:
        raise HostError.of(error, str(source)) from error
    except FormatError as error:
        raise BootkitError(
            tr("{source} is no home: {message}", source=source.name, message=error.message),
            hint=tr("a home is an ext4 image, or one in LUKS"),
        ) from error


@contextmanager
def _taken_out(volume: Volume, home: Home, ask: Ask, watcher: Watcher | None) -> Generator[tuple[Path, bytes | None]]:
    """A plain copy of its file system, which nobody but this user can read, and the passphrase that it had."""
    passphrase = ask() if home.encrypted else None
    with nameless_file() as image, scratch() as work:
        _require_scratch(work, home.size if home.encrypted else home.used)
        take_out(volume, home.path, image, watcher)
        if passphrase is not None:
            decrypt(image, passphrase, work / "header")
        yield image, passphrase


def _put(volume: Volume, name: str, image: Path, passphrase: bytes | None, watcher: Watcher | None) -> None:
    if passphrase is None:
        _copy(volume, name, image, watcher)
        return
    with nameless_file() as sealed:
        seal(image, sealed, passphrase, label=name)
        _copy(volume, name, sealed, watcher)


def _copy(volume: Volume, name: str, image: Path, watcher: Watcher | None) -> None:
    step = plan_copy(volume, image, home_path(name), sparse=True, replace=True)
    copy(volume, step, watcher, keep_sum=False)


def _require_name(name: str) -> None:
    if not name or name == "none" or problem(option("home"), name):
        raise UsageError(
            f"{name!r} {problem(option('home'), name) or tr('means that there is none')}",
            hint="bootkit home create anna --size 4G",
        )


def _require_size(volume: Volume, name: str, size: int) -> tuple[str, ...]:
    if size < SMALLEST:
        raise UsageError(
            tr("{size} is too small for a home", size=format_size(size)),
            hint=tr("at least {smallest}", smallest=format_size(SMALLEST)),
        )
    require_fits(volume, f"the home {name}", size)
    if not has_holes(volume):
        require_room(volume, size)
        return ()
    warning = fill_warning(volume, "the home", size)
    return (warning,) if warning else ()


def _require_scratch(work: Path, size: int) -> None:
    free = shutil.disk_usage(work).free
    if size > free:
        message = tr(
            "{parent} has {free} free; {size} are needed for a while",
            parent=work.parent,
            free=format_size(free),
            size=format_size(size),
        )
        raise BootkitError(message, hint=tr("another folder: TMPDIR=FOLDER bootkit home ..."))
