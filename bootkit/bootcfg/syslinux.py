"""Syslinux and isolinux menus.

Source: syslinux 6.04, doc/syslinux.txt (SYNTAX) and doc/menu.txt, com32/menu/readconfig.c for the menu system.
"""

import posixpath
import re
from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from itertools import pairwise

from bootkit.bootcfg.cmdline import without_initrds
from bootkit.bootcfg.menu import Files, Menu, MenuEntry, NoFiles
from bootkit.model.boot import IN_EFI, Module

_MAX_LINES = 30_000
_MAX_INCLUDES = 12
_MAX_ENTRIES = 2000
_MAX_INITRDS = 50
_MAX_WARNINGS = 50
_MENU_PROGRAMS = ("vesamenu.c32", "menu.c32")
_KERNELS = frozenset({
    "kernel", "linux", "boot", "bss", "pxe", "fdimage", "com32", "config", "localboot", "comboot",
})  # fmt: skip
_NO_LINUX = re.compile(r"\.(?:c32|cbt|com|bin|bs|bss|0|img|ima|imz)$", re.IGNORECASE)
_NOT_LINUX = frozenset({"bss", "pxe", "fdimage", "config", "localboot", "comboot"})


@dataclass(slots=True, eq=False, repr=False)
class _Label:
    """A ``label`` section while it is read."""

    name: str
    submenu: tuple[str, ...]
    source: str
    title: str = ""
    keyword: str = ""
    kernel: str = ""
    append: str | None = None
    initrd: str = ""
    fdt: str = ""
    """The description of the board, which extlinux' menus name for U-Boot."""
    hidden: bool = False


@dataclass(slots=True, eq=False, repr=False)
class _Submenu:
    name: str
    title: str


@dataclass(slots=True, eq=False, repr=False)
class _State:
    files: Files
    folder: str
    """Where syslinux itself looks for relative paths: the folder of the first configuration."""
    labels: list[_Label] = field(default_factory=list[_Label])
    menus: list[_Submenu] = field(default_factory=list[_Submenu])
    active: list[str] = field(default_factory=list[str])
    opened: set[str] = field(default_factory=set[str])
    sources: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])
    label: _Label | None = None
    append: str = ""
    """``append`` before any label: for all that have none of their own."""
    default: str = ""
    default_label: _Label | None = None
    ontimeout: str = ""
    timeout: int | None = None
    title: str = ""
    lines: int = _MAX_LINES
    in_help: bool = False

    def warn(self, clause: str) -> None:
        text = f"{self.active[-1]}: {clause}"
        if len(self.warnings) < _MAX_WARNINGS and text not in self.warnings:
            self.warnings.append(text)


def parse_syslinux(text: str, files: Files | None = None, *, path: str = "/isolinux/isolinux.cfg") -> Menu:
    """The menu of an isolinux.cfg or syslinux.cfg that lies at ``path``, with all that it includes.

    Relative paths are looked up in the folder of the configuration, then in that of the file that names them, then in
    the image's root. Entries without a Linux or Multiboot kernel keep their place, with ``kernel`` empty.
    """
    state = _State(files or NoFiles(), posixpath.dirname(path))
    _read(state, path, text)
    entries = [_entry(state, label) for label in state.labels]
    shown = _without_targets(state, entries)
    default = state.default_label.name if state.default_label is not None else state.default or state.ontimeout
    return Menu(
        entries=tuple(shown),
        default=_chosen(shown, default),
        timeout=state.timeout,
        title=state.title,
        sources=tuple(state.sources),
        warnings=tuple(state.warnings),
    )


def _chosen(entries: list[MenuEntry], name: str) -> MenuEntry | None:
    wanted = name.split()[0].lower() if name.split() else ""
    return next((entry for entry in entries if entry.id.lower() == wanted), None)


# -- reading


def _read(state: _State, path: str, text: str) -> None:
    if path in state.active or len(state.active) >= _MAX_INCLUDES:
        state.warn(f"{path} is included again and again; not read again")
        return
    state.active.append(path)
    state.sources.append(path)
    for line in text.splitlines():
        state.lines -= 1
        if state.lines < 0 or len(state.labels) >= _MAX_ENTRIES:
            state.warn("the menu is too long; the rest is skipped")
            break
        _line(state, line.strip())
    state.active.pop()


def _line(state: _State, line: str) -> None:
    keyword, _, rest = line.replace("\t", " ", 1).partition(" ") if "\t" in line[:20] else line.partition(" ")
    keyword, rest = keyword.lower(), rest.strip()
    if state.in_help:
        state.in_help = keyword != "endtext"
        return
    if keyword == "menu":
        name, _, value = rest.replace("\t", " ").partition(" ")
        name = name.lower()
        if name in _MENU_KEYWORDS:
            _MENU_KEYWORDS[name](state, value.strip())
    elif keyword in _KERNELS:
        _kernel(state, keyword, rest)
    elif keyword in _KEYWORDS:
        _KEYWORDS[keyword](state, rest)


