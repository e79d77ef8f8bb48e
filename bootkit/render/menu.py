"""The whole boot menu: what is on the stick and what the user chose → the text of grub.cfg."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from bootkit.bootcfg.find import LOOPBACK_MENUS
from bootkit.detect import QuickRule
from bootkit.model.boot import ISO_PATH, BootEntry, Firmware
from bootkit.model.catalog import LAST, Additions, ImageItem, MenuSettings
from bootkit.model.menufont import fonts_of
from bootkit.model.places import (
    CUSTOM_MENU,
    EFI_FOLDER,
    GRUBENV,
    IMAGE_FOLDER,
    LOCALE_FOLDER,
    MENU,
    MENU_FONT,
    OLD_MENU,
    STICK_FILE,
    STOP_FILE,
    SUM_FOLDER,
)
from bootkit.render.entries import split_words
from bootkit.render.grub import render
from bootkit.render.lines import MenuLines, render_image
from bootkit.render.menu_image import GrubEntry, MenuImage
from bootkit.render.menu_rows import NOTHING_KEPT, KeptImage, MenuRow, MenuRows
from bootkit.render.parts import SECTOR, Parts
from bootkit.render.search import findable, first_letters
from bootkit.render.theme import is_our_theme, theme_background, theme_path
from bootkit.render.tree import MenuFolder, is_speakable, menu_tree
from bootkit.values import dataclass

OWNER = "owner"
"""The user whom GRUB asks for."""
FREE = " --unrestricted"
"""What an entry needs to start without a password, once there is one."""
_NEW_SUFFIXES = (".iso", ".ISO")
_NEW_PATTERNS = tuple(
    f"{folder}/*{suffix}" for folder in (IMAGE_FOLDER, f"{IMAGE_FOLDER}/*", "") for suffix in _NEW_SUFFIXES
)


CHECKED = 32
"""Images up to which GRUB asks for each whether it is there, and for new ones. To find a file GRUB reads through its folder:
for 200 of them it took half a minute."""
_KNOWN = 32
"""Images that one regular expression of the menu knows: GRUB makes an automaton of each anew for every file."""
_FIRSTS = 8
"""Images of many that are asked for in turn until one is there, which becomes the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuFiles:
    """The two files that are the menu."""

    grub_cfg: bytes
    """What GRUB reads before it shows anything."""
    parts: bytes
    """What it reads when something is chosen."""
    parts_path: str
    """Named by its content, so that the menu before keeps its own."""
    texts: tuple[bytes, ...]
    """What ``parts`` is made of: scripts, each of which is run by itself."""
    images: tuple[KeptImage, ...] = ()
    """What is worth keeping of the images' lines, for the next menu."""

    @property
    def text(self) -> bytes:
        """All of it, for whoever reads or checks it."""
        return self.grub_cfg + self.parts

    def text_besides(self, parts: bytes) -> bytes:
        """All of it but the scripts that stand in other ``parts`` as well."""
        # by their first sectors: to look for each in megabytes takes longer than to make them
        starts: dict[bytes, list[int]] = {}
        for at in range(0, len(parts), SECTOR):
            starts.setdefault(parts[at : at + SECTOR], []).append(at)
        new = (
            text for text in self.texts if not any(parts.startswith(text, at) for at in starts.get(text[:SECTOR], ()))
        )
        return b"".join((self.grub_cfg, *new))


@dataclass(frozen=True, slots=True, kw_only=True)
class Toggle:
    """A choice at the menu, kept in a variable of GRUB that is 0 or 1."""

    variable: str
    title: str
    short: str
    start: int = 0
    word: str = ""
    """Kernel word that tells the overlay; empty if the choice is for the system itself."""


_BY_OVERLAY = (
    Toggle(variable="opt_no_home", title="Without the home on this stick", short="no home", word="bootkit=nohome"),
    Toggle(
        variable="opt_no_extensions",
        title="Without the extensions on this stick",
        short="no extensions",
        word="bootkit=noextensions",
    ),
    Toggle(
        variable="opt_no_scripts",
        title="Without the scripts on this stick",
        short="no scripts",
        word="bootkit=nocustomize",
    ),
    Toggle(
        variable="opt_closed",
        title="Keep the disks of this computer closed",
        short="disks closed",
        word="bootkit=closed",
    ),
    Toggle(
        variable="opt_guard",
        title="Guard the stick: no installer can take it",
        short="guarded",
        word="bootkit=guard",
    ),
    Toggle(
        variable="opt_off",
        title="As the image is: nothing from this stick",
        short="as it is",
        word="bootkit=off",
    ),
)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPreview:
    """One entry as the menu will have it, for people."""

    title: str
    kernel: str = ""
    initrds: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Of the kernel; slots that only the menu can fill are still open."""
    explanation: tuple[str, ...] = ()
    """Lines that it shows instead of booting."""
    starts_by_itself: bool = False
    """Whether it is the image's default."""


