"""The commands of GRUB that matter to a menu, each a function of the machine and its arguments that tells success.

All others are taken to succeed (``insmod``, ``loadfont``, ``terminal_output``, ``cpuid -l`` ...), because on the machine
for which the menu was written they do; ``FAILING`` are those that ask for something nobody did, such as a held key.
Source: the GRUB 2.12 manual's chapter "Commands" and grub-core/commands/.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from bootkit.bootcfg import cmdline
from bootkit.bootcfg.grub_lexer import Arg
from bootkit.bootcfg.grub_machine import ESP_DEVICE, IMAGE_DEVICE, LOOP_DEVICE, NO_USES, STICK_DEVICE, GrubMachine
from bootkit.bootcfg.grub_test import evaluate
from bootkit.bootcfg.grubenv import parse_grubenv
from bootkit.model.boot import IN_EFI, STICK_UUID, Module

Run = Callable[[GrubMachine, Sequence[Arg]], bool]

FAILING = frozenset(
    {"authenticate", "false", "keystatus", "lockdown", "pcidump", "read_byte", "smbios", "usb_keyboard"}
)
_MAX_PATTERN = 200
_MAX_TRIES = 10_000_000
_TRIES_A_STEP = 500


def options(args: Sequence[Arg], valued: frozenset[str]) -> tuple[dict[str, str], list[Arg]]:
    """Options by name with their values, and the other arguments. ``valued`` take the next word where ``=`` is missing."""
    found: dict[str, str] = {}
    rest: list[Arg] = []
    waiting = ""
    for place, arg in enumerate(args):
        text = arg.text
        if waiting:
            found[waiting], waiting = text, ""
        elif text == "--":
            rest.extend(args[place + 1 :])
            break
        elif text.startswith("--"):
            name, equals, value = text.partition("=")
            found[name] = value
            waiting = name if not equals and name in valued else ""
        elif len(text) > 1 and text[0] == "-":
            found.update((f"-{letter}", "") for letter in text[1:])
            waiting = text if text in valued else ""
        else:
            rest.append(arg)
    return found, rest


def assign(machine: GrubMachine, text: str, uses: frozenset[str]) -> bool:
    name, equals, value = text.partition("=")
    if equals:
        machine.set(name, value, uses)
    return bool(equals)


def _set(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    return not args or assign(machine, *args[0])


def _export(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    for arg in args:
        assign(machine, *arg)
        machine.exported.add(arg.text.partition("=")[0])
    return True


def _unset(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    for arg in args:
        machine.variables.pop(arg.text, None)
        machine.exported.discard(arg.text)
    return True


def _shift(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    count = int(args[0].text) if args and args[0].text.isdecimal() and len(args[0].text) < 4 else 1
    machine.params = machine.params[count:]
    return True


def _setparams(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    machine.params = tuple(args)
    return True


def _test(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    return evaluate(machine, args)


def _bracket(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    return evaluate(machine, args[:-1] if args and args[-1].text == "]" else args)


def _true(_machine: GrubMachine, _args: Sequence[Arg]) -> bool:
    return True


def _load_env(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    found, names = options(args, frozenset({"--file", "-f"}))
    file = found.get("--file") or found.get("-f") or f"{machine.get('prefix')}/grubenv"
    place = machine.locate(file)
    if place is None or not machine.files.is_file(place):
        return False
    wanted = {name.text for name in names}
    for name, value in parse_grubenv(machine.files.text(place)).items():
        if not wanted or name in wanted:
            machine.set(name, value)
    return True


_SEARCH_VALUED = frozenset({
    "--hint", "-h", "--hint-arc", "--hint-baremetal", "--hint-bios", "--hint-efi", "--hint-ieee1275",
})  # fmt: skip


def _search(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    found, rest = options(args, _SEARCH_VALUED)
    variable = found.get("--set", "") or found.get("-s", "")
    if not variable and ("--set" in found or "-s" in found) and len(rest) > 1 and "/" not in rest[0].text:
        variable = rest.pop(0).text
    if not rest:
        return False
    if "--label" in found or "-l" in found or "--fs-label" in found:
        device = _device_of_label(machine, rest[0])
    elif "--fs-uuid" in found or "-u" in found:
        device = _device_of_uuid(machine, rest[0])
    else:
        device = _device_of_file(machine, rest[0])
    return _found(machine, variable or "root", device)


def _found(machine: GrubMachine, variable: str, device: str) -> bool:
    if device:
        # the variable's use is not the path's: $root found by --file $iso_path does not carry the path
        machine.set(variable, device)
    return bool(device)


def _search_one(find: Callable[[GrubMachine, Arg], str]) -> Run:
    def run(machine: GrubMachine, args: Sequence[Arg]) -> bool:
        _, rest = options(args, _SEARCH_VALUED)
        return bool(rest) and _found(machine, rest[1].text if len(rest) > 1 else "root", find(machine, rest[0]))

    return run


def _image(machine: GrubMachine) -> str:
    return LOOP_DEVICE if machine.known is not None else IMAGE_DEVICE


def _device_of_file(machine: GrubMachine, arg: Arg) -> str:
    if machine.on_stick(arg):
        return STICK_DEVICE
    path = "/" + arg.text.lstrip("/")
    if machine.files.exists(path):
        return _image(machine)
    return ESP_DEVICE if machine.files.exists(IN_EFI + path) else ""


def _device_of_label(machine: GrubMachine, arg: Arg) -> str:
    known = machine.files.volume_id
    return _image(machine) if not known or known == arg.text else ""


def _device_of_uuid(machine: GrubMachine, arg: Arg) -> str:
    if arg.text == STICK_UUID:
        return STICK_DEVICE
    known = machine.files.uuid
    return _image(machine) if not known or known.lower() == arg.text.lower() else ""


def _probe(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    found, rest = options(args, frozenset({"--set", "-s"}))
    variable = found.get("--set") or found.get("-s")
    if not rest or not variable:
        return bool(rest)
    on_stick = rest[0].text.strip("()") == STICK_DEVICE
    value = ""
    if "--fs-uuid" in found or "-u" in found:
        value = STICK_UUID if on_stick else machine.files.uuid
    elif "--label" in found or "-l" in found:
        value = "" if on_stick else machine.files.volume_id
    elif ("--fs" in found or "-f" in found) and not on_stick:
        value = "iso9660"
    machine.set(variable, value)
    return True


def _regexp(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    """``regexp [--set [NUMBER:]VARIABLE]... PATTERN STRING``, POSIX extended expressions."""
    targets: list[str] = []
    rest: list[Arg] = []
    pending = iter(args)
    for arg in pending:
        if arg.text in ("--set", "-s"):
            following = next(pending, None)
            targets.extend([following.text] if following is not None else [])
        elif arg.text.startswith("--set="):
            targets.append(arg.text.removeprefix("--set="))
        else:
            rest.append(arg)
    if len(rest) != 2:
        return False
    match = _search_pattern(machine, rest[0].text, rest[1].text)
    for target in targets if match is not None else ():
        number, colon, name = target.rpartition(":")
        group = int(number) if colon and number.isdecimal() and len(number) < 3 else 1
        if match is not None and group <= (match.re.groups or 0):
            machine.set(name, match[group] or "", rest[1].uses)
    return match is not None


_REPEAT = re.compile(r"[*+{]")
_PLAIN_GROUP = re.compile(r"\([^()*+{|?]*\)[*+?]")
_REPEATED_GROUP = re.compile(r"\)[*+{?]|\\\d")


def _tries(pattern: str, subject: str) -> int:
    """How many steps Python's backtracking takes at most, ``_MAX_TRIES`` and more if nobody knows.

    N repeats side by side take the Nth power of the string's length; a repeat of repeats takes exponential time.
    """
    if len(pattern) > _MAX_PATTERN or _REPEATED_GROUP.search(_PLAIN_GROUP.sub("", pattern)) or pattern.count("?") > 8:
        return _MAX_TRIES
    return int((len(subject) + 1) ** (len(_REPEAT.findall(pattern)) + 1))


def _search_pattern(machine: GrubMachine, pattern: str, subject: str) -> re.Match[str] | None:
    tries = _tries(pattern, subject)
    if tries >= _MAX_TRIES:
        machine.warn(f"the pattern {pattern[:60]!r} is not tried")
        return None
    machine.step(tries // _TRIES_A_STEP)
    for name, members in (
        ("[:digit:]", "0-9"),
        ("[:alpha:]", "A-Za-z"),
        ("[:alnum:]", "0-9A-Za-z"),
        ("[:space:]", r"\s"),
    ):
        pattern = pattern.replace(name, members)
    try:
        return re.search(pattern, subject)
    except (re.error, RecursionError, OverflowError):
        machine.warn(f"the pattern {pattern[:60]!r} is not understood")
        return None


def _loopback(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    """A loop over the image's own file is the image; one over anything else is a device nobody can look into."""
    found, rest = options(args, frozenset())
    if "-d" in found or "--delete" in found or len(rest) < 2:
        return True
    name = frozenset({rest[0].text})
    is_image = machine.on_stick(rest[1])
    machine.foreign = machine.foreign - name if is_image else machine.foreign | name
    if machine.known is not None and is_image:
        machine.known |= name
    return True


