"""GRUB menus: a grub.cfg is run, as far as a menu needs it, and its entries are read.

How it decides where it cannot know:

- A condition is computed from the variables given and the image's files. A command that is not understood succeeds, so
  an ``if`` that hangs on it takes its ``then`` branch; a key is never held (see ``grub_commands``). Only one branch is
  taken: menus offer alternatives (``linux`` or ``linuxefi``), and both would be one too many.
- Bodies of entries are run after the whole file, with the variables as they are then, as GRUB does when an entry is
  picked. A submenu and a ``configfile`` see exported variables only.
- A menu that another entry opens by ``configfile`` is read once, as that entry's submenu.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from bootkit.bootcfg.grub_commands import COMMANDS, FAILING, assign
from bootkit.bootcfg.grub_machine import MAX_DEPTH, MAX_WARNINGS, Arg, Budget, Draft, Machine, OutOfSteps
from bootkit.bootcfg.grub_syntax import Block, Command, For, Function, If, Loop, Statement, parse_script
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
_MAX_ROUNDS = 200
_MAX_TEXT = 256 << 10
_MAX_SUBMENUS = 6
_VALUED = frozenset({"--class", "--id", "--hotkey", "--users", "--source"})


class _Return(Exception):
    """``return`` or ``exit``: ends a function or a file."""

    def __init__(self, *, success: bool) -> None:
        super().__init__()
        self.success = success


class _Break(Exception):
    """``break`` ends a loop."""


class _Continue(Exception):
    """``continue`` goes on with a loop's next round."""


class _Stop(Exception):
    """``configfile`` outside of an entry has replaced the whole menu."""


@dataclass(slots=True, kw_only=True)
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
    budget = Budget(sources=[path])
    machine = Machine(files or NoFiles(), path=path, variables=variables, budget=budget)
    reader = _Reader(machine)
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
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 9 else None