def render_menu(
    items: Sequence[ImageItem],
    settings: MenuSettings,
    quick_rules: Sequence[tuple[str, QuickRule]] = (),
    additions: Mapping[str, Additions] = MappingProxyType({}),
    *,
    kept: Mapping[str, KeptImage] = NOTHING_KEPT,
    chosen: Callable[[ImageItem], ImageItem] = lambda item: item,
) -> MenuFiles:
    """The menu's script; the same bytes for the same input.

    ``additions`` are those of an image, by its path. ``kept`` and ``chosen`` are those of
    :class:`bootkit.render.menu_rows.MenuRows`, and change nothing but the time it takes.
    """
    rows = MenuRows(settings.appearances, additions, kept=kept, chosen=chosen)
    tree = menu_tree(items, rows)
    free = FREE if settings.password and not settings.protect_all else ""
    values = _values(tree, settings, quick_rules, _toggles(settings, has_additions=bool(additions)), free)
    summed = {item.path for item in items if item.sha256}
    values["checkable"] = [_checkable(image) for image in tree.all_images if image.path in summed]
    values["known_images"] = _known_images(items)
    parts = Parts()
    functions = parts.add(render("functions.cfg.j2", **values))
    new_list = "" if values["checked"] else parts.add(render("new_list.cfg.j2", **values))
    places = {image.path: _script(image, parts, free) for image in tree.all_images}
    search = parts.add(render("search.cfg.j2", places=places, **values)) if len(places) > 1 else ""
    checks = parts.add(render("check.cfg.j2", **values)) if values["checkable"] else ""
    last_places, last_marks = _last_parts(parts, tree, values)
    lines = MenuLines(parts, places, free, checked=values["checked"] is True).of(tree)
    first = {
        "functions": functions,
        "new_list": new_list,
        "search": search,
        "checks": checks,
        "last_places": last_places,
        "last_marks": last_marks,
        "parts_device": parts.device,
        "parts_path": parts.path,
    }
    text = render("grub.cfg.j2", menu_lines=lines, **first, **values)
    return MenuFiles(
        grub_cfg=text.encode("utf-8", "surrogateescape"),
        parts=parts.content,
        parts_path=parts.path,
        texts=parts.texts,
        images=tuple(rows.to_keep(image, places[image.path]) for image in tree.all_images),
    )


def _script(image: MenuRow, parts: Parts, free: str) -> str:
    """Add what is run when an image is chosen; where it stands."""
    return parts.add_script(image.script) if isinstance(image, KeptImage) else parts.add(render_image(image, free))


def _last_parts(parts: Parts, tree: MenuFolder, values: Mapping[str, object]) -> tuple[str, str]:
    """Where it stands how what was started last is found in a menu of many images: by its key, and by its place."""
    if values["checked"] or not values["keeps_last"]:
        return "", ""
    judged_keys: dict[str, list[str]] = {}
    for image in tree.all_images:
        if image.judged:
            judged_keys.setdefault(image.judged, []).append(image.key)
    return (
        parts.add(render("last.cfg.j2", folders=tree.all_folders, judged_keys=judged_keys)),
        parts.add(render("last_marks.cfg.j2", findable=values["findable"])),
    )


def _values(
    tree: MenuFolder,
    settings: MenuSettings,
    quick_rules: Sequence[tuple[str, QuickRule]],
    toggles: tuple[Toggle, ...],
    free: str,
) -> dict[str, object]:
    """What the templates are filled in with, all but what depends on where the parts lie."""
    found = findable(tree.all_images, free)
    checked = len(found) <= CHECKED
    return {
        "checked": checked,
        "has_disks": any(image.is_disk for image in tree.all_images),
        "firsts": () if checked else [image for image in tree.all_images if image.offers_itself][:_FIRSTS],
        "installers": any(image.installs for image in tree.all_images),
        "findable": found,
        "letters": first_letters(found),
        "keeps_last": settings.default == LAST,
        "theme": theme_path(settings.theme),
        "theme_is_ours": is_our_theme(settings.theme),
        "translated_theme": theme_path(settings.theme, settings.language),
        "fonts": [font.path for font in fonts_of(settings.language, large=settings.large_letters)]
        if settings.has_fonts
        else [],
        "background": theme_background(settings.theme),
        "language": settings.language,
        "locale_folder": LOCALE_FOLDER,
        "font": MENU_FONT,
        "theme_fonts": f"{settings.theme.rpartition('/')[0]}/*.pf2",
        "free": free,
        "password": settings.password,
        "owner": OWNER,
        "toggles": toggles,
        "timeout": settings.timeout,
        "beep": settings.beep,
        "image_folder": IMAGE_FOLDER,
        "chosen": _chosen(tree, settings),
        "rules": [_rule(stack, rule) for stack, rule in quick_rules],
        "firmwares": [firmware.value for firmware in Firmware],
        "new_patterns": _NEW_PATTERNS,
        "own_menus": LOOPBACK_MENUS,
        "grubenv": GRUBENV,
        "stop_file": STOP_FILE,
        "efi_folder": EFI_FOLDER,
        "menu": MENU,
        "old_menu": OLD_MENU,
        "custom_menu": CUSTOM_MENU,
        "stick_file": STICK_FILE,
    }


