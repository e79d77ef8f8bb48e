"""The command line as the tests of documents and screens see it: all commands by their words."""

from bootkit.cli.command import Command
from bootkit.cli.program import ROOT, load


def every_command() -> dict[str, Command]:
    """Each function by the words behind ``bootkit``: ``add``, ``ext list``."""
    return {words: load(name) for words, name in ROOT.commands()}