class _Reader:
    """Runs one menu, or one entry of it: first the commands, then the bodies of the entries that they define."""

    def __init__(
        self, machine: Machine, parent: "_Reader | None" = None, *, title: str = "", is_entry: bool = False
    ) -> None:
        self.machine = machine
        self.is_entry = is_entry
        self.items: list[_Item] = []
        self.places: list[tuple[_Item, int, int]] = []
        """Each item with the range of ``entries`` that it became."""
        if parent is None:
            self.submenu: tuple[str, ...] = ()
            self.entries: list[MenuEntry] = []
            self.functions: dict[str, Block] = {}
            self.opened: set[str] = {machine.path}
        else:
            self.submenu = (*parent.submenu, title)
            self.entries = parent.entries
            self.functions = parent.functions
            self.opened = parent.opened

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
                self._run_text(script)
            else:
                self._run(script)
        except (_Return, _Break, _Continue, _Stop):
            return

    # -- scripts

    def _run_text(self, text: str) -> bool:
        try:
            return self._run(self._parsed(text))
        except (_Break, _Continue):
            return True
        except _Return as ended:
            return ended.success

    def _parsed(self, text: str) -> Block:
        machine = self.machine
        known = machine.budget.scripts.get(text)
        if known is not None:
            return known
        if len(text) > _MAX_TEXT:
            machine.warn("the file is too long; it is cut")
        machine.step(len(text) // 256)
        complaints: list[int] = []

        def complain(position: int, clause: str) -> None:
            complaints.append(position)
            if len(complaints) <= MAX_WARNINGS:
                machine.warn(f"line {text.count(chr(10), 0, position) + 1}: {clause}")

        script = machine.budget.scripts[text] = parse_script(text[:_MAX_TEXT], complain)
        return script

    def _run(self, block: Block) -> bool:
        machine = self.machine
        if machine.depth >= MAX_DEPTH:
            machine.warn(f"scripts are nested deeper than {MAX_DEPTH}; the inner ones are skipped")
            return False
        machine.depth += 1
        try:
            result = True
            for statement in block:
                result = self._statement(statement)
            return result
        finally:
            machine.depth -= 1

    def _statement(self, statement: Statement) -> bool:
        self.machine.step()
        match statement:
            case Command():
                return self._command(statement)
            case If():
                return self._if(statement)
            case Function():
                self.functions[statement.name] = statement.body
                return True
            case For():
                return self._for(statement)
            case Loop():
                return self._loop(statement)

    def _if(self, statement: If) -> bool:
        for condition, body in statement.branches:
            if self._run(condition):
                return self._run(body)
        return self._run(statement.otherwise)

    def _for(self, statement: For) -> bool:
        for arg in self.machine.expand(statement.words)[:_MAX_ROUNDS]:
            self.machine.step()
            self.machine.set(statement.name, arg.text, arg.uses)
            if not self._round(statement.body):
                break
        return True

    def _loop(self, statement: Loop) -> bool:
        for _ in range(_MAX_ROUNDS):
            self.machine.step()
            if self._run(statement.condition) == statement.until or not self._round(statement.body):
                return True
        self.machine.warn(f"a loop does not end within {_MAX_ROUNDS} rounds")
        return True

    def _round(self, body: Block) -> bool:
        """One round of a loop; false after ``break``."""
        try:
            self._run(body)
        except _Continue:
            pass
        except _Break:
            return False
        return True

    # -- commands

    def _command(self, command: Command) -> bool:
        args = self.machine.expand(command.words)
        negated = False
        while args and args[0].text == "!":
            args, negated = args[1:], not negated
        if not args:
            return True
        return self._call(args[0], args[1:], command.body) != negated

    def _call(self, name: Arg, args: list[Arg], body: Block | None) -> bool:
        text = name.text
        if body is not None or text in ("menuentry", "submenu"):
            self._define(text, args, body or ())
            return True
        function = self.functions.get(text)
        if function is not None:
            return self._function(function, args)
        run = COMMANDS.get(text)
        if run is not None:
            return run(self.machine, args)
        if "=" in text:
            return assign(self.machine, text, name.uses)
        return self._control(text, args)

    def _control(self, name: str, args: list[Arg]) -> bool:
        """The commands that need more than a machine, and those that are not known."""
        match name:
            case "source" | ".":
                return self._source(args)
            case "configfile" | "normal":
                return self._configfile(args)
            case "eval":
                return self._run_text(" ".join(arg.text for arg in args))
            case "return" | "exit":
                raise _Return(success=not args or args[0].text == "0")
            case "break":
                raise _Break
            case "continue":
                raise _Continue
            case _:
                return name not in FAILING

    def _function(self, body: Block, args: list[Arg]) -> bool:
        machine = self.machine
        outer, machine.params = machine.params, tuple(args)
        try:
            return self._run(body)
        except _Return as ended:
            return ended.success
        finally:
            machine.params = outer

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
        machine.budget.sources.append(place)
        try:
            return self._run_text(machine.files.text(place))
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
        if place is None or place in self.opened:
            return False
        self.items.clear()
        self.machine = self._other_menu(machine, place)
        self._run_text(machine.files.text(place))
        raise _Stop

    def _other_menu(self, machine: Machine, place: str) -> Machine:
        self.opened.add(place)
        inner = machine.child(only_exported=True)
        inner.path, inner.active = place, (place,)
        inner.budget.sources.append(place)
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
                _Reader(machine, self, title=item.title).read(item.body)
            self.places.append((item, first, len(self.entries)))

    def _may_nest(self, machine: Machine) -> bool:
        if len(self.submenu) >= _MAX_SUBMENUS:
            machine.warn(f"submenus are nested deeper than {_MAX_SUBMENUS}; the inner ones are skipped")
            return False
        return True

    def _entry(self, machine: Machine, item: _Item) -> None:
        reader = _Reader(machine, self, title=item.title, is_entry=True)
        reader.run(item.body)
        entry = MenuEntry(title=item.title, submenu=self.submenu, id=item.id, classes=item.classes, source=item.path)
        self._keep(entry, machine.draft)
        place = machine.draft.configfile
        if reader.items and self._may_nest(machine):
            reader.read(())
        elif place and place not in self.opened and machine.files.is_file(place) and self._may_nest(machine):
            inner = self._other_menu(machine, place)
            _Reader(inner, self, title=item.title).read(machine.files.text(place))

    def _keep(self, entry: MenuEntry, draft: Draft) -> None:
        self.entries.append(
            replace(
                entry,
                loader=draft.loader,
                kernel=draft.kernel,
                initrds=draft.initrds,
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
