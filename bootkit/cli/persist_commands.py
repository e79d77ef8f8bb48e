"""``persist``: live systems that keep their changes by their own means."""

from typing import Annotated

from bootkit.cli import output
from bootkit.cli.command import Argument, Option
from bootkit.cli.home_commands import PassphraseFile, Yes, confirm_loss, new_passphrase
from bootkit.cli.options import AsJson, DryRun, StickOption
from bootkit.i18n import tr
from bootkit.units import format_size, parse_size

Image = Annotated[str, Argument(help=tr("An image on the stick: a path, a file name, or a part of it."))]


def create(
    image: Image,
    size: Annotated[str, Option(help=tr("Room for the changes: 4G."), metavar="SIZE")] = "",
    stick: StickOption = None,
    encrypt: Annotated[
        bool, Option("--encrypt", help=tr("With LUKS2, where its initrd can ask for the passphrase."))
    ] = False,
    passphrase_file: PassphraseFile = None,
    dry_run: DryRun = False,
) -> None:
    """Give an image a place for its changes, and the menu an entry that uses it."""
    from bootkit.app.verbs.persist import create_persistence, plan_persistence
    from bootkit.cli.images import write_menu
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened, watching() as watcher:
        plan = plan_persistence(opened.volume, image, parse_size(size) if size else 0, encrypted=encrypt)
        if plan.persistence.note:
            output.say(tr("note: {note}", note=plan.persistence.note))
        if plan.warning:
            output.say(tr("warning: {warning}", warning=plan.warning))
        if dry_run:
            kind = tr("encrypted ext4") if encrypt else "ext4"
            what = (
                tr("{kind} of {size}", kind=kind, size=format_size(plan.size))
                if plan.size
                else tr("a folder that the system fills")
            )
            output.answer(tr("make {path}, {what}", path=plan.path, what=what))
            output.answer(tr("write the menu"))
            return
        passphrase = new_passphrase(passphrase_file) if encrypt else None
        create_persistence(opened.volume, plan, watcher, passphrase=passphrase)
        write_menu(opened)
    output.answer(plan.path)


def list_kept(stick: StickOption = None, as_json: AsJson = False) -> None:
    """List the images that keep their changes."""
    from bootkit.app.stick.variants import read_variants
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        kept = tuple(read_variants(opened.volume).kept.values())
    if as_json:
        output.json({"kept": kept})
        return
    if not kept:
        output.say(tr("No image keeps its changes: bootkit persist create IMAGE --size 4G lets one."))
        return
    rows = [(one.image, f"{format_size(one.size)}{', encrypted' if one.encrypted else ''}", one.path) for one in kept]
    output.table(rows, (tr("IMAGE"), tr("SIZE"), tr("FILE")))


def remove(image: Image, stick: StickOption = None, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove what an image has kept, and its entry."""
    from bootkit.app.stick.user_files import plan_file_removal
    from bootkit.app.stick.variants import kept_named
    from bootkit.cli import report
    from bootkit.cli.images import write_menu
    from bootkit.model.variants import FOLDER_MARK
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        kept = kept_named(opened.volume, image)
        plan = plan_file_removal(opened.volume, [kept.path])
        if dry_run:
            report.plan(plan)
            return
        is_folder = kept.path.endswith(f"/{FOLDER_MARK}")
        if not is_folder:
            loss = tr("The changes of {image} will be lost", image=kept.image)
            refusal = tr("The changes of {image} would be lost", image=kept.image)
            confirm_loss(loss, refusal, kept.image, yes=yes)
        apply_changes(plan, opened.volume)
        write_menu(opened)
    if is_folder:
        output.say(tr("The changes are still in {folder}, where only root can remove them.", folder=kept.folder))
