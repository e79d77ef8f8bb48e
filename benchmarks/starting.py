"""How long it takes to say what the program is: ``bootkit --help`` against an interpreter that does nothing."""

import statistics
import sys
from pathlib import Path

from measure import BOOTKIT, Argv, goal, run, table

RUNS = 41
RATIO = 3


def measure(_folder: Path) -> None:
    commands: dict[str, Argv] = {
        "python3 -c pass": [sys.executable, "-c", "pass"],
        "bootkit --help": [BOOTKIT, "--help"],
        "bootkit --version": [BOOTKIT, "--version"],
    }
    # in turns, so that a machine that gets busy meanwhile is busy for all of them
    times = {name: [run(argv).seconds for _ in range(2)] for name, argv in commands.items()}
    for _ in range(RUNS):
        for name, argv in commands.items():
            times[name].append(run(argv).seconds)
    medians = {name: statistics.median(found[2:]) for name, found in times.items()}
    nothing, help_text, _version = medians.values()
    rows = [[name, f"{found * 1000:.1f} ms", f"{found / nothing:.2f}"] for name, found in medians.items()]
    table("help: the whole process", ["command", "wall", "ratio"], rows)
    ratio = help_text / nothing
    print(goal(f"- under {RATIO} times python3 -c pass ({ratio:.2f})", met=ratio < RATIO))
    print()
