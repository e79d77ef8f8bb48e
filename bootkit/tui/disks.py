"""What the section of the disks lets its workers do; texts out of forms come in, a sentence goes out."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType

from bootkit.app.stick.user_files import bring_out, require_room
from bootkit.app.verbs.disk import choose_for_disk, disk_path, grown_disk, planned_disk, require_free_name
from bootkit.app.verbs.images import Addition, add_images
from bootkit.errors import UsageError
from bootkit.i18n import spoken, tr
from bootkit.model.plan import StickPlan
from bootkit.system.sticks import Stick
from bootkit.tui.access import StickAccess
from bootkit.tui.progress import Job
from bootkit.tui.screens.form import Filled, path_of
from bootkit.tui.things import apply_and_write, new_passphrase
from bootkit.units import format_size, parse_size

ONLY_LIVE = tr("never written to it")
OVERLAID = tr("kept, your own things laid over")
_CHOSEN: Mapping[str, Mapping[str, bool]] = {ONLY_LIVE: {"persistence": False}, OVERLAID: {"own_things": True}}
"""Choices of what becomes of the changes to a system, with the options that they stand for."""


def add_disk(access: StickAccess, filled: Filled, progress: Job) -> str:
    size = parse_size(filled["size"]) if filled["size"] else 0
    with (
        access.open(writing=True) as stick,
        planned_disk(
            stick,
            path_of(filled["file"]),
            progress.watcher(),
            name=filled["name"],
            size=size,
            replacing=filled["same"] == tr("replace"),
        ) as plan,
    ):
        _put(stick, plan.addition, progress, chosen=_CHOSEN.get(filled["changes"], {}))
    return " ".join((_is_there(plan.addition), *map(spoken, plan.warnings)))


def create_disk(access: StickAccess, filled: Filled, progress: Job) -> str:
    from bootkit.app.verbs.disk_create import DiskWish, created_disk  # what makes disks, only where it is needed

    password = new_passphrase(filled)
    if password is None:
        raise UsageError(tr("its user has no password yet"), hint=tr("type one twice"))
    size = parse_size(filled["size"])
    wish = DiskWish(
        name=filled["name"],
        iso=path_of(filled["iso"]),
        size=size,
        user=filled["user"],
        password=lambda: password,
    )
    with access.open(writing=True) as stick:
        require_free_name(stick.volume, wish.name)
        require_room(stick.volume, size)
        with (
            created_disk(wish, progress.watcher()) as made,
            planned_disk(stick, made, progress.watcher(), name=wish.name) as plan,
        ):
            _put(stick, plan.addition, progress)
    return " ".join((_is_there(plan.addition), *map(spoken, plan.warnings)))


def grow_disk(access: StickAccess, name: str, filled: Filled, progress: Job) -> str:
    size = parse_size(filled["size"])
    with access.open(writing=True) as stick:
        _replace(stick, grown_disk(stick.volume, name, size, progress.watcher()), progress)
    return tr("{name} has {size} now.", name=name, size=format_size(size))


def encrypt_disk(access: StickAccess, name: str, filled: Filled, progress: Job) -> str:
    from bootkit.app.verbs.disk_encrypt import encrypted_disk, require_encryptable

    passphrase = new_passphrase(filled)
    if passphrase is None:
        raise UsageError(tr("there is no passphrase yet"), hint=tr("type one twice"))
    with access.open(writing=True) as stick:
        item = require_encryptable(stick.volume, name)
        _replace(stick, encrypted_disk(stick.volume, item, passphrase, progress.watcher()), progress)
    return tr("{name} is encrypted. What was there before may still be found in the free room of the stick.", name=name)


def take_out_disk(access: StickAccess, name: str, filled: Filled, progress: Job) -> str:
    with access.open() as stick:
        path = disk_path(stick.volume, name)
        made, _ = bring_out(stick.volume, path, path_of(filled["file"]), progress.watcher())
    return tr("{name} is now in {made}, too.", name=name, made=made)


def _replace(stick: Stick, changed: AbstractContextManager[Addition], progress: Job) -> None:
    with changed as addition:
        _put(stick, addition, progress)


def _put(stick: Stick, addition: Addition, progress: Job, *, chosen: Mapping[str, bool] = MappingProxyType({})) -> None:
    """Copy it, read it back, and write the menu, with the options that are chosen for it."""
    _ = add_images(stick.volume, (addition,), progress.watcher())
    choose_for_disk(stick.volume, addition.step.path, chosen)
    progress.say(tr("writing the menu"))
    _ = apply_and_write(stick, StickPlan(steps=()))


def _is_there(addition: Addition) -> str:
    name, size = addition.item.name, format_size(addition.step.size)
    return tr("{name} is on the stick: {title}, {size}.", name=name, title=addition.item.title, size=size)
