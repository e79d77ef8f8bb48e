"""``ext``: make extensions, and say which are on the stick."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bootkit.cli import output
from bootkit.cli.ask import confirm_removal
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, DryRun, StickOption, Yes
from bootkit.cli.options_commands import ImageOption, StackOption
from bootkit.i18n import spoken, tr
from bootkit.render.prose import padded
from bootkit.units import format_size

if TYPE_CHECKING:
    from bootkit.app.verbs.ext import InspectedExtension
    from bootkit.app.verbs.ext_create import ExtensionPlan
    from bootkit.model.plan import CopyImage

Name = Annotated[str, Argument(help=tr("A file name, with or without its ending, or a path on the stick."))]
_NAMES = 13
"""Columns for what stands before a value, in whatever language."""
Names = Annotated[list[str], Argument(help=tr("File names, with or without their endings."))]


def create(
    name: Annotated[str, Option(help=tr("Of the extension."))],
    sources: Annotated[
        list[Path] | None,
        Argument(help=tr("Folder, tar archive, .deb packages, or AppImage."), metavar="SOURCE"),
    ] = None,
    from_apt: Annotated[
        list[str] | None,
        Option("--from-apt", help=tr("Debian package by name, with all it needs; may be repeated.")),
    ] = None,
    onto: Annotated[Path | None, Option(help=tr("ISO file of the live system: what it has is left out."))] = None,
    without: Annotated[
        list[str] | None,
        Option(help=tr("Package that the live system has, with all it needs; may be repeated.")),
    ] = None,
    ident: Annotated[str, Option("--id", help=tr("System that it is for, as its os-release says: debian."))] = "",
    version_id: Annotated[str, Option("--version-id", help=tr("Its version, as its os-release says: 12."))] = "",
    anywhere: Annotated[bool, Option("--any", help=tr("It is for every system."))] = False,
    machine: Annotated[
        str, Option(help=tr("Architecture that it is for: x86_64, aarch64."), default=tr("as its programs are"))
    ] = "",
    compression: Annotated[str, Option(help=tr("gzip, xz or zstd."))] = "gzip",
    target: Annotated[
        Path | None, Option("--output", help=tr("The file to make."), default=tr("NAME.raw here"))
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make an extension: one squashfs that is laid over a live system."""
    from bootkit.app.verbs.ext_create import ExtensionWish, make, plan_extension

    wish = ExtensionWish(
        name=name,
        output=target or Path(f"{name}.raw"),
        sources=tuple(sources or ()),
        packages=tuple(from_apt or ()),
        without=tuple(without or ()),
        onto=onto,
        id=ident,
        version_id=version_id,
        anywhere=anywhere,
        machine=machine,
        compression=compression,
    )
    plan = plan_extension(wish)
    if dry_run:
        _show_plan(plan, as_json=as_json)
        return
    made = make(plan, told=output.say)
    if as_json:
        output.json(made)
        return
    for warning in (*made.warnings, *made.facts.problems):
        output.say(tr("warning: {warning}", warning=warning))
    for note in made.facts.notes:
        output.say(tr("note: {note}", note=note))
    assert made.facts.release is not None
    output.say(
        tr(
            "{files} files for {system}, {size}",
            files=made.facts.files,
            system=made.facts.release.words,
            size=format_size(made.size),
        )
    )
    output.answer(str(made.path))


