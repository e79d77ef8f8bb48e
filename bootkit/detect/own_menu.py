"""What an image starts beside its system: its own menu, where that finds the ISO file, and memory tests."""

from bootkit.bootcfg.cmdline import has_word, word_value
from bootkit.bootcfg.find import LOOPBACK_VARIABLES, read_loopback, read_menus
from bootkit.bootcfg.grub_machine import LOOP_DEVICE, STICK_DEVICE
from bootkit.bootcfg.menu import Menu
from bootkit.detect.entries import clean_title
from bootkit.model.boot import BootEntry, EntryKind, Firmware
from bootkit.model.iso import IsoView

_MEMORY_TESTS = ("memtest", "mt86")
_BIOS_VARIABLES = {**LOOPBACK_VARIABLES, "grub_platform": "pc", "grub_cpu": "i386"}
"""Menus ask for the platform before they offer a memory test."""
_OPENED_VARIABLES = {
    **LOOPBACK_VARIABLES,
    **dict.fromkeys(("prefix", "cmdpath"), f"({STICK_DEVICE})/boot/grub"),
    "root": LOOP_DEVICE,
}
"""What the image's menu finds when the stick's has opened it."""
_CPUS = ("x64", "x32", "ia32", "x86_64", "i586")
OWN_MENU_TITLE = "Menu on the image"


def own_menu(iso: IsoView, *words: str, beside: str = "") -> tuple[BootEntry, ...]:
    """The image's loopback.cfg as one more entry, if what it starts by itself learns where the ISO file is; else nothing.

    Presence alone says nothing: Linux Mint 21.3 and LMDE 6 have one that passes ``$iso_path`` to nobody. Nor does a path
    that the stack does not read: one of ``words`` (any, if there are none) has to carry it, and the word ``beside`` has to
    have a value where the stack wants one. The menu finds the variables that it will find on the stick, where ``$prefix``
    is not its own folder.
    """
    menu = read_loopback(iso, variables=_OPENED_VARIABLES)
    first = menu.default_linux if menu is not None else None
    if menu is None or first is None or not first.passes_iso_path:
        return ()
    if words and not any(has_word(first.cmdline, word) for word in words):
        return ()
    if beside and not word_value(first.cmdline, beside).rpartition("/")[2]:
        return ()
    if not all(iso.is_file(path) for path in (first.kernel, *first.initrds)):
        return ()
    return (BootEntry(title=OWN_MENU_TITLE, kernel=menu.sources[0], kind=EntryKind.CONFIGFILE, safe_graphics=()),)


def loopback_evidence(iso: IsoView, *words: str) -> tuple[str, ...]:
    """Why the image's loopback.cfg is not offered, as evidence; nothing if it is, or if there is none."""
    menu = read_loopback(iso)
    if menu is None or own_menu(iso, *words):
        return ()
    first = menu.default_linux
    if first is not None and first.passes_iso_path and own_menu(iso):
        return (f"{menu.sources[0]} tells the kernel where the ISO file is by a word that it does not read",)
    return (f"{menu.sources[0]} does not tell the kernel where the ISO file is",)


def memory_tests(iso: IsoView, *menus: Menu) -> tuple[BootEntry, ...]:
    """The memory tests in the image's menu, and in ``menus``: programs that are whole in themselves and need none of a stack's words.

    A name with the processor in it is that of Memtest86+ since 6, which is a kernel; older ones want ``linux16``. An EFI
    application is offered on UEFI only, where all of them start.
    """
    found: dict[str, BootEntry] = {}
    every = (*menus, read_menus(iso), read_menus(iso, variables=_BIOS_VARIABLES))
    for entry in (entry for menu in every for entry in menu.entries):
        path = entry.kernel or entry.chainloader
        name = path.rpartition("/")[2].lower()
        if not name.startswith(_MEMORY_TESTS) or entry.initrds or path in found or not iso.is_file(path):
            continue
        is_efi = ".efi" in name
        is_kernel = any(cpu in name for cpu in _CPUS) or (is_efi and entry.loader == "linux")
        kind = EntryKind.LINUX if is_kernel else EntryKind.CHAINLOADER if is_efi else EntryKind.LINUX16
        found[path] = BootEntry(
            title=clean_title(entry.title),
            kernel=iso.spelled(path),
            kind=kind,
            cmdline=entry.cmdline,
            firmware=frozenset({Firmware.UEFI_X64 if is_efi else Firmware.BIOS}),
            safe_graphics=(),
        )
    return tuple(found.values())
