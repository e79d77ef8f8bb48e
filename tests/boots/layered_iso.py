"""The live system of :mod:`tests.boots.live_iso` once more, its root in two layers: the upper one adds a file and takes one away."""

import subprocess
from pathlib import Path

ADDED, GONE = "etc/upper", "etc/motd"


def layered_iso(iso: Path, work: Path) -> Path:
    """The ISO file, new in ``work``."""
    tree, upper, order, made = (work / name for name in ("upper", "upper.squashfs", "filesystem.module", "layered.iso"))
    (tree / ADDED).parent.mkdir(parents=True)
    (tree / ADDED).write_text("upper\n")
    squash: list[str | Path] = [
        "mksquashfs",
        tree,
        upper,
        "-quiet",
        "-no-progress",
        "-all-root",
        "-p",
        f"{GONE} c 644 0 0 0 0",
    ]
    subprocess.run(squash, check=True, stdout=subprocess.DEVNULL)
    order.write_text(f"filesystem.squashfs\n{upper.name}\n")
    added = [word for file in (upper, order) for word in ("-map", file, f"/live/{file.name}")]
    subprocess.run(["xorriso", "-indev", iso, "-outdev", made, *added], check=True, capture_output=True)
    return made
