"""``add``, ``remove``, ``list``, ``generate`` and ``verify``."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bootkit.cli import output
from bootkit.cli.ask import confirm_removal
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, DryRun, StickOption, Wide, Yes
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr

if TYPE_CHECKING:
    from bootkit.app.verbs.images import Addition
    from bootkit.cli.several import Several
    from bootkit.system.sticks import Stick
    from bootkit.system.volume import FileStat, Volume

Keyring = Annotated[
    list[Path] | None,
    Option(
        "--keyring", help=tr("File with public keys for signatures, beside those of this computer."), metavar="FILE"
    ),
]
Images = Annotated[list[str], Argument(help=tr("A path on the stick, a file name, or a part of it."))]


def add(
    isos: Annotated[list[Path], Argument(help=tr("ISO files on this computer."), metavar="ISO")],
    stick: StickOption = None,
    folder: Annotated[str, Option(help=tr("Folder below /boot/iso; it becomes a submenu."))] = "",
    rename: Annotated[
        bool, Option("--rename", help=tr("Copy under a bootable name where the own one is not."))
    ] = False,
    replacing: Annotated[
        bool,
        Option("--replace", help=tr("Take the place of other images of the same names, each when it is complete.")),
    ] = False,
    keyring: Keyring = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Copy ISO files to the stick, checked byte by byte, and write the menu.

    A file that is refused does not stop the others; one that is on the stick already is skipped.
    """
    from bootkit.app.stick.leftovers import find_leftovers, leftovers_note
    from bootkit.app.verbs.check import predictions_of
    from bootkit.app.verbs.images import sort_additions
    from bootkit.cli import report
    from bootkit.cli.progress import watching
    from bootkit.cli.several import Several
    from bootkit.system.sticks import open_stick

    several = Several(len(isos))
    sums: dict[str, str] = {}
    disks = _disks(isos)
    isos = [iso for iso in isos if iso not in disks]
    with open_stick(stick, writing=not dry_run) as opened:
        systems = _added_disks(opened, disks, several, replacing=replacing, dry_run=dry_run)
        with watching() as watcher:
            additions = sort_additions(
                opened.volume,
                isos,
                lambda refused: several.refuse(refused.source, refused.error),
                folder=folder,
                rename=rename,
                replacing=replacing,
                watcher=watcher,
                keyrings=keyring or (),
            )
        if note := leftovers_note(find_leftovers(opened.volume), removed=not dry_run):
            output.say(tr("warning: {note}", note=note))
        predictions = predictions_of(opened, [addition.item for addition in additions])
        report.additions(additions, predictions)
        if additions and not dry_run:
            sums = _copied(opened, additions)
        if as_json:
            predictions = (*predictions_of(opened, [addition.item for addition in systems]), *predictions)
    additions = (*systems, *additions)
    if as_json:
        output.json({"added": report.additions_json(additions, predictions, sums), **several.json()})
    elif dry_run:
        for addition in additions:
            output.answer(tr("copy {source} to {path}", source=addition.step.source, path=addition.step.path))
        output.answer(tr("write the menu") if additions else tr("nothing to do"))
    else:
        for path in (addition.step.path for addition in additions):
            output.answer(f"{path}  {sums[path]}" if path in sums else path)
    several.judge()


def _added_disks(
    stick: "Stick", disks: "Sequence[Path]", several: "Several", *, replacing: bool, dry_run: bool
) -> "list[Addition]":
    """The disks of installed systems that were copied, or would be."""
    added: list[Addition] = []
    for disk in disks:
        from bootkit.cli.disk_commands import add_disk

        with several.each(disk):
            added.append(add_disk(stick, disk, replacing=replacing, dry_run=dry_run))
    return added


def _disks(files: Sequence[Path]) -> list[Path]:
    """Those of ``files`` that are disks of installed systems, by what is in them; nobody is asked of what is called an ISO."""
    others = [file for file in files if file.suffix.lower() != ".iso" and file.is_file()]
    if not others:
        return []
    from bootkit.app.verbs.disk import is_disk

    return [file for file in others if is_disk(file)]


def _copied(stick: "Stick", additions: "Sequence[Addition]") -> dict[str, str]:
    """Copy images and write the menu, also of those that are complete where a later one fails; their SHA-256 by path."""
    from bootkit.app.verbs.images import add_images
    from bootkit.cli.progress import watching, work_of

    sums: dict[str, str] = {}
    try:
        with watching(work_of(addition.step for addition in additions)) as watcher:
            for addition in additions:
                (item,) = add_images(stick.volume, (addition,), watcher)
                sums[item.path] = item.sha256
    except BootkitError:
        if sums:
            with suppress(BootkitError):  # a stick that was pulled out fails once more, and the first error tells why
                write_menu(stick)
                output.say(
                    tr(
                        "{count} of {total} images were complete before that, and are in the menu.",
                        count=len(sums),
                        total=len(additions),
                    )
                )
        raise
    write_menu(stick)
    words = [tr("Everything is on the stick and was read back.")]
    words += [tr("Unmount it before you pull it out.")] if stick.where.is_dir() else []
    output.say(" ".join(words))
    return sums