def _known_images(items: Sequence[ImageItem]) -> list[str]:
    """Regular expressions that fit the path of an image that the menu knows; one that may yet be read stays new."""
    settled = (item.path for item in items if not item.unsettled)
    paths = sorted(path for path in settled if path.endswith(_NEW_SUFFIXES) and is_speakable(path))
    groups = [paths[at : at + _KNOWN] for at in range(0, len(paths), _KNOWN)]
    return [f"^({'|'.join(map(_escaped, group))})$" for group in groups]


def _escaped(path: str) -> str:
    """``path`` in a POSIX extended regular expression, as GRUB's ``regexp`` reads it."""
    return re.sub(r"[\\.\[\](){}*+?^$|]", r"\\\g<0>", path)


def _checkable(image: MenuRow) -> dict[str, str]:
    """An image with a kept sum, as the menu's own check lists it."""
    return {
        "path": image.path,
        "title": image.title,
        "function": image.loop,
        "folder": image.path.rpartition("/")[0],
        "sum_path": f"{SUM_FOLDER}{image.path}.sha256",
    }


def is_empty_menu(grub_cfg: bytes) -> bool:
    """Whether a menu is one of ours that has no image, as ``prepare`` writes it: nobody wants to go back to it."""
    return b" --id empty" in grub_cfg


def menu_targets(items: Sequence[ImageItem], settings: MenuSettings | None = None) -> tuple[MenuTarget, ...]:
    """Every entry that boots something, in the order of the menu."""
    appearances = (settings or MenuSettings()).appearances
    return tuple(
        MenuTarget(
            path=image.path,
            title=f"{image.title}: {entry.title}",
            id_path=f"{image.id_path}>{entry.id_path}",
            entry=entry.source,
        )
        for image in menu_tree(items, MenuRows(appearances)).all_images
        if isinstance(image, MenuImage)
        for entry in image.entries
        if entry.source is not None and not entry.explanation
    )


def entry_previews(item: ImageItem, settings: MenuSettings) -> tuple[EntryPreview, ...]:
    """The entries of one image, in the order of the menu; those that only inform are left out."""
    tree = menu_tree((item,), MenuRows({item.path: replace(settings.appearance(item.path), hidden=False)}))
    return tuple(
        _preview(
            item, entry, starts_by_itself=image.default in (f"{image.id_path}>{entry.id}", f"{image.id_path}>{at}")
        )
        for image in tree.all_images
        if isinstance(image, MenuImage)
        for at, entry in enumerate(image.entries)
        if entry.source is not None
    )


def _preview(item: ImageItem, entry: GrubEntry, *, starts_by_itself: bool) -> EntryPreview:
    assert entry.source is not None  # only such entries are shown
    line = entry.source.modules[0] if entry.source.modules else entry.source
    return EntryPreview(
        title=entry.title,
        kernel=entry.source.kernel,
        initrds=entry.source.initrds,
        words=tuple(word.replace(ISO_PATH, item.path) for word in line.cmdline),
        explanation=entry.explanation,
        starts_by_itself=starts_by_itself,
    )


def empty_grubenv() -> bytes:
    """An environment block for GRUB's ``save_env``: 1024 bytes that it rewrites in place.

    Source: grub 2.06, include/grub/lib/envblk.h and grub-core/lib/envblk.c.
    """
    return b"# GRUB Environment Block\n".ljust(1024, b"#")


def _toggles(settings: MenuSettings, *, has_additions: bool) -> tuple[Toggle, ...]:
    return (
        Toggle(
            variable="opt_ram",
            title="Copy the system to RAM, where it can be",
            short="to RAM",
            start=int(settings.to_ram),
        ),
        Toggle(
            variable="opt_safe",
            title="Safe graphics, for a screen that stays black",
            short="safe graphics",
            start=int(settings.safe_graphics),
        ),
        Toggle(
            variable="opt_serial",
            title="Serial console, 115200 baud on the first port",
            short="serial",
            start=int(settings.serial),
        ),
        *(_BY_OVERLAY if has_additions else ()),
    )


def _chosen(tree: MenuFolder, settings: MenuSettings) -> MenuRow | None:
    """The image that the user wants to start by itself."""
    return next((one for one in tree.all_images if one.path == settings.default), None)


def _rule(stack: str, rule: QuickRule) -> dict[str, object]:
    before, after = split_words(rule.cmdline)
    return {
        "stack": stack,
        "requires": rule.requires,
        "kernel": rule.kernel,
        "initrd": rule.initrd,
        "before": before,
        "after": after,
    }
