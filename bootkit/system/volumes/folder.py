"""A mounted data partition: plain files."""

import errno
import hashlib
import io
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bootkit.errors import BootkitError, HostError, RightsMissing
from bootkit.formats.reader import Extent, HostFileIO
from bootkit.i18n import tr
from bootkit.model.filesystem import BTRFS, FILE_SYSTEMS, NTFS, file_system, names_of
from bootkit.system.beneath import open_folder, open_inside, sync_file_system
from bootkit.system.direct import DirectWriter, ReadAhead, chunks_past_cache
from bootkit.system.extents import file_extents, ntfs_extents
from bootkit.system.holes import DataDigest, Part, data_parts
from bootkit.system.loops import loop_of
from bootkit.system.volume import CHUNK, FileStat, Progress, is_zeros, mode_of, parts_in_chunks, parts_of

_ALLOCATING = (*names_of(one for one in FILE_SYSTEMS if one.has_holes), "tmpfs")
"""Where setting room aside is one cheap call; elsewhere the C library would write every block to do it."""
_OWN_ADDRESSES = (BTRFS.name, "zfs", "bcachefs", "overlay")
"""Where the places that the kernel tells are not those on a partition."""
_NOTHING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
"""What the kernel says where nothing lies: a link that leads round in a circle is like one that leads nowhere."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BY_UUID = Path("/dev/disk/by-uuid")

_Place = tuple[int, str]
"""A descriptor of a folder, and a name in it."""


class FolderVolume:
    """The partition that is mounted at ``root``; a plain folder does as well.

    The folder is held open: nothing outside of it is read or written, whatever links lie on the stick.
    """

    def __init__(self, root: Path) -> None:
        self.where = os.fspath(root)
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.filesystem, self._source = _mount_of(os.fstat(self._root).st_dev)

    @property
    def uuid(self) -> str:
        if not _BY_UUID.is_dir():
            return ""
        return next((link.name for link in _BY_UUID.iterdir() if os.fspath(link.resolve()) == self._source), "")

    def listdir(self, path: str) -> tuple[FileStat, ...]:
        with self._errors(path):
            try:
                folder = open_inside(self._root, parts_of(path), os.O_RDONLY | os.O_DIRECTORY)
            except OSError as error:
                if error.errno in _NOTHING:
                    return ()
                raise
            try:
                with os.scandir(folder) as entries:
                    found = tuple(self._members(path, entries))
            finally:
                os.close(folder)
        return tuple(sorted(found, key=lambda stat: stat.name))

    def stat(self, path: str) -> FileStat | None:
        with self._errors(path):
            try:
                descriptor = open_inside(self._root, parts_of(path), os.O_PATH)
            except OSError as error:
                if error.errno in _NOTHING:
                    return None
                raise
            try:
                return _file_stat(path.rpartition("/")[2], os.fstat(descriptor))
            finally:
                os.close(descriptor)

    def open(self, path: str) -> BinaryIO:
        return io.BufferedReader(self._opened(path))

    def reread(self, path: str, progress: Progress) -> Iterator[bytes | memoryview]:
        with self.open(path) as file:
            size = os.fstat(file.fileno()).st_size
            yield from chunks_past_cache(file.fileno(), ((0, size),), file, progress)

    def write(self, files: Mapping[str, bytes]) -> None:
        with ExitStack() as stack:
            places = self._places(files, stack)
            stack.callback(self._forget_parts, tuple(places.values()))
            for path, (folder, name) in places.items():
                with self._errors(path), open(_new(folder, _part(name), mode_of(path)), "wb") as writer:
                    writer.write(files[path])
            self.flush()
            for path, (folder, name) in places.items():
                with self._errors(path):
                    os.rename(_part(name), name, src_dir_fd=folder, dst_dir_fd=folder)
            self.flush()

    def copy_in(self, source: Path, path: str, progress: Progress, *, sparse: bool = False) -> str:
        with ExitStack() as stack, source.open("rb") as reader:
            ((folder, name),) = self._places((path,), stack).values()
            with self._errors(path):
                descriptor = _new(folder, name, mode_of(path))
                try:
                    return self._copied(reader, descriptor, progress, sparse=sparse)
                except BaseException:
                    os.unlink(name, dir_fd=folder)
                    raise
                finally:
                    os.close(descriptor)

    @contextmanager
    def incoming(self, path: str) -> Generator[Path]:
        with ExitStack() as stack:
            ((folder, name),) = self._places((path,), stack).values()
            with self._errors(path):
                descriptor = _new(folder, name, mode_of(path))
            stack.callback(os.close, descriptor)
            stack.callback(self._forget, folder, name)
            yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")

    def rename(self, old: str, new: str) -> None:
        with ExitStack() as stack, self._errors(new):
            ((target, new_name),) = self._places((new,), stack).values()
            with self._place(old) as (source, old_name):
                os.rename(old_name, new_name, src_dir_fd=source, dst_dir_fd=target)

    def remove(self, path: str) -> None:
        with self._errors(path), self._place(path) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def loop(self, path: str) -> str:
        with self._errors(path):
            try:
                descriptor = open_inside(self._root, parts_of(path), os.O_PATH)
            except OSError as error:
                if error.errno in _NOTHING:
                    return ""
                raise
            try:
                return loop_of(os.fstat(descriptor))
            finally:
                os.close(descriptor)

    def extents(self, path: str) -> tuple[Extent, ...] | None:
        if self.filesystem in _OWN_ADDRESSES:
            return None
        with self._errors(path), self._opened(path) as file:
            host = Path(f"/proc/self/fd/{file.fileno()}")
            told = ntfs_extents(Path(self._source), path, host) if file_system(self.filesystem) is NTFS else None
            return file_extents(host) if told is None else told

    def data_parts(self, path: str) -> Iterator[Part]:
        with self._errors(path), self._opened(path) as file:
            yield from data_parts(file.fileno(), os.fstat(file.fileno()).st_size)

    def free(self) -> int:
        status = os.fstatvfs(self._root)
        return status.f_bavail * status.f_frsize

    def flush(self) -> None:
        with self._errors(""):
            sync_file_system(self._root)

    def close(self) -> None:
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _opened(self, path: str) -> HostFileIO:
        parts = parts_of(path)
        return HostFileIO(
            Path(f"{self.where}{path}"), lambda _name, flags: open_inside(self._root, parts, flags & ~os.O_CREAT)
        )

    def _members(self, path: str, entries: Iterable[os.DirEntry[str]]) -> Iterable[FileStat]:
        for entry in entries:
            if entry.is_symlink():
                found = self.stat(f"{path.rstrip('/')}/{entry.name}")
                if found is not None:
                    yield found
            elif entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False):
                yield _file_stat(entry.name, entry.stat(follow_symlinks=False))

    def _places(self, paths: Iterable[str], stack: ExitStack) -> dict[str, _Place]:
        """The folders of paths, made where they are not there, and their names; open until ``stack`` ends."""
        folders: dict[tuple[str, ...], int] = {}
        places: dict[str, _Place] = {}
        for path in paths:
            *above, name = parts_of(path)
            if tuple(above) not in folders:
                with self._errors(path):
                    folders[tuple(above)] = open_folder(self._root, above, make=True)
                stack.callback(os.close, folders[tuple(above)])
            places[path] = (folders[tuple(above)], name)
        return places

    @contextmanager
    def _place(self, path: str) -> Generator[_Place]:
        """The same for one path whose folder is there."""
        *above, name = parts_of(path)
        folder = open_folder(self._root, above)
        try:
            yield folder, name
        finally:
            os.close(folder)

    def _forget_parts(self, places: Iterable[_Place]) -> None:
        for folder, name in places:
            self._forget(folder, _part(name))

    def _forget(self, folder: int, name: str) -> None:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)

    def _copied(self, reader: BinaryIO, target: int, progress: Progress, *, sparse: bool) -> str:
        size = os.fstat(reader.fileno()).st_size
        if sparse:
            checksum = _copy_parts(reader, target, size, progress)
        else:
            if self.filesystem in _ALLOCATING and size:
                os.posix_fallocate(target, 0, size)
            digest = hashlib.sha256()
            parts = tuple(parts_in_chunks(((0, size),)))
            # the kernel's FAT and exFAT go past the cache only where a file has its clusters already
            with DirectWriter(target, direct=self.filesystem in _ALLOCATING) as writer:
                for (at, _), chunk in zip(parts, ReadAhead(reader.fileno(), parts), strict=True):
                    digest.update(chunk)
                    writer.write(at, chunk)
                    progress(at + len(chunk))
            checksum = digest.hexdigest()
        os.ftruncate(target, size)
        os.fsync(target)
        os.posix_fadvise(target, 0, 0, os.POSIX_FADV_DONTNEED)
        return checksum

    @contextmanager
    def _errors(self, path: str) -> Generator[None]:
        try:
            yield
        except HostError:
            raise
        except PermissionError as error:
            raise RightsMissing(f"{self.where}{path}: {error.strerror}") from error
        except OSError as error:
            hint = tr("is the stick still plugged in, and mounted writable?")
            raise BootkitError(f"{self.where}{path}: {error.strerror or error}", hint=hint) from error


def _mount_of(device: int) -> tuple[str, str]:
    """The file system's kind and the node of the mount of a device number."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
        fields = line.split()
        if fields[2] == wanted:
            kind, source = fields[fields.index("-") + 1 :][:2]
            return kind, source
    return "", ""


def _file_stat(name: str, stat: os.stat_result) -> FileStat:
    is_dir = (stat.st_mode & 0o170000) == 0o040000
    return FileStat(name=name, is_dir=is_dir, size=0 if is_dir else stat.st_size, mtime_ns=stat.st_mtime_ns)


def _part(name: str) -> str:
    return f".{name}.part"


def _new(folder: int, name: str, mode: int) -> int:
    """A descriptor of a new file, in the place of what has this name: what that links to is left alone."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    return os.open(name, _NEW, mode, dir_fd=folder)


def _copy_parts(reader: BinaryIO, target: int, size: int, progress: Progress) -> str:
    """Copy what is no hole and not all zeros; a file system without holes fills in the rest by itself, if it has to."""
    digest = DataDigest()
    for at, length in parts_in_chunks(data_parts(reader.fileno(), size)):
        chunk = os.pread(reader.fileno(), length, at)
        digest.add(at, chunk)
        if not is_zeros(chunk):
            os.lseek(target, at, os.SEEK_SET)
            _write_all(target, chunk)
        progress(at + length)
    progress(size)
    return digest.of_size(size)


def _write_all(descriptor: int, chunk: bytes | memoryview) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view[:CHUNK]) :]
