"""What the file systems have in common that are reached through the bytes of an image file or an unmounted device.

Our own readers read them, a :class:`~bootkit.system.writer.Writer` changes them. What is changed is on the medium as a whole or
not at all: the content of new files goes to free room first, all else through :mod:`bootkit.system.redo`.
"""

import abc
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.filesystem import file_system
from bootkit.system import redo
from bootkit.system.direct import DirectWriter, ReadAhead
from bootkit.system.holes import DataDigest, data_parts
from bootkit.system.redo import Piece
from bootkit.system.staged import Staged, Step
from bootkit.system.volume import CHUNK, Progress, is_zeros, parts_in_chunks, parts_of
from bootkit.system.volumes.tree import T, TreeVolume
from bootkit.system.writer import Reserved, Writer

_NO_BLOCK = bytes(CHUNK)
_OTHER_RECORDS = 256 << 10
"""Bytes for records of directories and inodes."""
_WORTHLESS = ".removed.part"
_SMALLEST_SPARE = 512
"""The lowest offset of a spare sector: below it lies the boot sector."""


class _TooFullError(BootkitError):
    """There is no room for the records of a change."""


class RawVolume(TreeVolume[T]):
    """A data partition that is read and written.

    A change that was interrupted is read as if it were complete, and completed before the next one.
    """

    def __init__(self, image: Path, offset: int, size: int, *, held: bool = False) -> None:
        """``held`` says that the caller has opened the device exclusively: nobody could do so a second time."""
        super().__init__(image, offset, size)
        self._held = held
        self._writing: int | None = None
        self._staged: Staged | None = None
        self._writer: Writer | None = None

    @abc.abstractmethod
    def _open_writer(self, staged: Staged) -> Writer: ...

    @abc.abstractmethod
    def _problem(self, staged: Staged, *, replays: bool) -> str | None:
        """Why it must be checked before it is written, as a clause; ``replays`` says that a journal is no reason."""

    @abc.abstractmethod
    def _spare_sector(self, staged: Staged) -> int:
        """The offset of a sector that the file system does not use."""

    @abc.abstractmethod
    def _gap(self, staged: Staged) -> Piece:
        """More whole sectors that it does not use; of no bytes if there are none."""

    @abc.abstractmethod
    def _unused(self) -> tuple[int, int]:
        """Bytes that are free, and how many bytes of tables change if all of them are taken."""

    def free(self) -> int:
        """What the records of the change need is no room for others."""
        unused, tables = self._unused()
        return max(0, unused - tables - _OTHER_RECORDS)

    def write(self, files: Mapping[str, bytes]) -> None:
        with self._changing() as (staged, writer):
            reserved = {path: writer.reserve(len(content), ((0, len(content)),)) for path, content in files.items()}
            for path, content in files.items():
                for at, start, length in _placed(reserved[path]):
                    staged.write_past(at, memoryview(content)[start : start + length])
            for path in files:
                writer.publish(path, reserved[path])

    def copy_in(self, source: Path, path: str, progress: Progress, *, sparse: bool = False) -> str:
        parts_of(path)
        with source.open("rb", buffering=0) as reader, self._changing() as (staged, writer):
            size = os.fstat(reader.fileno()).st_size
            data = tuple(data_parts(reader.fileno(), size)) if sparse else ((0, size),)
            self._require_room(path, sum(length for _, length in data))
            reserved = writer.reserve(size, data)
            checksum = (_pour_parts if sparse else _pour)(reader.fileno(), reserved, staged, progress)
            writer.publish(path, reserved)
        return checksum

    def rename(self, old: str, new: str) -> None:
        with self._changing() as (_, writer):
            writer.rename(old, new)

    def loop(self, path: str) -> str:  # noqa: ARG002
        return ""  # nobody has anything of it open, or it would be mounted

    def remove(self, path: str) -> None:
        """Where nothing is left for the records of the change, they take the room of the file itself.

        Its content counts no more by then: it has the name of a copy that was not completed, which the next command removes.
        """
        name = path.rpartition("/")[2]
        if name.startswith(".") and name.endswith(".part"):
            self._discard(path)
            return
        try:
            with self._changing() as (_, writer):
                writer.remove(path)
        except _TooFullError:
            worthless = path.removesuffix(name) + _WORTHLESS
            self.rename(path, worthless)
            self._discard(worthless)

    def _discard(self, path: str) -> None:
        with self._changing() as (_, writer):
            writer.discard(path)

    def close(self) -> None:
        super().close()
        self._drop()
        if self._writing is not None:
            os.close(self._writing)
            self._writing = None

    @contextmanager
    def _changing(self) -> Generator[tuple[Staged, Writer]]:
        """Everything that is done in the block is on the medium when it ends, or nothing of it if it fails."""
        try:
            staged, writer = self._opened()
            yield staged, writer
            writer.settle()
            redo.commit(staged, self._spare_sector(staged), writer.room, self._gap(staged))
        except redo.NoRoomForRedo:
            self._drop()
            hint = tr("make room: bootkit list, bootkit remove IMAGE; or mount the stick, and remove something there")
            raise _TooFullError(f"{self.where} is so full that nothing can be changed safely", hint=hint) from None
        except OSError as error:
            self._drop()
            raise BootkitError(
                tr("{where} cannot be written: {strerror}", where=self.where, strerror=error.strerror or error)
            ) from error
        except BaseException:
            self._drop()
            raise
        finally:
            self._forget()

    def _opened(self) -> tuple[Staged, Writer]:
        """The partition, open for writing, and the writer of its file system; both are kept until something fails."""
        if self._writing is None:
            self.complete()
            self._writing = _open_to_write(self._image, held=self._held)
        if self._staged is None or self._writer is None:
            staged = Staged(self._writing, self._offset, self._size)
            self._require_problem_free(staged, replays=False)
            self._require_spare_sector(staged)
            self._staged, self._writer = staged, self._open_writer(staged)
        return self._staged, self._writer

    def _drop(self) -> None:
        """Forget a change that was not committed."""
        if self._writer is not None:
            self._writer.close()
        self._staged = self._writer = None

    def require_sound(self) -> None:
        """Refuse to write where the kernel would not cure what is wrong when it mounts the partition.

        Raises:
            BootkitError: what is written now could be lost, or make lost what is there.
        """
        with self._image.open("rb") as fh:
            self._require_problem_free(Staged(fh.fileno(), self._offset, self._size), replays=True)

    def _require_problem_free(self, staged: Staged, *, replays: bool) -> None:
        problem = self._problem(staged, replays=replays)
        if problem:
            raise BootkitError(
                tr("{where} is not written to, because {problem}", where=self.where, problem=problem),
                hint=self._check_hint(),
            )

    def _require_spare_sector(self, staged: Staged) -> None:
        sector = self._spare_sector(staged)
        if sector < _SMALLEST_SPARE or not redo.is_free(staged, sector):
            hint = tr("mount it first, and name the mount point")
            raise BootkitError(
                tr("{where} has no spare sector: it cannot be written safely as it is", where=self.where), hint=hint
            )

    def _check_hint(self) -> str:
        """What to type to have the file system checked."""
        kind = file_system(self.filesystem)
        assert kind is not None  # what is written by our own code is known
        checker = kind.checker
        if kind.is_checked_at_offset:
            return f"let it be mended first: {checker} '{self.where}?offset={self._offset}'"
        if stat.S_ISBLK(self._image.stat().st_mode):
            return f"let it be mended first: sudo {checker} on its data partition"
        size = f"--offset {self._offset} --sizelimit {self._size}"
        return f"let it be mended first: sudo {checker} $(sudo losetup --find --show {size} '{self.where}')"

    def complete(self) -> None:
        """Repeat on the medium what was interrupted when the partition was last written; :meth:`_reader` shows it as if it were.

        Raises:
            BootkitError: the medium may not be written.
        """
        with self._image.open("rb") as fh:
            if self._pending(Staged(fh.fileno(), self._offset, self._size)) is None:
                return
        self._forget()
        descriptor = _open_to_write(self._image, held=self._held)
        try:
            staged = Staged(descriptor, self._offset, self._size)
            steps = self._pending(staged)
            if steps is not None:
                redo.repeat(staged, self._spare_sector(staged), steps)
        finally:
            os.close(descriptor)

    def _pending(self, staged: Staged) -> Sequence[Step] | None:
        sector = self._spare_sector(staged)
        return redo.pending(staged, sector) if sector >= _SMALLEST_SPARE else None

    def _as_completed(self, staged: Staged) -> None:
        for change in chain.from_iterable(self._pending(staged) or ()):
            staged.put(change.at, change.after)

    def _require_room(self, path: str, size: int) -> None:
        free = self.free()
        if size > free:
            hint = tr("make room: bootkit list, bootkit remove IMAGE")
            raise BootkitError(
                tr(
                    "{where}: no room for {path}: {size} bytes needed, {free} free",
                    where=self.where,
                    path=path,
                    size=size,
                    free=free,
                ),
                hint=hint,
            )


