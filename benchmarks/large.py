"""A stick with a thousand images: what each command costs when one more has come, and how much memory it takes.

No image is a copy of another: each has a label of its own, and they differ in version and in the titles of their menus. Of three
shapes they are all the same, and their kernels and initrds hold nothing, so that reading those is not measured. Each starts by
a signed shim, as nearly every image does: what is known of it is most of an image's record.
"""

from itertools import count
from pathlib import Path

from images import make_shapes, make_varied
from measure import BOOTKIT, Argv, goal, median, mib, processor_time, run, table

COUNT = 1000
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
"""Of Debian's package shim-signed."""
COLD = 0.45
"""P for each image."""
LIMITS = {"generate with one image more": 36, "list": 27, "check": 36}
MEMORY = 80 << 20
RUNS = 3
SAID = (0, 6, 7, 8)
"""Exit statuses of ``check``: a folder of this computer is on whatever file system it has."""


def measure(folder: Path) -> None:
    shim = SHIM if SHIM.exists() else None
    shapes = make_shapes(folder, shim=shim)[:3]
    stick = folder / "stick"
    (stick / "boot/bootkit").mkdir(parents=True)
    (stick / "boot/bootkit/stick.toml").write_text("[stick]\n", encoding="utf-8")
    (stick / "boot/iso").mkdir()
    for number in range(COUNT):
        make_varied(shapes, stick / "boot/iso", number)
    unit = processor_time()
    generate: Argv = [BOOTKIT, "generate", "--stick", stick]
    cold = run(generate)
    more = count(COUNT)
    costs = {
        "generate with one image more": median(
            generate, runs=RUNS, before=lambda: make_varied(shapes, stick / "boot/iso", next(more))
        ),
        "list": median([BOOTKIT, "list", "--stick", stick], runs=RUNS),
        "check": median([BOOTKIT, "check", "--stick", stick], runs=RUNS, ok=SAID),
    }
    rows = [[name, f"{cost.cpu / unit:.0f} P", mib(cost.peak)] for name, cost in costs.items()]
    rows.insert(0, ["generate, the first time", f"{cold.cpu / unit:.0f} P", mib(cold.peak)])
    started = "with a shim" if shim else f"without a shim, for there is no {SHIM}"
    table(
        f"{COUNT} images, no two the same, of three shapes, {started}; a stick in a folder",
        ["command", "CPU", "peak"],
        rows,
    )
    each = cold.cpu / unit / COUNT
    goal("generate, cold, for each image", f"{each:.2f} P", f"at most {COLD} P", met=each <= COLD)
    for name, limit in LIMITS.items():
        ratio = costs[name].cpu / unit
        goal(f"{name}, at {COUNT}", f"{ratio:.0f} P", f"at most {limit} P", met=ratio <= limit)
    peak = max(cold.peak, *(cost.peak for cost in costs.values()))
    goal(f"memory of any of them, at {COUNT}", mib(peak), f"at most {mib(MEMORY)}", met=peak <= MEMORY)
