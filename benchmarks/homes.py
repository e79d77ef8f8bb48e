"""Making an empty home of 4 GiB: on each file system that a stick is written on while it is not mounted, and encrypted."""

import os
from pathlib import Path

from images import data_partition
from measure import BOOTKIT, goal, in_units, run, table

from bootkit.formats.fat import read_geometry
from bootkit.formats.reader import Window
from bootkit.system.fsimage import make_ext4
from bootkit.system.holes import data_parts
from bootkit.system.volume import parts_in_chunks
from bootkit.units import parse_size

SIZE = 4 << 30
LIMIT = 25
"""P"""
BLOCK = 4096
PLACED = 200_000
"""Bytes for the name of a file and for where it lies."""
ENCRYPTED = 1 << 30
RATIO = 1.2
HEADER = 8 << 20
FILE_SYSTEMS = {"ext4": "4G", "exfat": "4G", "fat32": "4095M"}
"""FAT32 holds no file of 4 GiB."""


def measure(folder: Path) -> None:
    rows: list[list[str]] = []
    alone = folder / "alone"
    make_ext4(alone, SIZE, label="anna", owner=(1000, 1000))
    theirs = _other_than_zeros(alone)
    alone.unlink()
    for kind, size in FILE_SYSTEMS.items():
        stick = folder / f"{kind}.img"
        run([BOOTKIT, "prepare", stick, "--size", "8G", "--data-fs", kind, "--yes"])
        before = stick.stat().st_blocks
        found, _ = in_units([BOOTKIT, "home", "create", "anna", "--stick", stick, "--size", size])
        written = (stick.stat().st_blocks - before) * 512
        rows.append([kind, f"{found:.0f} P", f"{written / 1e6:.1f} MB"])
        goal(f"home create --size {size}, {kind}", f"{found:.0f} P", f"at most {LIMIT} P", met=found <= LIMIT)
        # of FAT, its tables: two, an entry of four bytes for each cluster
        limit = theirs + PLACED + (8 * parse_size(size) // _cluster_size(stick) if kind == "fat32" else 0)
        goal(
            f"- written for it, {kind}",
            f"{written / 1e6:.1f} MB",
            f"at most {limit / 1e6:.1f} MB",
            met=written <= limit,
            peer=f"mke2fs {theirs / 1e6:.1f} MB",
        )
        stick.unlink()
    table("home create: an empty one, in an image file", ["file system", "CPU", "written"], rows)
    _encrypted(folder)


def _other_than_zeros(path: Path) -> int:
    """Bytes in blocks of 4 KiB that hold something: most of what mke2fs writes are zeros, which need not be."""
    with path.open("rb") as file:
        parts = parts_in_chunks(data_parts(file.fileno(), SIZE))
        read = b"".join(os.pread(file.fileno(), length, at) for at, length in parts)
    return sum(BLOCK for at in range(0, len(read), BLOCK) if read[at : at + BLOCK].count(0) < BLOCK)


def _cluster_size(stick: Path) -> int:
    data = data_partition(stick)
    with stick.open("rb") as file:
        return read_geometry(Window(file, data.start, data.size)).cluster_size


def _encrypted(folder: Path) -> None:
    """Against the one pass of cryptsetup that puts LUKS2 around a file system of the same size, by the same cipher."""
    passphrase = folder / "passphrase"
    passphrase.write_text("correct horse", encoding="utf-8")
    alone = folder / "alone"
    with alone.open("wb") as file:
        file.truncate(ENCRYPTED - HEADER)
    run(["mke2fs", "-q", "-F", "-t", "ext4", alone])
    os.truncate(alone, ENCRYPTED + HEADER)
    theirs = run(
        ["cryptsetup", "reencrypt", "--encrypt", "--type", "luks2", "--batch-mode", "--disable-locks",
         "--force-offline-reencrypt", "--reduce-device-size", str(2 * HEADER), "--cipher", "aes-xts-plain64",
         "--key-size", "512", "--pbkdf-memory", "131072", "--pbkdf-parallel", "4", "--pbkdf-force-iterations", "4",
         "--key-file", passphrase, alone]
    )  # fmt: skip
    alone.unlink()
    stick = folder / "stick.img"
    run([BOOTKIT, "prepare", stick, "--size", "3G", "--yes"])
    ours = run(
        [
            BOOTKIT,
            "home",
            "create",
            "anna",
            "--stick",
            stick,
            "--size",
            "1G",
            "--encrypt",
            "--passphrase-file",
            passphrase,
        ]
    )
    ratio = ours.cpu / theirs.cpu
    goal(
        "home create --encrypt --size 1G",
        f"{ours.cpu:.2f} s",
        f"at most {RATIO} times",
        met=ratio <= RATIO,
        peer=f"cryptsetup {theirs.cpu:.2f} s",
        ratio=ratio,
    )
