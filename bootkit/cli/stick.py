"""``devices``, ``prepare``, ``upgrade``, ``restore`` and ``doctor``."""

import shlex
from pathlib import Path
from typing import Annotated

from bootkit.cli import output
from bootkit.cli.carry_out import Allow, Expect, YesToDisk, carry_out
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, DryRun, Wide
from bootkit.i18n import spoken, tr
from bootkit.model.filesystem import EXCHANGE, DataFs
from bootkit.model.prepare import Layout, LoaderChoice, PreparePlan, SaveOld
from bootkit.units import format_size, parse_size

TargetArgument = Annotated[Path, Argument(help=tr("A whole disk (/dev/sdX), or a file that stands for one."))]
Loader = Annotated[LoaderChoice, Option(help=tr("UEFI loaders: signed by the distribution, or built here."))]

LoadersFrom = Annotated[
    Path | None,
    Option(
        "--loaders-from",
        help=tr("A folder of unpacked packages, whose loaders go before this computer's."),
        metavar="FOLDER",
    ),
]


def devices(wide: Wide = False, as_json: AsJson = False) -> None:
    """List the disks that are plugged in, and say which of them could become a stick."""
    from bootkit.app.verbs.devices import ListedDevice, list_devices

    found = list_devices()
    if as_json:
        listed = [ListedDevice(**output.members_of(device), refused=refused) for device, refused in found]
        output.json({"devices": listed})
        return
    if not found:
        output.say(tr("No disk is plugged in."))
        return
    rows = [
        (
            device.node,
            format_size(device.size),
            device.bus or "-",
            f"{device.vendor} {device.model}".strip() or "-",
            device.identity.by_id or device.identity.serial or "-",
            tr("could become a stick") if not refused else tr("no: {reason}", reason=refused[0].reason),
        )
        for device, refused in found
    ]
    output.table(rows, (tr("DISK"), tr("SIZE"), tr("BUS"), tr("MODEL"), tr("IDENTITY"), tr("STICK")), wide=wide)


def prepare(
    target: TargetArgument,
    size: Annotated[str, Option(help=tr("Of a new image file: 8G, 512M."), metavar="SIZE")] = "",
    layout: Annotated[Layout, Option(help=tr("split: GPT, data apart. single: MBR, all in one FAT32."))] = Layout.SPLIT,
    data_fs: Annotated[
        DataFs | None,
        Option("--data-fs", help=tr("File system of the data partition; ext4, and FAT32 for single.")),
    ] = None,
    loader: Loader = LoaderChoice.AUTO,
    exchange: Annotated[
        str,
        Option(
            help=tr("Size of one more partition, for files that other systems shall see."),
            metavar="SIZE",
        ),
    ] = "",
    exchange_fs: Annotated[
        DataFs, Option("--exchange-fs", help=tr("Its file system, {exchange}.", exchange=tr(" or ").join(EXCHANGE)))
    ] = DataFs.EXFAT,
    loaders_from: LoadersFrom = None,
    allow: Allow = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    yes: YesToDisk = False,
    expect: Expect = "",
) -> None:
    """Make a stick: partitions, file systems, boot loaders. Everything that was on TARGET is lost."""
    from bootkit.app.verbs.prepare import plan_preparation

    plan = plan_preparation(
        target,
        size=parse_size(size) if size else None,
        layout=layout,
        data_fs=data_fs,
        loader=loader,
        exchange=parse_size(exchange) if exchange else 0,
        exchange_fs=exchange_fs,
        loaders_from=loaders_from,
        allow=allow or (),
    )
    if carry_out(plan, dry_run=dry_run, as_json=as_json, yes=yes, expect=expect):
        output.say(tr("Next: bootkit add FILE.iso --stick {path}", path=plan.target.path))
        _tell_what_is_kept(plan)


