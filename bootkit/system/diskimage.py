"""Images of whole disks as files of the host: unpacked, converted, with the backup of their GPT at the end, and grown.

All of it is done to a copy without root: no loop device, nothing is mounted. Seen with util-linux 2.38 and e2fsprogs 1.47: of
a file with an offset resize2fs cuts off whatever lies behind the file system, so that a partition is taken out first.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.errors import BootkitError, host_errors
from bootkit.formats.diskfile import DiskFormat, disk_format, leads_elsewhere
from bootkit.formats.partitions import PartitionEntry, read_partitions
from bootkit.formats.reader import read_upto
from bootkit.formats.signatures import filesystem_at
from bootkit.i18n import tr
from bootkit.model.filesystem import EXT4
from bootkit.system.changes import Watcher
from bootkit.system.run import LONG, run
from bootkit.system.target import data_chunks
from bootkit.system.unpack import unpack
from bootkit.units import MIB, format_size

_SECTOR = 512
_MENDED = 1


def format_of(source: Path) -> DiskFormat:
    """What a file of the host is kept in.

    Raises:
        HostError: it cannot be read.
    """
    with host_errors(str(source)), source.open("rb") as fh:
        return disk_format(cast("BinaryIO", fh))


def raw_disk(source: Path, work: Path, watcher: Watcher, *, size: int = 0) -> Path:
    """The disk in ``source`` as a raw file: ``source`` itself, where nothing has to be done to it, else a copy in ``work``.

    ``size`` bytes are what it is to grow to; 0 leaves it as it is.

    Raises:
        BootkitError: it cannot be unpacked, is larger than ``size``, or its last file system cannot grow.
    """
    kind = format_of(source)
    target = work / "disk.raw"
    total = source.stat().st_size
    if kind.is_packed:
        watcher.begin("unpacking", str(source), total)
        target.touch()
        unpack(kind, source, target, watcher.progress)
    elif kind.is_virtual:
        watcher.begin("making a raw disk of", str(source), total)
        _convert(kind, source, target)
    elif size or not is_ready(source):
        watcher.begin("copying", str(source), total)
        run(["cp", "--sparse=always", "--reflink=auto", "--", source, target], timeout=LONG)
    else:
        return source
    watcher.end()
    if size:
        grow_disk(target, size, work)
    end_table(target)
    return target


def grow_disk(disk: Path, size: int, work: Path, *, name: str = "") -> None:
    """Make a disk larger, with its last partition and, where it is an ext4, the file system on that.

    ``name`` is what it is called in messages, where its path says nothing.

    Raises:
        BootkitError: it is that large already, has no partitions, or its file system must be checked first.
    """
    before = disk.stat().st_size
    size = size // MIB * MIB
    if size <= before:
        raise BootkitError(
            tr("{disk} has {before} already", disk=name or disk.name, before=format_size(before)),
            hint=tr("name more than that, or leave the size out"),
        )
    with disk.open("rb") as fh:
        rows = read_partitions(cast("BinaryIO", fh)).partitions
    if not rows:
        raise BootkitError(
            tr("a disk without partitions cannot be made larger here"), hint=tr("grow it from inside: resize2fs")
        )
    last = max(rows, key=lambda row: row.start)
    os.truncate(disk, size)
    edit_table(disk, "-N", str(last.number), script=", +\n")
    with disk.open("rb") as fh:
        table = read_partitions(cast("BinaryIO", fh))
        kind = filesystem_at(cast("BinaryIO", fh), last.start)
    grown = next(row for row in table.partitions if row.number == last.number)
    if kind == EXT4.name:
        _grow_ext4(disk, grown, work)


def _convert(kind: DiskFormat, source: Path, target: Path) -> None:
    with source.open("rb") as fh:
        if leads_elsewhere(cast("BinaryIO", fh)):
            raise BootkitError(
                tr("{source} takes a part of its bytes from another file", source=source),
                hint=tr("put both into one first: qemu-img convert -O raw FILE DISK.raw"),
            )
    run(["qemu-img", "convert", "-f", kind, "-O", "raw", "-S", "64k", source, target], timeout=LONG)


def is_ready(disk: Path) -> bool:
    """Whether a raw disk is whole sectors, with the backup of its GPT in the last one."""
    size = disk.stat().st_size
    with disk.open("rb") as fh:
        header = read_upto(cast("BinaryIO", fh), _SECTOR, 92)
    has_gpt = header[:8] == b"EFI PART"
    return size % _SECTOR == 0 and (not has_gpt or struct.unpack_from("<Q", header, 32)[0] == size // _SECTOR - 1)


def end_table(disk: Path) -> None:
    """The backup of the GPT at the end, where partitioning programs and firmware look for it."""
    size = disk.stat().st_size
    if size % _SECTOR:
        os.truncate(disk, size + -size % _SECTOR)
    if not is_ready(disk):
        edit_table(disk, "--relocate", "gpt-bak-std")


def edit_table(disk: Path, *options: str, script: str = "") -> None:
    """Change the partition table of a disk in a file by sfdisk, which ``script`` tells how."""
    run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", *options, disk], stdin=script.encode())


def mend_ext4(part: Path) -> None:
    """Replay the journal of an ext4 in a file of its own, and mend what needs no question.

    Raises:
        BootkitError: it does.
    """
    try:
        run(["e2fsck", "-f", "-p", part], ok=(0, _MENDED), timeout=LONG)
    except BootkitError as error:
        raise BootkitError(
            tr("its file system is damaged: {message}", message=error.message),
            hint=tr("nothing was changed: start it once, or mend it with e2fsck where bootkit disk take-out puts it"),
        ) from error


def _grow_ext4(disk: Path, partition: PartitionEntry, work: Path) -> None:
    part = work / "partition"
    take_partition(disk, partition, part)
    try:
        mend_ext4(part)
        run(["resize2fs", part], timeout=LONG)
        put_back(part, disk, partition.start)
    finally:
        part.unlink(missing_ok=True)


def take_partition(disk: Path, partition: PartitionEntry, part: Path) -> None:
    """Copy a partition to a file of its own."""
    run(
        ["dd", f"if={disk}", f"of={part}", "bs=1M", "iflag=skip_bytes,count_bytes", f"skip={partition.start}",
         f"count={partition.size}", "conv=sparse", "status=none"],
        timeout=LONG,
    )  # fmt: skip
    os.truncate(part, partition.size)


def put_back(part: Path, disk: Path, offset: int) -> None:
    """Copy what is no hole of a partition in a file of its own to its place."""
    with disk.open("r+b") as out:
        for start, chunk in data_chunks(part):
            os.pwrite(out.fileno(), chunk, offset + start)
