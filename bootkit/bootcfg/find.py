"""Find and read the boot menus of an image."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import replace
from weakref import WeakKeyDictionary

from bootkit.bootcfg.grub import DEFAULT_VARIABLES, parse_grub
from bootkit.bootcfg.menu import Menu, MenuEntry, on_image
from bootkit.model.boot import IN_EFI, ISO_PATH, STICK_UUID, Module
from bootkit.model.iso import FileKind, IsoView

GRUB_MENUS = (
    "/boot/grub/grub.cfg",
    "/boot/grub2/grub.cfg",
    "/EFI/BOOT/grub.cfg",
    "/grub.cfg",
    "/grub/grub.cfg",
    "/boot/grub/grub_void.cfg",
    "/isolinux/grub.cfg",
)
SYSLINUX_MENUS = (
    "/isolinux/isolinux.cfg",
    "/boot/isolinux/isolinux.cfg",
    "/boot/x86_64/loader/isolinux.cfg",
    "/boot/i386/loader/isolinux.cfg",
    "/boot/syslinux/isolinux.cfg",
    "/boot/syslinux/syslinux.cfg",
    "/syslinux/isolinux.cfg",
    "/syslinux/syslinux.cfg",
    "/isolinux.cfg",
    "/syslinux.cfg",
    "/extlinux/extlinux.conf",
    "/boot/extlinux/extlinux.conf",
)
LOOPBACK_MENUS = ("/boot/grub/loopback.cfg", "/boot/grub2/loopback.cfg")
EFI_MENUS = ("efi:/EFI/BOOT/grub.cfg", "efi:/boot/grub/grub.cfg", "efi:/grub/grub.cfg")
VENDOR_MENUS = ("/EFI/*/grub.cfg", "efi:/EFI/*/grub.cfg")
"""Patterns; Fedora CoreOS and its kin have their only GRUB menu in ``/EFI/fedora``."""
LOADER_ENTRIES = ("/loader/entries", "efi:/loader/entries")
_BLSCFG_ENTRIES = "/boot/loader/entries"
"""Where GRUB's blscfg looks as well."""
_MORE_ENTRIES = {
    FileKind.ISO: (_BLSCFG_ENTRIES,),
    FileKind.SYSTEM: (_BLSCFG_ENTRIES, "/boot/efi/loader/entries", "/efi/loader/entries"),
}
"""Those of an installed system are by where the partition is mounted that they lie on."""
_LIMINE = ("", "/limine", "/boot", "/boot/limine", "/EFI/BOOT", "/EFI/limine")
LIMINE_MENUS = tuple(f"{folder}/limine.{suffix}" for folder in _LIMINE for suffix in ("conf", "cfg"))
REFIND_MENUS = ("/EFI/BOOT/refind.conf", "/EFI/refind/refind.conf", "/refind.conf")
REFIND_LINUX = ("/boot/refind_linux.conf", "/EFI/BOOT/refind_linux.conf", "/refind_linux.conf")
GRUB_LEGACY_MENUS = ("/boot/grub/menu.lst", "/boot/grub/grub.conf", "/grub/menu.lst", "/menu.lst")
ELILO_MENUS = ("/EFI/BOOT/elilo.conf", "/boot/elilo.conf", "/elilo.conf")

LOOPBACK_VARIABLES: Mapping[str, str] = {**DEFAULT_VARIABLES, "iso_path": ISO_PATH, "rootuuid": STICK_UUID}
"""What a menu finds set that a stick has opened, by the convention of loopback.cfg. Words that carry the path hold the
slot ``{iso_path}``."""

_READ: WeakKeyDictionary[IsoView, dict[Hashable, Menu]] = WeakKeyDictionary()
"""The menus of images that are looked at."""


def read_menus(iso: IsoView, *, everything: bool = False, variables: Mapping[str, str] = LOOPBACK_VARIABLES) -> Menu:
    """The boot menu of an image: the first found that starts a Linux with an initrd.

    GRUB's menus come first, because what is written there has to work with GRUB's ``linux``; then systemd-boot's,
    Limine's and rEFInd's, then syslinux', and at last those of elilo and GRUB before 2. With ``everything`` all menus are
    read, and entries that start the same thing in the same way are kept once. If no menu starts a Linux with an initrd,
    all that was read is the answer; it may be empty.
    """
    menu = Menu()
    for found in _menus(iso, variables):
        if everything:
            menu = _merged(menu, found)
        elif any(entry.is_xen or (entry.is_linux and entry.initrds) for entry in found.entries):
            return found.with_warnings(menu.warnings)
        else:
            menu = _merged(menu, found)
    return menu


def read_loopback(iso: IsoView, *, variables: Mapping[str, str] = LOOPBACK_VARIABLES) -> Menu | None:
    """The menu of the image's loopback.cfg, ``None`` if there is none.

    ``Menu.sources[0]`` is its path. Only where ``Menu.passes_iso_path`` does it find its ISO file.
    """
    path = next((path for path in LOOPBACK_MENUS if iso.is_file(path)), "")
    return _grub(iso, path, variables) if path else None


def read_menu(iso: IsoView, path: str, *, variables: Mapping[str, str] = LOOPBACK_VARIABLES) -> Menu:
    """One menu: a file for GRUB, or for syslinux if its name says so. Empty if it is not there."""
    if not iso.is_file(path):
        return Menu()
    name = path.rpartition("/")[2].lower()
    is_syslinux = name != "grub.cfg" and any(part in path.lower() for part in ("isolinux", "syslinux", "extlinux"))
    return _syslinux(iso, path) if is_syslinux else _grub(iso, path, variables)


