"""``options``: what was chosen, where each value comes from, which images heed it, and how it is changed."""

import difflib
import secrets
from collections.abc import Sequence
from dataclasses import replace

from bootkit.app.stick.extensions import find_extensions
from bootkit.app.stick.homes import find_homes
from bootkit.app.stick.settings import choices_of, choices_on, settings_text
from bootkit.app.stick.state import StickState, read_state
from bootkit.app.verbs.generate import Generation, plan_generation
from bootkit.detect.registry import stacks
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.options import (
    OPTIONS,
    STICK,
    Choices,
    Kind,
    OptionSpec,
    Place,
    Scope,
    Value,
    image_place,
    problem,
    stack_place,
)
from bootkit.model.places import STICK_FILE
from bootkit.model.plan import WriteFile
from bootkit.plan.choices import chosen_item, menu_settings, reason_against
from bootkit.plan.edit_settings import Change, edited
from bootkit.plan.password import SALT_SIZE, grub_digest
from bootkit.render.menu import EntryPreview, entry_previews
from bootkit.system.hostdata import keyboards, locales, time_zones
from bootkit.system.volume import Volume
from bootkit.values import dataclass

_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One option at one place."""

    spec: OptionSpec
    value: Value
    """What counts there."""
    scope: Scope
    """Where that comes from."""
    reason: str = ""
    """Why the image cannot honour it, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceState:
    """A place where options are chosen, and what counts on its stick."""

    place: Place
    choices: Choices
    item: ImageItem | None = None
    """The image, where the place is one's."""


def specs_for(scope: Scope) -> tuple[OptionSpec, ...]:
    """The options that can be chosen for the stick, a boot stack, or an image."""
    return tuple(spec for spec in OPTIONS if scope in spec.scopes)


def list_options(choices: Choices, place: Place, item: ImageItem | None = None) -> tuple[Listed, ...]:
    """Every option that can be chosen at ``place``; ``item`` is its image, where it is one's."""
    detection = item.recognition.detection if item is not None and item.recognition else None
    stack = place.name if place.scope is Scope.STACK else detection.stack if detection else ""
    image = place.name if place.scope is Scope.IMAGE else ""
    listed: list[Listed] = []
    for spec in specs_for(place.scope):
        chosen = choices.chosen(spec.key, stack=stack, image=image)
        reason = reason_against(item, spec) if item is not None else ""
        listed.append(Listed(spec=spec, value=chosen.value, scope=chosen.scope, reason=reason))
    return tuple(listed)


def find_place(volume: Volume, *, image: str = "", stack: str = "") -> PlaceState:
    """The place that is meant.

    Raises:
        BootkitError: no image or boot stack is called so, or several are; stick.toml has a mistake.
        UsageError: both are named.
    """
    if image and stack:
        raise UsageError(tr("--image and --stack are two places"), hint=tr("name one of them"))
    if stack:
        state = read_state(volume)
        _require_stack(state, stack)
        return PlaceState(place=stack_place(stack), choices=state.choices)
    if not image:
        return PlaceState(place=STICK, choices=choices_on(volume))
    state = read_state(volume, [image])
    (item,) = state.offered
    return PlaceState(place=image_place(item.path), choices=state.choices, item=item)


def find_option(key: str, scope: Scope) -> OptionSpec:
    """The option of that key.

    Raises:
        UsageError: there is none, or it cannot be chosen there.
    """
    spec = next((spec for spec in OPTIONS if spec.key == key), None)
    if spec is None:
        near = difflib.get_close_matches(key, [spec.key for spec in OPTIONS], n=1)
        name, sign, value = key.partition("=")
        hint = tr("did you mean {near}?", near=near[0]) if near else "bootkit options list"
        if sign and any(spec.key == name for spec in OPTIONS):
            hint = f"bootkit options set {name} {value}"
        raise UsageError(tr("there is no option {key}", key=repr(key)), hint=hint)
    if scope not in spec.scopes:
        hint = tr("name the image: --image IMAGE") if Scope.IMAGE in spec.scopes else tr("it is for the whole stick")
        raise UsageError(tr("{key} cannot be chosen for {scope}", key=key, scope=scope.words), hint=hint)
    return spec


def parse_value(spec: OptionSpec, words: Sequence[str]) -> Value:
    """A value as it is typed.

    Raises:
        UsageError: it is none.
    """
    if spec.kind is Kind.FILES:
        value: Value = tuple(words)
    elif spec.kind is Kind.WORDS:
        value = tuple(word for text in words for word in text.split())
    elif len(words) != 1:
        raise UsageError(tr("{key} takes one value", key=spec.key), hint=f"bootkit options set {spec.key} VALUE")
    else:
        value = typed_value(spec, words[0])
    if trouble := value_problem(spec, value):
        raise UsageError(f"{spec.key}: {_shown(value)} {trouble}", hint=_near(spec, value) or spec.help)
    return value


