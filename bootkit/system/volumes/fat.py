"""A FAT data partition that is not mounted: read by our own reader, written by mtools."""

import hashlib
import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import BinaryIO

from bootkit.errors import BootkitError, CommandFailed
from bootkit.formats.fat import Fat, case_flags
from bootkit.model.filesystem import VFAT
from bootkit.system.run import feed, run
from bootkit.system.volume import Progress, chunks_of, parts_of
from bootkit.system.volumes.raw import RawVolume, scratch

_CASE = 12
"""Byte of a short record that tells which parts of the name are in lower case."""

# an own configuration file of the user must not change what the drive letter or the checks mean
_ENVIRONMENT = {"MTOOLSRC": os.devnull}


class FatVolume(RawVolume[Fat]):
    """FAT12, FAT16 or FAT32."""

    filesystem = "vfat"

    @property
    def uuid(self) -> str:
        return self._reader().uuid

    def write(self, files: Mapping[str, bytes]) -> None:
        self._require_room("the menu", sum(map(len, files.values())), self.free())
        with scratch() as folder:
            for path, content in files.items():
                target = folder.joinpath(*self._literal(path))
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            self._mtools("mcopy", "-s", "-o", "-Q", *sorted(folder.iterdir()), "::/")

    def copy_in(self, source: Path, path: str, progress: Progress, *, sparse: bool = False) -> str:  # noqa: ARG002  # FAT has no holes
        size = source.stat().st_size
        if not VFAT.holds(size):
            hint = "use a stick whose data partition is ext4: bootkit prepare --layout split"
            raise BootkitError(f"{source} is larger than 4 GiB, which FAT32 cannot hold", hint=hint)
        self._require_room(path, size, self.free())
        self._make_parents(path)
        digest = hashlib.sha256()

        def hashed(reader: BinaryIO) -> Generator[bytes]:
            for chunk in chunks_of(reader, progress):
                digest.update(chunk)
                yield chunk

        try:
            with source.open("rb") as reader:
                feed(["mcopy", "-o", "-i", self._drive, "-", self._named(path)], hashed(reader), env=_ENVIRONMENT)
        except BaseException:
            self._forget()
            if self.stat(path) is not None:
                self.remove(path)
            raise
        finally:
            self._forget()
        return digest.hexdigest()

    def rename(self, old: str, new: str) -> None:
        if self.stat(new) is not None:
            self.remove(new)
        self._make_parents(new)
        # mtools cannot rename across folders, but it can move
        if old.rpartition("/")[0] == new.rpartition("/")[0]:
            self._mtools("mren", self._named(old), self._named(new))
        else:
            self._mtools("mmove", self._named(old), self._named(new))
        self._spell(new)

    def remove(self, path: str) -> None:
        self._mtools("mdel", self._named(path))

    def free(self) -> int:
        return self._reader().free_clusters() * self._reader().geometry.cluster_size

    @property
    def _drive(self) -> str:
        return f"{os.fspath(self._image)}@@{self._offset}"

    def _spell(self, path: str) -> None:
        """Say that a short name is in lower case, which mren and mmove forget (mtools 4.0.32): Linux would show it in capitals."""
        entry, name = self._reader().find(path), path.rpartition("/")[2]
        if entry is None or entry.name == name:
            return
        with self._image.open("r+b", buffering=0) as image:
            image.seek(self._offset + entry.record + _CASE)
            image.write(bytes([case_flags(name)]))
        self._forget()

    def _open_tree(self, fh: BinaryIO) -> Fat:
        return Fat(fh)

    def _make_parents(self, path: str) -> None:
        parts = parts_of(path)[:-1]
        for depth in range(len(parts)):
            folder = "/" + "/".join(parts[: depth + 1])
            if self.stat(folder) is None:
                self._mtools("mmd", self._named(folder))

    def _named(self, path: str) -> str:
        return f"::/{'/'.join(self._literal(path))}"

    def _literal(self, path: str) -> tuple[str, ...]:
        """The names of a path, if mtools takes it for nothing but a name: it would remove all that fit a pattern."""
        parts = parts_of(path)
        if not path.isprintable() or not {"*", "?", "[", "]", "\\"}.isdisjoint(path):
            hint = "mount the stick, or give the file a name without * ? [ ] and \\"
            raise BootkitError(f"{self.where}: {path!r} cannot be written while it is not mounted", hint=hint)
        return parts

    def _mtools(self, program: str, *words: str | Path) -> None:
        try:
            run([program, "-i", self._drive, *words], env=_ENVIRONMENT)
        except CommandFailed as error:
            raise BootkitError(f"{self.where}: {error.stderr.strip() or error.message}") from error
        finally:
            self._forget()