def add(
    files: Annotated[list[Path], Argument(help=tr("Extensions on this computer."), metavar="FILE")],
    stick: StickOption = None,
    machine: Annotated[str, Option(help=tr("Architecture that they are for."), default=tr("as each says"))] = "",
    again: Annotated[bool, Option("--replace", help=tr("Take the place of others of the same names."))] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Copy extensions to the stick, and read them back.

    A file that is refused does not stop the others; one that is on the stick already is skipped.
    """
    from bootkit.app.stick.user_files import Places
    from bootkit.app.verbs.ext import plan_extension_copy
    from bootkit.cli.several import Several, copy_all
    from bootkit.system.sticks import open_stick

    several = Several(len(files))
    with open_stick(stick, writing=not dry_run) as opened:
        places = Places(opened.volume, kind=tr("extensions"), replacing=again)
        steps: list[CopyImage] = []
        for file in files:
            with several.each(file):
                step, extension = plan_extension_copy(places, file, machine=machine)
                for problem in extension.problems:
                    output.say(tr("warning: {name}: {problem}", name=extension.name, problem=problem))
                output.say(tr("{name}: for {system}", name=extension.name, system=extension.system))
                steps.append(step)
        copy_all(opened.volume, several, steps, {}, dry_run=dry_run, as_json=as_json)
    several.judge()


def list_extensions(
    stick: StickOption = None, image: ImageOption = "", stack: StackOption = "", as_json: AsJson = False
) -> None:
    """List the extensions on the stick, what each is for, and whether it is on."""
    from bootkit.app.stick.extensions import find_extensions
    from bootkit.app.verbs.ext import look_at_extensions
    from bootkit.app.verbs.options import find_place
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        place = find_place(opened.volume, image=image, stack=stack).place
        extensions = look_at_extensions(opened.volume, find_extensions(opened.volume), place=place)
    if as_json:
        output.json({"extensions": extensions})
        return
    if not extensions:
        output.say(tr("No extensions: bootkit ext add FILE brings one."))
        return
    rows = [
        (
            extension.name,
            extension.machine,
            format_size(extension.size),
            tr("on") if extension.enabled else tr("off"),
            spoken(extension.system),
            "; ".join(map(spoken, extension.problems)),
        )
        for extension in extensions
    ]
    output.table(rows, (tr("EXTENSION"), tr("MACHINE"), tr("SIZE"), "IS", tr("FOR"), tr("PROBLEM")))


def inspect(
    name: Annotated[str, Argument(help=tr("A file of this computer, or an extension on the stick."))],
    stick: StickOption = None,
    as_json: AsJson = False,
) -> None:
    """Look into an extension: for which system it is, what is in it, and what is wrong with it."""
    from bootkit.app.stick.extensions import extension_named
    from bootkit.app.verbs.ext import look_at_extension_file, look_at_extensions
    from bootkit.system.sticks import open_stick

    if Path(name).is_file():
        extension = look_at_extension_file(Path(name))
    else:
        with open_stick(stick) as opened:
            (extension,) = look_at_extensions(opened.volume, (extension_named(opened.volume, name),))
    if as_json:
        output.json(extension)
    else:
        _show(extension)


def enable(
    names: Names, stick: StickOption = None, image: ImageOption = "", stack: StackOption = "", dry_run: DryRun = False
) -> None:
    """Lay extensions over the system again, for the stick, a kind of system or an image."""
    _switch(names, stick, image=image, stack=stack, enabled=True, dry_run=dry_run)


def disable(
    names: Names, stick: StickOption = None, image: ImageOption = "", stack: StackOption = "", dry_run: DryRun = False
) -> None:
    """Leave extensions out, for the stick, a kind of system or an image; they stay on the stick."""
    _switch(names, stick, image=image, stack=stack, enabled=False, dry_run=dry_run)


def remove(names: Names, stick: StickOption = None, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Remove extensions from the stick."""
    from bootkit.app.stick.extensions import extension_named
    from bootkit.app.stick.user_files import plan_file_removal
    from bootkit.cli import report
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        plan = plan_file_removal(opened.volume, [extension_named(opened.volume, name).path for name in names])
        if dry_run:
            report.plan(plan)
            return
        confirm_removal(opened.volume, plan, yes=yes)
        apply_changes(plan, opened.volume)


def verify(
    names: Annotated[list[str] | None, Argument(help=tr("Extensions on the stick; all if none is named."))] = None,
    stick: StickOption = None,
    as_json: AsJson = False,
) -> None:
    """Read extensions back from the stick and compare them with the checksums that add kept."""
    from bootkit.app.stick.extensions import extension_named, find_extensions
    from bootkit.app.stick.user_files import verify_files
    from bootkit.cli import report
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened, watching() as watcher:
        volume = opened.volume
        items = [extension_named(volume, name) for name in names] if names else find_extensions(volume)
        if not items and not as_json:
            output.say(tr("No extensions: bootkit ext add FILE brings one."))
            return
        answers = verify_files(volume, [item.path for item in items], watcher)
    report.verified_files(answers, as_json=as_json)


def _switch(names: list[str], stick: Path | None, *, image: str, stack: str, enabled: bool, dry_run: bool) -> None:
    from bootkit.app.verbs.ext import plan_switch
    from bootkit.app.verbs.options import find_place
    from bootkit.cli import report
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        place = find_place(opened.volume, image=image, stack=stack).place
        generation = plan_switch(opened.volume, names, enabled=enabled, place=place)
        if dry_run:
            report.plan(generation.plan)
            return
        apply_changes(generation.plan, opened.volume)
        report.generation(generation, in_passing=True)


def _show(extension: "InspectedExtension") -> None:
    facts = extension.facts
    rows = [
        (tr("file"), f"{extension.path or extension.name}, {format_size(extension.size)}"),
        (tr("for"), spoken(extension.system)),
    ]
    if facts is not None:
        rows += [
            (tr("packed by"), facts.compression),
            (tr("files"), str(facts.files)),
            (tr("folders"), " ".join(facts.folders)),
            (tr("programs"), " ".join(facts.programs[:40]) or tr("none")),
        ]
        rows += [(tr("note"), spoken(note)) for note in facts.notes]
    rows += [(tr("problem"), spoken(problem)) for problem in extension.problems]
    for key, value in rows:
        output.answer(padded(key, _NAMES) + value)


def _show_plan(plan: "ExtensionPlan", *, as_json: bool) -> None:
    if as_json:
        system = plan.release.words if plan.release else ""
        output.json({"output": plan.wish.output, "packages": plan.packages, "for": system})
        return
    for package in plan.packages:
        output.answer(
            tr(
                "fetch {package} {version} ({size})",
                package=package.name,
                version=package.version,
                size=format_size(package.size),
            )
        )
    for source in plan.wish.sources:
        output.answer(tr("take {source}", source=source))
    if plan.release:
        output.answer(tr("make {output} for {system}", output=plan.wish.output, system=plan.release.words))
    else:
        output.answer(tr("make {output}", output=plan.wish.output))
