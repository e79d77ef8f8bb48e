"""``options list``, ``get``, ``set`` and ``unset``."""

import sys
from typing import TYPE_CHECKING, Annotated

from bootkit.cli import output
from bootkit.cli.ask import ask_new_secret
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, DryRun, StickOption
from bootkit.i18n import spoken, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bootkit.app.verbs.options import PlaceState
    from bootkit.cli.documents import ListedOption
    from bootkit.model.options import OptionSpec, Value
    from bootkit.plan.edit_settings import Change
    from bootkit.system.volume import Volume

ImageOption = Annotated[str, Option("--image", help=tr("For one image: a path, a file name, or a part of it."))]
StackOption = Annotated[
    str, Option("--stack", help=tr("For all images of one kind, as bootkit list has it: casper, live-boot, ..."))
]
Key = Annotated[str, Argument(help=tr("As 'bootkit options list' shows it."), metavar="OPTION")]


def list_options(
    stick: StickOption = None, image: ImageOption = "", stack: StackOption = "", as_json: AsJson = False
) -> None:
    """List the options, what counts, where it comes from, and what an image cannot honour."""
    from bootkit.app.verbs.options import find_place, shown_value
    from bootkit.app.verbs.options import list_options as listed_options
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        found = find_place(opened.volume, image=image, stack=stack)
    listed = listed_options(found.choices, found.place, found.item)
    if as_json:
        rows: list[ListedOption] = [
            {"option": one.spec.key, "value": one.value, "from": one.scope, "reason": one.reason} for one in listed
        ]
        output.json({"options": rows})
        return
    table = [
        (one.spec.key, shown_value(one.spec, one.value), spoken(one.scope.words), spoken(one.reason or one.spec.help))
        for one in listed
    ]
    output.table(table, (tr("OPTION"), tr("VALUE"), tr("FROM"), tr("WHAT IT IS, OR WHY IT HAS NO EFFECT")))


def get(key: Key, stick: StickOption = None, image: ImageOption = "", stack: StackOption = "") -> None:
    """Print the value that counts."""
    from bootkit.app.verbs.options import find_option, find_place, shown_value
    from bootkit.app.verbs.options import list_options as listed_options
    from bootkit.system.sticks import open_stick

    with open_stick(stick) as opened:
        found = find_place(opened.volume, image=image, stack=stack)
    spec = find_option(key, found.place.scope)
    listed = listed_options(found.choices, found.place, found.item)
    output.answer(next(shown_value(spec, one.value) for one in listed if one.spec is spec))


def set_option(
    key: Key,
    value: Annotated[list[str] | None, Argument(help=tr("Several for extra_words; a password is asked for."))] = None,
    stick: StickOption = None,
    image: ImageOption = "",
    stack: StackOption = "",
    dry_run: DryRun = False,
) -> None:
    """Choose a value: it is written to stick.toml, whose comments stay, and the menu is written anew."""
    from bootkit.app.verbs.options import find_option, find_place
    from bootkit.plan.edit_settings import Change
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        found = find_place(opened.volume, image=image, stack=stack)
        chosen = _value(opened.volume, find_option(key, found.place.scope), found, value or [])
        _change(opened.volume, [Change(key=key, value=chosen, place=found.place)], dry_run=dry_run)


def unset(
    key: Key,
    stick: StickOption = None,
    image: ImageOption = "",
    stack: StackOption = "",
    dry_run: DryRun = False,
) -> None:
    """Take a choice away, so that the wider one counts again, and write the menu."""
    from bootkit.app.verbs.options import find_option, find_place
    from bootkit.plan.edit_settings import Change
    from bootkit.system.sticks import open_stick

    with open_stick(stick, writing=not dry_run) as opened:
        place = find_place(opened.volume, image=image, stack=stack).place
        find_option(key, place.scope)
        _change(opened.volume, [Change(key=key, value=None, place=place)], dry_run=dry_run)


def _value(volume: "Volume", spec: "OptionSpec", found: "PlaceState", words: "Sequence[str]") -> "Value":
    from bootkit.app.stick.images import image_named
    from bootkit.app.stick.variants import seed_named
    from bootkit.app.verbs.options import not_there, parse_value, password_digest, require_entry
    from bootkit.model.options import Kind

    if spec.kind is Kind.PASSWORD and not words:
        if sys.stdin.isatty():
            return password_digest(ask_new_secret(tr("Menu password")))
        return password_digest(sys.stdin.readline().rstrip("\n"))
    value = parse_value(spec, words)
    if missing := not_there(volume, spec, value):
        output.say(tr("warning: {missing}", missing=missing))
    if spec.key == "default" and isinstance(value, str) and value and value not in spec.choices:
        return image_named(volume, value)
    if spec.key == "entry" and isinstance(value, str):
        assert found.item is not None  # the option is for images only
        require_entry(found.item, value)
    if spec.key == "seed" and isinstance(value, str) and value:
        return seed_named(volume, found.place.name, value).label
    return value


def _change(volume: "Volume", changes: "list[Change]", *, dry_run: bool) -> None:
    from bootkit.app.verbs.options import plan_change
    from bootkit.cli import report
    from bootkit.system.changes import apply_changes

    generation = plan_change(volume, changes)
    if dry_run:
        report.plan(generation.plan)
        return
    apply_changes(generation.plan, volume)
    report.generation(generation, in_passing=True)
