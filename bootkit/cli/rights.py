"""The way on for what only another user may do, at a terminal: the same again as root."""

import os
import sys
from collections.abc import Mapping

from bootkit.cli.ask import agrees
from bootkit.i18n import tr

HELPERS: Mapping[str, tuple[str, ...]] = {
    "sudo": ("sudo", "--"),
    "run0": ("run0", "--"),
    "pkexec": ("pkexec", "--keep-cwd"),
}
"""The programs that give root's rights after a question, the best first, and how they are told to keep the folder we are in."""


def offer_again() -> None:
    """Where somebody can answer: do the same as root, if that is wanted; this process is that one then."""
    from shutil import which

    helper = next((name for name in HELPERS if which(name)), "")
    if os.geteuid() == 0 or not helper or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if agrees(tr("Do it again as root, by {helper}?", helper=helper)):
        # the same interpreter and the same program: pipx puts both where root does not look
        os.execvp(helper, [*HELPERS[helper], sys.executable, *sys.orig_argv[1:]])  # noqa: S606
