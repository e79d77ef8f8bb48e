"""GRUB menus: a grub.cfg is run, as far as a menu needs it, and its entries are read.

How it decides where it cannot know:

- A condition is computed from the variables given and the image's files. A command that is not understood succeeds, so
  an ``if`` that hangs on it takes its ``then`` branch; a key is never held (see ``grub_commands``). Only one branch is
  taken: menus offer alternatives (``linux`` or ``linuxefi``), and both would be one too many.
- Bodies of entries are run after the whole file, with the variables as they are then, as GRUB does when an entry is
  picked. A submenu and a ``configfile`` see exported variables only.
- A menu that another entry opens by ``configfile`` is read once, as that entry's submenu.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from bootkit.bootcfg.grub_lexer import Arg
from bootkit.bootcfg.grub_machine import Draft, GrubMachine, OutOfSteps, ScriptBudget
from bootkit.bootcfg.grub_runner import Break, Continue, Return, Runner
from bootkit.bootcfg.grub_syntax import Block
from bootkit.bootcfg.menu import Files, Menu, MenuEntry, NoFiles

DEFAULT_VARIABLES: Mapping[str, str] = MappingProxyType({
    "grub_platform": "efi",
    "grub_cpu": "x86_64",
    "feature_menuentry_id": "y",
    "feature_menuentry_options": "y",
    "feature_all_video_module": "y",
    "feature_default_font_path": "y",
    "feature_platform_search_hint": "y",
    "feature_timeout_style": "y",
    "feature_chainloader_bpb": "y",
    "feature_ntldr": "y",
    "feature_200_final": "y",
    "feature_nativedisk_cmd": "y",
    "menuentry_id_option": "--id",
    "lang": "en_US",
})  # fmt: skip
"""What the menu of a 64-bit UEFI machine finds set; ``{**DEFAULT_VARIABLES, ...}`` for more."""

MAX_ENTRIES = 2000
_MAX_SUBMENUS = 6
_VALUED = frozenset({"--class", "--id", "--hotkey", "--users", "--source"})


class _Stop(Exception):
    """The end of a menu that ``configfile``, outside of an entry, has replaced by another."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class _Item:
    """A ``menuentry`` or ``submenu`` that has been defined but not run."""

    title: str
    id: str
    classes: tuple[str, ...]
    body: Block
    params: tuple[Arg, ...]
    is_submenu: bool
    path: str
    active: tuple[str, ...]


def parse_grub(
    text: str,
    files: Files | None = None,
    *,
    path: str = "/boot/grub/grub.cfg",
    variables: Mapping[str, str] = DEFAULT_VARIABLES,
) -> Menu:
    """The menu that a grub.cfg makes.

    Args:
        text: the configuration.
        files: the image, for ``source``, ``configfile``, file tests and patterns.
        path: where the text lies in the image; gives ``$prefix`` and the first ``$root``.
        variables: what is set and exported beforehand. With ``iso_path`` the menu behaves as if it was started from a
            stick, and words that carry it can be told by ``MenuEntry.uses``.
    """
    budget = ScriptBudget(sources={path: None})
    machine = GrubMachine(files or NoFiles(), path=path, variables=variables, budget=budget)
    reader = _GrubReader(machine)
    try:
        reader.read(text)
    except OutOfSteps:
        machine.warn("the menu does not come to an end; the rest is skipped")
    entries = tuple(reader.entries)
    return Menu(
        entries=entries,
        default=reader.default(),
        timeout=_timeout(reader.machine.get("timeout")),
        sources=tuple(budget.sources),
        warnings=tuple(budget.warnings),
    )


def _timeout(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,8}", text) else None


