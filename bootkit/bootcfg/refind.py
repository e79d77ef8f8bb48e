"""rEFInd's menus: the stanzas of ``refind.conf``, and ``refind_linux.conf`` beside kernels.

What rEFInd finds by itself on the disks is no part of its menu, but for kernels with such a file: it holds the words for all
of them. A ``volume`` is taken for the image.

Source: rEFInd 0.14, refind.conf-sample and the chapters "Creating Manual Boot Stanzas" and "Methods of Booting Linux" of its
manual.
"""

import posixpath
import re
import shlex
from dataclasses import dataclass, field, replace

from bootkit.bootcfg.cmdline import split_words, without_initrds, word_values
from bootkit.bootcfg.menu import Files, Menu, MenuEntry, NoFiles, place_beside, seconds

_MAX_LINES = 5000
_MAX_INCLUDES = 12
_MAX_ENTRIES = 500
_KERNELS = ("vmlinuz*", "bzImage*", "kernel*")
"""Names of what rEFInd takes for a kernel."""
_MAX_KERNELS = 20
_YES = frozenset({"", "on", "true", "1", "yes"})


@dataclass(slots=True, eq=False, repr=False)
class _Stanza:
    """A ``menuentry``, or a ``submenuentry`` of ``parent``, while it is read."""

    title: str
    source: str
    parent: "_Stanza | None" = None
    values: dict[str, str] = field(default_factory=dict[str, str])
    initrds: list[str] = field(default_factory=list[str])
    added: str = ""

    def get(self, key: str) -> str:
        """What it says, else what the stanza around it says."""
        return self.values.get(key) or (self.parent.get(key) if self.parent is not None else "")


@dataclass(slots=True, eq=False, repr=False)
class _RefindReader:
    files: Files
    settings: dict[str, str] = field(default_factory=dict[str, str])
    stanzas: list[_Stanza] = field(default_factory=list[_Stanza])
    open: list[_Stanza] = field(default_factory=list[_Stanza])
    sources: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])

    def read(self, path: str, text: str) -> None:
        self.sources.append(path)
        for line in text.splitlines()[:_MAX_LINES]:
            tokens = _tokens(line)
            if tokens:
                self._line(path, tokens[0].lower(), tokens[1:])
        self.open.clear()

    def _line(self, path: str, key: str, rest: list[str]) -> None:
        if key in ("menuentry", "submenuentry"):
            self._begin(path, " ".join(word for word in rest if word != "{"), nested=key == "submenuentry")
        elif key == "}":
            self.open[-1:] = []
        elif key == "include" and rest and not self.open:
            self._include(path, rest[0])
        elif not self.open:
            self.settings[key] = " ".join(rest)
        elif key == "initrd":
            self.open[-1].initrds.extend(rest[:1])
        elif key == "add_options":
            self.open[-1].added = " ".join(rest)
        else:
            self.open[-1].values[key] = " ".join(rest)

    def _begin(self, path: str, title: str, *, nested: bool) -> None:
        parent = self.open[-1] if nested and self.open else None
        stanza = _Stanza(title, path, parent)
        self.open = [*self.open, stanza] if parent is not None else [stanza]
        if len(self.stanzas) < _MAX_ENTRIES:
            self.stanzas.append(stanza)

    def _include(self, path: str, name: str) -> None:
        place = place_beside(path, name)
        if not self.files.is_file(place):
            self.warnings.append(f"{path}: {name} is not there")
        elif place not in self.sources and len(self.sources) < _MAX_INCLUDES:
            self.read(place, self.files.text(place))


