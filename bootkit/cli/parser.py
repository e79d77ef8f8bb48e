"""argparse as all our commands use it."""

import argparse
from functools import partial
from typing import NoReturn

from bootkit.errors import UsageError
from bootkit.i18n import tr, trn

# its own words; it asks gettext's global domain, which knows folders only, while this program may run from an archive
argparse.__dict__.update(_=tr, ngettext=trn)


class Parser(argparse.ArgumentParser):
    """argparse, with its refusals told like all others."""

    def __init__(self, prog: str, *, usage: str | None = None, text: str = "", epilog: str = "") -> None:
        super().__init__(
            prog=prog,
            usage=usage,
            description=text,
            epilog=epilog,
            add_help=False,
            allow_abbrev=False,
            formatter_class=_Help,
        )

    def format_help(self) -> str:
        # argparse asks with each argument, and loads for it all that unpacks archives
        from shutil import get_terminal_size

        self.formatter_class = partial(_Help, width=get_terminal_size().columns - 2)
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=tr("{command} --help tells what there is", command=self.prog))


class _Help(argparse.HelpFormatter):
    """Names in a column of their own, as wide as the longest of ours."""

    def __init__(self, prog: str, width: int = 78) -> None:
        super().__init__(prog, max_help_position=28, width=width)
