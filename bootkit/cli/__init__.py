"""The command line: words in, a use case of :mod:`bootkit.app` called, its answer printed.

stdout is the answer, stderr is the talk. Modules are imported when their command runs: ``bootkit --help`` answers before
an editor would have blinked, and ``bootkit inspect`` loads nothing that it does not use.
"""

import sys


def main() -> None:
    """Run the command line and end the process with its exit status: 0 to 5 as in bootkit(1), 130 if interrupted."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        from bootkit.cli.help import HELP

        sys.stdout.write(HELP)
        return
    from bootkit.cli.program import run

    sys.exit(run(sys.argv[1:]))
