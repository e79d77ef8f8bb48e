"""GRUB script, third step: the machine that runs it. Variables, devices, files, and the entry being read.

Values carry the names of the variables they were made of, so that it can be told whether ``$iso_path`` reaches a
kernel. Nothing here raises on a strange menu: what cannot be done is a warning, and every resource has a limit.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bootkit.bootcfg.grub_lexer import Arg, Part, Word
from bootkit.bootcfg.grub_syntax import Block
from bootkit.bootcfg.menu import Files, normal_path
from bootkit.model.boot import IN_EFI, Module

IMAGE_DEVICE, ESP_DEVICE, STICK_DEVICE, LOOP_DEVICE = "cd0", "cd0,esp", "hd0,stick", "loop,image"
"""GRUB's device names for the image, its UEFI partition, the partition on which the image's file lies, and for the image
where another menu has opened this one: no menu can know by which name."""

MAX_STEPS = 60_000
"""Commands run for one menu. MX Linux, whose menus offer hundreds of languages and time zones, needs 18,000."""
MAX_DEPTH = 48
"""Functions, files and blocks that run inside each other."""
MAX_VALUE = 16 << 10
"""Characters of a variable's value: stops ``set a=$a$a``."""
MAX_WARNINGS = 50

_FEW_PARTS = 8
"""Of a word; more cost steps, like long values."""
_CHEAP = 256
"""Characters of a value that cost nothing; longer ones cost steps."""

_GLOB_STEPS = 20
_MAX_WILD = 3
"""Directories of a path that may be patterns: ``/*/*/*/*`` would read the whole tree."""

NO_USES: frozenset[str] = frozenset()
_GLOB = re.compile(r"[*?]")
_DEVICE = re.compile(r"\(+([^()]*)\)+")


class OutOfSteps(Exception):
    """The end of a script that has taken ``MAX_STEPS``."""


@dataclass(slots=True, eq=False, repr=False)
class Draft:
    """What the commands of one menu entry have loaded so far."""

    loader: str = ""
    kernel: str = ""
    words: tuple[Arg, ...] = ()
    initrds: tuple[str, ...] = ()
    devicetree: str = ""
    modules: tuple[Module, ...] = ()
    module_uses: frozenset[str] = NO_USES
    chainloader: str = ""
    configfile: str = ""

    @property
    def loads(self) -> bool:
        return bool(self.kernel or self.chainloader)


@dataclass(slots=True, eq=False, repr=False)
class ScriptBudget:
    """What all machines of one menu share."""

    steps: int = MAX_STEPS
    warnings: list[str] = field(default_factory=list[str])
    sources: dict[str, None] = field(default_factory=dict[str, None])
    """The files that were read, in order."""
    scripts: dict[str, Block] = field(default_factory=dict[str, Block])
    """Texts that were parsed before: menus source one file of colours from each submenu."""