class _GrubReader(Runner):
    """Runs one menu, or one entry of it: first the commands, then the bodies of the entries that they define."""

    def __init__(
        self, machine: GrubMachine, parent: "_GrubReader | None" = None, *, title: str = "", is_entry: bool = False
    ) -> None:
        super().__init__(machine, parent.functions if parent is not None else {})
        self.is_entry = is_entry
        self.items: list[_Item] = []
        self.places: list[tuple[_Item, int, int]] = []
        """Each item with the range of ``entries`` that it became."""
        if parent is None:
            self.submenu: tuple[str, ...] = ()
            self.entries: list[MenuEntry] = []
        else:
            self.submenu = (*parent.submenu, title)
            self.entries = parent.entries

    def read(self, script: str | Block) -> None:
        """A whole menu: its text, or a submenu's body."""
        self.run(script)
        draft = self.machine.draft
        if draft.loads and not self.is_entry:
            self._keep(MenuEntry(title="", submenu=self.submenu, source=self.machine.path), draft)
        self._read_items()

    def run(self, script: str | Block) -> None:
        """The commands of a menu or an entry."""
        try:
            if isinstance(script, str):
                self.run_text(script)
            else:
                self.run_block(script)
        except (Return, Break, Continue, _Stop):
            return

    def special(self, name: str, args: list[Arg], body: Block | None) -> bool | None:
        if body is not None or name in ("menuentry", "submenu"):
            self._define(name, args, body or ())
            return True
        if name in ("source", "."):
            return self._source(args)
        if name in ("configfile", "normal"):
            return self._configfile(args)
        return None

    def _define(self, name: str, args: list[Arg], body: Block) -> None:
        identity, classes, rest = _entry_options(args)
        machine = self.machine
        self.items.append(
            _Item(
                title=" ".join(rest[0].text.split()) if rest else "",
                id=identity,
                classes=classes,
                body=body,
                params=tuple(rest),
                is_submenu=name == "submenu",
                path=machine.path,
                active=machine.active,
            )
        )

    def _source(self, args: list[Arg]) -> bool:
        """``source``: another file's commands, in this environment."""
        place = self._readable(args)
        if place is None:
            return False
        machine = self.machine
        if place in machine.active:
            machine.warn(f"{place} reads itself; not read again")
            return False
        outer = machine.path, machine.active
        machine.path, machine.active = place, (*machine.active, place)
        machine.budget.sources[place] = None
        try:
            return self.run_text(machine.files.text(place))
        finally:
            machine.path, machine.active = outer

    def _readable(self, args: list[Arg]) -> str | None:
        if not args:
            return None
        machine = self.machine
        place = machine.locate(args[0].text)
        if place is None or not machine.files.is_file(place):
            machine.warn(f"{args[0].text} is not there")
            return None
        return place

    def _configfile(self, args: list[Arg]) -> bool:
        """``configfile``: another menu. In an entry's body it is noted, elsewhere it takes the menu's place."""
        machine = self.machine
        if self.is_entry:
            machine.draft.configfile = machine.image_path(args[0].text) if args else ""
            return True
        place = self._readable(args)
        if place is None or place in machine.budget.sources:
            return False
        self.items.clear()
        self.machine = self._other_menu(machine, place)
        self.run_text(machine.files.text(place))
        raise _Stop

    def _other_menu(self, machine: GrubMachine, place: str) -> GrubMachine:
        inner = machine.child(only_exported=True)
        inner.path, inner.active = place, (place,)
        inner.budget.sources[place] = None
        return inner

    # -- entries

    def _read_items(self) -> None:
        top = self.machine
        for item in self.items:
            if len(self.entries) >= MAX_ENTRIES:
                top.warn(f"more than {MAX_ENTRIES} entries; the rest is skipped")
                break
            first = len(self.entries)
            machine = top.child(only_exported=item.is_submenu)
            machine.params, machine.path, machine.active = item.params, item.path, item.active
            if not item.is_submenu:
                self._entry(machine, item)
            elif self._may_nest(machine):
                _GrubReader(machine, self, title=item.title).read(item.body)
            self.places.append((item, first, len(self.entries)))

    def _may_nest(self, machine: GrubMachine) -> bool:
        if len(self.submenu) >= _MAX_SUBMENUS:
            machine.warn(f"submenus are nested deeper than {_MAX_SUBMENUS}; the inner ones are skipped")
            return False
        return True

    def _entry(self, machine: GrubMachine, item: _Item) -> None:
        reader = _GrubReader(machine, self, title=item.title, is_entry=True)
        reader.run(item.body)
        entry = MenuEntry(title=item.title, submenu=self.submenu, id=item.id, classes=item.classes, source=item.path)
        self._keep(entry, machine.draft)
        place = machine.draft.configfile
        if reader.items and self._may_nest(machine):
            reader.read(())
        elif place and place not in machine.budget.sources and machine.files.is_file(place) and self._may_nest(machine):
            inner = self._other_menu(machine, place)
            _GrubReader(inner, self, title=item.title).read(machine.files.text(place))

    def _keep(self, entry: MenuEntry, draft: Draft) -> None:
        self.entries.append(
            replace(
                entry,
                loader=draft.loader,
                kernel=draft.kernel,
                initrds=draft.initrds,
                devicetree=draft.devicetree,
                cmdline=tuple(word.text for word in draft.words),
                modules=draft.modules,
                chainloader=draft.chainloader,
                configfile=draft.configfile,
                uses=draft.module_uses.union(*(word.uses for word in draft.words)),
            )
        )

    def default(self) -> MenuEntry | None:
        """The entry that ``$default`` names by number, title or ``--id``; ``>`` leads into a submenu."""
        wanted, _, deeper = (self.machine.get("default") or "0").partition(">")
        chosen = next(
            (
                (first, end)
                for number, (item, first, end) in enumerate(self.places)
                if wanted in (str(number), item.title, item.id) and first < end
            ),
            None,
        )
        if chosen is None:
            return None
        inside = self.entries[chosen[0] : chosen[1]]
        named = next((entry for entry in inside if deeper and deeper in (entry.title, entry.id)), None)
        return named or inside[0]


def _entry_options(args: list[Arg]) -> tuple[str, tuple[str, ...], list[Arg]]:
    """``--id``, all ``--class``, and what is no option of a ``menuentry``: the title and its parameters."""
    identity, classes, rest = "", list[str](), list[Arg]()
    pending = iter(args)
    for arg in pending:
        name, equals, value = arg.text.partition("=")
        if not name.startswith("--") or " " in name:
            rest.append(arg)
        elif name in _VALUED:
            chosen = value if equals else next(pending, Arg("")).text
            if name == "--id":
                identity = chosen
            elif name == "--class":
                classes.append(chosen)
    return identity, tuple(classes), rest
