"""Limine's menus: ``limine.conf`` (since 8) and the ``limine.cfg`` before it.

Entries are lines that begin with slashes (once colons), one for each level; what follows belongs to the entry until the
next one. An entry with entries below it is a submenu. Paths begin with a device, ``boot():/...`` (once ``boot:///...``).

Source: limine-bootloader/limine (001a4427 for the older form, v9 for the newer one), CONFIG.md.
"""

import re
from dataclasses import dataclass, field

from bootkit.bootcfg.cmdline import split_words, without_initrds
from bootkit.bootcfg.menu import Menu, MenuEntry, normal_path, seconds
from bootkit.model.boot import IN_EFI, Module

_MAX_LINES = 5000
_MAX_ENTRIES = 500
_MAX_MACROS = 100
_MAX_VALUE = 8192
_ENTRY = re.compile(r"([/:]+)\+?(.*)")
_MACRO = re.compile(r"\$\{(\w+)\}")
_ASSIGNED_MACRO = re.compile(r"\$\{(\w+)\}\s*[=:]\s*(.*)")
_URI = re.compile(r"\$?(?P<device>\w+)(?:\([^)]*\):|://[^/]*)(?P<path>/[^#]*)(?:#.*)?")
_OF_THE_IMAGE = frozenset({"boot", "odd", "fslabel", "guid", "uuid"})
"""Devices by which a menu that lies in an image means the image."""
_PATH_KEYS = ("path", "kernel_path", "image_path")
_CHAIN = frozenset({"efi", "efi_chainload", "uefi"})
_MULTIBOOT = {"multiboot": "multiboot", "multiboot1": "multiboot", "multiboot2": "multiboot2"}


@dataclass(slots=True, eq=False, repr=False)
class _Draft:
    """An entry while it is read."""

    title: str
    depth: int
    values: dict[str, str] = field(default_factory=dict[str, str])
    modules: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Paths and words."""
    is_submenu: bool = False


class _LimineReader:
    def __init__(self, path: str) -> None:
        self.partition = IN_EFI if path.startswith(IN_EFI) else ""
        old = path.lower().endswith(".cfg")
        self.mark, self.equals = (":", "=") if old else ("/", ":")
        self.macros = {"ARCH": "x86-64"}
        self.settings: dict[str, str] = {}
        self.drafts: list[_Draft] = []

    def read(self, line: str) -> None:
        macro = _ASSIGNED_MACRO.match(line)
        if not line or line.startswith("#"):
            return
        if macro is not None:
            if len(self.macros) < _MAX_MACROS:
                self.macros[macro[1]] = self._expanded(macro[2])
        elif line.startswith(self.mark):
            self._begin(line)
        else:
            key, _, value = line.partition(self.equals)
            self._assign(key.strip().lower(), self._expanded(value.strip()))

    def _begin(self, line: str) -> None:
        match = _ENTRY.match(line)
        if match is None or len(self.drafts) >= _MAX_ENTRIES:
            return
        depth = len(match[1])
        if self.drafts and depth > self.drafts[-1].depth:
            self.drafts[-1].is_submenu = True
        self.drafts.append(_Draft(" ".join(self._expanded(match[2]).split()), depth))

    def _assign(self, key: str, value: str) -> None:
        if not self.drafts:
            self.settings[key] = value
            return
        draft = self.drafts[-1]
        if key == "module_path":
            draft.modules.append((value, ""))
        elif key in ("module_cmdline", "module_string") and draft.modules:
            draft.modules[-1] = (draft.modules[-1][0], value)
        else:
            draft.values[key] = value

    def _expanded(self, text: str) -> str:
        return _MACRO.sub(lambda match: self.macros.get(match[1], ""), text)[:_MAX_VALUE]

    def place(self, uri: str) -> str:
        """The path in the image that a URI means, with the device left on if that is elsewhere."""
        match = _URI.match(uri)
        if match is None:
            return self.partition + normal_path(uri) if uri.startswith("/") else uri
        path = normal_path(match["path"])
        return self.partition + path if match["device"] in _OF_THE_IMAGE else f"({match['device']}){path}"


def parse_limine(text: str, *, path: str) -> Menu:
    """The menu of the configuration that lies at ``path``."""
    reader = _LimineReader(path)
    for line in text.splitlines()[:_MAX_LINES]:
        reader.read(line.strip())
    entries = _entries(reader, path)
    timeout = reader.settings.get("timeout", "")
    default = reader.settings.get("default_entry", "1")
    number = int(default) if default.isdecimal() and len(default) < 5 else 1
    return Menu(
        entries=tuple(entry for entry in entries if entry is not None),
        default=entries[number - 1] if 0 < number <= len(entries) else None,
        timeout=-1 if timeout == "no" else seconds(timeout),
        sources=(path,),
    )


def _entries(reader: _LimineReader, path: str) -> list[MenuEntry | None]:
    """One for each line that begins an entry; ``None`` for a submenu, whose title its entries carry."""
    above: list[str] = []
    found: list[MenuEntry | None] = []
    for draft in reader.drafts:
        del above[draft.depth - 1 :]
        found.append(None if draft.is_submenu else _entry(reader, draft, tuple(above), path))
        if draft.is_submenu:
            above.append(draft.title)
    return found


def _entry(reader: _LimineReader, draft: _Draft, submenu: tuple[str, ...], source: str) -> MenuEntry:
    values = draft.values
    protocol = values.get("protocol", "").lower()
    uri = next((values[key] for key in _PATH_KEYS if key in values), "")
    words = split_words(values.get("cmdline") or values.get("kernel_cmdline", ""))
    place = reader.place(uri) if uri else ""
    is_linux, is_chain = protocol == "linux", protocol in _CHAIN
    kernel = place if is_linux or protocol in _MULTIBOOT else ""
    modules = tuple(Module(path=reader.place(path), cmdline=split_words(said)) for path, said in draft.modules)
    return MenuEntry(
        title=draft.title,
        submenu=submenu,
        loader="linux" if is_linux else _MULTIBOOT.get(protocol, ""),
        kernel=kernel,
        initrds=tuple(module.path for module in modules) if is_linux else (),
        cmdline=without_initrds(words),
        modules=() if is_linux or not kernel else modules,
        chainloader=place if is_chain else "",
        devicetree=reader.place(values["dtb_path"]) if is_linux and values.get("dtb_path") else "",
        source=source,
    )
