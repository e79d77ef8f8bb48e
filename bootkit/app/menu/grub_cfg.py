"""The stick's menu: grub.cfg and the file beside it."""

from collections.abc import Mapping
from types import MappingProxyType

from bootkit.detect import QuickRule
from bootkit.detect.registry import detectors
from bootkit.errors import BootkitError, ToolMissing
from bootkit.i18n import tr
from bootkit.model.catalog import Additions, ImageItem, MenuSettings
from bootkit.model.options import Choices
from bootkit.plan.choices import chosen_item, chosen_rule, menu_settings
from bootkit.render.menu import MenuFiles, render_menu
from bootkit.system.grubcheck import grub_script_error


def menu_of(
    items: tuple[ImageItem, ...],
    choices: Choices,
    additions: Mapping[str, Additions] = MappingProxyType({}),
    *,
    settings: MenuSettings | None = None,
) -> MenuFiles:
    """The whole menu. ``additions`` are those of an image, by its path.

    ``settings`` take the place of what the choices tell the menu.
    """
    chosen = tuple(chosen_item(item, choices) for item in items)
    rules = tuple((stack, chosen_rule(stack, rule, choices)) for stack, rule in quick_rules())
    return render_menu(chosen, settings or menu_settings(choices, items), rules, additions)


def quick_rules() -> tuple[tuple[str, QuickRule], ...]:
    return tuple((detector.name, rule) for detector in detectors() for rule in detector.quick)


def check_menu(menu: MenuFiles) -> tuple[str, ...]:
    """What there is to warn of in a new menu.

    Raises:
        BootkitError: GRUB's own parser refuses it.
    """
    try:
        error = grub_script_error(menu.text)
    except ToolMissing as missing:
        return (f"the menu was not checked with GRUB's own parser: {missing.message}; {missing.hint}",)
    if error:
        hint = tr("the old menu is still in place; please report this with the output of: bootkit list --json")
        raise BootkitError(tr("GRUB's parser refuses the new menu: {error}", error=error), hint=hint)
    return ()
