"""A stick with a thousand images: what each command costs when one more has come, and how much memory it takes."""

import os
from pathlib import Path

from generate import make_stick
from images import make_shapes
from measure import BOOTKIT, Argv, goal, median, mib, processor_time, run, table

COUNT = 1000
COLD = 0.45
"""P for each image."""
LIMITS = {"generate with one image more": 36, "list": 27, "check": 36}
MEMORY = 80 << 20
RUNS = 3
SAID = (0, 6, 7, 8)
"""Exit statuses of ``check``: a folder of this computer is on whatever file system it has."""


def measure(folder: Path) -> None:
    shapes = make_shapes(folder)[:3]
    stick = make_stick(folder / "stick", shapes, COUNT)
    unit = processor_time()
    generate: Argv = [BOOTKIT, "generate", "--stick", stick]
    cold = run(generate)
    number = iter(range(RUNS + 1))

    def one_more() -> None:
        os.link(shapes[0], stick / f"boot/iso/one-more-{next(number)}.iso")

    costs = {
        "generate with one image more": median(generate, runs=RUNS, before=one_more),
        "list": median([BOOTKIT, "list", "--stick", stick], runs=RUNS),
        "check": median([BOOTKIT, "check", "--stick", stick], runs=RUNS, ok=SAID),
    }
    rows = [[name, f"{cost.cpu / unit:.0f} P", mib(cost.peak)] for name, cost in costs.items()]
    rows.insert(0, ["generate, the first time", f"{cold.cpu / unit:.0f} P", mib(cold.peak)])
    table(f"{COUNT} images of three shapes, a stick in a folder", ["command", "CPU", "peak"], rows)
    each = cold.cpu / unit / COUNT
    goal("generate, cold, for each image", f"{each:.2f} P", f"at most {COLD} P", met=each <= COLD)
    for name, limit in LIMITS.items():
        ratio = costs[name].cpu / unit
        goal(f"{name}, at {COUNT}", f"{ratio:.0f} P", f"at most {limit} P", met=ratio <= limit)
    peak = max(cold.peak, *(cost.peak for cost in costs.values()))
    goal(f"memory of any of them, at {COUNT}", mib(peak), f"at most {mib(MEMORY)}", met=peak <= MEMORY)
