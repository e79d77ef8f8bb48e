"""``disk``: installed systems in the image of their disk, a file of the stick."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from bootkit.cli import output
from bootkit.cli.carry_out import Allow, Expect, YesToDisk, carry_out
from bootkit.cli.command import Argument, Option
from bootkit.cli.home_commands import PassphraseFile, new_passphrase, new_secret
from bootkit.cli.options import AsJson, DryRun, StickOption, Wide, Yes
from bootkit.errors import UsageError
from bootkit.i18n import tr
from bootkit.units import format_size, parse_size

if TYPE_CHECKING:
    from bootkit.app.verbs.images import Addition
    from bootkit.system.sticks import Stick

DiskName = Annotated[str, Argument(help=tr("A disk on the stick, by its name."), metavar="NAME")]


def add(
    file: Annotated[
        Path,
        Argument(help=tr("A raw disk, packed (xz, zst, gz, bz2) or not, or one of a virtual machine."), metavar="FILE"),
    ],
    stick: StickOption = None,
    name: Annotated[str, Option(help=tr("What it is called on the stick."))] = "",
    grow: Annotated[
        str, Option(help=tr("What the disk grows to, with its last file system: 20G."), metavar="SIZE")
    ] = "",
    live_only: Annotated[
        bool, Option("--live-only", help=tr("Never write to it: the menu offers no entry that keeps changes."))
    ] = False,
    own_things: Annotated[
        bool,
        Option(
            "--own-things",
            help=tr("Lay your home, extensions, names and scripts over it also when it keeps its changes."),
        ),
    ] = False,
    replacing: Annotated[bool, Option("--replace", help=tr("Take the place of the disk of that name."))] = False,
    dry_run: DryRun = False,
) -> None:
    """Copy the disk of an installed system to the stick, as a file that it starts from and writes to."""
    from bootkit.system.sticks import open_stick

    size = parse_size(grow) if grow else 0
    chosen = {
        **({"persistence": False} if live_only else {}),
        **({"own_things": True} if own_things else {}),
    }
    with open_stick(stick, writing=not dry_run) as opened:
        path = add_disk(
            opened, file, name=name, size=size, chosen=chosen, replacing=replacing, dry_run=dry_run
        ).step.path
    planned = (tr("copy {source} to {path}", source=file, path=path), tr("write the menu"))
    for line in planned if dry_run else (path,):
        output.answer(line)


def create(
    name: Annotated[str, Argument(help=tr("What it is called, on the stick and as a host."), metavar="NAME")],
    iso: Annotated[Path, Option("--from", help=tr("ISO file of a live system on this computer."), metavar="ISO")],
    size: Annotated[str, Option(help=tr("Size of its disk: 20G."), metavar="SIZE")],
    user: Annotated[str, Option(help=tr("Login name of its user, who may become root by sudo."))] = "user",
    password_file: Annotated[
        Path | None, Option("--password-file", help=tr("File with the user's password; else it is asked for."))
    ] = None,
    stick: StickOption = None,
) -> None:
    """Make an installed system, in a file of the stick, of what a live system holds."""
    from bootkit.app.stick.user_files import require_room
    from bootkit.app.verbs.disk import require_free_name
    from bootkit.app.verbs.disk_create import DiskWish, created_disk
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    wished = parse_size(size)
    with open_stick(stick, writing=True) as opened:
        require_free_name(opened.volume, name)
        require_room(opened.volume, wished)
        wish = DiskWish(
            name=name,
            iso=iso,
            size=wished,
            user=user,
            password=lambda: new_secret(tr("Password of the user"), "--password-file", password_file),
        )
        with watching() as watcher, created_disk(wish, watcher) as disk:
            addition = add_disk(opened, disk, name=name)
    output.answer(addition.step.path)


def add_disk(
    stick: "Stick",
    file: Path,
    *,
    name: str = "",
    size: int = 0,
    chosen: Mapping[str, bool] = MappingProxyType({}),
    replacing: bool = False,
    dry_run: bool = False,
) -> "Addition":
    """Say what a disk is, copy it and write the menu."""
    from bootkit.app.verbs.disk import planned_disk
    from bootkit.cli.progress import watching

    with (
        watching() as watcher,
        planned_disk(stick, file, watcher, name=name, size=size, replacing=replacing, dry_run=dry_run) as plan,
    ):
        addition = plan.addition
        for warning in plan.warnings:
            output.say(tr("note: {warning}", warning=warning))
        output.say(
            tr(
                "{file} is an installed system: {title}, {size}.",
                file=file.name,
                title=addition.item.title,
                size=format_size(addition.step.size),
            )
        )
        if not dry_run:
            copy_disk(stick, addition, chosen=chosen)
        return replace(addition, step=replace(addition.step, source=os.fspath(file)))  # not the raw file made of it


def copy_disk(stick: "Stick", addition: "Addition", *, chosen: Mapping[str, bool] = MappingProxyType({})) -> None:
    """Copy it, read it back, and write the menu, with the options that are chosen for it."""
    from bootkit.app.verbs.disk import choose_for_disk
    from bootkit.app.verbs.images import add_images
    from bootkit.cli.images import write_menu
    from bootkit.cli.progress import watching, work_of

    with watching(work_of((addition.step,))) as watcher:
        add_images(stick.volume, (addition,), watcher)
    choose_for_disk(stick.volume, addition.step.path, chosen)
    write_menu(stick)


def list_disks(stick: StickOption = None, wide: Wide = False, as_json: AsJson = False) -> None:
    """List the installed systems on the stick, and whether they boot."""
    from bootkit.app.stick.catalog import read_catalog
    from bootkit.app.verbs.check import predictions_of
    from bootkit.app.verbs.disk import find_disks
    from bootkit.cli import report
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        found = find_disks(opened.volume)
        items = read_catalog(opened.volume, found).items
        predictions = predictions_of(opened, items)
        if as_json:
            output.json({"images": list(map(report.item_json, items, predictions))})
        elif items:
            report.items(items, predictions, opened.volume, wide=wide)
        else:
            output.say(tr("No installed system on the stick: bootkit disk add FILE brings one."))


def check(
    name: DiskName,
    stick: StickOption = None,
    as_json: AsJson = False,
) -> None:
    """Tell beforehand whether an installed system boots from this stick, and what stands in the way."""
    from bootkit.app.verbs.disk import disk_path
    from bootkit.cli.check import check as check_images
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        path = disk_path(opened.volume, name)
    check_images([path], stick=stick, as_json=as_json)


def remove(name: DiskName, stick: StickOption = None, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove an installed system with all that is in it, and write the menu."""
    from bootkit.app.verbs.disk import disk_path
    from bootkit.cli.images import remove_found

    remove_found(lambda volume: [disk_path(volume, name)], stick, dry_run=dry_run, yes=yes)


