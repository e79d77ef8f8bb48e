"""``app``: AppImages on the stick."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bootkit.cli import output
from bootkit.cli.ask import confirm_removal
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, DryRun, StickOption, Yes
from bootkit.i18n import tr
from bootkit.units import format_size

if TYPE_CHECKING:
    from bootkit.app.verbs.app import AppPlan


def add(
    files: Annotated[list[Path], Argument(help=tr("AppImages on this computer."), metavar="FILE")],
    stick: StickOption = None,
    again: Annotated[bool, Option("--replace", help=tr("Take the place of others of the same names."))] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Copy AppImages to the stick: every booted system has them in its menu.

    A file that is refused does not stop the others; one that is on the stick already is skipped.
    """
    from bootkit.app.stick.user_files import Places
    from bootkit.app.verbs.app import plan_app
    from bootkit.cli.several import Several, copy_all
    from bootkit.system.sticks import open_stick

    several = Several(len(files))
    with open_stick(stick, writing=not dry_run) as opened:
        places = Places(opened.volume, kind=tr("AppImages"), replacing=again)
        plans: list[AppPlan] = []
        for file in files:
            with several.each(file):
                plan = plan_app(places, file)
                if plan.warning:
                    output.say(tr("warning: {file}: {warning}", file=file.name, warning=plan.warning))
                plans.append(plan)
        beside = {plan.copy.path: plan.beside for plan in plans}
        copy_all(opened.volume, several, [plan.copy for plan in plans], beside, dry_run=dry_run, as_json=as_json)
    several.judge()


def list_apps(stick: StickOption = None, as_json: AsJson = False) -> None:
    """List the AppImages on the stick."""
    from bootkit.app.stick.apps import find_apps
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        apps = find_apps(opened.volume)
    if as_json:
        output.json({"apps": apps})
        return
    if not apps:
        output.say(tr("No AppImages: bootkit app add FILE brings one."))
        return
    output.table(
        [(app.name, format_size(app.size), app.title) for app in apps], (tr("APPIMAGE"), tr("SIZE"), tr("IN THE MENU"))
    )


def remove(
    names: Annotated[list[str], Argument(help=tr("File names, or parts of them."))],
    stick: StickOption = None,
    dry_run: DryRun = False,
    yes: Yes = False,
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
        confirm_removal(volume, plan, yes=yes)
        apply_changes(plan, volume)
