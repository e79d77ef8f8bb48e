"""The whole boot menu: what is on the stick and what the user chose → the text of grub.cfg."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from bootkit.detect import QuickRule
from bootkit.model.boot import BootEntry, Firmware
from bootkit.model.catalog import (
    CUSTOM_MENU,
    FACTS_FOLDER,
    IMAGE_FOLDER,
    MENU,
    OLD_MENU,
    STICK_FILE,
    ImageItem,
    MenuSettings,
)
from bootkit.render.entries import MenuFolder, MenuImage, menu_tree, split_words
from bootkit.render.grub import render

GRUBENV = "/boot/grub/grubenv"
_NEW_PATTERNS = tuple(
    f"{folder}/*.{suffix}" for folder in (IMAGE_FOLDER, f"{IMAGE_FOLDER}/*", "") for suffix in ("iso", "ISO")
)
_OWN_MENUS = ("/boot/grub/loopback.cfg", "/boot/grub2/loopback.cfg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toggle:
    """A choice at the menu, kept in a variable of GRUB that is 0 or 1."""

    variable: str
    title: str
    short: str
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuTarget:
    """An entry of the menu that boots something."""

    path: str
    """The image."""
    title: str
    """Of the image and the entry."""
    id_path: str
    """As GRUB's ``default`` takes it."""
    entry: BootEntry


def render_menu(
    items: Sequence[ImageItem], settings: MenuSettings, quick_rules: Sequence[tuple[str, QuickRule]] = ()
) -> bytes:
    """The text of grub.cfg; the same bytes for the same input."""
    tree = menu_tree(items, settings.extra_words)
    toggles = _toggles(settings)
    text = render(
        "grub.cfg.j2",
        images=_members(tree),
        toggles=toggles,
        timeout=settings.timeout,
        image_folder=IMAGE_FOLDER,
        chosen=_chosen(tree, settings),
        rules=[_rule(stack, rule, settings.extra_words) for stack, rule in quick_rules],
        firmwares=[firmware.value for firmware in Firmware],
        new_patterns=_NEW_PATTERNS,
        own_menus=_OWN_MENUS,
        facts_folder=FACTS_FOLDER,
        grubenv=GRUBENV,
        menu=MENU,
        old_menu=OLD_MENU,
        custom_menu=CUSTOM_MENU,
        stick_file=STICK_FILE,
    )
    return text.encode("utf-8", "surrogateescape")


def menu_targets(items: Sequence[ImageItem]) -> tuple[MenuTarget, ...]:
    """Every entry that boots something, in the order of the menu."""
    return tuple(
        MenuTarget(
            path=image.path,
            title=f"{image.title}: {entry.title}",
            id_path=f"{image.id_path}>{entry.id}",
            entry=entry.source,
        )
        for image in menu_tree(items).all_images
        for entry in image.entries
        if entry.source is not None and not entry.explanation
    )


def empty_grubenv() -> bytes:
    """An environment block for GRUB's ``save_env``: 1024 bytes that it rewrites in place.

    Source: grub 2.06, include/grub/lib/envblk.h and grub-core/lib/envblk.c.
    """
    return b"# GRUB Environment Block\n".ljust(1024, b"#")


def _toggles(settings: MenuSettings) -> tuple[Toggle, ...]:
    return (
        Toggle(variable="opt_ram", title="Copy the system to RAM, where it can be", short="to RAM"),
        Toggle(variable="opt_safe", title="Safe graphics, for a screen that stays black", short="safe graphics"),
        Toggle(
            variable="opt_serial",
            title="Serial console, 115200 baud on the first port",
            short="serial",
            start=int(settings.serial),
        ),
    )


def _chosen(tree: MenuFolder, settings: MenuSettings) -> tuple[str, str] | None:
    """Path and ``default`` of the image that the user wants to start by itself."""
    return next(((one.path, _default(one)) for one in tree.all_images if one.path == settings.default), None)


def _rule(stack: str, rule: QuickRule, extra_words: tuple[str, ...]) -> dict[str, object]:
    before, after = split_words(rule.cmdline)
    return {
        "stack": stack,
        "requires": rule.requires,
        "kernel": rule.kernel,
        "initrd": rule.initrd,
        "before": before,
        "after": (*extra_words, *after),
    }


def _members(folder: MenuFolder) -> str:
    parts = [_render_image(image, offered=not folder.title) for image in folder.images]
    parts += [_render_folder(one, offered=not folder.title) for one in folder.folders]
    return "".join(parts)


# Only what stands at the top of the menu can offer itself as the default: a submenu is not run before it is opened.
def _render_folder(folder: MenuFolder, *, offered: bool) -> str:
    members = textwrap.indent(_members(folder).strip("\n"), "    ")
    first = next((image for image in folder.all_images if image.entries), None)
    return render("folder.cfg.j2", folder=folder, members=members, first=_default(first) if first and offered else "")


def _render_image(image: MenuImage, *, offered: bool) -> str:
    return render("image.cfg.j2", image=image, default=_default(image) if offered else "")


def _default(image: MenuImage) -> str:
    """The image's first entry that can start here, as GRUB's ``default`` takes it."""
    return f"{image.id_path}>0"
