"""``disk add`` of a packed installed system of 4 GiB, against the three commands that unpack, write out and hash one by hand."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from generate import make_stick
from measure import BOOTKIT, Argv, forget, goal, in_turns, mib, run, seconds, table

from bootkit.system.diskimage import grow_disk

SIZE = 4 << 30
DATA = 2 << 30
"""Bytes of it that are no zeros, about: what a desktop takes of a fresh installation. Half of each block can be packed."""
RATIO = 1.1
RUNS = 3
_BLOCK = 1 << 20


def measure(folder: Path) -> None:
    packed = packed_disk(folder)
    stick = make_stick(folder / "stick", [], 0)
    copied, by_hand = stick / "boot/disk/debian.raw", folder / "debian.raw"

    def fresh() -> None:
        for path in (copied, by_hand):
            path.unlink(missing_ok=True)
        forget(packed)

    script = 'zstd -q -d "$1" -o "$2" && sync "$2" && sha256sum "$2"'
    commands: dict[str, Argv] = {
        "zstd -d; sync; sha256sum": ["sh", "-c", script, "sh", packed, by_hand],
        "bootkit disk add": [BOOTKIT, "disk", "add", "--stick", stick, "--name", "debian", packed],
    }
    costs = in_turns(commands, runs=RUNS, before=fresh, warm=0)
    hand, ours = costs.values()
    table(
        f"disk add: {mib(SIZE)} of raw disk, {mib(packed.stat().st_size)} as it comes, same disk",
        ["command", "wall", "ratio", "processors", "ratio"],
        [
            [
                name,
                seconds(cost.seconds),
                f"{cost.seconds / hand.seconds:.2f}",
                seconds(cost.cpu),
                f"{cost.cpu / hand.cpu:.2f}",
            ]
            for name, cost in costs.items()
        ],
    )
    for what, mine, theirs in (("wall", ours.seconds, hand.seconds), ("processor", ours.cpu, hand.cpu)):
        goal(
            f"disk add, mounted, {mib(SIZE)} raw.zst, {what} time",
            seconds(mine),
            f"at most {RATIO} times",
            met=mine / theirs <= RATIO,
            peer=f"zstd -d; sync; sha256sum: {seconds(theirs)}",
            ratio=mine / theirs,
        )


def packed_disk(folder: Path) -> Path:
    """The tests' installed Debian, grown to 4 GiB and filled, as its maker would offer it: packed by zstd."""
    disk = folder / "debian.raw"
    shutil.copy(installed_disk(), disk)
    grow_disk(disk, SIZE, folder)
    filling = folder / "filling"
    with filling.open("wb") as file:
        for number in range(DATA // _BLOCK):
            file.write(os.urandom(_BLOCK // 2) + hashlib.sha256(b"%d" % number).digest() * (_BLOCK // 64))
    _put_in(filling, disk)
    filling.unlink()
    packed = folder / "debian.raw.zst"
    run(["zstd", "-q", "-T0", "-3", "--rm", disk, "-o", packed])
    return packed


def installed_disk() -> Path:
    """The installed system of the boot tests, built out of Debian's packages once and kept in the user's cache."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.boots.disk_image import cached_disk_image
    from tests.boots.live_iso import host_suite

    return cached_disk_image(host_suite(), "initramfs-tools")


def _put_in(file: Path, disk: Path) -> None:
    """Put a file into the root of the last partition of a disk, an ext4."""
    from bootkit.formats.partitions import read_partitions

    with disk.open("rb") as fh:
        root = max(read_partitions(fh).partitions, key=lambda row: row.start)
    run(["debugfs", "-w", "-R", f"write {file} /filling", f"{disk}?offset={root.start}"])
