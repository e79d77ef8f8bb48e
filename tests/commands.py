"""The command line as the tests of documents and screens see it: all commands by their words."""

from bootkit.cli.command import Command
from bootkit.cli.program import ROOT, Group, load


def every_command(group: Group = ROOT, words: str = "") -> dict[str, Command]:
    """Each function by the words behind ``bootkit``: ``add``, ``ext list``."""
    found: dict[str, Command] = {}
    for name, member in group.members().items():
        path = f"{words} {name}".strip()
        if isinstance(member, Group):
            found |= every_command(member, path)
        else:
            found[path] = load(member)
    return found
