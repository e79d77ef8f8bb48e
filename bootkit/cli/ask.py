"""Questions to whoever sits at the terminal; asked on stderr, so that stdout stays the answer."""

import getpass
import sys
from typing import TYPE_CHECKING

from bootkit.cli import output
from bootkit.i18n import tr

if TYPE_CHECKING:
    from bootkit.model.plan import StickPlan
    from bootkit.system.volume import Volume


def ask(question: str) -> str:
    """One line, without its end; empty where nobody answers."""
    sys.stderr.write(f"{question}: ")
    sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n")


def agrees(question: str) -> bool:
    """Whether the answer is yes, in English or in the language of the question; whatever else is said is no."""
    return ask(f"{question} [{tr('y')}/{tr('N')}]").strip().lower() in ("y", "yes", tr("y"), tr("yes"))


def ask_secret(question: str) -> str:
    """A line that is not shown while it is typed, and not empty."""
    while True:
        if secret := getpass.getpass(f"{question}: "):
            return secret


def ask_new_secret(question: str) -> str:
    """A secret that was typed twice."""
    while True:
        secret = ask_secret(question)
        if secret == getpass.getpass(f"{tr('Repeat it')}: "):
            return secret
        output.say(tr("These two differ. Once more."))


def confirm_removal(volume: "Volume", plan: "StickPlan", *, yes: bool) -> None:
    """Go on with a removal if whoever sits at the terminal wants it; a script has said what it wants.

    Raises:
        Cancelled: nothing is to be removed.
    """
    from bootkit.errors import Cancelled
    from bootkit.model.places import STATE_FOLDER
    from bootkit.model.plan import RemoveFile
    from bootkit.units import format_size

    if yes or not sys.stdin.isatty():
        return
    paths = [step.path for step in plan.steps if isinstance(step, RemoveFile)]
    for path in paths:
        stat = volume.stat(path)
        if stat is not None and not path.startswith(f"{STATE_FOLDER}/"):
            output.say(f"{path} ({format_size(stat.size)})")
    if not agrees(tr("Remove this from the stick?")):
        raise Cancelled(tr("nothing was removed"))


def confirm_adoption(path: str, maker: str) -> None:
    """Go on with a stick that somebody else has made only if its owner wants that.

    Raises:
        Cancelled: it stays what it is.
    """
    from bootkit.errors import Cancelled, DeviceRefused

    if not sys.stdin.isatty():
        hint = tr("--yes makes it a bootkit stick; without that, --stick names it for all other commands")
        raise DeviceRefused(tr("{path} was made by {maker}", path=path, maker=maker), hint=hint)
    if not agrees(tr("Make it a bootkit stick? Nothing of yours is touched.")):
        raise Cancelled(tr("nothing was written"))
