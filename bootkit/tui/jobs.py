"""What the screens let their workers do: each opens the stick, calls the use cases, and gives back a value."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bootkit.app.verbs.check import Check, check_stick, keep_records
from bootkit.app.verbs.generate import Generation, plan_menu
from bootkit.app.verbs.loaders import LoaderRow, list_loaders
from bootkit.app.verbs.log import read_logs
from bootkit.app.verbs.options import plan_change
from bootkit.app.verbs.overview import Overview, read_overview
from bootkit.app.verbs.removal import find_removal, plan_aside, plan_return
from bootkit.app.verbs.verify import Verified, verify_images
from bootkit.i18n import tr
from bootkit.plan.edit_settings import Change
from bootkit.system.changes import apply_changes
from bootkit.tui.access import StickAccess
from bootkit.tui.progress import Job

if TYPE_CHECKING:
    from bootkit.app.verbs.test import BootedEntry


def read_stick(access: StickAccess, told: Callable[[str], None]) -> Overview:
    with access.open() as stick:
        return read_overview(stick, told=told)


def write_menu(access: StickAccess, progress: Job) -> Generation:
    with access.open(writing=True) as stick:
        generation = plan_menu(stick, told=lambda path: progress.say(tr("reading {path}", path=path)))
        progress.say(tr("writing the menu"))
        apply_changes(generation.plan, stick.volume)
    return generation


def remove(access: StickAccess, path: str) -> Generation:
    """Take an image out of the menu; it can be taken back until something else is written."""
    with access.open(writing=True) as stick:
        removal = find_removal(stick.volume, path)
        apply_changes(plan_aside(stick.volume, removal), stick.volume)
        access.removed = removal
        generation = plan_menu(stick, keeping=(removal.aside,))
        apply_changes(generation.plan, stick.volume)
    return generation


def take_back(access: StickAccess) -> Generation:
    """Undo the last removal."""
    assert access.removed is not None
    with access.open(writing=True, taking_back=True) as stick:
        apply_changes(plan_return(stick.volume, access.removed), stick.volume)
        access.removed = None
        generation = plan_menu(stick)
        apply_changes(generation.plan, stick.volume)
    return generation


def let_go(access: StickAccess) -> None:
    """Free the room of the image that was removed last."""
    with access.open(writing=True):
        pass  # whoever opens it for anything else lets it go


def verify(access: StickAccess, paths: Sequence[str], progress: Job) -> tuple[Verified, ...]:
    """Read images back; all of them if none is named."""
    with access.open(writing=True) as stick:
        return verify_images(stick.volume, paths, progress.watcher())


def test(access: StickAccess, paths: Sequence[str], progress: Job) -> "tuple[BootedEntry, ...]":
    """Boot images in virtual machines; all of them if none is named."""
    from bootkit.app.verbs.test import (  # QEMU's library, only where it is needed
        boot_targets,
        choose_targets,
        parse_firmwares,
    )

    with access.open() as stick:
        targets = choose_targets(stick.volume, paths, every=False)
        return boot_targets(stick, targets, parse_firmwares(()), told=progress.say, heard=progress.hear)


def check(access: StickAccess, paths: Sequence[str], progress: Job) -> Check:
    """Predict what boots, all if none is named; what was read for it is kept for the next time, where that can be written."""
    with access.open() as stick:
        done = check_stick(stick, paths, told=lambda path: progress.say(tr("reading {path}", path=path)))
        _ = keep_records(stick, done.plan)
    return done


def loaders(access: StickAccess) -> tuple[LoaderRow, ...]:
    with access.open() as stick:
        return list_loaders(stick)


def logs(access: StickAccess) -> tuple[tuple[str, str], ...]:
    with access.open() as stick:
        return read_logs(stick.volume)


def plan_choices(access: StickAccess, changes: Sequence[Change]) -> Generation:
    with access.open() as stick:
        return plan_change(stick.volume, changes)


def write_choices(access: StickAccess, changes: Sequence[Change], progress: Job) -> Generation:
    with access.open(writing=True) as stick:
        generation = plan_change(stick.volume, changes)
        progress.say(tr("writing"))
        apply_changes(generation.plan, stick.volume)
    return generation
