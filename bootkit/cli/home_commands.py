"""``home``: the user's folder on every live system, one file."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from bootkit.cli import output
from bootkit.cli.ask import ask, ask_new_secret, ask_secret
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, DryRun, StickOption
from bootkit.i18n import spoken, tr
from bootkit.units import format_size, parse_size

if TYPE_CHECKING:
    from bootkit.app.stick.homes import Home
    from bootkit.app.verbs.home import Ask

Name = Annotated[str, Argument(help=tr("Of the home."))]
Size = Annotated[str, Option("--size", help=tr("Of its file: 4G, 512M."), metavar="SIZE")]
PassphraseFile = Annotated[
    Path | None,
    Option(
        "--passphrase-file",
        help=tr("File with the passphrase of an encrypted one; else it is asked for."),
    ),
]
Yes = Annotated[bool, Option("--yes", "-y", help=tr("Do not ask."))]


def create(
    name: Name,
    size: Size,
    stick: StickOption = None,
    encrypt: Annotated[bool, Option("--encrypt", help=tr("With LUKS2; the passphrase is asked for at boot."))] = False,
    passphrase_file: PassphraseFile = None,
    dry_run: DryRun = False,
) -> None:
    """Make an empty home."""
    from bootkit.app.stick.homes import home_names, home_path, homes_note
    from bootkit.app.stick.settings import choices_on
    from bootkit.app.verbs.home import create_home, plan_home
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    wanted = parse_size(size)
    with open_stick(stick, writing=not dry_run) as opened, watching() as watcher:
        for warning in plan_home(opened.volume, name, wanted):
            output.say(tr("warning: {warning}", warning=warning))
        if dry_run:
            kind = tr("an encrypted ext4") if encrypt else tr("an ext4")
            output.answer(
                tr(
                    "make {path}, {kind} of {wanted}",
                    path=home_path(name),
                    kind=kind,
                    wanted=format_size(wanted),
                )
            )
            return
        passphrase = new_passphrase(passphrase_file) if encrypt else None
        home = create_home(opened.volume, name, wanted, passphrase=passphrase, watcher=watcher)
        note = homes_note(home_names(opened.volume), choices_on(opened.volume))
    output.answer(f"{home.path}  {format_size(home.size)}")
    if note:
        output.say(spoken(note))


def list_homes(stick: StickOption = None, as_json: AsJson = False) -> None:
    """List the homes on the stick: how large, how full, and how they are."""
    from bootkit.app.stick.homes import ListedHome, find_homes, home_that_counts, homes_note
    from bootkit.app.stick.settings import choices_on
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        homes = find_homes(opened.volume)
        choices = choices_on(opened.volume)
    names = [home.name for home in homes]
    on = home_that_counts(names, choices.text("home"))
    if as_json:
        listed = [ListedHome(**output.members_of(home), on=home.name == on) for home in homes]
        output.json({"homes": listed})
        return
    if not homes:
        output.say(tr("No homes: bootkit home create NAME --size 4G makes one."))
        return
    rows = [
        (
            home.name,
            "yes" if home.name == on else "-",
            format_size(home.size),
            format_size(home.used) if home.used else "-",
            home.state,
        )
        for home in homes
    ]
    output.table(rows, (tr("HOME"), "ON", tr("SIZE"), tr("USED"), tr("STATE")))
    if note := homes_note(names, choices):
        output.say(spoken(note))


def resize(
    name: Name, size: Size, stick: StickOption = None, passphrase_file: PassphraseFile = None, dry_run: DryRun = False
) -> None:
    """Make a home larger or smaller; what is in it stays."""
    from bootkit.app.stick.homes import home_named
    from bootkit.app.verbs.home import resize_home
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    wanted = parse_size(size)
    with open_stick(stick, writing=not dry_run) as opened, watching() as watcher:
        home = home_named(opened.volume, name)
        if dry_run:
            output.answer(
                tr(
                    "resize {path} from {size} to {wanted}",
                    path=home.path,
                    size=format_size(home.size),
                    wanted=format_size(wanted),
                )
            )
            return
        home = resize_home(opened.volume, name, wanted, ask=_asker(passphrase_file, home), watcher=watcher)
    output.answer(f"{home.path}  {format_size(home.size)}")


def check(
    name: Name,
    stick: StickOption = None,
    repair: Annotated[bool, Option("--repair", help=tr("Mend what is wrong."))] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Check the file system of a home."""
    from bootkit.app.stick.homes import home_named
    from bootkit.app.verbs.home import check_home
    from bootkit.cli.progress import watching
    from bootkit.errors import BootkitError
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=repair) as opened, watching() as watcher:
        ask = _asker(passphrase_file, home_named(opened.volume, name))
        sound, said = check_home(opened.volume, name, repair=repair, ask=ask, watcher=watcher)
    output.say(said)
    if not sound:
        raise BootkitError(
            tr("the home {name} is damaged", name=name),
            hint=tr("mend it: bootkit home check {name} --repair", name=name),
        )
    output.answer(tr("{name} is clean", name=name))


