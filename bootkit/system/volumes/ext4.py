"""An ext4 data partition that is not mounted: read by our own reader, written by e2fsprogs' debugfs.

debugfs works on a file as on a device, needs no root for the former, and takes an offset behind the name.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from bootkit.errors import BootkitError
from bootkit.formats.ext4 import Ext4
from bootkit.system.run import PIPE, popen
from bootkit.system.volume import Progress, allocated, chunks_of, mode_of, parts_of, sha256_of
from bootkit.system.volumes.raw import RawVolume, scratch


class Ext4Volume(RawVolume[Ext4]):
    """ext4, or its ancestors."""

    filesystem = "ext4"

    @property
    def uuid(self) -> str:
        return self._reader().superblock.uuid

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

    def copy_in(self, source: Path, path: str, progress: Progress, *, sparse: bool = False) -> str:
        size = source.stat().st_size
        self._require_room(path, allocated(source) if sparse else size, self.free())
        commands = self._parents([path])
        if self.stat(path) is not None:
            commands.append(f'rm "{path}"')
        try:
            with scratch() as folder:
                # debugfs splits its commands at blanks and knows no escape: a link gives any source a plain name
                (folder / "source").symlink_to(source.absolute())
                commands += [f'write "{folder}/source" "{path}"', f'sif "{path}" mode 0100{mode_of(path):o}']
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
        parts_of(path)
        self._debugfs([f'rm "{path}"'])

    def free(self) -> int:
        superblock = self._reader().superblock
        return superblock.free_blocks * superblock.block_size

    def _open_tree(self, fh: BinaryIO) -> Ext4:
        return Ext4(fh)

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
        """Give the file a block where it begins, which debugfs leaves out for zeros.

        GRUB 2.06 cannot read a file that begins with a hole ("invalid extent"), and a pure ISO9660 image begins with
        32 KiB of zeros; a hole further on does no harm. fallocate sets a block aside that Linux reads as zeros; GRUB
        reads what is in it, so zeros are put there. Source: seen with GRUB 2.06-13 and e2fsprogs 1.47.0.
        """
        first = next(iter(self._reader().extents(path)), None)
        if first is None or first[0] is not None:
            return
        block_size = self._reader().superblock.block_size
        self._debugfs([f'fallocate "{path}" 0 0'])
        block = int(self._debugfs([f'bmap "{path}" 0']).splitlines()[-1].split()[0])
        with self._image.open("r+b", buffering=0) as image:
            image.seek(self._offset + block * block_size)
            image.write(bytes(block_size))

    def _parents(self, paths: Mapping[str, bytes] | list[str]) -> list[str]:
        folders: dict[str, None] = {}
        for path in paths:
            parts = parts_of(path)[:-1]
            folders.update(dict.fromkeys("/" + "/".join(parts[: depth + 1]) for depth in range(len(parts))))
        return [f'mkdir "{folder}"' for folder in folders if self.stat(folder) is None]

    def _debugfs(self, commands: list[str]) -> str:
        """What debugfs answers on stdout, its echo of the commands included.

        Raises:
            BootkitError: it refuses one, or a name would not stay a name: debugfs ends a command at the end of a line and a
                word at a quotation mark, and knows no escape.
        """
        for command in commands:
            if not command.isprintable() or command.count('"') > 2 * command.count(' "'):
                raise BootkitError(
                    f"{self.where}: a name on it cannot be written while it is not mounted: {command!r}",
                    hint="mount the stick, or give the file a name without quotation marks and control characters",
                )
        device = f"{os.fspath(self._image)}?offset={self._offset}"
        with popen(["debugfs", "-w", "-f", "-", device], stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
            out, err = process.communicate("\n".join(commands).encode() + b"\n")
        self._forget()
        # the first line of stderr is its name and version; its exit status is 0 whatever happened
        said = err.decode(errors="replace").splitlines()[1:]
        if process.returncode or said:
            raise BootkitError(f"{self.where}: {said[-1] if said else 'debugfs failed'}")
        return out.decode(errors="replace")
