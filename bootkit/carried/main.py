"""The beginning of the archive: what runs as ``python3 bootkit.pyz``. Every Python can read this file, whatever its age."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - where it was not installed, nobody has looked before
    sys.exit("bootkit needs Python 3.11 or newer, and this system has %d.%d: start another one" % sys.version_info[:2])  # noqa: UP031

from bootkit.cli import main

main()