def _kernel(state: _State, keyword: str, rest: str) -> None:
    if state.label is not None:
        state.label.keyword = keyword
        state.label.kernel, _, words = rest.partition(" ")
        if words.strip() and state.label.append is None and keyword in ("kernel", "linux"):
            state.label.append = words.strip()
    elif keyword == "config" and rest:
        _include(state, rest)


def _include(state: _State, rest: str) -> None:
    name = rest.split()[0] if rest.split() else ""
    path = _resolve(state, name)
    if not state.files.is_file(path):
        state.warn(f"{name} is not there")
        return
    _read(state, path, state.files.text(path))


def _label(state: _State, rest: str) -> None:
    submenu = tuple(menu.title or menu.name for menu in state.menus)
    state.label = _Label(rest, submenu, state.active[-1])
    state.labels.append(state.label)


def _append(state: _State, rest: str) -> None:
    if state.label is None:
        state.append = rest
    else:
        state.label.append = rest


def _fdt(state: _State, rest: str) -> None:
    if state.label is not None:
        state.label.fdt = rest


def _initrd(state: _State, rest: str) -> None:
    if state.label is not None:
        state.label.initrd = rest


def _default(state: _State, rest: str) -> None:
    if not _program(rest):
        state.default = rest


def _ontimeout(state: _State, rest: str) -> None:
    state.ontimeout = rest


def _timeout(state: _State, rest: str) -> None:
    # in tenths of a second, 0 for "waits for ever"
    if rest.isdecimal() and len(rest) < 9:
        state.timeout = int(rest) // 10 or -1


def _text(state: _State, rest: str) -> None:
    state.in_help = rest.lower().startswith("help")


def _menu_label(state: _State, rest: str) -> None:
    title = _plain(rest)
    if state.label is not None:
        state.label.title = title
    elif state.menus:
        state.menus[-1].title = title


def _menu_title(state: _State, rest: str) -> None:
    if not state.menus:
        state.title = state.title or _plain(rest)
    elif not state.menus[-1].title:
        state.menus[-1].title = _plain(rest)


def _menu_default(state: _State, _rest: str) -> None:
    # inside a submenu it marks that menu's own first choice
    if state.label is not None and not state.label.submenu:
        state.default_label = state.label


def _menu_hide(state: _State, _rest: str) -> None:
    if state.label is not None:
        state.label.hidden = True


def _menu_begin(state: _State, rest: str) -> None:
    if len(state.menus) < _MAX_INCLUDES:
        state.menus.append(_Submenu(rest, ""))
    state.label = None


def _menu_end(state: _State, _rest: str) -> None:
    if state.menus:
        state.menus.pop()
    state.label = None


_Keyword = Callable[[_State, str], None]
_KEYWORDS: dict[str, _Keyword] = {
    "include": _include,
    "label": _label,
    "append": _append,
    "initrd": _initrd,
    "fdt": _fdt,
    "devicetree": _fdt,
    "default": _default,
    "ontimeout": _ontimeout,
    "timeout": _timeout,
    "text": _text,
}
_MENU_KEYWORDS: dict[str, _Keyword] = {
    "include": _include,
    "label": _menu_label,
    "title": _menu_title,
    "default": _menu_default,
    "hide": _menu_hide,
    "begin": _menu_begin,
    "end": _menu_end,
}


def _plain(title: str) -> str:
    """A title without the ``^`` before its hot key."""
    return " ".join(title.replace("^", "", 1).split())


def _program(text: str) -> str:
    """The lower-case name of the COM32 module that ``text`` starts, if any."""
    name = posixpath.basename(text.split()[0]).lower() if text.split() else ""
    return name if name.endswith(".c32") else ""


def _resolve(state: _State, name: str) -> str:
    """A path in the image. Syslinux strips a leading ``::`` and takes backslashes nowhere, but old menus hold them."""
    name = name.removeprefix("::").replace("\\", "/")
    folders = [state.folder, posixpath.dirname(state.active[-1]) if state.active else state.folder, "/"]
    if name.startswith("/"):
        folders = ["/"]
    paths = [_in_folder(state, name, folder) for folder in folders]
    return next((path for path in paths if state.files.is_file(path)), paths[0])


def _in_folder(state: _State, name: str, folder: str) -> str:
    partition = IN_EFI if state.folder.startswith(IN_EFI) else ""
    folder = "/" if name.startswith("/") else folder.removeprefix(IN_EFI)
    return partition + posixpath.normpath(f"/{folder}/{name}").replace("//", "/")


# -- entries


