"""Looking into one image of 60,000 files: bootkit's whole answer against finding and reading one file with others."""

import sys
from pathlib import Path

from images import make_big
from measure import BOOTKIT, NOTHING, Argv, bytes_read, floor, goal, in_turns, mib, seconds, table

CFG = "boot/grub/grub.cfg"

PYCDLIB = f"""
import io, sys, pycdlib
iso = pycdlib.PyCdlib()
iso.open(sys.argv[1])
iso.get_record(rr_path="/{CFG}")
iso.get_file_from_iso_fp(io.BytesIO(), rr_path="/{CFG}")
iso.close()
"""

LIBARCHIVE = f"""
import sys, libarchive
with libarchive.file_reader(sys.argv[1]) as archive:
    for entry in archive:
        if entry.pathname == "{CFG}":
            b"".join(entry.get_blocks())
"""

FASTER_THAN_PYCDLIB = 100
FASTER_THAN_LIBARCHIVE = 3.5
RUNS = 5
LIMIT = 5
"""P"""
BYTES = 64 << 10


def measure(folder: Path) -> None:
    image = make_big(folder)
    inspect: Argv = [BOOTKIT, "inspect", "--json", image]
    cases: dict[str, Argv] = {
        "bootkit inspect --json": inspect,
        "pycdlib: open, get_record, get_file": [sys.executable, "-c", PYCDLIB, image],
        "libarchive-c: iterate, read": [sys.executable, "-c", LIBARCHIVE, image],
        "bsdtar -tf": ["bsdtar", "-tf", image],
        "xorriso -indev -find": ["xorriso", "-indev", image, "-find", "/"],
    }
    costs = in_turns(cases, runs=RUNS)
    read = {name: bytes_read(argv, image.name) for name, argv in cases.items()}
    ours, pycdlib, libarchive = list(costs.values())[:3]
    rows = [
        [
            name,
            seconds(cost.seconds),
            f"{cost.seconds / ours.seconds:.1f}",
            seconds(cost.cpu),
            f"{cost.cpu / ours.cpu:.1f}",
            f"{read[name]:,}",
            f"{'at most ' if cost.peak <= floor() else ''}{mib(cost.peak)}",
        ]
        for name, cost in costs.items()
    ]
    size = image.stat().st_size
    table(
        f"inspect: 60,000 files, {mib(size)}",
        ["program", "wall", "times ours", "CPU", "times ours", "bytes of the image read", "peak memory"],
        rows,
    )
    first = next(iter(read.values()))
    goal("inspect of 60,000 files: read of it", f"{first:,} bytes", f"at most {BYTES:,}", met=first <= BYTES)
    turns = in_turns({"ours": inspect, "nothing": NOTHING}, runs=15)
    units = turns["ours"].cpu / turns["nothing"].cpu
    goal("inspect of 60,000 files", f"{units:.1f} P", f"at most {LIMIT} P", met=units <= LIMIT)
    for name, other, wanted in (
        ("pycdlib", pycdlib, FASTER_THAN_PYCDLIB),
        ("libarchive", libarchive, FASTER_THAN_LIBARCHIVE),
    ):
        factor = other.cpu / ours.cpu
        goal(
            f"inspect of 60,000 files, against {name}",
            seconds(ours.cpu),
            f"{wanted} times as fast",
            met=factor >= wanted,
            peer=f"{name} {seconds(other.cpu)}",
            ratio=factor,
        )
