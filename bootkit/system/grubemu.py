"""A boot menu run by GRUB itself, without a machine: grub-emu on the file that holds the stick.

grub-emu is GRUB as a program. It reads disk images with GRUB's own file-system code and runs their menu with GRUB's own
script engine, in a tenth of a second and without privileges. It lacks the commands ``linux`` and ``initrd``, and GRUB
lets functions stand in for commands that it lacks: ours write down what they were given.

Source: grub 2.06, grub-core/script/execute.c (a command goes before a function by the same name), util/grub-emu.c.
"""

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootkit.model.boot import Firmware
from bootkit.model.places import GRUB_FOLDER, MENU
from bootkit.render.grub import grub_quote
from bootkit.system.run import run
from bootkit.values import dataclass

_PLATFORMS = {
    Firmware.BIOS: ("pc", "i386"),
    Firmware.UEFI_X64: ("efi", "x86_64"),
    Firmware.UEFI_IA32: ("efi", "i386"),
    Firmware.UEFI_ARM64: ("efi", "arm64"),
}
_DRIVER = """\
set enable_progress_indicator=0
function record {{
  echo "@begin $1"
  shift
  for word in "$@"; do
    echo "@word<$word@end>"
  done
  echo '@done'
}}
function is_there {{
  if regexp '[)][0-9]+[+][0-9]+$' "$1"; then
    true
  else
    [ -f "$1" ]
  fi
}}
function linux {{
  record linux "$@"
  is_there "$1"
}}
function initrd {{
  record initrd "$@"
  for file in "$@"; do
    if ! is_there "$file"; then
      return 1
    fi
  done
}}
{stand_ins}set grub_platform={platform}
set grub_cpu={cpu}
set patience=0
set root={root}
set prefix=({root}){prefix}
{presets}source ($root){menu}
set default={entry}
set timeout={timeout}
"""
_OTHERS = (
    "linux16", "initrd16", "chainloader", "multiboot", "module", "multiboot2", "module2", "kopenbsd", "knetbsd",
    "knetbsd_module_elf",
)  # fmt: skip
"""Commands of GRUB that it has on some machine, of which is only written down what they were given."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][0-9A-B]|[=>78])")
_RECORD = re.compile(r"@begin (\w+)\r?\n(.*?)@done", re.DOTALL)
_WORD = re.compile(r"@word<(.*?)@end>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedRun:
    """What a menu did."""

    linux: tuple[str, ...] | None
    """What the last ``linux`` command was given, the kernel's file first; ``None`` if it never came to that."""
    initrd: tuple[str, ...] | None
    calls: tuple[tuple[str, ...], ...]
    """Every command that loads something and what it was given, the command first."""
    screen: str
    """All that was printed, without terminal escapes; lines are broken at the screen's edge."""


def run_menu(
    disk: Path,
    *,
    entry: str = "",
    firmware: Firmware = Firmware.BIOS,
    root: str = "hd0",
    typed: Sequence[str] = (),
    commands: Sequence[str] = (),
    login: Sequence[str] = (),
    presets: Mapping[str, str] | None = None,
) -> EmulatedRun:
    """Show the menu of a disk image and choose ``entry`` (ids joined by ``>``); nothing is chosen if that is empty.

    ``root`` is the data partition in GRUB's words, ``typed`` are lines for what the entries ask on their way,
    ``commands`` are typed on GRUB's command line when the entry is done; ``login``, user and password, opens it
    where the menu has a password. ``presets`` are variables that are exported before the menu is read.

    Raises:
        ToolMissing, CommandFailed: grub-emu is not installed, or took longer than 30 seconds.
    """
    platform, cpu = _PLATFORMS[firmware]
    driver = _DRIVER.format(
        prefix=GRUB_FOLDER,
        menu=MENU,
        platform=platform,
        cpu=cpu,
        root=root,
        stand_ins="".join(f'function {name} {{\n  record {name} "$@"\n}}\n' for name in _OTHERS),
        presets="".join(f"set {name}={grub_quote(value)}\nexport {name}\n" for name, value in (presets or {}).items()),
        entry=grub_quote(entry),
        timeout=0 if entry else -1,
    )
    with tempfile.TemporaryDirectory(prefix="bootkit-emu-") as folder:
        Path(folder, "grub.cfg").write_text(driver, encoding="utf-8")
        device_map = Path(folder, "device.map")
        device_map.write_text(f"(hd0) {disk.resolve()}\n", encoding="utf-8", errors="surrogateescape")
        # each "Press any key" takes one of the first keys; one opens the command line, and there the rest is a comment
        # who is asked for a name there has given a wrong one by now, and tries again
        again = ("", f"c{login[0]}", *login[1:]) if login else ()
        keys = "".join(f"{line}\r" for line in (*typed, "cccccccc", *again, *commands, "exit"))
        argv: list[str | Path] = ["grub-emu", "--device-map", device_map, "--root", "host", "--directory", folder]
        shown = run(argv, stdin=keys.encode(), env={"TERM": "dumb"}, timeout=30)
    return _read(_ESCAPES.sub("", shown.decode("utf-8", "surrogateescape")))


def _read(screen: str) -> EmulatedRun:
    calls = [(name, *_words(body)) for name, body in _RECORD.findall(screen)]
    last = {call[0]: call[1:] for call in calls}
    return EmulatedRun(
        linux=last.get("linux"), initrd=last.get("initrd"), calls=tuple(calls), screen=screen.replace("\r", "")
    )


def _words(body: str) -> tuple[str, ...]:
    return tuple(re.sub(r"\r?\n", "", word) for word in _WORD.findall(body))
