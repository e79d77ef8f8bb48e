"""An ext4 data partition that is not mounted: read by our own reader, written by e2fsprogs' debugfs.

debugfs works on a file as on a device, needs no root for the former, and takes an offset behind the name.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.errors import BootkitError
from bootkit.formats.ext4 import Ext4Filesystem
from bootkit.formats.tree import Entry, FileTree
from bootkit.system.run import PIPE, popen
from bootkit.system.volume import CHUNK, Progress, chunks_of, sha256_of
from bootkit.system.volumes.raw import RawVolume, scratch


class Ext4Volume(RawVolume):
    """ext4, or its ancestors."""

    filesystem = "ext4"

    @property
    def uuid(self) -> str:
        self._reader()
        return self._ext4.uuid

    def write(self, files: Mapping[str, bytes]) -> None:
        self._require_room("the menu", sum(map(len, files.values())), self.free())
        commands = self._parents(files)
        with scratch() as folder:
            for number, (path, content) in enumerate(files.items()):
                local = folder / str(number)
                local.write_bytes(content)
                if self.stat(path) is not None:
                    commands.append(f'rm "{path}"')
                commands.append(f'write "{local}" "{path}"')
                commands.append(f'sif "{path}" mode 0100644')
            self._debugfs(commands)
        for path, content in files.items():
            stat = self.stat(path)
            if stat is None or stat.size != len(content):
                raise BootkitError(f"{self.where}: {path} could not be written")

    def copy_in(self, source: Path, path: str, progress: Progress) -> str:
        size = source.stat().st_size
        self._require_room(path, size, self.free())
        commands = self._parents([path])
        if self.stat(path) is not None:
            commands.append(f'rm "{path}"')
        try:
            with scratch() as folder:
                # debugfs splits its commands at blanks and knows no escape: a link gives any source a plain name
                (folder / "source").symlink_to(source.resolve())
                commands += [f'write "{folder}/source" "{path}"', f'sif "{path}" mode 0100644']
                digest = self._copy(commands, source, progress)
            self._fill_first_hole(path)
        except BaseException:
            self._forget()
            if self.stat(path) is not None:
                self.remove(path)
            raise
        stat = self.stat(path)
        if stat is None or stat.size != size:
            raise BootkitError(f"{self.where}: {path} could not be written")
        return digest

    def rename(self, old: str, new: str) -> None:
        commands = self._parents([new])
        if self.stat(new) is not None:
            commands.append(f'rm "{new}"')
        # neither command counts links: together they leave the count as it was
        self._debugfs([*commands, f'ln "{old}" "{new}"'])
        if self.stat(new) is None:
            self._debugfs([f'expand_dir "{new.rpartition("/")[0] or "/"}"', f'ln "{old}" "{new}"'])
        if self.stat(new) is None:
            raise BootkitError(f"{self.where}: {old} could not be renamed to {new}")
        self._debugfs([f'unlink "{old}"'])

    def remove(self, path: str) -> None:
        self._debugfs([f'rm "{path}"'])

    def free(self) -> int:
        self._reader()
        return self._ext4.free_bytes()

    def _open_tree(self, fh: BinaryIO) -> FileTree[Entry]:
        self._ext4 = Ext4Filesystem(fh)
        return cast(FileTree[Entry], self._ext4)

    def _copy(self, commands: list[str], source: Path, progress: Progress) -> str:
        """Let debugfs copy while we hash: both read the source once, the second of them out of the page cache."""
        failure: list[BaseException] = []

        def copy() -> None:
            try:
                self._debugfs(commands)
            except BaseException as error:
                failure.append(error)

        copying = threading.Thread(target=copy)
        copying.start()
        try:
            with source.open("rb") as reader:
                digest = sha256_of(chunks_of(reader, progress))
        finally:
            copying.join()
        if failure:
            raise failure[0]
        return digest

    def _fill_first_hole(self, path: str) -> None:
        """Give the file blocks where it begins, which debugfs leaves out for zeros.

        GRUB 2.06 cannot read a file that begins with a hole ("invalid extent"), and a pure ISO9660 image begins with
        32 KiB of zeros. fallocate gives blocks that Linux reads as zeros; GRUB reads what is in them, so they become
        zeros in fact. Source: booted and read with GRUB 2.06-13.
        """
        self._forget()
        self._reader()
        first = next(iter(self._ext4.extents(path)), None)
        if first is None or first.start is not None:
            return
        blocks = -(-first.size // self._ext4.block_size)
        self._debugfs([f'fallocate "{path}" 0 {blocks - 1}'])
        self._reader()
        with self._image.open("r+b", buffering=0) as image:
            for extent in self._ext4.allocated(path, first.size):
                image.seek(self._offset + extent.start)
                for done in range(0, extent.size, CHUNK):
                    image.write(bytes(min(CHUNK, extent.size - done)))

    def _parents(self, paths: Mapping[str, bytes] | list[str]) -> list[str]:
        folders: dict[str, None] = {}
        for path in paths:
            parts = path.strip("/").split("/")[:-1]
            folders.update(dict.fromkeys("/" + "/".join(parts[: depth + 1]) for depth in range(len(parts))))
        return [f'mkdir "{folder}"' for folder in folders if self.stat(folder) is None]

    def _debugfs(self, commands: list[str]) -> None:
        device = f"{os.fspath(self._image)}?offset={self._offset}"
        argv = ["debugfs", "-w", "-f", "-", device]
        with popen(argv, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
            _, err = process.communicate("\n".join(commands).encode() + b"\n")
        self._forget()
        # the first line of stderr is its name and version; its exit status is 0 whatever happened
        said = err.decode(errors="replace").splitlines()[1:]
        if process.returncode or said:
            raise BootkitError(f"{self.where}: {said[-1] if said else 'debugfs failed'}")