class GrubMachine:
    """The state of one GRUB environment: a menu, or an entry of it."""

    __slots__ = (
        "active", "budget", "depth", "draft", "exported", "files", "foreign", "known", "params", "path", "variables",
    )  # fmt: skip

    def __init__(self, files: Files, *, path: str, variables: Mapping[str, str], budget: ScriptBudget) -> None:
        device = ESP_DEVICE if path.startswith(IN_EFI) else IMAGE_DEVICE
        folder = path.removeprefix(IN_EFI).rpartition("/")[0]
        self.files = files
        self.path = path
        self.budget = budget
        self.variables: dict[str, Arg] = {
            "root": Arg(device),
            "prefix": Arg(f"({device}){folder}"),
            "cmdpath": Arg(f"({device}){folder}"),
            "config_directory": Arg(f"({device}){folder}"),
            "config_file": Arg(f"({device}){path.removeprefix(IN_EFI)}"),
        }
        self.variables.update((name, Arg(value)) for name, value in variables.items())
        self.exported = set(self.variables)
        self.params: tuple[Arg, ...] = ()
        self.foreign = frozenset({"memdisk", "proc", STICK_DEVICE})
        self.known = frozenset({variables["root"], ESP_DEVICE}) if "root" in variables else None
        """What the image is called where another menu has opened this one; ``None`` where this one is the first, and every
        device that nothing is known of is taken for the image, because that is where a menu made for it expects its files."""
        self.active: tuple[str, ...] = (path,)
        """The files being read, the outermost first: one that reads itself is refused."""
        self.depth = 0
        self.draft = Draft()

    def child(self, *, only_exported: bool) -> "GrubMachine":
        """A copy to run an entry in; GRUB hands only exported variables on to a submenu or another file's menu."""
        other = object.__new__(GrubMachine)
        for name in GrubMachine.__slots__:
            setattr(other, name, getattr(self, name))
        kept = self.exported if only_exported else self.variables.keys()
        other.variables = {name: value for name, value in self.variables.items() if name in kept}
        other.exported = set(self.exported)
        other.draft = Draft()
        return other

    def warn(self, clause: str) -> None:
        warnings = self.budget.warnings
        text = f"{self.path}: {clause}"
        if len(warnings) < MAX_WARNINGS and text not in warnings:
            warnings.append(text)

    def step(self, cost: int = 1) -> None:
        self.budget.steps -= cost
        if self.budget.steps < 0:
            raise OutOfSteps

    def get(self, name: str) -> str:
        value = self.variables.get(name)
        return value.text if value is not None else ""

    def set(self, name: str, text: str, uses: frozenset[str] = NO_USES) -> None:
        if len(text) > MAX_VALUE:
            self.warn(f"the value of ${name[:40]} is too long; it is cut")
            text = text[:MAX_VALUE]
        self.variables[name] = Arg(text, uses)

    def expand(self, words: tuple[Word, ...]) -> list[Arg]:
        """The arguments that words become.

        Raises:
            OutOfSteps: long values cost steps, too.
        """
        args: list[Arg] = []
        for word in words:
            if word.fixed is not None:
                args.append(word.fixed)
            else:
                args.extend(self._fields(word.parts))
        return args

    def _fields(self, parts: tuple[Part, ...]) -> list[Arg]:
        """The arguments that a word with quotes or variables becomes: none, one, or one per blank-separated field."""
        if len(parts) > _FEW_PARTS:
            self.step(len(parts) // 2)
        fields: list[Arg] = []
        text, uses, begun, pattern = "", NO_USES, False, False
        for part in parts:
            value = self._value(part)
            if len(value.text) > _CHEAP:
                self.step(len(value.text) // _CHEAP)
            if part.quoted or not part.variable:
                text, uses, begun = text + value.text, uses | value.uses, True
                pattern = pattern or (not part.quoted and _GLOB.search(value.text) is not None)
            elif pieces := value.text.split():
                if begun and value.text[0].isspace():
                    fields.append(Arg(text, uses))
                    text, uses = "", NO_USES
                pieces[0] = text + pieces[0]
                fields.extend(Arg(piece, uses | value.uses) for piece in pieces[:-1])
                text, begun = pieces[-1], True
                uses = value.uses if len(pieces) > 1 else uses | value.uses
        if begun:
            fields.append(Arg(text, uses))
        return self._matches(fields[0]) if pattern and len(fields) == 1 and "/" in text else fields

    def _value(self, part: Part) -> Arg:
        if not part.variable:
            return Arg(part.text)
        name = part.text
        value = self.variables.get(name)
        if value is not None:
            return Arg(value.text, value.uses | {name})
        if name.isdecimal():
            number = int(name) if len(name) < 4 else 0
            return self.params[number - 1] if 0 < number <= len(self.params) else Arg("")
        if name in ("*", "@"):
            uses = NO_USES.union(*(param.uses for param in self.params))
            return Arg(" ".join(param.text for param in self.params), uses)
        if name == "#":
            return Arg(str(len(self.params)))
        return Arg("", frozenset({name}))

    def _matches(self, arg: Arg) -> list[Arg]:
        found = self.glob(arg.text)
        return [Arg(path, arg.uses) for path in found] if found else [arg]

    def glob(self, text: str) -> list[str]:
        """The files that match a pattern, with the device in front that the pattern names; sorted.

        A pattern for devices matches nothing: it looks for other systems' disks.
        """
        self.step(_GLOB_STEPS)
        match = _DEVICE.match(text)
        device = match[0] if match is not None else ""
        place = self.locate(text)
        wild = sum(1 for part in text.split("/") if _GLOB.search(part))
        if place is None or place.startswith("(") or _GLOB.search(device) or wild > _MAX_WILD:
            return []
        return [device + path.removeprefix(IN_EFI) for path in self.files.glob(place)]

    def locate(self, text: str) -> str | None:
        """The path in the image that GRUB's ``(device)/path`` means, with the device left on if it is elsewhere.

        ``None`` for what is no path: a block list such as ``(hd0)+1``.
        """
        match = _DEVICE.match(text)
        root = self.get("root").strip("()")
        if match is not None:
            device, path = match[1], text[match.end() :]
        elif root and text.startswith(f"{root}/"):
            device, path = root, text[len(root) :]
        else:
            device, path = root, text
        if not path or path[0] == "+" or (path[0].isdigit() and "+" in path):
            return None
        path = normal_path(path)
        if device in self.foreign or (self.known is not None and device not in self.known):
            return f"({device}){path}"
        return (IN_EFI if device == ESP_DEVICE else "") + path

    def image_path(self, text: str) -> str:
        """As ``locate``, for a file that is to be loaded: what is no path is left as it is."""
        return self.locate(text) or text

    def on_stick(self, arg: Arg) -> bool:
        """Whether a file is the image's own file on the stick: then it is there."""
        return "iso_path" in arg.uses and bool(self.get("iso_path"))

    def as_script(self, arg: Arg) -> str:
        """A word as text for ``eval``: values with the ISO's path or with a slot go back into their variables.

        SystemRescue makes its whole menu by one ``eval "..."``. A slot's braces would be a block there, and the names
        of the variables would be lost.
        """
        values = [(value.text, name) for name in arg.uses if (value := self.variables.get(name)) is not None]
        kept = [(text, name) for text, name in values if "{" in text or name == "iso_path"]
        script = arg.text
        for text, name in sorted(kept, key=lambda pair: (-len(pair[0]), pair[1])):
            script = script.replace(text, f"${{{name}}}") if text else script
        return script

    def exists(self, arg: Arg) -> bool:
        place = self.locate(arg.text)
        return self.on_stick(arg) or (place is not None and not place.startswith("(") and self.files.exists(place))