def parse_refind(text: str, files: Files | None = None, *, path: str) -> Menu:
    """The menu of the configuration that lies at ``path``; disabled stanzas are left out."""
    reader = _RefindReader(files or NoFiles())
    reader.read(path, text)
    entries = tuple(_entry(stanza) for stanza in reader.stanzas if not _is_disabled(stanza))
    wanted = reader.settings.get("default_selection", "").partition(",")[0].strip("+ ").lower()
    numbered = int(wanted) - 1 if wanted.isdecimal() and 0 < int(wanted[:4]) <= len(entries) else -1
    named = next((entry for entry in entries if wanted and wanted in entry.title.lower()), None)
    timeout = seconds(reader.settings.get("timeout", ""))
    return Menu(
        entries=entries,
        default=entries[numbered] if numbered >= 0 else named or (entries[0] if entries else None),
        timeout=-1 if timeout == 0 else timeout,
        sources=tuple(reader.sources),
        warnings=tuple(reader.warnings),
    )


def _tokens(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        # a quote that does not end: what is before the comment, by blanks
        return line.partition("#")[0].replace('"', " ").split()


def _is_disabled(stanza: _Stanza) -> bool:
    return "disabled" in stanza.values and stanza.values["disabled"].lower() in _YES


def _entry(stanza: _Stanza) -> MenuEntry:
    parent = stanza.parent
    loader = stanza.get("loader")
    initrds = stanza.initrds or (parent.initrds if parent is not None else [])
    words = split_words(f"{stanza.get('options')} {stanza.added}")
    initrds = [*initrds, *word_values(words, "initrd")]
    entry = MenuEntry(
        title=" ".join(stanza.title.split()) or "Start",
        submenu=(parent.title,) if parent is not None else (),
        cmdline=without_initrds(words),
        source=stanza.source,
    )
    if not loader:
        return entry
    if not initrds:
        return replace(entry, chainloader=place_beside(stanza.source, loader, root=True))
    files = tuple(place_beside(stanza.source, path, root=True) for path in initrds)
    return replace(entry, loader="linux", kernel=place_beside(stanza.source, loader, root=True), initrds=files)


def parse_refind_linux(text: str, files: Files, *, path: str) -> Menu:
    """The menu that a ``refind_linux.conf`` at ``path`` makes of the kernels in its folder, the newest first.

    A line holds a title and words, both quoted. ``%v`` in the words is the version in the kernel's name, which chooses the
    initrd, too, where the words name none.
    """
    folder = posixpath.dirname(path)
    kernels = sorted({found for kind in _KERNELS for found in files.glob(f"{folder}/{kind}")}, key=_age, reverse=True)
    lines = [tokens for line in text.splitlines()[:_MAX_LINES] if len(tokens := _tokens(line)) > 1]
    entries = tuple(
        _kernel_entry(files, kernel, tokens, path)
        for kernel in kernels[:_MAX_KERNELS]
        for tokens in lines[:_MAX_ENTRIES]
    )
    return Menu(entries=entries, default=entries[0] if entries else None, sources=(path,))


def _version(kernel: str) -> str:
    found = re.search(r"\d.*", posixpath.basename(kernel))
    return found[0].removesuffix(".efi") if found is not None else ""


def _age(kernel: str) -> tuple[tuple[int, ...], str]:
    return tuple(int(number) for number in re.findall(r"\d+", _version(kernel))[:6]), kernel


def _kernel_entry(files: Files, kernel: str, tokens: list[str], source: str) -> MenuEntry:
    version = _version(kernel)
    words = split_words(tokens[1].replace("%v", version))
    named = word_values(words, "initrd")
    initrds = tuple(place_beside(source, name, root=True) for name in named) or _initrds_of(files, kernel, version)
    return MenuEntry(
        title=" ".join(tokens[0].split()) or "Start",
        submenu=(version,) if version else (),
        loader="linux",
        kernel=kernel,
        initrds=initrds,
        cmdline=without_initrds(words),
        source=source,
    )


def _initrds_of(files: Files, kernel: str, version: str) -> tuple[str, ...]:
    """The initrd beside a kernel whose name has its version, the shortest of several; none if there is none."""
    found = [path for kind in ("initrd*", "initramfs*") for path in files.glob(f"{posixpath.dirname(kernel)}/{kind}")]
    fitting = [path for path in found if _version(path).removesuffix(".img") == version]
    return tuple(sorted(fitting, key=len)[:1])
