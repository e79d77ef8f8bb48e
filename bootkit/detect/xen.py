"""Installers that are a Linux on top of Xen.

GRUB loads Xen by ``multiboot2``; the kernel and its initrd are Xen's modules, and the installer's words belong to the
kernel's. GRUB as distributions sign it has no multiboot2, so Secure Boot is out of the question. An overlay cannot be
added: a second initrd would be a third module, which Linux does not see.
"""

from collections.abc import Callable
from dataclasses import replace

from bootkit.bootcfg.find import read_menus
from bootkit.bootcfg.menu import MenuEntry
from bootkit.detect.entries import clean_title, role_of
from bootkit.model.boot import BootEntry, EntryKind, Module, Role
from bootkit.model.iso import IsoView

SECURE_BOOT_NOTE = "Secure Boot has to be off: no signed GRUB starts Xen."


def xen_entries(
    iso: IsoView, usual: MenuEntry, words: Callable[[tuple[str, ...]], tuple[str, ...]]
) -> tuple[BootEntry, ...]:
    """The entries of its menu that start Xen, or ``usual`` if there is none; ``words`` are the kernel's made ours."""
    found = [entry for entry in read_menus(iso).entries if _is_whole(iso, entry)] or [usual]
    # xen.efi, which some menus load by a command of their own, is no Multiboot kernel; the other one lies beside it
    found = [replace(entry, kernel=usual.kernel) if entry.kernel.endswith(".efi") else entry for entry in found]
    return tuple(_entry(entry, words, Role.DEFAULT if entry is found[0] else role_of(entry)) for entry in found)


def _entry(entry: MenuEntry, words: Callable[[tuple[str, ...]], tuple[str, ...]], role: Role) -> BootEntry:
    kernel, *others = entry.modules
    return BootEntry(
        title=clean_title(entry.title),
        kernel=entry.kernel,
        kind=EntryKind.MULTIBOOT2,
        cmdline=entry.cmdline,
        modules=(Module(path=kernel.path, cmdline=words(kernel.cmdline)), *others),
        role=role,
    )


def _is_whole(iso: IsoView, entry: MenuEntry) -> bool:
    files = (entry.kernel, *(module.path for module in entry.modules))
    return entry.is_xen and len(entry.modules) > 1 and all(iso.is_file(path) for path in files)
