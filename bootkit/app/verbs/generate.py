"""``generate``: look at what is new on the stick and write its menu."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bootkit.app.menu.appearance import plan_appearance
from bootkit.app.menu.companions import plan_companions
from bootkit.app.menu.cures import GENERATED, GENERATED_LIMIT, Extents, moved_images
from bootkit.app.menu.overlays import overlays_digest, plan_overlays, without_refused
from bootkit.app.stick.catalog import Catalog, find_images, read_catalog, record_of, record_path
from bootkit.app.stick.settings import choices_of, settings_text, user_text
from bootkit.app.verbs.variants import offered_items, plan_added, read_variants, variants_digest
from bootkit.detect import QuickRule
from bootkit.detect.registry import detectors
from bootkit.errors import BootkitError, FormatError, ToolMissing
from bootkit.model.catalog import MENU, OLD_MENU, Additions, ImageItem, MenuSettings
from bootkit.model.fields import json_object, parse_json
from bootkit.model.options import Choices
from bootkit.model.plan import KeepOld, RemoveFile, StickPlan, StickStep, WriteFile
from bootkit.model.variants import Variants
from bootkit.plan.choices import chosen_item, chosen_rule, menu_settings, unheard
from bootkit.render.menu import empty_grubenv, render_menu
from bootkit.system.fingerprint import program_fingerprint
from bootkit.system.grubcheck import grub_script_error
from bootkit.system.volume import FileStat, Volume, read_file

GRUBENV = "/boot/grub/grubenv"
_MENU_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    plan: StickPlan
    catalog: Catalog | None
    """``None`` if nothing had changed and no record was opened."""


def plan_generation(
    volume: Volume, *, settings: str | None = None, told: Callable[[str], None] = lambda _: None
) -> Generation:
    """What ``generate`` would change on a stick; an empty plan if nothing.

    ``settings`` is the text of a stick.toml that is to take the place of the stick's.

    Raises:
        BootkitError: stick.toml has a mistake, or GRUB's own parser refuses the new menu.
    """
    text = settings_text(volume) if settings is None else settings
    images, variants = find_images(volume), read_variants(volume)
    inputs = _inputs(volume, images, text, variants)
    old_menu = read_file(volume, MENU, _MENU_LIMIT)
    if _is_up_to_date(volume, inputs, old_menu):
        return Generation(plan=StickPlan(steps=()), catalog=None)
    choices = choices_of(text)
    catalog = read_catalog(volume, images, insides=True, told=told)
    overlays = plan_overlays(volume, catalog.items, choices)
    offered = without_refused(offered_items(volume, catalog.items, variants), overlays.refused)
    appearance = plan_appearance(volume, menu_settings(choices, offered))
    menu = menu_of(offered, choices, overlays.by_image, settings=appearance.settings)
    companions = plan_companions(volume, catalog.items)
    refused = (
        f"{path} will not boot from this stick: {error.message}; {error.hint}"
        for path, error in overlays.refused.items()
    )
    unfit = (*companions.missing, *appearance.warnings, *refused)
    warnings = (*_check(menu), *unheard(catalog.items, choices), *unfit)
    steps: list[StickStep] = [
        WriteFile(path=record_path(item.path), content=record_of(item))
        for item in catalog.items
        if item.path in catalog.looked_at
    ]
    steps += [RemoveFile(path=path) for path in catalog.strays]
    steps += companions.steps
    steps += overlays.steps
    steps += plan_added(volume, catalog.items, variants)
    steps += appearance.steps
    if menu != old_menu:
        if old_menu is not None:
            steps.append(KeepOld(path=MENU, old=OLD_MENU))
        steps.append(WriteFile(path=MENU, content=menu))
    if volume.stat(GRUBENV) is None:
        steps.append(WriteFile(path=GRUBENV, content=empty_grubenv()))
    if not unfit:  # else look again the next time: it may have been put there by then
        steps.append(WriteFile(path=GENERATED, content=_stamp(inputs, menu, overlays.mapped)))
    return Generation(plan=StickPlan(steps=tuple(steps), warnings=warnings), catalog=catalog)


def is_up_to_date(volume: Volume) -> bool:
    """Whether the menu is what ``generate`` would write; opens no image and no record."""
    inputs = _inputs(volume, find_images(volume), settings_text(volume), read_variants(volume))
    return _is_up_to_date(volume, inputs, read_file(volume, MENU, _MENU_LIMIT))


def menu_of(
    items: tuple[ImageItem, ...],
    choices: Choices,
    additions: Mapping[str, Additions] = MappingProxyType({}),
    *,
    settings: MenuSettings | None = None,
) -> bytes:
    """The whole grub.cfg. ``additions`` are those of an image, by its path.

    ``settings`` take the place of what the choices tell the menu.
    """
    chosen = tuple(chosen_item(item, choices) for item in items)
    rules = tuple((stack, chosen_rule(stack, rule, choices)) for stack, rule in quick_rules())
    return render_menu(chosen, settings or menu_settings(choices, items), rules, additions)


def quick_rules() -> tuple[tuple[str, QuickRule], ...]:
    return tuple((detector.name, rule) for detector in detectors() for rule in detector.quick)


def _inputs(volume: Volume, images: tuple[tuple[str, FileStat], ...], settings: str, variants: Variants) -> str:
    names = tuple(detector.name for detector in detectors())
    listing = [(path, stat.size, stat.mtime_ns) for path, stat in images]
    programs = [program_fingerprint(names), overlays_digest()]
    text = json.dumps([*programs, volume.uuid, settings, user_text(), listing, variants_digest(volume, variants)])
    return hashlib.sha256(text.encode()).hexdigest()


def _is_up_to_date(volume: Volume, inputs: str, menu: bytes | None) -> bool:
    """The same inputs, the same menu, and nothing has moved that is found by its place alone."""
    if menu is None:
        return False
    try:
        document = json_object(parse_json(read_file(volume, GENERATED, GENERATED_LIMIT) or b"{}", GENERATED), GENERATED)
    except FormatError:
        return False
    known = (document.get("inputs"), document.get("menu"))
    return known == (inputs, hashlib.sha256(menu).hexdigest()) and not moved_images(volume)


def _stamp(inputs: str, menu: bytes, mapped: Mapping[str, Extents]) -> bytes:
    document = {"inputs": inputs, "menu": hashlib.sha256(menu).hexdigest(), "mapped": mapped}
    return json.dumps(document, indent=2).encode() + b"\n"


def _check(menu: bytes) -> tuple[str, ...]:
    """Warnings about the new menu; nothing is written that GRUB's own parser refuses."""
    try:
        error = grub_script_error(menu)
    except ToolMissing as missing:
        return (f"the menu was not checked with GRUB's own parser: {missing.message}; {missing.hint}",)
    if error:
        hint = "the old menu is still in place; please report this with the output of: bootkit list --json"
        raise BootkitError(f"GRUB's parser refuses the new menu: {error}", hint=hint)
    return ()
