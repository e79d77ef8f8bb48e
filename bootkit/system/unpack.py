"""What a packed disk unpacks to, as it comes: nobody has to have room for it twice.

A program of the host does it: it knows all variants, and takes a processor of its own.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.formats.diskfile import DiskFormat
from bootkit.i18n import tr
from bootkit.system.holes import DataDigest
from bootkit.system.run import PIPE, popen
from bootkit.system.volume import CHUNK, Progress, is_zeros

_PROGRAMS = {DiskFormat.GZIP: "gzip", DiskFormat.XZ: "xz", DiskFormat.ZSTD: "zstd", DiskFormat.BZIP2: "bzip2"}
_STEP = 64 << 10


def unpacked(kind: DiskFormat, source: Path, progress: Progress) -> Generator[memoryview]:
    """The bytes in pieces of ``CHUNK``, the last one shorter, each good until the next one is asked for.

    ``progress`` hears how much of the packed file was taken.

    Raises:
        BootkitError: it is damaged.
    """
    view = memoryview(bytearray(CHUNK))
    with source.open("rb") as packed, popen([_PROGRAMS[kind], "-dc"], stdin=packed, stdout=PIPE) as process:
        pipe = process.stdout
        assert pipe is not None
        with suppress(OSError):  # who may have no more of it takes what there is
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, CHUNK)
        while count := pipe.readinto(view):  # type: ignore[attr-defined]  # a buffered reader, which fills it
            yield view[:count]
            progress(os.lseek(packed.fileno(), 0, os.SEEK_CUR))  # the child reads with our descriptor
        if process.wait():
            raise BootkitError(
                tr("{source} cannot be unpacked by {programs}", source=source, programs=_PROGRAMS[kind]),
                hint=tr("the download is damaged: download it again"),
            )


def unpack(
    kind: DiskFormat,
    source: Path,
    target: Path,
    progress: Progress,
    *,
    sparse: bool = True,
    grows: Callable[[int, int], None] = lambda _size, _written: None,
) -> str:
    """Unpack into ``target``, which is there and empty; returns the checksum that ``Volume.copy_in`` would give of it.

    With ``sparse`` zeros stay holes. ``grows`` hears of the size before each piece is written, and of how much of that is no hole;
    it may refuse that.
    """
    whole, parts = hashlib.sha256(), DataDigest()
    size = written = 0
    with target.open("r+b", buffering=0) as out:
        for piece in unpacked(kind, source, progress):
            runs = list(_runs(piece)) if sparse else [(0, len(piece))]
            written += sum(end - start for start, end in runs)
            grows(size + len(piece), written)
            for start, end in runs:
                part = piece[start:end]
                if sparse:
                    parts.add(size + start, part)
                else:
                    whole.update(part)
                _write(out.fileno(), part, size + start)
            size += len(piece)
        out.truncate(size)
    return parts.of_size(size) if sparse else whole.hexdigest()


def _runs(piece: memoryview) -> Iterator[tuple[int, int]]:
    """Where what is no zeros begins and ends in a piece, in steps of a few blocks of a file system."""
    begun = -1
    for at in range(0, len(piece), _STEP):
        is_hole = is_zeros(piece[at : at + _STEP])
        if is_hole and begun >= 0:
            yield begun, at
        begun = -1 if is_hole else at if begun < 0 else begun
    if begun >= 0:
        yield begun, len(piece)


def _write(descriptor: int, piece: memoryview, at: int) -> None:
    while piece:
        done = os.pwrite(descriptor, piece, at)
        piece, at = piece[done:], at + done
