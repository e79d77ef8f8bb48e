"""Which measurements there are, and where they were taken."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import add
import boot
import checking
import clusters
import disks
import generate
import homes
import inspecting
import installed
import large
import menu
import opening
import starting
from measure import goal, table_of_goals

MEASUREMENTS: dict[str, Callable[[Path], None]] = {
    "inspect": inspecting.measure,
    "generate": generate.measure,
    "check": checking.measure,
    "add": add.measure,
    "help": starting.measure,
    "tui": opening.measure,
    "large": large.measure,
    "homes": homes.measure,
    "disks": disks.measure,
    "exfat": clusters.measure,
    "menu": menu.measure,
    "boot": boot.measure,
    "installed": installed.measure,
}


def main() -> None:
    chosen = sys.argv[1:] or list(MEASUREMENTS)
    unknown = set(chosen) - set(MEASUREMENTS)
    if unknown:
        sys.exit(f"no measurement is called {sorted(unknown)[0]}; there are {', '.join(MEASUREMENTS)}")
    missing = [
        program for program in ("bsdtar", "qemu-system-x86_64", "strace", "xorriso") if shutil.which(program) is None
    ]
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}")
    _say_where()
    with tempfile.TemporaryDirectory(prefix="bootkit-bench-bytecode-", ignore_cleanup_errors=True) as bytecode:
        # as installed: compiled once. The warm-up does it, beside the checkout and not in it.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = bytecode
        _measure(chosen)


def _measure(chosen: list[str]) -> None:
    """One that fails leaves a row that says so, and the others are measured all the same."""
    failed = False
    try:
        for name in chosen:
            with tempfile.TemporaryDirectory(prefix=f"bootkit-bench-{name}-", dir=_room()) as folder:
                try:
                    MEASUREMENTS[name](Path(folder))
                except (Exception, SystemExit) as error:
                    failed = True
                    print(f"{name} failed: {error}\n", flush=True)
                    goal(f"{name}: what is not in the other rows", "failed", "", met=False)
    finally:
        table_of_goals()  # also of what was measured before somebody lost patience
    if failed:
        sys.exit(1)


def _room() -> str:
    """A folder on a disk: /tmp is memory in many places, and what is read there was never written."""
    return "/var/tmp"


def _say_where() -> None:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = f"{len(names)} x {names[0]}" if names else platform.machine()
    python = f"Python {platform.python_version()}"
    load = Path("/proc/loadavg").read_text(encoding="utf-8").split()[0]
    print(f"{cpu}, Linux {platform.release()}, {python}; load at the start: {load}. Medians after a warm-up.\n")
