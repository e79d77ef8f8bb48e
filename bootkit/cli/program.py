"""The commands put together: which there are, and in which module each of them lies.

The module is imported when its command runs, or when its help is shown.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from bootkit import __version__
from bootkit.cli import output
from bootkit.cli.parser import Parser
from bootkit.errors import UsageError
from bootkit.i18n import tr

if TYPE_CHECKING:
    from argparse import Namespace

    from bootkit.cli.command import Command


class Group(NamedTuple):
    """Commands that share their first word."""

    help: str
    panels: "Mapping[str, Mapping[str, str | Group]]"
    """The commands by their names, under headings; each is a group or ``module:function``."""
    epilog: str = ""

    def members(self) -> "dict[str, str | Group]":
        return {name: member for panel in self.panels.values() for name, member in panel.items()}

    def commands(self, before: str = "") -> Iterator[tuple[str, str]]:
        """All commands by their words, each with the ``module:function`` that it is."""
        for name, member in self.members().items():
            words = f"{before} {name}".strip()
            if isinstance(member, Group):
                yield from member.commands(words)
            else:
                yield words, member


OPTIONS = Group(
    tr("Choose language, keyboard, kernel words, names and order, for the stick, a kind of system or an image."),
    {
        tr("commands"): {
            "list": "options_commands:list_options",
            "get": "options_commands:get",
            "set": "options_commands:set_option",
            "unset": "options_commands:unset",
        }
    },
)
EXTENSIONS = Group(
    tr("Extensions: programs, drivers and files of yours, laid over every live system."),
    {
        tr("commands"): {
            "create": "ext_commands:create",
            "add": "ext_commands:add",
            "list": "ext_commands:list_extensions",
            "inspect": "ext_commands:inspect",
            "enable": "ext_commands:enable",
            "disable": "ext_commands:disable",
            "remove": "ext_commands:remove",
            "verify": "ext_commands:verify",
        }
    },
)
HOMES = Group(
    tr("Homes: the user's folder, one file, the same on every live system."),
    {
        tr("commands"): {
            "create": "home_commands:create",
            "list": "home_commands:list_homes",
            "resize": "home_commands:resize",
            "check": "home_commands:check",
            "backup": "home_commands:backup",
            "restore": "home_commands:restore",
            "remove": "home_commands:remove",
        }
    },
)
PERSISTENCE = Group(
    tr("Persistence: live systems that keep their own changes."),
    {
        tr("commands"): {
            "create": "persist_commands:create",
            "list": "persist_commands:list_kept",
            "remove": "persist_commands:remove",
        }
    },
)
DISKS = Group(
    tr("Installed systems: the image of a whole disk as one file of the stick, which keeps its changes or runs live."),
    {
        tr("commands"): {
            "add": "disk_commands:add",
            "create": "disk_commands:create",
            "list": "disk_commands:list_disks",
            "check": "disk_commands:check",
            "grow": "disk_commands:grow",
            "encrypt": "disk_commands:encrypt",
            "take-out": "disk_commands:take_out",
            "remove": "disk_commands:remove",
        }
    },
)
SEEDS = Group(
    tr("Answer files: installers that ask nothing."),
    {
        tr("commands"): {
            "add": "seed_commands:add",
            "list": "seed_commands:list_seeds",
            "remove": "seed_commands:remove",
        }
    },
)
APPS = Group(
    tr("AppImages: programs in the menu of every desktop."),
    {tr("commands"): {"add": "app_commands:add", "list": "app_commands:list_apps", "remove": "app_commands:remove"}},
)
ROOT = Group(
    tr("Many unchanged ISO files on one USB stick: prepare it once, add images, generate, boot."),
    {
        tr("the main job"): {
            "prepare": "stick:prepare",
            "add": "images:add",
            "remove": "images:remove",
            "generate": "images:generate",
            "check": "check:check",
            "test": "test:test",
        },
        tr("looking"): {
            "devices": "stick:devices",
            "list": "images:list_images",
            "inspect": "inspect:inspect",
            "explain": "inspect:explain",
            "verify": "images:verify",
            "log": "log:log",
        },
        tr("choices"): {"tui": "tui_command:tui", "options": OPTIONS},
        tr("your own things on every system"): {
            "ext": EXTENSIONS,
            "home": HOMES,
            "persist": PERSISTENCE,
            "disk": DISKS,
            "seed": SEEDS,
            "app": APPS,
        },
        tr("maintenance"): {"doctor": "stick:doctor", "upgrade": "stick:upgrade", "restore": "stick:restore"},
    },
    epilog=tr(
        "First steps: bootkit devices; bootkit prepare /dev/sdX; bootkit add FILE.iso; then boot from the stick."
    ),
)

OPTIONS_OF_ALL = {
    "--debug": tr("Show each program that is started, and why things are left out."),
    "--version": tr("Print the version and end."),
    "--install-completion": tr("Install completion for the shell that you use."),
    "--show-completion": tr("Print what that would install."),
    "--json-schema": tr("Print the JSON Schema of what a command prints with --json: bootkit --json-schema list."),
}


def run(arguments: Sequence[str]) -> None:
    """Carry out one command line.

    Raises:
        BootkitError: what the command raises, or a UsageError of the words.
        SystemExit: help was shown.
    """
    first = next((place for place, word in enumerate(arguments) if not word.startswith("-")), len(arguments))
    said = _heed(arguments[:first])
    member, words, rest = find(arguments[first:])
    if said.json_schema:
        from bootkit.cli.schema import show_schema

        show_schema(words[1:])
    elif isinstance(member, Group):
        _show_help(member, words, rest)
    else:
        from bootkit.cli.command import call

        if said.debug:
            output.log_to_stderr()
        call(load(member), rest, " ".join(words))


def find(arguments: Sequence[str]) -> tuple[str | Group, list[str], Sequence[str]]:
    """The command, or the group, that words lead to; its name, and the words behind it.

    Raises:
        UsageError: there is no such command.
    """
    member: str | Group = ROOT
    words, rest = ["bootkit"], arguments
    while isinstance(member, Group) and rest and not rest[0].startswith("-"):
        members = member.members()
        if rest[0] not in members:
            raise UsageError(
                tr("{command} has no command {word}", command=" ".join(words), word=rest[0]),
                hint=_near(rest[0], members, words),
            )
        member, rest = members[rest[0]], rest[1:]
        words.append(arguments[len(words) - 1])
    return member, words, rest


def load(name: str) -> "Command":
    """The function behind ``module:function``."""
    module, _, function = name.partition(":")
    return cast("Command", getattr(importlib.import_module(f"bootkit.cli.{module}"), function))


def options_of_all() -> Parser:
    """What reads the options that stand before the command."""
    parser = Parser("bootkit", usage="bootkit [OPTION...] COMMAND ...", text=ROOT.help, epilog=ROOT.epilog)
    for flag, text in OPTIONS_OF_ALL.items():
        parser.add_argument(flag, action="store_true", help=text)
    parser.add_argument("-h", "--help", action="store_true", help=tr("Show this message and exit."))
    return parser


def _heed(options: Sequence[str]) -> "Namespace":
    """Do what the options before the command say alone; what they say of the command."""
    said = options_of_all().parse_args(options)
    if said.help:
        _show_help(ROOT, ["bootkit"], ["--help"])
    if said.version:
        output.answer(f"bootkit {__version__}")
        sys.exit(0)
    if said.show_completion or said.install_completion:
        from bootkit.cli import completion

        completion.show() if said.show_completion else completion.install()
        sys.exit(0)
    return said


def _show_help(group: Group, words: Sequence[str], options: Sequence[str]) -> None:
    """Print the commands of a group, and end: with status 2 where nobody asked for it."""
    parser = options_of_all() if group is ROOT else Parser(" ".join(words), text=group.help)
    if group is not ROOT:
        parser.usage = f"{parser.prog} COMMAND ..."
        parser.add_argument("-h", "--help", action="store_true", help=tr("Show this message and exit."))
    parser.parse_args(options)
    from bootkit.cli.command import summary

    for title, members in group.panels.items():
        panel = parser.add_argument_group(title)
        for name, member in members.items():
            panel.add_argument(name, help=member.help if isinstance(member, Group) else summary(load(member)))
    parser.print_help()
    sys.exit(0 if options else 2)


def _near(word: str, members: Mapping[str, object], words: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, members, n=1)
    return f"{' '.join(words)} {near[0]}" if near else tr("{command} --help lists them", command=" ".join(words))
