"""``seed``: answer files for installers."""

from pathlib import Path
from typing import Annotated

from bootkit.cli import output
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, DryRun, StickOption
from bootkit.cli.persist_commands import Image
from bootkit.i18n import tr


def add(
    image: Image,
    file: Annotated[Path, Argument(help=tr("The answer file, on this computer."))],
    stick: StickOption = None,
    kind: Annotated[
        str,
        Option(
            help=tr("preseed, kickstart, autoyast, autoinstall, archinstall, script or sysrescuecfg."),
            default=tr("what it looks like"),
        ),
    ] = "",
    name: Annotated[str, Option(help=tr("In the menu."), default=tr("as the file is called"))] = "",
    again: Annotated[bool, Option("--replace", help=tr("Take the place of the one of that name."))] = False,
    dry_run: DryRun = False,
) -> None:
    """Give an image an answer file, and the menu an entry that installs with it."""
    from bootkit.app.verbs.seed import plan_seed
    from bootkit.cli import report
    from bootkit.cli.images import write_menu
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        made = plan_seed(opened.volume, image, file, kind=kind, name=name, again=again)
        output.say(tr("{file}: {kind} for {image}", file=file.name, kind=made.seed.kind, image=made.seed.image))
        if dry_run:
            report.plan(made.plan)
            output.answer(tr("write the menu"))
            return
        apply_changes(made.plan, opened.volume)
        write_menu(opened)
    output.answer(made.seed.path)


def list_seeds(stick: StickOption = None, as_json: AsJson = False) -> None:
    """List the answer files on the stick."""
    from bootkit.app.stick.variants import read_variants
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        seeds = read_variants(opened.volume).seeds
    if as_json:
        output.json({"seeds": seeds})
        return
    if not seeds:
        output.say(tr("No answer files: bootkit seed add IMAGE FILE brings one."))
        return
    output.table(
        [(seed.image, seed.kind, seed.name, seed.path) for seed in seeds],
        (tr("IMAGE"), tr("KIND"), tr("NAME"), tr("FILE")),
    )


def remove(
    image: Image,
    name: Annotated[str, Argument(help=tr("Of the answer file."))],
    stick: StickOption = None,
    dry_run: DryRun = False,
) -> None:
    """Remove an answer file, and its entry."""
    from bootkit.app.stick.variants import seed_named
    from bootkit.app.verbs.seed import plan_seed_removal
    from bootkit.cli import report
    from bootkit.cli.images import write_menu
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        plan = plan_seed_removal(opened.volume, seed_named(opened.volume, image, name))
        if dry_run:
            report.plan(plan)
            return
        apply_changes(plan, opened.volume)
        write_menu(opened)
