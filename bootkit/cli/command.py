"""A command of the command line, out of a typed function: its parameters are the words, its docstring is the help.

A parameter says in its annotation what it is: ``stick: Annotated[Path | None, Option("--stick", help="...")] = None``.
argparse reads the words: it is there, and loaded in a tenth of the time that other libraries for this take.
"""

import argparse
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from bootkit.cli.parser import Parser
from bootkit.i18n import tr

Command = Callable[..., None]


class Argument:
    """A parameter that is known by its place."""

    def __init__(self, *, help: str, metavar: str = "") -> None:  # noqa: A002 - argparse's word
        self.help = help
        self.metavar = metavar


class Option:
    """A parameter that is known by its name; ``--name`` where no flags are given.

    ``env`` is the variable that is asked where the option is not given, ``default`` the words for what counts then.
    """

    def __init__(
        self,
        *flags: str,
        help: str,  # noqa: A002 - argparse's word
        metavar: str = "",
        env: str = "",
        default: str = "",
    ) -> None:
        self.flags = flags
        self.help = help
        self.metavar = metavar
        self.env = env
        self.default = default


_ARITY = {(False, True): None, (False, False): "?", (True, True): "+", (True, False): "*"}
"""How many words an argument takes, as argparse writes it, by whether it takes many and whether it is required."""


def call(command: Command, words: Sequence[str], prog: str) -> None:
    """Carry out a command with the words behind its name.

    Raises:
        UsageError: the words make no sense.
    """
    command(**vars(parser_of(command, prog).parse_intermixed_args(words)))


def parser_of(command: Command, prog: str) -> Parser:
    parser = Parser(prog, text=description(command))
    parser.add_argument("-h", "--help", action="help", help=tr("Show this message and exit."))
    for parameter in parameters(command):
        match parameter.declared:
            case Option() as option:
                _add_option(parser, option, parameter)
            case Argument() as argument:
                _add_argument(parser, argument, parameter)
    return parser


class Parameter(NamedTuple):
    """A parameter of a command, as its annotation declares it."""

    name: str
    declared: Argument | Option
    kind: type
    """What one word becomes."""
    many: bool
    required: bool
    default: object

    @property
    def flags(self) -> tuple[str, ...]:
        """The names of an option; an argument has none."""
        if isinstance(self.declared, Argument):
            return ()
        return self.declared.flags or (f"--{self.name.replace('_', '-')}",)

    @property
    def values(self) -> tuple[str, ...]:
        """All that it may be, where these are few."""
        return tuple(str(member.value) for member in self.kind) if issubclass(self.kind, Enum) else ()


def parameters(command: Command) -> Iterator[Parameter]:
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind, many = _kind(hints[name].__origin__)
        required = parameter.default is parameter.empty
        default = None if required else parameter.default
        yield Parameter(name, hints[name].__metadata__[0], kind, many, required, default)


def summary(command: Command) -> str:
    """What a command does, in one paragraph."""
    return description(command).partition("\n\n")[0]


def description(command: Command) -> str:
    """What a command does, in the user's language: paragraphs with an empty line between."""
    return "\n\n".join(map(tr, paragraphs(command)))


def paragraphs(command: Command) -> list[str]:
    """What a command's docstring says, a line for each paragraph."""
    return [paragraph.replace("\n", " ") for paragraph in (inspect.getdoc(command) or "").split("\n\n")]


def _kind(hint: Any) -> tuple[type, bool]:
    """What one word becomes, and whether there may be several: ``list[Path] | None`` is ``Path``, several."""
    (kind,) = (each for each in get_args(hint) if each is not NoneType) if isinstance(hint, UnionType) else (hint,)
    return (get_args(kind)[0], True) if get_origin(kind) is list else (kind, False)


def _add_option(parser: Parser, option: Option, parameter: Parameter) -> None:
    flags = parameter.flags
    if parameter.kind is bool:
        parser.add_argument(*flags, dest=parameter.name, action="store_true", help=option.help)
        return
    parser.add_argument(
        *flags,
        dest=parameter.name,
        action="append" if parameter.many else "store",
        default=os.environ.get(option.env, parameter.default),
        required=parameter.required,
        type=_reader(parameter),
        metavar=option.metavar or "|".join(parameter.values) or flags[0].lstrip("-").upper(),
        help=_help(option, parameter.default),
    )


def _add_argument(parser: Parser, argument: Argument, parameter: Parameter) -> None:
    parser.add_argument(
        parameter.name,
        nargs=_ARITY[parameter.many, parameter.required],
        default=parameter.default,
        type=_reader(parameter),
        metavar=argument.metavar or parameter.name.upper(),
        help=argument.help,
    )


def _reader(parameter: Parameter) -> Callable[[str], object]:
    """What makes a value of a word; a word that is none is refused by ``ArgumentTypeError``."""
    if not parameter.values:
        return _count if parameter.kind is int else parameter.kind

    def member(word: str) -> object:
        if word not in parameter.values:
            raise argparse.ArgumentTypeError(
                tr("{word} is none of {values}", word=word, values=", ".join(parameter.values))
            )
        return parameter.kind(word)

    return member


def _count(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(tr("{word} is no whole number", word=word))
    return int(word)


def _help(option: Option, default: object) -> str:
    words = option.default or str(default.value if isinstance(default, Enum) else "")
    return f"{option.help} [{words}]" if words else option.help
