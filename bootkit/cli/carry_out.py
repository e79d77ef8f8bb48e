"""A plan that writes to a disk: shown, confirmed by the disk's name, and carried out."""

import sys
from collections.abc import Callable
from typing import Annotated, BinaryIO

from bootkit.cli import output
from bootkit.cli.ask import ask, confirm_adoption
from bootkit.cli.command import Option
from bootkit.i18n import spoken, tr
from bootkit.model.prepare import PreparePlan, PrepareStep, WriteDisk
from bootkit.units import format_size

YesToDisk = Annotated[
    bool, Option("--yes", "-y", help=tr("Do not ask. Enough for a new file; a disk needs --expect, too."))
]
Expect = Annotated[
    str,
    Option(
        help=tr("For scripts: the disk's by-id name or serial, or the file's name; anything else is refused."),
        metavar="ID",
    ),
]
Allow = Annotated[
    list[str] | None,
    Option(
        help=tr(
            "Override one reason against a disk, by the key that the refusal names: fixed, large, foreign, partitions."
        ),
        metavar="KEY",
    ),
]


def carry_out(
    plan: PreparePlan,
    *,
    dry_run: bool,
    as_json: bool,
    yes: bool,
    expect: str,
    content: BinaryIO | None = None,
) -> bool:
    """Show the plan, ask, apply it; false if it was only shown."""
    from bootkit.plan.describe import describe, plan_to_json

    if as_json:
        output.json(plan_to_json(plan))
    if dry_run:
        if not as_json:
            _show(plan, say=output.answer)
            for number, step in enumerate(plan.steps, start=1):
                output.answer(f"{number:3}. {describe(step)}")
        return False
    _show(plan, say=output.say)
    _confirm(plan, yes=yes, expect=expect)
    from bootkit.cli.progress import watching
    from bootkit.system.apply import apply_plan

    with watching() as watcher:

        def told(step: PrepareStep) -> None:
            if isinstance(step, WriteDisk):
                watcher.begin("writing", plan.target.path, 2 * step.size)
            else:
                watcher.end()
                output.say(f"  {describe(step)}")

        apply_plan(plan, told=told, moved=lambda done, _: watcher.progress(done), content=content)
    output.say(
        tr("{path} is ready and was read back. It is safe to remove.", path=plan.target.path)
        if plan.target.is_device
        else tr("{path} is ready and was read back.", path=plan.target.path)
    )
    return True


def _show(plan: PreparePlan, say: Callable[[str], None]) -> None:
    from bootkit.system.devices import clean

    target = plan.target
    title = f" ({target.title})" if target.title else ""
    say(f"{plan.action} {clean(target.path)}{title}, {format_size(target.size)}")
    if target.identity.by_id or target.identity.serial:
        say("  " + tr("identity: {name}", name=target.identity.by_id or target.identity.serial))
    if target.twins:
        say("  " + tr("{twins} has the same serial number: look twice", twins=", ".join(target.twins)))
    for clause in target.contents:
        say(f"  {tr('will be lost') if plan.destroys_data else tr('stays')}: {clause}")
    for note in plan.notes:
        say(f"  {spoken(note)}")
    for warning in plan.warnings:
        say("  " + tr("warning: {warning}", warning=warning))


def _confirm(plan: PreparePlan, *, yes: bool, expect: str) -> None:
    """Go on only if the user named the target, or a script did."""
    from bootkit.app.verbs.confirm import accepts, expected_names, expects, needs_confirmation
    from bootkit.errors import DeviceRefused

    path, words = plan.target.path, plan.target.confirm
    if plan.adopts and not yes:
        confirm_adoption(path, plan.adopts)
    if expect and not expects(plan, expect):
        raise DeviceRefused(
            tr("{path} is not {expect}", path=path, expect=expect),
            hint=tr("nothing was written; bootkit devices lists the disks"),
        )
    if not needs_confirmation(plan) or (yes and expect):
        return
    if yes or not sys.stdin.isatty():
        hint = tr("say that you mean it: --yes --expect {name}", name=expected_names(plan)[0])
        raise DeviceRefused(tr("{path} holds something", path=path), hint=hint)
    shown = tr(" or ").join(words[:2])
    typed = ask(f"{tr('Everything on it will be lost.')} {tr('Type {name} to go on', name=shown)}")
    if not accepts(plan, typed):
        raise DeviceRefused(tr("that is not {shown}", shown=shown), hint=tr("nothing was written"))
