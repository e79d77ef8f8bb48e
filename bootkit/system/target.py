"""The disk, or the file that stands for one, held open for as long as it is written.

Exclusive: nobody can mount a disk that is open with O_EXCL, and none that is mounted can be opened so. Locked: udev and
the desktop keep their hands off a disk with a lock (systemd, "Locking block device access").
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from bootkit.errors import BootkitError, CommandFailed, DeviceRefused, HostError
from bootkit.i18n import tr
from bootkit.model.prepare import SECTOR, Target
from bootkit.system.devices import device_at, read_host
from bootkit.system.holes import data_parts
from bootkit.system.medium import medium_of, require_unused
from bootkit.system.run import run, which

CHUNK = 1 << 20
_BLKRRPART, _BLKFLSBUF = 0x125F, 0x1261
_NO_BLOCK = bytes(CHUNK)
Moved = Callable[[int, int], None]
"""Called with the bytes done and the bytes there are."""


class OpenTarget:
    """Bytes at offsets of the target; made by :func:`open_target`."""

    def __init__(self, target: Target, descriptor: int) -> None:
        self.path = Path(target.path)
        self.is_device = target.is_device
        self._descriptor = descriptor

    def read(self, offset: int, size: int) -> bytes:
        """Exactly ``size`` bytes.

        Raises:
            BootkitError: the medium cannot be read there, or ends before.
        """
        parts: list[bytes] = []
        while size:
            try:
                part = os.pread(self._descriptor, min(size, CHUNK), offset)
            except OSError as error:
                raise self._failed("read", offset, error) from error
            if not part:
                raise BootkitError(
                    tr("{path} ends at byte {offset}", path=self.path, offset=offset),
                    hint=tr("a stick that lies about its size? Try another"),
                )
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)

    def write(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                done = os.pwrite(self._descriptor, view[:CHUNK], offset)
            except OSError as error:
                raise self._failed("written", offset, error) from error
            view, offset = view[done:], offset + done

    def resize(self, size: int) -> None:
        """Make a file ``size`` bytes of zeros, whatever was in it before; not for a device."""
        try:
            os.ftruncate(self._descriptor, 0)
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            raise self._failed("made that large", size, error) from error

    def put(self, source: Path, offset: int, moved: Moved = lambda _done, _size: None) -> None:
        """Copy the parts of ``source`` that hold data to ``offset``; in a file zeros stay holes."""
        for start, chunk in _watched(source, moved):
            if self.is_device or chunk != _NO_BLOCK[: len(chunk)]:
                self.write(offset + start, chunk)

    def differs(self, source: Path, offset: int, moved: Moved = lambda _done, _size: None) -> int | None:
        """The first place where the target is not what :meth:`put` wrote, in bytes; ``None`` if there is none."""
        for start, chunk in _watched(source, moved):
            if self.read(offset + start, len(chunk)) != chunk:
                return offset + start
        return None

    def flush(self) -> None:
        """Return when everything is on the medium and nothing of it in memory: what is read next comes from the medium."""
        try:
            os.fsync(self._descriptor)
            if self.is_device:
                fcntl.ioctl(self._descriptor, _BLKFLSBUF, 0)
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        except OSError as error:
            raise self._failed("written", 0, error) from error

    def show_partitions(self) -> None:
        """Let the kernel read the new partition table. That it cannot is no failure: replugging does it, too."""
        if not self.is_device:
            return
        try:
            fcntl.ioctl(self._descriptor, _BLKRRPART, 0)
        except OSError:
            if which("partx"):
                with suppress(CommandFailed):
                    run(["partx", "-u", self.path], timeout=30)

    def _failed(self, what: str, offset: int, error: OSError) -> BootkitError:
        hint = (
            tr("try another port, then another stick: this one may be worn out or counterfeit")
            if self.is_device
            else ""
        )
        return BootkitError(
            tr(
                "{path} cannot be {what} at byte {offset}: {strerror}",
                path=self.path,
                what=what,
                offset=offset,
                strerror=error.strerror,
            ),
            hint=hint,
        )


@contextmanager
def open_target(target: Target) -> Generator[OpenTarget]:
    """Hold the target of a plan for writing. A file that did not exist before is gone again if the block fails.

    Raises:
        DeviceRefused: it is in use, read-only, or no longer the disk that the plan names.
        BootkitError: it cannot be opened.
    """
    made = not target.is_device and not Path(target.path).exists()
    if not target.is_device and not made:
        require_unused(Path(target.path), medium_of(Path(target.path)))
    descriptor = _open(target)
    try:
        _lock(target, descriptor)
        _check_identity(target, descriptor)
        yield OpenTarget(target, descriptor)
    except BaseException:
        if made:
            Path(target.path).unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    if target.is_device and which("udevadm"):
        with suppress(BootkitError):
            run(["udevadm", "settle", "--timeout=10"], timeout=20)


def data_chunks(source: Path) -> Iterable[tuple[int, bytes]]:
    """The parts of a sparse file that are not holes, in pieces: offset and bytes."""
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for start, length in data_parts(descriptor, os.fstat(descriptor).st_size):
            for at in range(start, start + length, CHUNK):
                yield at, os.pread(descriptor, min(CHUNK, start + length - at), at)
    finally:
        os.close(descriptor)


def _watched(source: Path, moved: Moved) -> Iterable[tuple[int, bytes]]:
    """The parts of ``source`` that are not holes, with ``moved`` told behind each."""
    done, size = 0, source.stat().st_blocks * 512
    for start, chunk in data_chunks(source):
        yield start, chunk
        done += len(chunk)
        moved(done, max(done, size))


def _open(target: Target) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if target.is_device else os.O_CREAT)
    try:
        return os.open(target.path, flags, 0o644)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise DeviceRefused(tr("{path} is in use", path=target.path), hint=_users_of(target.path)) from error
        if error.errno == errno.EROFS:
            raise DeviceRefused(
                tr("{path} is write-protected", path=target.path), hint=tr("look for a switch on the stick or card")
            ) from error
        raise HostError.of(error, f"{target.path} cannot be opened") from error


def _lock(target: Target, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DeviceRefused(
            tr("another program is working on {path}", path=target.path), hint=tr("wait until it has ended")
        ) from error


def _check_identity(target: Target, descriptor: int) -> None:
    """Refuse an open descriptor that is not the disk of the plan, but one that was plugged in since."""
    status = os.fstat(descriptor)
    if stat.S_ISBLK(status.st_mode) != target.is_device:
        raise DeviceRefused(
            tr("{path} is no longer what it was when the plan was made", path=target.path), hint=tr("start again")
        )
    if not target.is_device:
        return
    now = device_at(read_host(), status.st_rdev)
    if now is None or now.identity != target.identity:
        raise DeviceRefused(
            tr(
                "{path} is another disk than the plan names: {title}",
                path=target.path,
                title=target.title or target.identity.by_id,
            ),
            hint=tr("nothing was written; look at the devices again: bootkit devices"),
        )
    if os.lseek(descriptor, 0, os.SEEK_END) // SECTOR != target.size // SECTOR:
        raise DeviceRefused(
            tr("{path} has another size than the plan names", path=target.path), hint=tr("nothing was written")
        )


def _users_of(path: str) -> str:
    """A hint with the processes that have a device or its partitions open, as far as we may look."""
    found: set[str] = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            opened = link.stat()
            if stat.S_ISBLK(opened.st_mode) and opened.st_rdev == Path(path).stat().st_rdev:
                found.add(f"{(link.parent.parent / 'comm').read_text().strip()} ({link.parent.parent.name})")
    return f"these programs have it open: {', '.join(sorted(found))}" if found else "unmount it, and close what uses it"
