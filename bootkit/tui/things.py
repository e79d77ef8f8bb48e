"""What the sections of the user's own things let their workers do; texts out of forms come in, a sentence goes out."""

from collections.abc import Callable

from bootkit.app.stick.extensions import find_extensions
from bootkit.app.stick.homes import home_named
from bootkit.app.stick.user_files import Places, copy, plan_file_removal, verify_files
from bootkit.app.stick.variants import kept_named
from bootkit.app.verbs import home as homes
from bootkit.app.verbs.generate import Generation, plan_menu
from bootkit.app.verbs.persist import create_persistence, plan_persistence
from bootkit.app.verbs.seed import plan_seed, plan_seed_removal
from bootkit.errors import UsageError
from bootkit.i18n import spoken, tr
from bootkit.model.plan import StickPlan, WriteFile
from bootkit.model.variants import SEED_LIMIT, Seed
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick
from bootkit.system.volume import read_file, walk
from bootkit.tui.access import StickAccess
from bootkit.tui.progress import Job
from bootkit.tui.screens.form import Filled, path_of
from bootkit.units import format_size, parse_size

BY_ITS_LOOK = tr("what it looks like")
"""Choice of the kind of an answer file: none was named."""


def apply_and_write(stick: Stick, plan: StickPlan) -> Generation:
    """Carry out a plan, and write the menu that follows from it."""
    apply_changes(plan, stick.volume)
    generation = plan_menu(stick)
    apply_changes(generation.plan, stick.volume)
    return generation


def make_home(access: StickAccess, filled: Filled, progress: Job) -> str:
    size, passphrase = parse_size(filled["size"]), new_passphrase(filled)
    with access.open(writing=True) as stick:
        warnings = homes.plan_home(stick.volume, filled["name"], size)
        progress.say(tr("making the file system"))
        home = homes.create_home(stick.volume, filled["name"], size, passphrase=passphrase, watcher=progress.watcher())
    return " ".join(
        [tr("{name} is made, {size}.", name=home.name, size=format_size(home.size)), *map(spoken, warnings)]
    )


def resize_home(access: StickAccess, name: str, filled: Filled, progress: Job) -> str:
    with access.open(writing=True) as stick:
        home = homes.resize_home(
            stick.volume,
            name,
            parse_size(filled["size"]),
            ask=_known(filled.get("passphrase", "")),
            watcher=progress.watcher(),
        )
    return tr("{name} has {size} now.", name=home.name, size=format_size(home.size))


def check_home(access: StickAccess, name: str, passphrase: str, progress: Job, *, repair: bool) -> tuple[bool, str]:
    with access.open(writing=repair) as stick:
        return homes.check_home(stick.volume, name, repair=repair, ask=_known(passphrase), watcher=progress.watcher())


def backup_home(access: StickAccess, name: str, filled: Filled, progress: Job) -> str:
    with access.open() as stick:
        made, _ = homes.backup_home(stick.volume, name, path_of(filled["file"]), progress.watcher())
    return tr("The backup is {made}.", made=made)


def restore_home(access: StickAccess, filled: Filled, progress: Job) -> str:
    source = path_of(filled["file"])
    with access.open(writing=True) as stick:
        home = homes.restore_home(
            stick.volume,
            source,
            filled["name"] or source.name.removesuffix(".home"),
            replace=filled["same"] == tr("replace"),
            watcher=progress.watcher(),
        )
    return tr("{name} is on the stick, {size}.", name=home.name, size=format_size(home.size))


def remove_home(stick: Stick, name: str) -> None:
    apply_changes(plan_file_removal(stick.volume, [home_named(stick.volume, name).path]), stick.volume)


def make_extension(access: StickAccess, filled: Filled, progress: Job) -> str:
    from bootkit.app.verbs.ext import plan_extension_copy
    from bootkit.app.verbs.ext_create import (  # apt and more, only where it is needed
        ExtensionWish,
        make,
        plan_extension,
    )
    from bootkit.system.volumes.raw import scratch

    with scratch() as work:
        wish = ExtensionWish(
            name=filled["name"],
            output=work / f"{filled['name']}.raw",
            sources=(path_of(filled["source"]),) if filled["source"] else (),
            packages=tuple(filled["packages"].split()),
            onto=path_of(filled["onto"]) if filled["onto"] else None,
            id=filled["id"],
            version_id=filled["version"],
            anywhere=not filled["onto"] and not filled["id"],
        )
        progress.say(tr("asking what is needed"))
        made = make(plan_extension(wish), told=progress.say)
        with access.open(writing=True) as stick:
            step, extension = plan_extension_copy(Places(stick.volume, kind=tr("extensions")), made.path)
            _ = copy(stick.volume, step, progress.watcher())
    return " ".join(
        [
            tr("{name} is on the stick, {size}.", name=extension.name, size=format_size(made.size)),
            *map(spoken, made.warnings),
        ]
    )


def verify_extensions(access: StickAccess, progress: Job) -> str:
    with access.open() as stick:
        paths = [item.path for item in find_extensions(stick.volume)]
        answers = verify_files(stick.volume, paths, progress.watcher())
    return "\n\n".join(f"{answer.verdict}  {answer.path}\n{answer.sha256}" for answer in answers) or tr(
        "There is none."
    )


def keep_changes(access: StickAccess, image: str, filled: Filled, progress: Job) -> str:
    size, passphrase = (parse_size(filled["size"]) if filled["size"] else 0), new_passphrase(filled)
    with access.open(writing=True) as stick:
        progress.say(tr("looking into its initrd"))
        plan = plan_persistence(stick.volume, image, size, encrypted=passphrase is not None)
        create_persistence(stick.volume, plan, progress.watcher(), passphrase=passphrase)
        _ = apply_and_write(stick, StickPlan(steps=()))
    notes = map(spoken, filter(None, (plan.persistence.note, plan.warning)))
    return " ".join([tr("{name} keeps its changes; its entry is in the menu.", name=plan.item.name), *notes])


def drop_changes(stick: Stick, image: str) -> None:
    _ = apply_and_write(stick, plan_file_removal(stick.volume, [kept_named(stick.volume, image).path]))


def add_seed(access: StickAccess, image: str, filled: Filled, progress: Job) -> str:
    kind = "" if filled["kind"] == BY_ITS_LOOK else filled["kind"]
    with access.open(writing=True) as stick:
        made = plan_seed(
            stick.volume,
            image,
            path_of(filled["file"]),
            kind=kind,
            name=filled["name"],
            again=filled["same"] == tr("replace"),
        )
        progress.say(tr("writing"))
        _ = apply_and_write(stick, made.plan)
    return tr("{kind} {name} is there for {image}.", kind=made.seed.kind, name=made.seed.name, image=made.seed.image)


def remove_seed(stick: Stick, seed: Seed) -> StickPlan:
    """Remove an answer file; the plan that is returned brings it back."""
    files = [path for path, _ in walk(stick.volume, seed.folder)]
    back = [WriteFile(path=path, content=read_file(stick.volume, path, SEED_LIMIT) or b"") for path in files]
    _ = apply_and_write(stick, plan_seed_removal(stick.volume, seed))
    return StickPlan(steps=tuple(back))


def new_passphrase(filled: Filled) -> bytes | None:
    """What was typed twice; ``None`` for nothing.

    Raises:
        UsageError: the two differ.
    """
    if filled["passphrase"] != filled["again"]:
        raise UsageError(
            tr("the two passphrases differ"), hint=tr("type the same one twice, or none for no encryption")
        )
    return filled["passphrase"].encode() or None


def _known(passphrase: str) -> Callable[[], bytes]:
    return passphrase.encode