def remove(images: Images, stick: StickOption = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Remove images from the stick and write the menu."""
    remove_found(lambda _: images, stick, dry_run=dry_run, yes=yes)


def remove_found(find: "Callable[[Volume], Sequence[str]]", stick: Path | None, *, dry_run: bool, yes: bool) -> None:
    """Remove the images whose names ``find`` tells, once that was confirmed, and write the menu."""
    from bootkit.app.verbs.images import plan_removal
    from bootkit.cli import report
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        plan = plan_removal(opened.volume, find(opened.volume))
        if dry_run:
            report.plan(plan)
            return
        confirm_removal(opened.volume, plan, yes=yes)
        apply_changes(plan, opened.volume)
        write_menu(opened)


def generate(
    stick: StickOption = None,
    fresh: Annotated[
        bool, Option("--fresh", help=tr("Look into every image again, also where its size and time are the same."))
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Write the boot menu: run it after images came, went or changed, or after editing stick.toml."""
    from bootkit.app.verbs.generate import plan_menu
    from bootkit.cli import report
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        generation = plan_menu(opened, fresh=fresh, told=lambda path: output.say(tr("reading {path}", path=path)))
        if not dry_run:
            apply_changes(generation.plan, opened.volume)
    if as_json:
        output.json(report.generation_json(generation))
    elif dry_run:
        report.plan(generation.plan)
    else:
        report.generation(generation)


def list_images(
    stick: StickOption = None,
    supported: Annotated[
        bool, Option("--supported", help=tr("List instead what bootkit knows, and how that is known."))
    ] = False,
    filters: Annotated[
        list[str] | None,
        Argument(
            help=tr("With --supported: words in the name of a system or a kind, or in the verdict."), metavar="FILTER"
        ),
    ] = None,
    loaders: Annotated[
        bool,
        Option("--loaders", help=tr("List instead what starts the stick: packages, signatures, on which machines.")),
    ] = False,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """List the images on the stick, what each of them is, and whether it boots."""
    if supported:
        _supported(filters or (), as_json=as_json)
        return
    if filters:
        raise UsageError(
            tr("{word} says nothing to list", word=filters[0]),
            hint=f"bootkit list --supported {filters[0]}",
        )
    if loaders:
        from bootkit.cli.loaders import list_loaders

        list_loaders(stick, wide=wide, as_json=as_json)
        return
    from bootkit.app.stick.images import find_images
    from bootkit.app.stick.leftovers import find_leftovers, leftovers_note
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        volume = opened.volume
        images = find_images(volume)
        if images or as_json:
            _list_items(opened, images, wide=wide, as_json=as_json)
        else:
            output.say(tr("No images on {where}: bootkit add FILE.iso brings one.", where=volume.where))
        if as_json:
            return
        if note := leftovers_note(find_leftovers(volume), removed=False):
            output.say(tr("{note}: bootkit generate removes it", note=note))


def _list_items(stick: "Stick", images: "tuple[tuple[str, FileStat], ...]", *, wide: bool, as_json: bool) -> None:
    """Tell what is known and predicted of images, which takes detectors and much else."""
    from bootkit.app.stick.catalog import read_catalog
    from bootkit.app.verbs.check import predicted
    from bootkit.cli import report

    catalog = read_catalog(stick.volume, images)
    items, predictions = catalog.items, predicted(stick, catalog).predictions
    if as_json:
        output.json({"images": list(map(report.item_json, items, predictions))})
    else:
        report.items(items, predictions, stick.volume, wide=wide)


def _supported(filters: Sequence[str], *, as_json: bool) -> None:
    from bootkit.app.verbs.supported import supported
    from bootkit.render.supported import fits, supported_json, supported_text

    rows = [row for row in supported() if fits(row, filters)]
    if as_json:
        output.json({"stacks": supported_json(rows)})
    elif rows:
        output.answer(supported_text(rows))
    else:
        output.say(
            tr(
                "Nothing is known by {filters}; what an image is, is told by bootkit explain FILE.iso",
                filters=" ".join(filters),
            )
        )


def verify(
    images: Annotated[list[str] | None, Argument(help=tr("Images on the stick; all if none is named."))] = None,
    stick: StickOption = None,
    keyring: Keyring = None,
    fresh: Annotated[
        bool,
        Option("--fresh", help=tr("Read all of them, also where a look that was interrupted could be gone on with.")),
    ] = False,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """Read images back and compare them with what is known: kept checksums, checksum files, signatures, sums inside."""
    from bootkit.app.verbs.verify import BAD, verify_images
    from bootkit.cli import report
    from bootkit.cli.progress import watching
    from bootkit.model.places import IMAGE_FOLDER
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=True) as opened, watching() as watcher:
        answers = verify_images(opened.volume, images or [], watcher, keyrings=keyring or (), fresh=fresh)
    report.verified(answers, wide=wide, as_json=as_json)
    bad = [answer for answer in answers if answer.verdict in BAD]
    if bad:
        folder = bad[0].path.removeprefix(f"{IMAGE_FOLDER}/").rpartition("/")[0]
        words = f" --folder {folder}" if folder else ""
        hint = tr("copy it again: bootkit add --replace{option} FILE.iso", option=words)
        raise BootkitError(
            "; ".join(tr("{verdict} on the stick: {path}", verdict=answer.verdict, path=answer.path) for answer in bad),
            hint=hint,
        )


def write_menu(stick: "Stick") -> None:
    """Write the menu as ``generate`` does, and tell what was done."""
    from bootkit.app.verbs.generate import plan_menu
    from bootkit.cli import report
    from bootkit.system.changes import apply_changes

    generation = plan_menu(stick)
    apply_changes(generation.plan, stick.volume)
    report.generation(generation, in_passing=True)