def upgrade(
    target: TargetArgument,
    loader: Loader = LoaderChoice.AUTO,
    loaders_from: LoadersFrom = None,
    back: Annotated[
        bool, Option("--back", help=tr("Instead put back the boot loaders that the last upgrade replaced."))
    ] = False,
    allow: Allow = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    yes: Annotated[
        bool, Option("--yes", "-y", help=tr("Take over a stick that SystemImageKit made; nothing else asks."))
    ] = False,
    expect: Expect = "",
) -> None:
    """Renew the boot loaders of a stick. Images, settings and everything else of yours stay as they are."""
    from bootkit.app.verbs.upgrade import plan_upgrade_of, plan_way_back, renew_menu, renew_program

    if back:
        if carry_out(
            plan_way_back(target, allow=allow or ()), dry_run=dry_run, as_json=as_json, yes=yes, expect=expect
        ):
            output.say(tr("The loaders of before are back; the same command brings the others again."))
        return
    plan = plan_upgrade_of(target, loader=loader, loaders_from=loaders_from, allow=allow or ())
    if carry_out(plan, dry_run=dry_run, as_json=as_json, yes=yes, expect=expect):
        output.say(tr("The loaders of before come back by: bootkit upgrade {path} --back", path=plan.target.path))
        output.say(renew_program(target) or tr("It does not carry this version of bootkit yet: see below."))
        if renew_menu(target):
            output.say(tr("The menu is that of this version, too."))
        else:
            output.say(tr("Write the menu of this version, too: plug the stick in again and run bootkit generate."))


def restore(
    target: TargetArgument,
    fs: Annotated[DataFs, Option(help=tr("File system of the one partition."))] = DataFs.EXFAT,
    label: Annotated[str, Option(help=tr("Its label, 11 characters at most."))] = "USB",
    put_back: Annotated[
        Path | None,
        Option(
            "--put-back",
            help=tr(
                "Instead put back both ends of the disk, old partition table and all, out of the folder that prepare named."
            ),
            metavar="FOLDER",
        ),
    ] = None,
    allow: Allow = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    yes: YesToDisk = False,
    expect: Expect = "",
) -> None:
    """Give a stick back as one plain, empty partition. Everything that was on it is lost."""
    from bootkit.app.verbs.restore import plan_putting_back, plan_restoration

    if put_back is not None:
        plan = plan_putting_back(target, put_back, allow=allow or ())
    else:
        plan = plan_restoration(target, data_fs=fs, label=label, allow=allow or ())
    if carry_out(plan, dry_run=dry_run, as_json=as_json, yes=yes, expect=expect):
        _tell_what_is_kept(plan)


def doctor(wide: Wide = False, as_json: AsJson = False) -> None:
    """List the programs and boot loaders that bootkit uses, their packages, and what fails without them."""
    from bootkit.app.verbs.doctor import examine
    from bootkit.system.tools import FAMILIES, UNPACK

    diagnosis = examine()
    if as_json:
        document = {"host": diagnosis.family, "findings": diagnosis.findings, "install": diagnosis.command}
        output.json(document | {"other_architectures": diagnosis.foreign, "secure_boot": diagnosis.secure_boot})
        return
    shown = {diagnosis.family: tr("PACKAGE")} if diagnosis.family else {family: family.upper() for family in FAMILIES}
    rows_for_people = [
        (
            "ok" if it.where else tr("MISSING"),
            it.name,
            *(it.packages.get(family) or "-" for family in shown),
            spoken(it.without_it),
        )
        for it in diagnosis.findings
    ]
    output.table(rows_for_people, ("", tr("NEEDED"), *shown.values(), tr("WITHOUT IT")), wide=wide)
    if diagnosis.command:
        output.say(tr("To install all that is missing: {command}", command=diagnosis.command))
    if diagnosis.foreign:
        output.say(
            tr(
                "For other architectures ({foreign}): get the packages, unpack each with {unpack}, and name "
                "the folder: bootkit prepare TARGET --loaders-from FOLDER",
                foreign=", ".join(diagnosis.foreign),
                unpack=UNPACK[diagnosis.family],
            )
        )
    for sentence in diagnosis.secure_boot:
        output.answer(sentence)


def _tell_what_is_kept(plan: PreparePlan) -> None:
    from bootkit.system.interrupted import kept_folders

    is_kept = any(isinstance(step, SaveOld) for step in plan.steps)
    if is_kept and (kept := kept_folders(plan.target)):
        output.say(tr("The old partition table is kept. It comes back, not the files that were written over, by:"))
        output.say(f"  {shlex.join(['bootkit', 'restore', plan.target.path, '--put-back', str(kept[0])])}")
