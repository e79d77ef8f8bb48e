"""The command line: words in, a use case of :mod:`bootkit.app` called, its answer printed.

stdout is the answer, stderr is the talk. Modules are imported when their command runs, so that each command loads what it
uses and nothing else; ``tests/meta/test_imports.py`` says what that is.
"""

import gc
import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit status: 0 to 5 as in bootkit(1), 130 if interrupted."""
    # the collector would search the freshly loaded modules for garbage some fifty times
    gc.set_threshold(100_000)
    from bootkit.cli.guard import guarded

    if "_BOOTKIT_COMPLETE" in os.environ:
        from bootkit.cli.completion import complete

        sys.exit(guarded(complete))
    from bootkit.cli.program import run

    status = guarded(lambda: run(sys.argv[1:]))
    # nor at the end, among all that is given back anyhow: a sixth of the time of `inspect`
    gc.freeze()
    sys.exit(status)
