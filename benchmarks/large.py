"""A stick with a thousand images: what each command costs when one more has come, and how much memory it takes.

No image is a copy of another: each has a label of its own, and they differ in version and in the titles of their menus. Of three
shapes they are all the same, and their kernels and initrds hold nothing, so that reading those is not measured. Each starts by
a signed shim, as nearly every image does: what is known of it is most of an image's record.
"""

from itertools import count
from pathlib import Path

from images import make_shapes, make_varied
from measure import BOOTKIT, Argv, goal, in_units, mib, table

COUNT = 1000
SHIM = Path("/usr/lib/shim/shimx64.efi.signed")
"""Of Debian's package shim-signed."""
COLD = 0.45
"""P for each image."""
LIMITS = {"generate with one image more": 36, "list": 27, "check": 36}
MEMORY = 80 << 20
RUNS = 5
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
    generate: Argv = [BOOTKIT, "generate", "--stick", stick]
    cold, first = in_units(generate)
    more = count(COUNT)
    costs = {
        "generate with one image more": in_units(
            generate, runs=RUNS, warm=1, before=lambda: make_varied(shapes, stick / "boot/iso", next(more))
        ),
        "list": in_units([BOOTKIT, "list", "--stick", stick], runs=RUNS, warm=1),
        "check": in_units([BOOTKIT, "check", "--stick", stick], runs=RUNS, warm=1, ok=SAID),
    }
    rows = [[name, f"{units:.0f} P", mib(cost.peak)] for name, (units, cost) in costs.items()]
    rows.insert(0, ["generate, the first time", f"{cold:.0f} P", mib(first.peak)])
    started = "with a shim" if shim else f"without a shim, for there is no {SHIM}"
    table(
        f"{COUNT} images, no two the same, of three shapes, {started}; a stick in a folder",
        ["command", "CPU", "peak"],
        rows,
    )
    each = cold / COUNT
    goal("generate, cold, for each image", f"{each:.2f} P", f"at most {COLD} P", met=each <= COLD)
    for name, limit in LIMITS.items():
        ratio, _ = costs[name]
        goal(f"{name}, at {COUNT}", f"{ratio:.0f} P", f"at most {limit} P", met=ratio <= limit)
    peak = max(first.peak, *(cost.peak for _, cost in costs.values()))
    goal(f"memory of any of them, at {COUNT}", mib(peak), f"at most {mib(MEMORY)}", met=peak <= MEMORY)