@contextmanager
def scratch() -> Generator[Path]:
    """A private folder on the host that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bootkit-") as folder:
        yield Path(folder)


@contextmanager
def nameless_file() -> Generator[Path]:
    """A file of the host that has no name and is gone with this process, however that ends: for what nobody else may read.

    The path leads to it for us and for the programs that we start.
    """
    folder = tempfile.gettempdir()
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:  # a file system without; nothing is in the file yet when it loses its name
        descriptor, name = tempfile.mkstemp(prefix="bootkit-")
        Path(name).unlink()
    try:
        yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _open_to_write(image: Path, *, held: bool) -> int:
    """Exclusively, if it is a device that is not held already: then nobody has mounted it, and nobody can.

    Raises:
        BootkitError: it cannot be opened so.
    """
    exclusive = os.O_EXCL if stat.S_ISBLK(image.stat().st_mode) and not held else 0
    try:
        return os.open(image, os.O_RDWR | os.O_CLOEXEC | exclusive)
    except OSError as error:
        hint = tr("unmount it, or close what uses it") if error.errno == errno.EBUSY else ""
        raise BootkitError(
            tr("{image} cannot be written: {strerror}", image=image, strerror=error.strerror), hint=hint
        ) from error


def _placed(reserved: Reserved) -> Iterator[tuple[int, int, int]]:
    """Where on the partition, from where in the file, and how many bytes, in pieces of at most ``CHUNK``."""
    done = 0
    for at, length in reserved.extents:
        for start in range(0, length if at is not None else 0, CHUNK):
            assert at is not None  # a hole has no pieces
            yield at + start, done + start, min(CHUNK, length - start)
        done += length


def _pour(descriptor: int, reserved: Reserved, staged: Staged, progress: Progress) -> str:
    """Copy a file of the host to where it was given room; returns the SHA-256 of all of it."""
    digest = hashlib.sha256()
    placed = tuple(_placed(reserved))
    parts = ReadAhead(descriptor, [(start, length) for _, start, length in placed])
    with staged.direct_writer() as writer:
        for (at, start, length), chunk in zip(placed, parts, strict=True):
            if len(chunk) < length:
                raise _has_shrunk()
            digest.update(chunk)
            _write(staged, at, chunk, writer)
            progress(start + length)
    progress(reserved.size)
    return digest.hexdigest()


def _pour_parts(descriptor: int, reserved: Reserved, staged: Staged, progress: Progress) -> str:
    """The same for a file with holes, of which only the rest is read; returns its :class:`DataDigest`."""
    digest = DataDigest()
    start = 0
    for at, length in reserved.extents:
        if at is not None:
            _pour_data(descriptor, range(start, start + length), at - start, staged, digest, progress)
        start += length
    progress(reserved.size)
    return digest.of_size(reserved.size)


def _pour_data(
    descriptor: int, part: range, shift: int, staged: Staged, digest: DataDigest, progress: Progress
) -> None:
    """Copy what is no hole of a part of the file, whose bytes lie ``shift`` behind their offset; the rest is zeros there."""

    def zeros(start: int, end: int) -> None:
        for done in _put_zeros(staged, shift + start, end - start):
            progress(done - shift)

    done = part.start
    for begin, size in parts_in_chunks(data_parts(descriptor, part.stop, part.start)):
        zeros(done, begin)
        chunk = _read_all(descriptor, begin, size)
        digest.add(begin, chunk)
        _write(staged, shift + begin, chunk)
        done = begin + size
        progress(done)
    zeros(done, part.stop)


def _put_zeros(staged: Staged, at: int, size: int) -> Iterator[int]:
    """Write zeros to free room, after each piece of which it is said where that ends.

    What is a hole of the image file stays one, and is found in one go, however large it is.
    """
    for begin, length in parts_in_chunks(staged.data_parts(at, size)):
        staged.write_past(begin, _NO_BLOCK[:length])
        yield begin + length


def _write(staged: Staged, at: int, chunk: bytes | memoryview, writer: DirectWriter | None = None) -> None:
    """Write content to free room; zeros stay a hole of the image file where they are one."""
    if not is_zeros(chunk):
        staged.write_past(at, chunk, writer)
        return
    for _ in _put_zeros(staged, at, len(chunk)):
        pass


def _read_all(descriptor: int, at: int, size: int) -> bytes:
    """Exactly ``size`` bytes at ``at``.

    Raises:
        BootkitError: the file has become shorter.
    """
    data = os.pread(descriptor, size, at)
    while len(data) < size:
        more = os.pread(descriptor, size - len(data), at + len(data))
        if not more:
            raise _has_shrunk()
        data += more
    return data


def _has_shrunk() -> BootkitError:
    return BootkitError(
        tr("the file that is copied has become shorter"), hint=tr("wait until nothing changes it any more")
    )
