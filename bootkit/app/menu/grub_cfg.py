"""The stick's menu: grub.cfg and the file beside it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bootkit.app.menu.freshness import MENU_LIMIT
from bootkit.detect import QuickRule
from bootkit.detect.registry import detectors
from bootkit.errors import BootkitError, ToolMissing
from bootkit.i18n import tr
from bootkit.model.catalog import Additions, ImageItem, MenuSettings
from bootkit.model.options import Choices
from bootkit.plan.choices import chosen_item, chosen_rule, menu_settings
from bootkit.render.menu import MenuFiles, render_menu
from bootkit.render.menu_rows import NOTHING_KEPT, KeptImage
from bootkit.render.parts import is_parts, parts_of_menu
from bootkit.system.grubcheck import grub_script_error
from bootkit.system.volume import Volume, read_file

_UNCHECKED = "the menu was not checked with GRUB's own parser"


def menu_of(
    items: tuple[ImageItem, ...],
    choices: Choices,
    additions: Mapping[str, Additions] = MappingProxyType({}),
    *,
    settings: MenuSettings | None = None,
    kept: Mapping[str, KeptImage] = NOTHING_KEPT,
) -> MenuFiles:
    """The whole menu. ``additions`` are those of an image, by its path.

    ``settings`` take the place of what the choices tell the menu. ``kept`` are lines of images that need not be made again.
    """
    rules = tuple((stack, chosen_rule(stack, rule, choices)) for stack, rule in quick_rules())
    return render_menu(
        items,
        settings or menu_settings(choices, items),
        rules,
        additions,
        kept=kept,
        chosen=lambda item: chosen_item(item, choices),
    )


def quick_rules() -> tuple[tuple[str, QuickRule], ...]:
    return tuple((detector.name, rule) for detector in detectors() for rule in detector.quick)


def check_menu(menu: MenuFiles, volume: Volume, old_menu: bytes | None, said: Iterable[str]) -> tuple[str, ...]:
    """What there is to warn of in a new menu: of a thousand images all but one stand in the old one, which was checked.

    ``said`` are the warnings that the old menu was written with.

    Raises:
        BootkitError: GRUB's own parser refuses it.
    """
    checked = b"" if any(one.startswith(_UNCHECKED) for one in said) else _parts_beside(volume, old_menu or b"")
    try:
        error = grub_script_error(menu.text_besides(checked))
    except ToolMissing as missing:
        return (f"{_UNCHECKED}: {missing.message}; {missing.hint}",)
    if error:
        hint = tr("the old menu is still in place; please report this with the output of: bootkit list --json")
        raise BootkitError(tr("GRUB's parser refuses the new menu: {error}", error=error), hint=hint)
    return ()


def _parts_beside(volume: Volume, old_menu: bytes) -> bytes:
    """The scripts beside a menu of ours; nothing where they are not as they were written."""
    path = parts_of_menu(old_menu)
    content = read_file(volume, path, MENU_LIMIT) if path else None
    return content if path and content and is_parts(content, path) else b""
