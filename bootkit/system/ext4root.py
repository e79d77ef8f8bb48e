"""The root of a system that is being made, where the live system has it as an ext4 already: that is taken as it is, and grown.

Owners, attributes and labels stay what they were, without root. debugfs puts files in; what names mean to it, no name has that goes
there. Source: e2fsprogs 1.47, debugfs/debugfs.8.in; ``set_inode_field`` takes numbers as they are in the inode.
"""

import posixpath
import re
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.errors import CommandFailed
from bootkit.formats.ext4 import Ext4
from bootkit.system.diskimage import mend_ext4
from bootkit.system.roottree import does_not_fit, leads_out
from bootkit.system.run import LONG, run

_PLAIN = re.compile(r"(/[A-Za-z0-9_.@+-]+)+")
_TEXT_LIMIT = 4 << 20
_FILE_MODE, _FOLDER_MODE, _HOME_MODE = 0o100644, 0o040755, 0o040700


class Ext4Root:
    """The ext4 in ``part``, which is changed."""

    def __init__(self, part: Path, work: Path) -> None:
        self._part = part
        self._new = work / "new"

    def text(self, name: str) -> str:
        with self._part.open("rb") as fh:
            tree = Ext4(cast("BinaryIO", fh))
            path = _plain(name)
            found = tree.find(path)
            if found is None or found.is_dir:
                return ""
            return tree.read(path, _TEXT_LIMIT).decode(errors="surrogateescape")

    def write(self, name: str, text: str) -> None:
        """Write a file in the place of one, whose mode and owner it gets."""
        self._new.write_text(text, errors="surrogateescape")
        self.put(name, self._new)
        self._new.unlink()

    def append(self, name: str, line: str) -> None:
        self.write(name, "\n".join((*self.text(name).splitlines(), line, "")))

    def put(self, name: str, file: Path) -> None:
        path = self._real(name)
        fields = self._fields(path)
        self.add_folder(posixpath.dirname(path))
        if fields:
            self._do(f"rm {path}")
        self._write(file, path, fields or (_FILE_MODE, 0, 0))

    def add_folder(self, name: str) -> None:
        self._add_folder(name, (_FOLDER_MODE, 0, 0))

    def empty_folder(self, name: str) -> None:
        with self._part.open("rb") as fh:
            found = Ext4(cast("BinaryIO", fh)).listdir(_plain(name)) or ()
        files = [f"{_plain(name)}/{entry.name}" for entry in found if not entry.is_dir]
        self._do(*(f"rm {path}" for path in files if _PLAIN.fullmatch(path)))

    def is_there(self, name: str) -> bool:
        with self._part.open("rb") as fh:
            return Ext4(cast("BinaryIO", fh)).find(_plain(name)) is not None

    def add_home(self, name: str, number: int) -> None:
        """A folder with what a new user gets; a file whose name debugfs could take for something else is left out."""
        self.add_folder(posixpath.dirname(_plain(name)))
        self._add_folder(name, (_HOME_MODE, number, number))
        with self._part.open("rb") as fh:
            tree = Ext4(cast("BinaryIO", fh))
            found = [(path, entry.is_dir) for path, entry in tree.walk("/etc/skel") if not entry.is_link]
            skeleton = {
                path: None if is_dir else tree.read(path, _TEXT_LIMIT)
                for path, is_dir in found
                if _PLAIN.fullmatch(path)
            }
        for path, content in skeleton.items():
            target = f"{_plain(name)}{path.removeprefix('/etc/skel')}"
            if content is None:
                self._add_folder(target, (_FOLDER_MODE, number, number))
            else:
                self._new.write_bytes(content)
                self._write(self._new, target, (_FILE_MODE, number, number))

    def file_system(self, part: Path, root_uuid: str, size: int) -> None:
        """Make it one of ``size`` bytes, with a journal, in ``part``.

        Raises:
            BootkitError: it is larger, or damaged.
        """
        mend_ext4(self._part)
        try:
            run(["resize2fs", self._part, f"{size // 1024}K"], timeout=LONG)
        except CommandFailed as error:
            raise does_not_fit(error.stderr.strip().splitlines()[-1]) from error
        run(["tune2fs", "-U", root_uuid, "-L", "", "-O", "has_journal", self._part], timeout=LONG)
        mend_ext4(self._part)
        self._part.rename(part)

    def _add_folder(self, name: str, fields: tuple[int, int, int]) -> None:
        path = _plain(name)
        if path == "/" or self.is_there(path):
            return
        self.add_folder(posixpath.dirname(path))
        self._do(f"mkdir {path}", *_owned(path, fields))

    def _write(self, file: Path, path: str, fields: tuple[int, int, int]) -> None:
        folder, name = posixpath.split(path)
        self._do(f"cd {folder}", f"write {file} {name}", *_owned(path, fields))
        with self._part.open("rb") as fh:
            found = Ext4(cast("BinaryIO", fh)).find(path)
        if found is None or found.size != file.stat().st_size:  # its status says nothing
            raise does_not_fit(path)

    def _real(self, name: str) -> str:
        """The path of a file in the place of which there may be a link, which goes: it may lead nowhere before the first start."""
        path = _plain(name)
        said = self._ask(f"stat {path}") if self.is_there(path) else ""
        if "Type: symlink" in said:
            self._do(f"rm {path}")
        return path

    def _fields(self, path: str) -> tuple[int, int, int] | None:
        """Mode, user and group of a regular file; ``None`` if it is not there."""
        found = re.search(r"Mode:\s+(\d+).*?User:\s+(\d+)\s+Group:\s+(\d+)", self._ask(f"stat {path}"), re.DOTALL)
        return (0o100000 | int(found[1], 8), int(found[2]), int(found[3])) if found else None

    def _ask(self, request: str) -> str:
        return run(["debugfs", "-R", request, self._part]).decode(errors="replace")

    def _do(self, *requests: str) -> None:
        script = self._new.with_name("requests")
        script.write_text("\n".join((*requests, "")))
        try:
            run(["debugfs", "-w", "-f", script, self._part])
        finally:
            script.unlink()


def _owned(path: str, fields: tuple[int, int, int]) -> tuple[str, ...]:
    mode, user, group = fields
    rows = {"mode": f"0{mode:o}", "uid": str(user), "gid": str(group)}
    return tuple(f"set_inode_field {path} {key} {value}" for key, value in rows.items())


def _plain(name: str) -> str:
    path = posixpath.normpath(f"/{name.lstrip('/')}")
    if path != "/" and not _PLAIN.fullmatch(path):
        raise leads_out(path)
    return path
