"""What the screens let their workers do: each opens the stick, calls the use cases, and gives back a value."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bootkit.app.verbs.generate import Generation, plan_generation
from bootkit.app.verbs.images import add_images, plan_additions, plan_removal
from bootkit.app.verbs.log import read_logs
from bootkit.app.verbs.options import plan_change
from bootkit.app.verbs.overview import Overview, read_overview
from bootkit.app.verbs.verify import Verified, verify_images
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
        generation = plan_generation(stick.volume, told=lambda path: progress.say(f"reading {path}"))
        progress.say("writing the menu")
        apply_changes(generation.plan, stick.volume)
    return generation


def add(access: StickAccess, sources: Sequence[Path], folder: str, progress: Job, *, rename: bool) -> int:
    """Copy images; returns how many. What is complete stands in the menu, also when the rest fails or is cancelled."""
    watcher = progress.watcher()
    with access.open(writing=True) as stick:
        progress.say("looking into the images")
        additions = plan_additions(stick.volume, sources, folder=folder, rename=rename, watcher=watcher)
        try:
            add_images(stick.volume, additions, watcher)
        finally:
            apply_changes(plan_generation(stick.volume).plan, stick.volume)
    return len(additions)


def remove(access: StickAccess, path: str) -> Generation:
    with access.open(writing=True) as stick:
        apply_changes(plan_removal(stick.volume, [path]), stick.volume)
        generation = plan_generation(stick.volume)
        apply_changes(generation.plan, stick.volume)
    return generation


def verify(access: StickAccess, path: str, progress: Job) -> tuple[Verified, ...]:
    with access.open(writing=True) as stick:
        return verify_images(stick.volume, [path], progress.watcher())


def test(access: StickAccess, path: str, progress: Job) -> "tuple[BootedEntry, ...]":
    from bootkit.app.verbs.test import (  # QEMU's library, only where it is needed
        boot_targets,
        choose_targets,
        parse_firmwares,
    )

    with access.open() as stick:
        targets = choose_targets(stick.volume, [path], every=False)
        return boot_targets(stick, targets, parse_firmwares(()), told=progress.say, heard=progress.hear)


def logs(access: StickAccess) -> tuple[tuple[str, str], ...]:
    with access.open() as stick:
        return read_logs(stick.volume)


def plan_choices(access: StickAccess, changes: Sequence[Change]) -> Generation:
    with access.open() as stick:
        return plan_change(stick.volume, changes)


def write_choices(access: StickAccess, changes: Sequence[Change], progress: Job) -> Generation:
    with access.open(writing=True) as stick:
        generation = plan_change(stick.volume, changes)
        progress.say("writing")
        apply_changes(generation.plan, stick.volume)
    return generation