def grow(
    name: DiskName,
    size: Annotated[str, Argument(help=tr("What it grows to: 20G."), metavar="SIZE")],
    stick: StickOption = None,
) -> None:
    """Make a disk larger, with its last partition and the ext4 on it; the old one stays until the new one is complete."""
    from bootkit.app.verbs.disk import grown_disk
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    with (
        open_stick(stick, writing=True) as opened,
        watching() as watcher,
        grown_disk(opened.volume, name, parse_size(size), watcher) as addition,
    ):
        copy_disk(opened, addition)
    output.answer(f"{addition.step.path}  {format_size(addition.step.size)}")


def encrypt(name: DiskName, stick: StickOption = None, passphrase_file: PassphraseFile = None) -> None:
    """Encrypt the root of a disk with LUKS2; the passphrase is asked for at boot, kernels stay outside."""
    from bootkit.app.verbs.disk_encrypt import encrypted_disk, require_encryptable
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=True) as opened:
        item = require_encryptable(opened.volume, name)
        passphrase = new_passphrase(passphrase_file)
        with watching() as watcher, encrypted_disk(opened.volume, item, passphrase, watcher) as addition:
            copy_disk(opened, addition)
    output.say(tr("note: what was there before may still be found in the free room of the stick."))
    output.answer(f"{addition.step.path}  {format_size(addition.step.size)}")


def take_out(
    name: DiskName,
    target: Annotated[
        Path | None, Argument(help=tr("Where it goes on this computer: a new file, or a folder."), metavar="FILE")
    ] = None,
    to: Annotated[
        Path | None,
        Option("--to", help=tr("Instead a whole disk that it goes to: all on that is lost."), metavar="DEVICE"),
    ] = None,
    stick: StickOption = None,
    allow: Allow = None,
    dry_run: DryRun = False,
    yes: YesToDisk = False,
    expect: Expect = "",
) -> None:
    """Copy a disk from the stick to a file or to a disk of its own: the same system."""
    from bootkit.app.stick.user_files import bring_out
    from bootkit.app.verbs.disk import disk_path
    from bootkit.app.verbs.disk_take_out import notes_on_taking_out, plan_disk_take_out
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    if (target is None) == (to is None):
        raise UsageError(tr("name a new file, or a disk by --to"), hint=f"bootkit disk take-out {name} FILE.raw")
    with open_stick(stick) as opened:
        path = disk_path(opened.volume, name)
        if to is not None:
            plan = plan_disk_take_out(opened, path, to, allow=allow or ())
            with opened.volume.open(path) as content:
                carry_out(plan, dry_run=dry_run, as_json=False, yes=yes, expect=expect, content=content)
            return
        assert target is not None  # or there is no disk either
        for note in notes_on_taking_out(opened.volume, path):
            output.say(tr("note: {warning}", warning=note))
        if dry_run:
            output.answer(tr("copy {source} to {path}", source=path, path=target))
        else:
            with watching() as watcher:
                made, digest = bring_out(opened.volume, path, target, watcher)
            output.answer(f"{made}  {digest}")