def _linux(loader: str) -> Run:
    def run(machine: GrubMachine, args: Sequence[Arg]) -> bool:
        if not args:
            return False
        draft = machine.draft
        draft.loader = loader
        draft.kernel = machine.image_path(args[0].text)
        draft.words = tuple(arg for arg in args[1:] if not cmdline.names_initrd(arg.text))
        return True

    return run


def _initrd(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    initrds: list[str] = []
    for arg in args:
        text = arg.text
        if text.startswith("newc:"):
            initrds.append(text)
        elif "*" in text or "?" in text:
            initrds.extend(machine.image_path(path) for path in machine.glob(text) or [text])
        else:
            initrds.append(machine.image_path(text))
    machine.draft.initrds = tuple(initrds)
    return True


def _devicetree(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    """Without a file it takes back what was loaded."""
    machine.draft.devicetree = machine.image_path(args[0].text) if args else ""
    return True


def _multiboot(loader: str) -> Run:
    load = _linux(loader)

    def run(machine: GrubMachine, args: Sequence[Arg]) -> bool:
        while args and args[0].text.startswith("--"):
            args = args[1:]
        machine.draft.modules = ()
        return load(machine, args)

    return run


def _module(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    while args and args[0].text.startswith("--"):
        args = args[1:]
    if not args:
        return False
    words = tuple(arg.text for arg in args[1:])
    machine.draft.modules += (Module(path=machine.image_path(args[0].text), cmdline=words),)
    machine.draft.module_uses = machine.draft.module_uses.union(NO_USES, *(arg.uses for arg in args[1:]))
    return True


def _chainloader(machine: GrubMachine, args: Sequence[Arg]) -> bool:
    _, rest = options(args, frozenset())
    if rest:
        machine.draft.chainloader = machine.image_path(rest[0].text)
    return bool(rest)


def _devices(names: Sequence[str], make: Callable[[str], Run]) -> dict[str, Run]:
    return {name: make(name) for name in names}


COMMANDS: Final[dict[str, Run]] = {
    "set": _set,
    "export": _export,
    "unset": _unset,
    "shift": _shift,
    "setparams": _setparams,
    "test": _test,
    "[": _bracket,
    "true": _true,
    "load_env": _load_env,
    "search": _search,
    "search.file": _search_one(_device_of_file),
    "search.fs_label": _search_one(_device_of_label),
    "search.fs_uuid": _search_one(_device_of_uuid),
    "probe": _probe,
    "regexp": _regexp,
    "loopback": _loopback,
    "initrd": _initrd,
    "devicetree": _devicetree,
    "initrd16": _initrd,
    "initrdefi": _initrd,
    "module": _module,
    "module2": _module,
    "xen_module": _module,
    "chainloader": _chainloader,
    **_devices(("linux", "linux16", "linuxefi", "kernel"), _linux),
    **_devices(("multiboot", "multiboot2", "xen_hypervisor"), _multiboot),
}
