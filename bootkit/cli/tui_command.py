"""``tui``: the text interface, on a terminal."""

import os
import sys
from typing import Annotated

from bootkit.cli import output
from bootkit.cli.command import Option
from bootkit.cli.options import StickOption
from bootkit.i18n import tr

TWINS = tr("""\
The text interface needs a terminal. On the command line the same is done by:
  bootkit devices, bootkit prepare TARGET       make a stick
  bootkit list, bootkit check                   what is on it, and whether it boots
  bootkit explain IMAGE                         why
  bootkit add ISO..., bootkit remove IMAGE      bring and take images
  bootkit options list|get|set|unset            choose boot options
  bootkit generate, bootkit verify, bootkit test
  bootkit log                                   what the last boots have left""")


def tui(
    stick: StickOption = None,
    plain: Annotated[bool, Option("--plain", help=tr("Only print which commands do the same."))] = False,
) -> None:
    """Look after the stick on one screen: images, boot options with a preview, adding, preparing, testing."""
    if plain:
        output.answer(TWINS)
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "dumb") == "dumb":
        from bootkit.errors import UsageError

        output.say(TWINS)
        raise UsageError(tr("this is no terminal"), hint=tr("run bootkit tui in a terminal window, or on the console"))
    from bootkit.tui.app import run_tui

    run_tui(stick)
