"""``test``: prove in a virtual machine that the stick boots."""

from pathlib import Path
from typing import Annotated

from bootkit.cli import output
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, StickOption
from bootkit.i18n import tr
from bootkit.model.filesystem import USUAL, DataFs
from bootkit.model.testboot import MachineKind


def test(
    images: Annotated[
        list[str] | None,
        Argument(
            help=tr("Images on the stick, or entries as 'image:entry'; all images if none. For --matrix: ISO files.")
        ),
    ] = None,
    stick: StickOption = None,
    entry: Annotated[
        list[str] | None,
        Option("--entry", help=tr("The same as IMAGE; may be repeated.")),
    ] = None,
    every: Annotated[bool, Option("--all", help=tr("Boot every entry of every image."))] = False,
    matrix: Annotated[
        bool,
        Option(
            "--matrix", help=tr("Boot images from sticks made for the purpose, and compare with what is predicted.")
        ),
    ] = False,
    data_fs: Annotated[
        list[DataFs] | None,
        Option("--data-fs", help=tr("For --matrix: of such a stick; may be repeated."), default=", ".join(USUAL)),
    ] = None,
    firmware: Annotated[
        list[str] | None,
        Option(
            "--firmware",
            help=tr("bios, uefi, ia32, secureboot or arm64; may be repeated."),
            default=tr("bios and uefi"),
        ),
    ] = None,
    machine: Annotated[
        list[MachineKind] | None,
        Option(
            help=tr("With Secure Boot, whom the machine trusts; may be repeated."),
            default=tr("both of Microsoft's keys"),
        ),
    ] = None,
    timeout: Annotated[
        int, Option(help=tr("Seconds that each stage of a boot may take; 0 for what suits this machine."))
    ] = 0,
    pictures: Annotated[
        Path | None, Option(help=tr("Folder for the screenshots."), default=tr("one in the state folder"))
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Boot the stick in QEMU, on a throw-away copy, and say how far each entry comes.

    With --matrix: every image from every file system in every machine, what was predicted beside what came of it. With --machine:
    the same in machines whose firmware trusts different keys.
    """
    from bootkit.app.verbs.test import boot_targets, choose_targets, more_time, parse_firmwares
    from bootkit.cli.report import boot_result_json, boot_results
    from bootkit.errors import BootkitError, UsageError
    from bootkit.system.sticks import open_stick

    firmwares = parse_firmwares(firmware or [])
    if matrix:
        from bootkit.cli.matrix import run_matrix

        run_matrix(
            list(map(Path, images or [])),
            stick,
            filesystems=data_fs or [],
            firmwares=firmwares,
            timeout=timeout,
            as_json=as_json,
        )
        return
    if machine:
        from bootkit.cli.machines import run_machines

        if firmware and firmware != ["secureboot"]:
            raise UsageError(tr("--machine is for machines with Secure Boot"), hint=tr("leave --firmware out"))
        run_machines(
            stick,
            [*(images or []), *(entry or [])],
            machine,
            every=every,
            timeout=timeout,
            pictures=pictures,
            as_json=as_json,
        )
        return
    if data_fs:
        raise UsageError(tr("--data-fs is for --matrix"), hint=tr("bootkit test --matrix --data-fs ext4 FILE.iso ..."))
    with open_stick(stick) as opened:
        targets = choose_targets(opened.volume, [*(images or []), *(entry or [])], every=every)
        proofs = boot_targets(opened, targets, firmwares, timeout=timeout, pictures=pictures, told=output.say)
    if as_json:
        output.json({"boots": [boot_result_json(proof) for proof in proofs]})
    else:
        boot_results(proofs)
    failed = [proof for proof in proofs if not proof.result.ok]
    if failed:
        limit = max(proof.result.waited for proof in failed)
        raise BootkitError(
            tr("{count} of {total} boots did not reach userspace", count=len(failed), total=len(proofs)),
            hint=f"{failed[0].result.reason}{more_time(limit)}",
        )
