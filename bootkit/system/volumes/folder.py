"""A mounted data partition: plain files."""

import hashlib
import io
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from bootkit.errors import BootkitError, CommandFailed
from bootkit.formats.reader import Extent, HostFileIO
from bootkit.model.filesystem import BTRFS, FILE_SYSTEMS, NTFS, file_system, names_of
from bootkit.system.extents import file_extents, ntfs_extents
from bootkit.system.run import LONG, run
from bootkit.system.volume import CHUNK, FileStat, Progress, chunks_of, mode_of, parts_of

_ALLOCATING = (*names_of(one for one in FILE_SYSTEMS if one.has_holes), "tmpfs")
"""Where setting room aside is one cheap call; elsewhere the C library would write every block to do it."""
_WITH_HOLES = (*_ALLOCATING, "overlay")
_OWN_ADDRESSES = (BTRFS.name, "zfs", "bcachefs", "overlay")
"""Where the places that the kernel tells are not those on a partition."""
_BY_UUID = Path("/dev/disk/by-uuid")


class FolderVolume:
    """The partition that is mounted at ``root``; a plain folder does as well."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.where = os.fspath(root)
        self.filesystem, self._source = _mount_of(self._root)

    @property
    def uuid(self) -> str:
        if not _BY_UUID.is_dir():
            return ""
        return next((link.name for link in _BY_UUID.iterdir() if os.fspath(link.resolve()) == self._source), "")

    def listdir(self, path: str) -> tuple[FileStat, ...]:
        try:
            with os.scandir(self._host(path)) as entries:
                found = [_file_stat(entry.name, entry.stat()) for entry in entries if entry.is_dir() or entry.is_file()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise self._failed(path, error) from error
        return tuple(sorted(found, key=lambda stat: stat.name))

    def stat(self, path: str) -> FileStat | None:
        try:
            return _file_stat(path.rpartition("/")[2], self._host(path).stat())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._failed(path, error) from error

    def open(self, path: str) -> BinaryIO:
        return io.BufferedReader(HostFileIO(self._host(path)))

    def write(self, files: Mapping[str, bytes]) -> None:
        parts = {path: _part(self._host(path)) for path in files}
        try:
            for path, part in parts.items():
                with self._errors(path):
                    part.parent.mkdir(parents=True, exist_ok=True)
                    part.write_bytes(files[path])
            self.flush()
            for path, part in parts.items():
                with self._errors(path):
                    part.replace(self._host(path))
            self.flush()
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)

    def copy_in(self, source: Path, path: str, progress: Progress, *, sparse: bool = False) -> str:
        target = self._host(path)
        digest = hashlib.sha256()
        made = partial(os.open, mode=mode_of(path))
        with self._errors(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with source.open("rb") as reader, open(target, "wb", buffering=0, opener=made) as writer:
                    size = os.fstat(reader.fileno()).st_size
                    holes = sparse and self.filesystem in _WITH_HOLES
                    if self.filesystem in _ALLOCATING and size and not holes:
                        os.posix_fallocate(writer.fileno(), 0, size)
                    for chunk in chunks_of(reader, progress):
                        digest.update(chunk)
                        if holes and chunk.count(0) == len(chunk):
                            os.lseek(writer.fileno(), len(chunk), os.SEEK_CUR)
                        else:
                            _write_all(writer.fileno(), chunk)
                    os.ftruncate(writer.fileno(), size)
                    os.fsync(writer.fileno())
                    os.posix_fadvise(writer.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            except BaseException:
                target.unlink(missing_ok=True)
                raise
        return digest.hexdigest()

    def rename(self, old: str, new: str) -> None:
        with self._errors(new):
            self._host(new).parent.mkdir(parents=True, exist_ok=True)
            self._host(old).replace(self._host(new))

    def remove(self, path: str) -> None:
        with self._errors(path):
            self._host(path).unlink()

    def extents(self, path: str) -> tuple[Extent, ...] | None:
        if self.filesystem in _OWN_ADDRESSES:
            return None
        host = self._host(path)
        with self._errors(path):
            told = ntfs_extents(Path(self._source), path, host) if file_system(self.filesystem) is NTFS else None
            return file_extents(host) if told is None else told

    def free(self) -> int:
        return shutil.disk_usage(self._root).free

    def flush(self) -> None:
        with suppress(CommandFailed):  # sync fails on file systems that cannot be synchronised, such as some FUSE ones
            run(["sync", "-f", self._root], timeout=LONG)

    def close(self) -> None:
        """Nothing to give back: no file is held open."""

    def _host(self, path: str) -> Path:
        return self._root.joinpath(*parts_of(path))

    @contextmanager
    def _errors(self, path: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise self._failed(path, error) from error

    def _failed(self, path: str, error: OSError) -> BootkitError:
        hint = "is the stick still plugged in, and mounted writable?"
        return BootkitError(f"{self.where}{path}: {error.strerror or error}", hint=hint)


def _mount_of(root: Path) -> tuple[str, str]:
    """The file system's kind and the node of the mount that holds a folder, by device number."""
    device = root.stat().st_dev
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


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view[:CHUNK]) :]
