"""ext4 in a file, for homes and persistence: made, checked, and changed in size without root."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootkit.errors import BootkitError, CommandFailed
from bootkit.formats.ext4 import read_superblock
from bootkit.i18n import tr
from bootkit.system.holes import Part
from bootkit.system.makefs import EXT4_FEATURES
from bootkit.system.run import LONG, run
from bootkit.units import format_size

_MENDED, _DAMAGED = 1, 4
_FREE = re.compile(rb"^  Free blocks: (.*)$", re.MULTILINE)
_RUN = re.compile(rb"(\d+)(?:-(\d+))?")
_MINIMUM = re.compile(r"smaller than minimum \((\d+)\)")


def make_ext4(
    path: Path,
    size: int,
    *,
    label: str,
    owner: tuple[int, int] = (0, 0),
    content: Path | None = None,
    folders: Sequence[str] = (),
) -> None:
    """An ext4 of ``size`` bytes in a new file with holes.

    ``content`` is a folder whose files go in, ``folders`` are names of empty ones in its top that belong to root.
    """
    with path.open("xb") as fh:
        fh.truncate(size)
    argv: list[str | Path] = [
        "mke2fs", "-q", "-F", "-t", "ext4", "-m", "0",
        "-O", EXT4_FEATURES,
        "-L", label[:16],
        "-E", f"root_owner={owner[0]}:{owner[1]},lazy_itable_init=0,lazy_journal_init=0,nodiscard",
    ]  # fmt: skip
    if content is not None:
        argv += ["-d", content]
    run([*argv, path], timeout=LONG)
    for folder in folders:
        run(["debugfs", "-w", "-R", f"mkdir {folder}", path])


def used_parts(path: Path) -> Iterator[Part]:
    """What an ext2, ext3 or ext4 in a file uses, its own tables among it.

    Raises:
        BootkitError: it is damaged.
    """
    with path.open("rb") as fh:
        superblock = read_superblock(fh)
    start = 0
    for line in _FREE.findall(run(["dumpe2fs", path], timeout=LONG)):
        for first, last in _RUN.findall(line):
            free = int(first) * superblock.block_size
            if start < free:
                yield start, free - start
            start = (int(last or first) + 1) * superblock.block_size
    if start < superblock.size:
        yield start, superblock.size - start


def check_ext4(path: Path, *, repair: bool) -> tuple[bool, str]:
    """Whether it is sound (now, with ``repair``), and what e2fsck said.

    Raises:
        BootkitError: it is beyond repair.
    """
    statuses = range(_DAMAGED + 1) if not repair else range(_DAMAGED)
    try:
        said = (
            run(["e2fsck", "-f", "-y" if repair else "-n", path], ok=statuses, timeout=LONG)
            .decode(errors="replace")
            .strip()
        )
    except CommandFailed as error:
        raise BootkitError(
            tr("e2fsck cannot mend it: {message}", message=error.message),
            hint=tr("a backup helps: bootkit home restore"),
        ) from error
    try:
        run(["e2fsck", "-f", "-n", path], timeout=LONG)
    except CommandFailed:
        return False, said
    return True, said


def _needed(path: Path, error: CommandFailed) -> str:
    """What resize2fs said, its blocks as bytes."""
    last = (error.stderr.strip().splitlines() or [error.message])[-1]
    blocks = _MINIMUM.search(last)
    if blocks is None:
        return last
    with path.open("rb") as fh:
        return f"the least that resize2fs makes of it is {format_size(int(blocks[1]) * read_superblock(fh).block_size)}"


def resize_ext4(path: Path, size: int) -> None:
    """Make file system and file larger or smaller; what is in it stays.

    Raises:
        BootkitError: it is damaged, or what is in it needs more.
    """
    sound, _ = check_ext4(path, repair=False)
    if not sound:
        raise BootkitError(tr("its file system is damaged"), hint=tr("mend it first: bootkit home check NAME --repair"))
    if size > path.stat().st_size:
        os.truncate(path, size)
    try:
        run(["resize2fs", path, f"{size // 1024}K"], timeout=LONG)
    except CommandFailed as error:
        raise BootkitError(tr("it cannot be made that small: {needed}", needed=_needed(path, error))) from error
    os.truncate(path, size)
