"""The command line: words in, a use case of :mod:`bootkit.app` called, its answer printed.

stdout is the answer, stderr is the talk. Modules are imported when their command runs: ``bootkit --help`` answers before
an editor would have blinked, and ``bootkit inspect`` loads nothing that it does not use.
"""

import gc
import sys


def main() -> None:
    """Run the command line and end the process with its exit status: 0 to 5 as in bootkit(1), 130 if interrupted."""
    match sys.argv[1:]:
        case ["--help" | "-h"]:
            from bootkit.cli.help import HELP

            sys.stdout.write(HELP)
        case ["inspect", iso] | ["inspect", iso, "--json"] | ["inspect", "--json", iso] if not iso.startswith("-"):
            # scripts look into many images in a row: without typer one look takes half the time, and the collector
            # would search the freshly loaded modules for garbage some fifty times
            gc.set_threshold(100_000)
            from bootkit.cli.guard import guarded
            from bootkit.cli.inspection import print_inspection

            sys.exit(guarded(lambda: print_inspection(iso, as_json="--json" in sys.argv)))
        case arguments:
            from bootkit.cli.guard import guarded
            from bootkit.cli.program import run

            sys.exit(guarded(lambda: run(arguments)))
