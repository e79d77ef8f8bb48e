r"""Menus of GRUB before 2 and of GRUB4DOS: ``menu.lst``, ``grub.conf``.

Devices in brackets are taken for the image, whichever they are: such a menu lies on the disc that it starts from.

Source: GRUB 0.97, docs/grub.texi, "Configuration" and "Commands"; GRUB4DOS 0.4.6a, README_GRUB4DOS.txt (several initrds,
``find --set-root``, help behind ``\n`` in a title).
"""

import re
from dataclasses import dataclass, field

from bootkit.bootcfg.cmdline import split_words, without_initrds
from bootkit.bootcfg.menu import Menu, MenuEntry, normal_path, seconds
from bootkit.model.boot import IN_EFI, Module

_MAX_LINES = 5000
_MAX_ENTRIES = 500
_LINE = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+|$)(.*)")
_DEVICE = re.compile(r"^\([^)]*\)(?=/)")


@dataclass(slots=True, eq=False, repr=False)
class _LegacyEntry:
    """An entry while it is read."""

    title: str
    kernel: list[str] = field(default_factory=list[str])
    initrds: list[str] = field(default_factory=list[str])
    modules: list[list[str]] = field(default_factory=list[list[str]])
    values: dict[str, str] = field(default_factory=dict[str, str])


def parse_grub_legacy(text: str, *, path: str) -> Menu:
    """The menu that lies at ``path``."""
    partition = IN_EFI if path.startswith(IN_EFI) else ""
    settings, drafts = _read(text)
    entries = tuple(_entry(draft, partition, path) for draft in drafts)
    default = settings.get("default", "0")
    number = int(default) if default.isdecimal() and len(default) < 5 else 0
    return Menu(
        entries=entries,
        default=entries[number] if number < len(entries) else None,
        timeout=seconds(settings.get("timeout", "")),
        sources=(path,),
    )


def _read(text: str) -> tuple[dict[str, str], list[_LegacyEntry]]:
    settings: dict[str, str] = {}
    drafts: list[_LegacyEntry] = []
    for line in text.splitlines()[:_MAX_LINES]:
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            continue
        key, rest = match[1].lower(), match[2].strip()
        if key == "title":
            drafts.append(_LegacyEntry(" ".join(rest.partition("\\n")[0].split())))
        elif drafts:
            _add(drafts[-1], key, rest)
        else:
            settings[key] = rest
    return settings, drafts[:_MAX_ENTRIES]


def _add(draft: _LegacyEntry, key: str, rest: str) -> None:
    words = [word for word in split_words(rest) if not word.startswith("--")] if key != "root" else []
    if key == "kernel":
        draft.kernel = words
    elif key == "initrd":
        draft.initrds.extend(words)
    elif key in ("module", "modulenounzip") and words:
        draft.modules.append(words)
    else:
        draft.values[key] = rest


def _entry(draft: _LegacyEntry, partition: str, source: str) -> MenuEntry:
    def place(path: str) -> str:
        return partition + normal_path(_DEVICE.sub("", path))

    kernel = draft.kernel[0] if draft.kernel else ""
    chain = draft.values.get("chainloader", "").split()[-1:]
    return MenuEntry(
        title=draft.title or "Start",
        loader="" if not kernel else "multiboot" if draft.modules else "linux",
        kernel=place(kernel) if kernel else "",
        initrds=tuple(map(place, draft.initrds)),
        cmdline=without_initrds(draft.kernel[1:]),
        modules=tuple(Module(path=place(words[0]), cmdline=tuple(words[1:])) for words in draft.modules),
        chainloader=place(chain[0]) if chain and not kernel and "/" in chain[0] else "",
        configfile=place(draft.values["configfile"]) if draft.values.get("configfile") else "",
        source=source,
    )
