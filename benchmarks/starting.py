"""How long each command takes before it does anything, against an interpreter that does nothing."""

import os
from pathlib import Path

from measure import BOOTKIT, NOTHING, Argv, goal, in_turns, table

RUNS = 11
LIMITS = {"--version": 4, "completion": 8, "list --help": 11, "list of an empty stick": 14}


def measure(folder: Path) -> None:
    settings = folder / "boot/bootkit/stick.toml"
    settings.parent.mkdir(parents=True)
    settings.touch()
    commands: dict[str, Argv] = {
        "python3 -c pass": NOTHING,
        "--version": [BOOTKIT, "--version"],
        "completion": ["env", "_BOOTKIT_COMPLETE=bash", f"COMP_WORDS=bootkit{os.linesep}l", "COMP_CWORD=1", BOOTKIT],
        "--help": [BOOTKIT, "--help"],
        "list --help": [BOOTKIT, "list", "--help"],
        "list of an empty stick": [BOOTKIT, "list", "--stick", folder],
    }
    medians = {name: cost.cpu for name, cost in in_turns(commands, runs=RUNS).items()}
    nothing = medians["python3 -c pass"]
    rows = [[name, f"{found * 1000:.1f} ms", f"{found / nothing:.1f}"] for name, found in medians.items()]
    table("start: processor time of the whole process", ["command", "CPU", "times python3 -c pass"], rows)
    for name, limit in LIMITS.items():
        ratio = medians[name] / nothing
        goal(f"start: {name}", f"{ratio:.1f} P", f"at most {limit} P", met=ratio <= limit)
