"""The root of a system that is being made, in a folder of the host, without root.

squashfs-tools, erofs-utils and mke2fs keep owners, devices and attributes only of what they may make. Where root does not call,
fakeroot remembers them from one to the other. Needs squashfs-tools 4.4 (2019), erofs-utils 1.5 (2022) and e2fsprogs 1.43 (2016).
"""

import os
import shutil
import time
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.errors import BootkitError, CommandFailed
from bootkit.formats.squashfs import SquashEntry, Squashfs
from bootkit.i18n import tr
from bootkit.system.run import LONG, run

_PATIENCE = 20.0
"""Seconds."""
_SQUASHFS = b"hsqs"
_AT_ONCE = 500
"""Paths on one command line."""


class RootTree:
    """A root file system in a folder, of which other programs see the owners that it is to have."""

    def __init__(self, work: Path) -> None:
        self.folder = work / "root"
        self._work = work
        self._runs = 0

    def run(self, *argv: str | Path) -> bytes:
        """Run a program that makes, changes or copies files of the tree."""
        if os.geteuid() == 0:
            return run(argv, timeout=LONG)
        known = ("-i", self._owners()) if self._runs else ()
        self._runs += 1
        done = run(["fakeroot", *known, "-s", self._owners(), "--", *argv], timeout=LONG)
        deadline = time.monotonic() + _PATIENCE
        while not self._owners().exists() and time.monotonic() < deadline:
            time.sleep(0.01)  # what remembers them ends after fakeroot has
        return done

    def _owners(self) -> Path:
        """What fakeroot knew when the last program ended."""
        return self._work / f"owners-{self._runs}"

    def path(self, name: str) -> Path:
        """Where a file of the tree is, which somebody else has made: no link of it leads to the host's own files.

        Raises:
            BootkitError: one does.
        """
        file = self.folder / name.lstrip("/")
        folder = self.folder.resolve()
        if not file.parent.resolve().is_relative_to(folder) or file.name in ("", ".."):
            raise leads_out(f"/{name.lstrip('/')}")
        if file.is_symlink():
            self.run("rm", "--", file)  # fakeroot would take what gets its inode for a link
        return file

    def text(self, name: str) -> str:
        file = self.path(name)
        return file.read_text(errors="surrogateescape") if file.is_file() else ""

    def write(self, name: str, text: str) -> None:
        """Write a file in place, so that it keeps mode and owner."""
        file = self.path(name)
        mode = file.stat().st_mode if file.exists() else None
        if mode is not None:
            file.chmod(mode | 0o200)
        file.write_text(text, errors="surrogateescape")
        if mode is not None:
            file.chmod(mode)

    def append(self, name: str, line: str) -> None:
        self.write(name, "\n".join((*self.text(name).splitlines(), line, "")))

    def put(self, name: str, file: Path) -> None:
        shutil.copyfile(file, self.path(name))

    def add_folder(self, name: str) -> None:
        self._folder_at(name)

    def empty_folder(self, name: str) -> None:
        folder = self.path(name)
        if folder.is_dir():
            self._remove([os.fspath(path.relative_to(self.folder)) for path in folder.iterdir() if not path.is_dir()])

    def is_there(self, name: str) -> bool:
        return self.path(name).exists()

    def add_home(self, name: str, number: int) -> None:
        self._folder_at(name.rpartition("/")[0])
        folder = self.path(name)
        self.run("cp", "-a", "--no-target-directory", self._folder_at("etc/skel"), folder)
        self.run("chown", "-R", "--no-dereference", f"{number}:{number}", folder)

    def add_layer(self, image: Path) -> None:
        """Unpack one more layer over what is there: a squashfs or an EROFS, what is on top last.

        Raises:
            CommandFailed: it is damaged.
        """
        with image.open("rb") as fh:
            start = fh.read(4)
            gone, marks = self._covered(Squashfs(cast("BinaryIO", fh))) if start == _SQUASHFS else ([], [])
        self._remove(gone)
        if start == _SQUASHFS:
            self.run("unsquashfs", "-quiet", "-no-progress", "-force", "-dest", self.folder, image)
        else:
            self.run("fsck.erofs", f"--extract={self.folder}", "--preserve", image)
        self._remove(marks)

    def file_system(self, part: Path, root_uuid: str, size: int) -> None:
        """Make an ext4 of ``size`` bytes out of it, in a new file; the folder is gone then.

        Raises:
            BootkitError: it does not fit.
        """
        try:
            self.run("mke2fs", "-q", "-t", "ext4", "-U", root_uuid, "-d", self.folder, part, f"{size // 1024}K")
        except CommandFailed as error:
            raise does_not_fit(error.stderr.strip()) from error
        shutil.rmtree(self.folder)

    def _covered(self, layer: Squashfs) -> tuple[list[str], list[str]]:
        """What a layer takes away of those below, and its marks that do so, which are no files."""
        gone: list[str] = []
        marks: list[str] = []
        for path, entry in layer.walk():
            below = self.folder / path.lstrip("/")
            if layer.is_whiteout(entry):
                marks.append(path)
                gone.append(path)
            elif os.path.lexists(below) and self._is_replaced(below, layer, entry):
                gone.append(path)
        return gone, marks

    def _is_replaced(self, below: Path, layer: Squashfs, entry: SquashEntry) -> bool:
        is_dir = below.is_dir() and not below.is_symlink()
        return is_dir != entry.is_dir or (is_dir and layer.is_opaque(entry))

    def _remove(self, paths: list[str]) -> None:
        """In the order that they come: of two, the upper first, so that no link of a layer below is followed."""
        for start in range(0, len(paths), _AT_ONCE):
            files = [self.folder / path.lstrip("/") for path in paths[start : start + _AT_ONCE]]
            self.run("rm", "-rf", "--one-file-system", "--", *files)

    def _folder_at(self, name: str) -> Path:
        folder = self.path(name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def leads_out(path: str) -> BootkitError:
    return BootkitError(tr("the live system's {path} leads out of it", path=path), hint=tr("nothing was made of it"))


def does_not_fit(message: str) -> BootkitError:
    return BootkitError(tr("what the live system holds does not fit: {message}", message=message), hint="--size 20G")
