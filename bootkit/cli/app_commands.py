"""``app``: AppImages on the stick."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from bootkit.cli import output
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, DryRun, StickOption
from bootkit.units import format_size


def add(
    file: Annotated[Path, Argument(help="An AppImage on this computer.")],
    stick: StickOption = None,
    again: Annotated[bool, Option("--replace", help="Take the place of one of the same name.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Copy an AppImage to the stick: every booted system has it in its menu."""
    from bootkit.app.stick.user_files import copy
    from bootkit.app.verbs.app import plan_app
    from bootkit.cli import report
    from bootkit.model.plan import StickPlan
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened, report.watching() as watcher:
        plan = plan_app(opened.volume, file, again=again)
        if plan.warning:
            output.say(f"warning: {file.name}: {plan.warning}")
        if dry_run:
            report.plan(StickPlan(steps=(plan.copy, *plan.beside)))
            return
        digest = copy(opened.volume, plan.copy, watcher)
        apply_changes(StickPlan(steps=plan.beside), opened.volume)
    output.answer(f"{plan.copy.path}  {digest}")


def list_apps(stick: StickOption = None, as_json: AsJson = False) -> None:
    """List the AppImages on the stick."""
    from bootkit.app.stick.apps import find_apps
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        apps = find_apps(opened.volume)
    if as_json:
        output.json([asdict(app) for app in apps])
        return
    if not apps:
        output.say("No AppImages: bootkit app add FILE brings one.")
        return
    output.table([(app.name, format_size(app.size), app.title) for app in apps], ("APPIMAGE", "SIZE", "IN THE MENU"))


def remove(
    names: Annotated[list[str], Argument(help="File names, or parts of them.")],
    stick: StickOption = None,
    dry_run: DryRun = False,
) -> None:
    """Remove AppImages from the stick."""
    from bootkit.app.stick.apps import app_named, paths_of
    from bootkit.app.stick.user_files import plan_file_removal
    from bootkit.cli import report
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        volume = opened.volume
        plan = plan_file_removal(volume, [path for name in names for path in paths_of(volume, app_named(volume, name))])
        if dry_run:
            report.plan(plan)
            return
        apply_changes(plan, volume)
