"""Copying one image of 2 GiB: bootkit's checked copy against the commands that do the same by hand.

What is mounted stands for a stick that is; here it is a folder. Where nothing is mounted, mtools write to FAT; nothing that is
packaged writes to exFAT, so that a plain copy beside the stick has to do.
"""

import os
from pathlib import Path

from generate import make_stick
from images import SHAPES, data_partition, make_iso, make_tree
from measure import BOOTKIT, Argv, Cost, forget, goal, median, mib, run, seconds, table

SIZE = 2 << 30
RUNS = 1
BY_HAND = 'cp "$1" "$2" && sync "$2" && {hash} "$1" "$2"'
BY_MTOOLS = (
    'mcopy -o -i "$3" "$1" ::/copy.iso && sync "${{3%@@*}}" && {hash} "$1" && mtype -i "$3" ::/copy.iso | {hash}'
)
SLOW, FAST = "sha256sum", "openssl dgst -sha256"
"""The second takes the processor's own instructions for SHA-256, as Python does."""
MOUNTED = {SLOW: 0.5, FAST: 1.1}
UNMOUNTED = 1.0


def measure(folder: Path) -> None:
    image = make_full(folder)
    rows: list[list[str]] = []
    stick = make_stick(folder / "stick", [], 0)
    peers = {f"cp; sync; {name} of both": _shell(BY_HAND, name, image, folder / "copy.iso") for name in MOUNTED}
    ours, theirs = _measured("mounted", stick, image, peers, rows)
    for (name, cost), limit in zip(theirs.items(), MOUNTED.values(), strict=True):
        _judge(f"add, mounted, {mib(SIZE)}", ours, name, cost, limit)
    for kind in ("exfat", "fat32"):
        stick = folder / f"{kind}.img"
        run([BOOTKIT, "prepare", stick, "--size", "6G", "--data-fs", kind, "--yes"])
        if kind == "fat32":
            place = f"{stick}@@{data_partition(stick).start}"
            peers = {f"mcopy; sync; {FAST} of both": _shell(BY_MTOOLS, FAST, image, folder / "copy.iso", place)}
        else:
            peers = {f"cp; sync; {FAST} of both": _shell(BY_HAND, FAST, image, folder / "copy.iso")}
        ours, theirs = _measured(f"{kind}, an image file", stick, image, peers, rows)
        for name, cost in theirs.items():
            _judge(f"add, {kind} image file, {mib(SIZE)}", ours, name, cost, UNMOUNTED)
        stick.unlink()
    table(f"add: one image of {mib(SIZE)}, same disk", ["stick", "command", "CPU", "times ours", "wall"], rows)
    print("`bootkit add` reads the copy from the disk, not from the page cache, and writes the menu.\n")


def _shell(script: str, hasher: str, *arguments: Path | str) -> Argv:
    return ["sh", "-c", script.format(hash=hasher), "sh", *arguments]


def _measured(
    where: str, stick: Path, image: Path, peers: dict[str, Argv], rows: list[list[str]]
) -> tuple[Cost, dict[str, Cost]]:
    """What ours costs and what each of theirs does; the image comes from the disk, and nothing of its name is there."""

    def fresh() -> None:
        run([BOOTKIT, "remove", "--yes", "--stick", stick, image.name], ok=(0, 1, 2, 3, 4))
        (image.parent / "copy.iso").unlink(missing_ok=True)
        forget(image)

    ours = median([BOOTKIT, "add", "--stick", stick, image], runs=RUNS, warm=0, before=fresh)
    theirs = {name: median(argv, runs=RUNS, warm=0, before=fresh) for name, argv in peers.items()}
    for name, cost in {"bootkit add": ours, **theirs}.items():
        rows.append([where, name, seconds(cost.cpu), f"{cost.cpu / ours.cpu:.2f}", seconds(cost.seconds)])
    return ours, theirs


def _judge(work: str, ours: Cost, peer: str, theirs: Cost, limit: float) -> None:
    ratio = ours.cpu / theirs.cpu
    wanted = f"at most {limit} times"
    goal(work, seconds(ours.cpu), wanted, met=ratio <= limit, peer=f"{peer}: {seconds(theirs.cpu)}", ratio=ratio)


def make_full(folder: Path) -> Path:
    """A small casper image, filled up with bytes that no file system makes smaller."""
    make_tree(folder / "tree", SHAPES["casper"])
    image = folder / "full.iso"
    make_iso(folder / "tree", image)
    with image.open("ab") as target:
        while (left := SIZE - target.tell()) > 0:
            target.write(os.urandom(min(left, 1 << 20)))
    return image
