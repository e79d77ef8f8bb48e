"""Boot menus as values, whatever the boot loader they were written for."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from bootkit.model.boot import IN_EFI, Module
from bootkit.values import dataclass


class Files(Protocol):
    """What a menu's reader asks of an image; every ``IsoView`` can answer it."""

    @property
    def volume_id(self) -> str: ...
    @property
    def uuid(self) -> str: ...
    def exists(self, path: str, /) -> bool: ...
    def is_file(self, path: str, /) -> bool: ...
    def is_dir(self, path: str, /) -> bool: ...
    def text(self, path: str, /) -> str: ...
    def glob(self, pattern: str, /) -> tuple[str, ...]: ...


class NoFiles:
    """An image without any file: a menu's text is all there is."""

    volume_id = ""
    uuid = ""

    def exists(self, _path: str, /) -> bool:
        return False

    def is_file(self, _path: str, /) -> bool:
        return False

    def is_dir(self, _path: str, /) -> bool:
        return False

    def text(self, _path: str, /) -> str:
        return ""

    def glob(self, _pattern: str, /) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """One line of a boot menu and what it would start.

    Paths are paths in the image (``efi:/...`` in its UEFI partition). A path that begins with a device in brackets lies
    on something that is neither. Globs are expanded and variables replaced.
    """

    title: str
    submenu: tuple[str, ...] = ()
    """Titles of the submenus on the way to the entry, the outermost first."""
    id: str = ""
    """GRUB's ``--id``, the label of syslinux, the file name of a Boot Loader Specification entry."""
    classes: tuple[str, ...] = ()
    loader: str = ""
    """The command that loads ``kernel``: ``linux``, ``linux16``, ``multiboot2``, ``xen_hypervisor``, ..."""
    kernel: str = ""
    initrds: tuple[str, ...] = ()
    """In load order."""
    cmdline: tuple[str, ...] = ()
    """The kernel's words, unquoted, without ``initrd=`` and ``BOOT_IMAGE=``."""
    modules: tuple[Module, ...] = ()
    devicetree: str = ""
    """The description of the board that the kernel gets, where it is not the firmware's."""
    chainloader: str = ""
    configfile: str = ""
    """Another menu that the entry opens. Its entries follow, with this entry's title as submenu."""
    source: str = ""
    """The file that holds the entry."""
    uses: frozenset[str] = frozenset()
    """Variables whose value went into ``cmdline`` (or into a module's), also by way of other variables."""

    @property
    def is_linux(self) -> bool:
        """Whether it starts a Linux kernel directly (Xen with a Linux as module is ``is_xen``)."""
        return bool(self.kernel) and not self.is_xen and not self.loader.startswith("multiboot")

    @property
    def is_xen(self) -> bool:
        return bool(self.modules) and (self.loader == "xen_hypervisor" or "xen" in posixpath.basename(self.kernel))

    @property
    def all_words(self) -> tuple[str, ...]:
        """The words of the kernel and of all modules."""
        return self.cmdline + tuple(word for module in self.modules for word in module.cmdline)

    @property
    def passes_iso_path(self) -> bool:
        """Whether the ISO file's path (``$iso_path``) reaches the kernel command line."""
        return "iso_path" in self.uses


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """All entries of a menu in its order, those of submenus in place."""

    entries: tuple[MenuEntry, ...] = ()
    default: MenuEntry | None = None
    """The entry that the menu starts by itself, ``None`` if it does not say or names one that is not there."""
    timeout: int | None = None
    """Seconds, -1 for "waits for ever", ``None`` if not said."""
    title: str = ""
    """Syslinux' ``menu title`` of the outermost menu."""
    sources: tuple[str, ...] = ()
    """The files that were read, in order."""
    warnings: tuple[str, ...] = ()
    """What was strange, each a clause that begins with the file."""

    @property
    def linux(self) -> tuple[MenuEntry, ...]:
        """The entries that start a Linux kernel."""
        return tuple(entry for entry in self.entries if entry.is_linux)

    @property
    def default_linux(self) -> MenuEntry | None:
        """The default if it starts a Linux with an initrd, else the first one that does, else any Linux."""
        if self.default is not None and self.default.is_linux and self.default.initrds:
            return self.default
        linux = self.linux
        return next((entry for entry in linux if entry.initrds), linux[0] if linux else None)

    @property
    def passes_iso_path(self) -> bool:
        return any(entry.passes_iso_path for entry in self.entries)

    def with_warnings(self, warnings: Iterable[str]) -> "Menu":
        return replace(self, warnings=self.warnings + tuple(warnings))


_SLASHES = re.compile(r"/{2,}")


def normal_path(path: str) -> str:
    """``path`` with one leading slash and without ``//``, ``.`` and ``..``."""
    if "//" not in path and "/." not in path and path.startswith("/"):
        return path
    return posixpath.normpath("/" + _SLASHES.sub("/", path).lstrip("/"))


def place_beside(source: str, name: str, *, root: bool = False) -> str:
    """A path in the image, as the menu ``source`` names it: from its own folder, or from the root of its partition."""
    partition = IN_EFI if source.startswith(IN_EFI) else ""
    name = name.replace("\\", "/")
    folder = "/" if root or name.startswith("/") else posixpath.dirname(source.removeprefix(IN_EFI))
    return partition + normal_path(f"{folder}/{name}")


def seconds(text: str) -> int | None:
    """A number in a menu's settings; ``None`` if it is none, or a joke."""
    return int(text) if text.isdecimal() and len(text) < 9 else None


def on_image(files: Files, path: str) -> str:
    """``path``, or the same path outside the UEFI partition if the image has it there too.

    GRUB reads the outer file with less ado. Images for systemd-boot (archiso, Solus) keep both.
    """
    outer = path.removeprefix(IN_EFI)
    return outer if outer != path and files.is_file(outer) else path
