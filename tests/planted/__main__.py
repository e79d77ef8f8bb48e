"""``python -m tests.planted [WORD ...]``: plant each fault in a copy of the tree, and run the test that has to find it.

With words, only the faults whose description, file or test holds one of them. Prints the table; the status is 1 if a fault was
not found. Each test is run without any fault first, because one that fails anyway finds nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.planted.table import FAULTS, ROOT, Fault

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "boots")
PATIENCE = 600.0
"""Seconds for one test; a fault may make it hang."""
OUTCOMES = {0: "NOT CAUGHT", 1: "caught"}
"""By the status of pytest; with any other, the test itself was not run."""


def run_tests(tree: Path, tests: Sequence[str]) -> int:
    """The status of pytest."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(
        argv, cwd=tree, env=environment, capture_output=True, check=False, timeout=PATIENCE
    ).returncode


def outcome_of(fault: Fault, tree: Path) -> str:
    place = tree / fault.file
    sound = place.read_text(encoding="utf-8")
    place.write_text(fault.planted_in(sound), encoding="utf-8")
    try:
        status = run_tests(tree, [fault.test])
    except subprocess.TimeoutExpired:
        return "HANGS"
    finally:
        place.write_text(sound, encoding="utf-8")
    return OUTCOMES.get(status, f"NOT RUN ({status})")


def main(words: Sequence[str]) -> int:
    wanted = [
        fault
        for fault in FAULTS
        if not words or any(word in text for word in words for text in (fault.what, fault.file, fault.test))
    ]
    with tempfile.TemporaryDirectory(prefix="bootkit-planted-") as folder:
        tree = shutil.copytree(ROOT, Path(folder) / "tree", symlinks=True, ignore=LEFT_OUT)
        if status := run_tests(tree, sorted({fault.test for fault in wanted})):
            print(f"the tests fail without any fault (status {status})", file=sys.stderr)
            return 1
        caught = 0
        width = max((len(fault.file) for fault in wanted), default=0) + 2
        print(f"{'OUTCOME':<12}{'FILE':<{width}}FAULT")
        for fault in wanted:
            outcome = outcome_of(fault, tree)
            caught += outcome == OUTCOMES[1]
            print(f"{outcome:<12}{fault.file:<{width}}{fault.what}", flush=True)
    print(f"{caught} of {len(wanted)} caught")
    return int(caught != len(wanted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
