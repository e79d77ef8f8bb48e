"""The disk of an installed system out of the root of a live one, without root.

squashfs-tools and mke2fs keep owners, devices and attributes only of what they may make. Where root does not call, fakeroot
remembers them from one to the other. Needs squashfs-tools 4.4 (2019) and e2fsprogs 1.43 (2016).
"""

import os
import shutil
import time
import uuid
from pathlib import Path

from bootkit.errors import BootkitError, CommandFailed
from bootkit.i18n import tr
from bootkit.system.diskimage import edit_table, put_back
from bootkit.system.run import LONG, run
from bootkit.units import MIB
from bootkit.values import dataclass

_FIRST_USER = 1000
_GROUPS = ("sudo", "wheel", "adm", "audio", "video", "plugdev", "netdev", "users", "lp", "cdrom", "dip")
"""Those that a first user belongs to, where there are such."""
_PATIENCE = 20.0
"""Seconds."""
_START = MIB
"""Where the root begins; as much is left behind it, for the backup of the GPT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSystem:
    """What a root becomes an installed system by."""

    host: str
    user: str
    digest: str
    """Of the user's password, as /etc/shadow has it."""
    version: str
    """Of the kernel."""
    kernel: Path
    initrd: Path
    words: tuple[str, ...]
    """Kernel words beside those for the root."""
    size: int
    """Bytes of the disk."""


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
        if file.is_symlink():
            file.unlink()
        if not file.parent.resolve().is_relative_to(folder) or file.name in ("", ".."):
            raise BootkitError(
                tr("the live system's {path} leads out of it", path=f"/{name.lstrip('/')}"),
                hint=tr("nothing was made of it"),
            )
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
        text = self.text(name)
        self.write(name, "\n".join((*text.splitlines(), line, "")))

    def folder_at(self, name: str) -> Path:
        folder = self.path(name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def make_disk(squashfs: Path, new: NewSystem, work: Path) -> Path:
    """The raw disk, a new file in ``work``: a GPT with one ext4.

    Raises:
        BootkitError: the root is damaged, or does not fit.
    """
    tree, root_uuid = RootTree(work), str(uuid.uuid4())
    tree.run("unsquashfs", "-quiet", "-no-progress", "-dest", tree.folder, squashfs)
    _install(tree, new, root_uuid)
    disk, part = work / "disk.raw", work / "root.ext4"
    size = (new.size - 2 * _START) // MIB * MIB
    try:
        tree.run("mke2fs", "-q", "-t", "ext4", "-U", root_uuid, "-d", tree.folder, part, f"{size // 1024}K")
    except CommandFailed as error:
        raise BootkitError(
            tr("what the live system holds does not fit: {message}", message=error.stderr.strip()), hint="--size 20G"
        ) from error
    with disk.open("xb") as fh:
        fh.truncate(size + 2 * _START)
    table = f"label: gpt\nstart={_START // 512}, size={size // 512}, type=L\n"
    edit_table(disk, script=table)
    put_back(part, disk, _START)
    part.unlink()
    shutil.rmtree(tree.folder)
    return disk


def _install(tree: RootTree, new: NewSystem, root_uuid: str) -> None:
    """All by which an installed root differs from a live one."""
    tree.folder_at("boot")
    shutil.copyfile(new.kernel, tree.path(f"boot/vmlinuz-{new.version}"))
    shutil.copyfile(new.initrd, tree.path(f"boot/initrd.img-{new.version}"))
    tree.write("etc/fstab", f"UUID={root_uuid} / ext4 errors=remount-ro 0 1\n")
    tree.write("etc/hostname", f"{new.host}\n")
    tree.write("etc/machine-id", "")
    tree.folder_at("etc/kernel")
    tree.write("etc/kernel/cmdline", " ".join((f"root=UUID={root_uuid}", "ro", "quiet", *new.words)) + "\n")
    _add_user(tree, new)


def _add_user(tree: RootTree, new: NewSystem) -> None:
    """The first user, who may become root by sudo; one of that name gets the password."""
    known = {line.partition(":")[0]: line.split(":") for line in tree.text("etc/passwd").splitlines()}
    taken = {row[2] for row in known.values() if len(row) > 2}
    user = new.user
    number = known[user][2] if user in known else next(str(n) for n in range(_FIRST_USER, 60000) if str(n) not in taken)
    home = known[user][5] if user in known else f"/home/{user}"
    if user not in known:
        tree.append("etc/passwd", f"{user}:x:{number}:{number}::{home}:{_shell(tree)}")
        tree.append("etc/group", f"{user}:x:{number}:")
        if tree.text("etc/gshadow"):
            tree.append("etc/gshadow", f"{user}:!::")
    shadow = [line for line in tree.text("etc/shadow").splitlines() if line.partition(":")[0] != user]
    tree.write("etc/shadow", "\n".join([*shadow, f"{user}:{new.digest}::0:99999:7:::"]) + "\n")
    tree.write("etc/group", "".join(f"{_joined(line, user)}\n" for line in tree.text("etc/group").splitlines()))
    folder = tree.path(home)
    if not folder.exists():
        tree.folder_at(str(Path(home).parent))
        tree.run("cp", "-a", "--no-target-directory", tree.folder_at("etc/skel"), folder)
        tree.run("chown", "-R", "--no-dereference", f"{number}:{number}", folder)


def _joined(line: str, user: str) -> str:
    """A line of /etc/group, with the user in it where he belongs there."""
    name, _, rest = line.partition(":")
    members = rest.rpartition(":")[2]
    if name not in _GROUPS or user in members.split(","):
        return line
    return f"{line},{user}" if members else f"{line}{user}"


def _shell(tree: RootTree) -> str:
    return "/bin/bash" if "/bin/bash" in tree.text("etc/shells") else "/bin/sh"