def _entry(state: _State, label: _Label) -> MenuEntry:
    state.active = [label.source]
    entry = MenuEntry(title=label.title or label.name, submenu=label.submenu, id=label.name, source=label.source)
    append = (
        state.append
        if label.append is None
        else label.append.removeprefix("-")
        if label.append == "-"
        else label.append
    )
    program = _program(label.kernel)
    if program == "mboot.c32":
        return _multiboot(state, entry, append)
    if program in _MENU_PROGRAMS or label.keyword == "config":
        target = label.kernel if label.keyword == "config" else append
        return replace(entry, configfile=_resolve(state, target.split()[0])) if target.split() else entry
    if not label.kernel or label.keyword in _NOT_LINUX or (label.keyword != "linux" and _NO_LINUX.search(label.kernel)):
        return entry
    return _linux(state, entry, label, append)


def _linux(state: _State, entry: MenuEntry, label: _Label, append: str) -> MenuEntry:
    words = append.split()
    initrds = [name for word in words if word.startswith("initrd=") for name in word.removeprefix("initrd=").split(",")]
    if label.initrd:
        # the last one wins in syslinux, and the keyword is appended behind all words
        initrds = label.initrd.split(",")
    return replace(
        entry,
        loader="linux",
        kernel=_resolve(state, label.kernel),
        initrds=tuple(_resolve(state, name.strip()) for name in initrds[:_MAX_INITRDS] if name.strip()),
        cmdline=without_initrds(words),
        devicetree=_resolve(state, label.fdt) if label.fdt else "",
    )


def _multiboot(state: _State, entry: MenuEntry, append: str) -> MenuEntry:
    """``append xen.gz words --- vmlinuz words --- initrd``."""
    parts = [words for part in re.split(r"(?:^|\s)---(?:\s|$)", append) if (words := part.split())]
    if not parts:
        return entry
    modules = tuple(Module(path=_resolve(state, words[0]), cmdline=tuple(words[1:])) for words in parts[1:])
    return replace(
        entry, loader="multiboot", kernel=_resolve(state, parts[0][0]), cmdline=tuple(parts[0][1:]), modules=modules
    )


def _without_targets(state: _State, entries: list[MenuEntry]) -> list[MenuEntry]:
    """Follow what leads elsewhere: menus, in place, and the programs that pick one of several labels."""
    by_name = {label.name.lower(): (label, entry) for label, entry in zip(state.labels, entries, strict=True)}
    passed_over = {name for label in state.labels for name in _network_labels(label)}
    shown: list[MenuEntry] = []
    for label, entry in zip(state.labels, entries, strict=True):
        target, picked = by_name.get(_picked_label(label, by_name), (label, None))
        if picked is not None:
            shown.append(replace(picked, title=label.title or picked.title, submenu=label.submenu, id=label.name))
            shown.extend(_opened(state, shown[-1], _working_folder(state, target)))
        elif not label.hidden and label.name.lower() not in passed_over:
            shown.append(entry)
            shown.extend(_opened(state, entry, _working_folder(state, target)))
    return shown


def _working_folder(state: _State, label: _Label) -> str:
    """Where relative paths begin in the menu that a label opens: ``append`` beside ``config`` changes it."""
    words = (label.append or "").split()
    return _in_folder(state, words[0], state.folder) if label.keyword == "config" and words else state.folder


def _picked_label(label: _Label, known: Container[str]) -> str:
    """The label that ``ifcpu64.c32 LABEL64 -- LABEL32`` or ``whichsys.c32 -iso- LABEL`` starts on our machine."""
    program, words = _program(label.kernel), (label.append or "").lower().split()
    if program == "whichsys.c32":
        return next((name for mark, name in pairwise(words) if mark in ("-iso-", "-sys-")), "")
    return next((word for word in words if word in known), "") if program.startswith("ifcpu") else ""


def _network_labels(label: _Label) -> list[str]:
    if _program(label.kernel) != "whichsys.c32":
        return []
    return [name for mark, name in pairwise((label.append or "").lower().split()) if mark == "-pxe-"]


def _opened(state: _State, entry: MenuEntry, folder: str) -> list[MenuEntry]:
    """The entries of the menu that an entry opens, once for each file; relative paths begin in ``folder``."""
    path = entry.configfile
    if not path or path in state.opened or path in state.sources or not state.files.is_file(path):
        return []
    state.opened.add(path)
    inner = _State(state.files, folder, opened=state.opened, sources=state.sources, warnings=state.warnings)
    inner.lines, inner.append = state.lines, state.append
    inner.menus = [_Submenu("", title) for title in (*entry.submenu, entry.title)]
    _read(inner, path, state.files.text(path))
    state.lines = inner.lines
    return _without_targets(inner, [_entry(inner, label) for label in inner.labels])