def _menus(iso: IsoView, variables: Mapping[str, str]) -> Iterator[Menu]:
    seen: set[str] = set()
    for path in _grub_menus(iso):
        if iso.is_file(path) and iso.spelled(path) not in seen and not (path in LOOPBACK_MENUS and seen):
            menu = _grub(iso, path, variables)
            seen.update(menu.sources)
            yield menu
    for folder in (*LOADER_ENTRIES, *_MORE_ENTRIES.get(iso.facts.kind, ())):
        if iso.is_dir(folder):
            # imported late: most images are answered by their GRUB menu
            from bootkit.bootcfg.bls import read_loader_entries

            yield _in_place(iso, read_loader_entries(iso, folder))
    yield from _other_loaders(iso)
    for path in SYSLINUX_MENUS:
        if iso.is_file(path):
            yield _syslinux(iso, path)
    yield from _old_loaders(iso)


def _old_loaders(iso: IsoView) -> Iterator[Menu]:
    for path in _there(iso, ELILO_MENUS):
        from bootkit.bootcfg.elilo import parse_elilo

        yield _in_place(iso, parse_elilo(iso.text(path), path=iso.spelled(path)))
    for path in GRUB_LEGACY_MENUS:
        if iso.is_file(path):
            from bootkit.bootcfg.grub_legacy import parse_grub_legacy

            yield _in_place(iso, parse_grub_legacy(iso.text(path), path=iso.spelled(path)))


def _other_loaders(iso: IsoView) -> Iterator[Menu]:
    for path in _there(iso, LIMINE_MENUS):
        from bootkit.bootcfg.limine import parse_limine

        yield _in_place(iso, parse_limine(iso.text(path), path=iso.spelled(path)))
        break  # Limine itself reads the first that it finds
    for path in _there(iso, REFIND_MENUS):
        from bootkit.bootcfg.refind import parse_refind

        yield _in_place(iso, parse_refind(iso.text(path), iso, path=iso.spelled(path)))
    for path in _there(iso, REFIND_LINUX):
        from bootkit.bootcfg.refind import parse_refind_linux

        yield _in_place(iso, parse_refind_linux(iso.text(path), iso, path=iso.spelled(path)))


def _there(iso: IsoView, places: tuple[str, ...]) -> Iterator[str]:
    """Those of ``places`` where there is a file, in the image and then in its UEFI partition."""
    return (path for path in (*places, *(IN_EFI + path for path in places)) if iso.is_file(path))


def _grub_menus(iso: IsoView) -> Iterator[str]:
    """The places for a GRUB menu; the loopback.cfg only as a last resort, because most repeat the grub.cfg."""
    yield from GRUB_MENUS
    yield from EFI_MENUS
    for pattern in VENDOR_MENUS:
        yield from iso.glob(pattern)
    yield from LOOPBACK_MENUS


def _grub(iso: IsoView, path: str, variables: Mapping[str, str]) -> Menu:
    place = iso.spelled(path)
    return _once(
        iso,
        (place, *sorted(variables.items())),
        lambda: _in_place(iso, parse_grub(iso.text(place), iso, path=place, variables=variables)),
    )


def _syslinux(iso: IsoView, path: str) -> Menu:
    from bootkit.bootcfg.syslinux import parse_syslinux

    place = iso.spelled(path)
    return _once(iso, (place,), lambda: _in_place(iso, parse_syslinux(iso.text(place), iso, path=place)))


def _once(iso: IsoView, key: Hashable, read: Callable[[], Menu]) -> Menu:
    """What ``read`` answers: of each image only the first time, because every detector reads the same menus."""
    menus = _READ.setdefault(iso, {})
    if key not in menus:
        menus[key] = read()
    return menus[key]


def _in_place(iso: IsoView, menu: Menu) -> Menu:
    """The menu with every path spelled as the image spells it, outside the UEFI partition where possible."""

    def place(path: str) -> str:
        return iso.spelled(on_image(iso, path)) if path.startswith(("/", IN_EFI)) else path

    entries = tuple(_placed(entry, place) for entry in menu.entries)
    default = next((new for new, old in zip(entries, menu.entries, strict=True) if old is menu.default), None)
    return replace(menu, entries=entries, default=default)


def _placed(entry: MenuEntry, place: Callable[[str], str]) -> MenuEntry:
    entry = replace(entry, devicetree=place(entry.devicetree) if entry.devicetree else "")
    if not entry.kernel:
        return entry
    return replace(
        entry,
        kernel=place(entry.kernel),
        initrds=tuple(place(path) for path in entry.initrds),
        modules=tuple(Module(path=place(module.path), cmdline=module.cmdline) for module in entry.modules),
    )


def _merged(first: Menu, second: Menu) -> Menu:
    known = {_start(entry) for entry in first.entries}
    return Menu(
        entries=first.entries + tuple(entry for entry in second.entries if _start(entry) not in known),
        default=first.default or second.default,
        timeout=second.timeout if first.timeout is None else first.timeout,
        title=first.title or second.title,
        sources=first.sources + second.sources,
        warnings=first.warnings + second.warnings,
    )


def _start(entry: MenuEntry) -> tuple[object, ...]:
    """What an entry starts; its title, if it starts nothing."""
    words = (entry.kernel, entry.initrds, frozenset(entry.cmdline), entry.modules, entry.chainloader)
    return words if entry.kernel or entry.chainloader else (entry.title, entry.submenu)