def backup(
    name: Name,
    target: Annotated[Path, Argument(help=tr("A new file, or a folder."), metavar="FILE")],
    stick: StickOption = None,
) -> None:
    """Copy a home to this computer as it is; an encrypted one stays encrypted."""
    from bootkit.app.verbs.home import backup_home
    from bootkit.cli.progress import watching
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened, watching() as watcher:
        made, digest = backup_home(opened.volume, name, target, watcher)
    output.answer(f"{made}  {digest}")


def restore(
    source: Annotated[Path, Argument(help=tr("What backup made."), metavar="FILE")],
    stick: StickOption = None,
    name: Annotated[str, Option(help=tr("Of the home."), default=tr("as the file is called"))] = "",
    again: Annotated[bool, Option("--replace", help=tr("Take the place of the one of that name."))] = False,
    dry_run: DryRun = False,
) -> None:
    """Make a home of the stick out of a backup."""
    from bootkit.app.stick.homes import home_path
    from bootkit.app.stick.user_files import plan_copy
    from bootkit.app.verbs.home import require_home_image, restore_home
    from bootkit.cli import report
    from bootkit.cli.progress import watching
    from bootkit.model.plan import StickPlan
    from bootkit.system.sticks import open_stick

    called = name or source.name.removesuffix(".home")
    with open_stick(stick, writing=not dry_run) as opened, watching() as watcher:
        if dry_run:
            require_home_image(source)
            step = plan_copy(opened.volume, source, home_path(called), sparse=True, replace=again)
            report.plan(StickPlan(steps=(step,)))
            return
        home = restore_home(opened.volume, source, called, replace=again, watcher=watcher)
    output.answer(f"{home.path}  {format_size(home.size)}")


def remove(name: Name, stick: StickOption = None, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a home, with everything in it."""
    from bootkit.app.stick.homes import home_named
    from bootkit.app.stick.user_files import plan_file_removal
    from bootkit.cli import report
    from bootkit.system.changes import apply_changes
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        plan = plan_file_removal(opened.volume, [home_named(opened.volume, name).path])
        if dry_run:
            report.plan(plan)
            return
        loss = tr("Everything in the home {name} will be lost", name=name)
        confirm_loss(loss, tr("Everything in the home {name} would be lost", name=name), name, yes=yes)
        apply_changes(plan, opened.volume)


def confirm_loss(words: str, refusal: str, name: str, *, yes: bool) -> None:
    """Go on only if the user says that the loss is meant; ``refusal`` is for who cannot be asked.

    Raises:
        DeviceRefused: nobody said so.
    """
    from bootkit.errors import DeviceRefused

    if yes:
        return
    if not sys.stdin.isatty():
        raise DeviceRefused(refusal, hint=tr("say that you mean it: --yes"))
    if ask(f"{words}. {tr('Type {name} to go on', name=name)}") != name:
        raise DeviceRefused(tr("that is not {name}", name=name), hint=tr("nothing was written"))


def new_passphrase(file: Path | None) -> bytes:
    """A passphrase out of a file, or typed twice.

    Raises:
        UsageError: there is none.
    """
    return new_secret(tr("Passphrase"), "--passphrase-file", file)


def new_secret(called: str, option: str, file: Path | None) -> bytes:
    """What a system will ask for, out of the file that ``option`` names, or typed twice.

    Raises:
        UsageError: there is none.
    """
    from bootkit.errors import UsageError

    if file is not None:
        return passphrase_of(file)
    if not sys.stdin.isatty():
        raise UsageError(tr("nobody is there to be asked for it: {called}", called=called), hint=f"{option} FILE")
    typed = ask_new_secret(called)
    if not typed.isascii():
        output.say(tr("warning: it has letters that a boot console may be unable to type"))
    return typed.encode()


def passphrase_of(file: Path) -> bytes:
    """What is in a file, without the end of its line.

    Raises:
        UsageError: it cannot be read, or is empty.
    """
    from bootkit.errors import UsageError

    try:
        content = file.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    if not content or b"\n" in content:
        raise UsageError(tr("{file} holds no passphrase of one line", file=file))
    return content


def _asker(file: Path | None, home: "Home") -> "Ask":
    def asked() -> bytes:
        from bootkit.errors import UsageError

        if file is not None:
            return passphrase_of(file)
        if not sys.stdin.isatty():
            raise UsageError(tr("the home {name} is encrypted", name=home.name), hint="--passphrase-file FILE")
        return ask_secret(tr("Passphrase of {name}", name=home.name)).encode()

    return asked
