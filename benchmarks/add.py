"""Copying one image of 2 GiB: bootkit's checked copy against the three commands that do the same by hand."""

import os
from pathlib import Path

from generate import make_stick
from images import SHAPES, make_iso, make_tree
from measure import BOOTKIT, Argv, forget, goal, median, mib, seconds, table

SIZE = 2 << 30
RATIO = 0.5


def measure(folder: Path) -> None:
    image = make_full(folder)
    stick = make_stick(folder / "stick", [], 0)
    copied = stick / "boot/iso" / image.name
    by_hand = folder / "copy.iso"

    def fresh() -> None:
        for path in (copied, by_hand):
            path.unlink(missing_ok=True)
        forget(image)

    script = 'cp "$1" "$2" && sync "$2" && sha256sum "$1" "$2"'
    commands: dict[str, Argv] = {
        "cp; sync; sha256sum of both": ["sh", "-c", script, "sh", image, by_hand],
        "bootkit add": [BOOTKIT, "add", "--stick", stick, image],
    }
    costs = {name: median(argv, runs=3, before=fresh).seconds for name, argv in commands.items()}
    hand, ours = costs.values()
    rows = [
        [name, seconds(cost), f"{cost / hand:.2f}", f"{SIZE / cost / 1e6:.0f} MB/s"] for name, cost in costs.items()
    ]
    table(f"add: one image of {mib(SIZE)}, same disk", ["command", "wall", "ratio", "rate"], rows)
    print("`bootkit add` reads the copy from the disk, not from the page cache, and writes the menu.\n")
    goal(
        f"add, mounted, {mib(SIZE)}, wall time",
        seconds(ours),
        f"at most {RATIO} times",
        met=ours / hand <= RATIO,
        peer=f"cp; sync; sha256sum of both: {seconds(hand)}",
        ratio=ours / hand,
    )


def make_full(folder: Path) -> Path:
    """A small casper image, filled up with bytes that no file system makes smaller."""
    make_tree(folder / "tree", SHAPES["casper"])
    image = folder / "full.iso"
    make_iso(folder / "tree", image)
    with image.open("ab") as target:
        while (left := SIZE - target.tell()) > 0:
            target.write(os.urandom(min(left, 1 << 20)))
    return image