def typed_value(spec: OptionSpec, text: str) -> Value:
    """``text`` as a value of the option's kind, or as it is where it is none: :func:`value_problem` tells."""
    match spec.kind:
        case Kind.SWITCH:
            return _SWITCH.get(text.lower(), text)
        case Kind.NUMBER:
            return int(text) if text.removeprefix("-").isdecimal() else text
        case Kind.WORDS:
            return tuple(text.split())
        case Kind.FILES:
            return tuple(name for line in text.split("/") if (name := line.strip()))
        case _:
            return text


def value_problem(spec: OptionSpec, value: Value) -> str:
    """What is wrong with a value, also by what this computer knows of locales, keyboards and time zones."""
    if trouble := problem(spec, value):
        return trouble
    known = suggestions(spec)
    if isinstance(value, str) and value and known and _spelled(spec, value) not in known:
        return f"is no {spec.title.lower()} that this computer knows"
    return ""


def not_there(volume: Volume, spec: OptionSpec, value: Value) -> str:
    """A clause about what a value names and the stick has not, or not yet; empty if nothing."""
    if spec.key == "home" and value not in ("", "none", *(home.name for home in find_homes(volume))):
        return f"there is no home {value} on the stick"
    if spec.key == "theme" and isinstance(value, str) and value.startswith("/") and volume.stat(value) is None:
        return f"there is no {value} on the stick"
    if spec.key == "extensions_off" and isinstance(value, tuple):
        there = {item.path.rpartition("/")[2] for item in find_extensions(volume)}
        if missing := [name for name in value if name not in there]:
            return f"there is no extension {', '.join(missing)} on the stick"
    return ""


def suggestions(spec: OptionSpec) -> tuple[str, ...]:
    """Values to choose from; empty where anything goes, or nothing is known."""
    match spec.kind:
        case Kind.LOCALE:
            return locales()
        case Kind.KEYBOARD:
            return keyboards()
        case Kind.TIMEZONE:
            return time_zones()
        case _:
            return ()


def password_digest(password: str) -> str:
    """What is kept of a menu password.

    Raises:
        UsageError: it could not be typed in GRUB, which reads the keys of a US keyboard.
    """
    if not password or not password.isascii() or not password.isprintable():
        raise UsageError(
            tr("the password must be of letters, digits and signs of ASCII"), hint=tr("GRUB reads no others")
        )
    return grub_digest(password, secrets.token_bytes(SALT_SIZE))


def plan_change(volume: Volume, changes: Sequence[Change]) -> Generation:
    """What a change of options would do: stick.toml, then what ``generate`` makes of it.

    Raises:
        BootkitError: stick.toml has a mistake, now or with the change.
    """
    before = settings_text(volume)
    choices_of(before)
    after = edited(before, changes)
    choices_of(after)
    generation = plan_generation(volume, settings=after)
    if after == before:
        return generation
    steps = (WriteFile(path=STICK_FILE, content=after.encode()), *generation.plan.steps)
    return replace(generation, plan=replace(generation.plan, steps=steps))


def preview(item: ImageItem, choices: Choices) -> tuple[EntryPreview, ...]:
    """The entries of one image as the menu would have them."""
    return entry_previews(chosen_item(item, choices), menu_settings(choices, (item,)))


def with_changes(choices: Choices, changes: Sequence[Change]) -> Choices:
    """The choices as if ``changes`` were made."""
    values = {place: dict(kept) for place, kept in choices.values.items()}
    for change in changes:
        kept = values.setdefault(change.place, {})
        if change.value is None:
            kept.pop(change.key, None)
        else:
            kept[change.key] = change.value
    return Choices(values={place: kept for place, kept in values.items() if kept})


def shown_value(spec: OptionSpec, value: Value) -> str:
    """A value for people; a password stays hidden."""
    if spec.kind is Kind.PASSWORD:
        return "set" if value else "none"
    return _shown(value)


def _shown(value: Value) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple():
            return " ".join(value) or "-"
        case _:
            return str(value) or "-"


def _spelled(spec: OptionSpec, value: str) -> str:
    return f"{value}.UTF-8" if spec.kind is Kind.LOCALE and "." not in value else value


def _near(spec: OptionSpec, value: Value) -> str:
    near = difflib.get_close_matches(value, suggestions(spec), n=3) if isinstance(value, str) else []
    return f"did you mean {' or '.join(near)}?" if near else ""


def _require_stack(state: StickState, stack: str) -> None:
    here = {item.detection.stack for item in state.catalog.items if item.detection}
    known = here | stacks().keys()
    if stack not in known:
        near = difflib.get_close_matches(stack, known, n=1)
        hint = (
            tr("did you mean {near}?", near=near[0])
            if near
            else tr("on this stick are: {here}", here=", ".join(sorted(here)))
        )
        raise BootkitError(tr("there is no kind of system {stack}", stack=repr(stack)), hint=hint)


def require_entry(item: ImageItem, title: str) -> None:
    """Refuse a title that no entry of the image has.

    Raises:
        UsageError: it is one.
    """
    detection = item.recognition.detection if item.recognition else None
    titles = [entry.title for entry in detection.entries] if detection else []
    if title and title not in titles:
        raise UsageError(
            tr("{name} has no entry {title}", name=item.name, title=repr(title)),
            hint=tr("its entries are: {titles}", titles="; ".join(titles)),
        )
