"""The disk of an installed system out of the root of a live one, without root.

Source for the loader entry: Boot Loader Specification, "Type #1"; Fedora's GRUB reads those of /boot/loader/entries.
"""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bootkit.system.diskimage import edit_table, put_back
from bootkit.system.ext4root import Ext4Root
from bootkit.system.roottree import RootTree
from bootkit.system.run import LONG, run
from bootkit.units import MIB
from bootkit.values import dataclass

_FIRST_USER = 1000
_GROUPS = ("sudo", "wheel", "adm", "audio", "video", "plugdev", "netdev", "users", "lp", "cdrom", "dip")
"""Those that a first user belongs to, where there are such."""
_START = MIB
"""Where the root begins; as much is left behind it, for the backup of the GPT."""
_ENTRIES = "boot/loader/entries"


class NewRoot(Protocol):
    """The root file system that becomes an installed one. Names are paths in it.

    Raises:
        BootkitError: a name leads out of it.
    """

    def text(self, name: str) -> str:
        """What is in a file; empty if it is not there."""
        ...

    def write(self, name: str, text: str) -> None:
        """Write a file, which keeps mode and owner if it is there."""
        ...

    def append(self, name: str, line: str) -> None: ...

    def put(self, name: str, file: Path) -> None:
        """Copy a file of the host."""
        ...

    def add_folder(self, name: str) -> None: ...

    def empty_folder(self, name: str) -> None:
        """Remove the files in a folder, if that is there."""
        ...

    def is_there(self, name: str) -> bool: ...

    def add_home(self, name: str, number: int) -> None:
        """A folder of the user ``number`` with what /etc/skel has."""
        ...

    def file_system(self, part: Path, root_uuid: str, size: int) -> None:
        """Make it an ext4 of ``size`` bytes in the file ``part``; it is used up then.

        Raises:
            BootkitError: it does not fit, or is damaged.
        """
        ...


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
    has_entries: bool = False
    """Whether its kernels have a loader entry each, as Fedora's have."""


def root_of(layers: Sequence[Path], inner: str, work: Path) -> NewRoot:
    """The root in a live system's images, the lowest first; they are gone then.

    ``inner`` is the path of the ext4 in the only one, if it is in there, or ``/`` where the image is one.

    Raises:
        CommandFailed: an image is damaged.
    """
    if not inner:
        tree = RootTree(work)
        for layer in layers:
            tree.add_layer(layer)
            layer.unlink()
        return tree
    (image,) = layers
    if inner != "/":
        nested = work / "nested"
        run(["unsquashfs", "-quiet", "-no-progress", "-dest", nested, image, inner.lstrip("/")], timeout=LONG)
        image.unlink()
        image = nested / inner.lstrip("/")
    return Ext4Root(image, work)


def make_disk(root: NewRoot, new: NewSystem, work: Path) -> Path:
    """The raw disk, a new file in ``work``: a GPT with one ext4.

    Raises:
        BootkitError: the root is damaged, or does not fit.
    """
    root_uuid = str(uuid.uuid4())
    _install(root, new, root_uuid)
    disk, part = work / "disk.raw", work / "root.ext4"
    size = (new.size - 2 * _START) // MIB * MIB
    root.file_system(part, root_uuid, size)
    with disk.open("xb") as fh:
        fh.truncate(size + 2 * _START)
    table = f"label: gpt\nstart={_START // 512}, size={size // 512}, type=L\n"
    edit_table(disk, script=table)
    put_back(part, disk, _START)
    part.unlink()
    return disk


def _install(root: NewRoot, new: NewSystem, root_uuid: str) -> None:
    """All by which an installed root differs from a live one."""
    words = " ".join((f"root=UUID={root_uuid}", "ro", "quiet", *new.words))
    root.add_folder("boot")
    kernel, initrd = f"boot/vmlinuz-{new.version}", f"boot/initrd.img-{new.version}"
    root.put(kernel, new.kernel)
    root.put(initrd, new.initrd)
    root.write("etc/fstab", f"UUID={root_uuid} / ext4 errors=remount-ro 0 1\n")
    root.write("etc/hostname", f"{new.host}\n")
    root.write("etc/machine-id", "")
    root.add_folder("etc/kernel")
    root.write("etc/kernel/cmdline", f"{words}\n")
    root.empty_folder(_ENTRIES)  # those are of the machine on which the live system was made
    if new.has_entries:
        root.add_folder(_ENTRIES)
        rows = {
            "title": new.host,
            "version": new.version,
            "linux": f"/{kernel}",
            "initrd": f"/{initrd}",
            "options": words,
        }
        entry = "".join(f"{key} {value}\n" for key, value in rows.items())
        root.write(f"{_ENTRIES}/{new.host}-{new.version}.conf", entry)
    if root.is_there("etc/selinux/config"):
        root.write(".autorelabel", "")  # nothing that was put in has a label
    _add_user(root, new)


def _add_user(root: NewRoot, new: NewSystem) -> None:
    """The first user, who may become root by sudo; one of that name gets the password."""
    known = {line.partition(":")[0]: line.split(":") for line in root.text("etc/passwd").splitlines()}
    taken = {row[2] for row in known.values() if len(row) > 2}
    user = new.user
    number = known[user][2] if user in known else next(str(n) for n in range(_FIRST_USER, 60000) if str(n) not in taken)
    home = known[user][5] if user in known else f"/home/{user}"
    if user not in known:
        root.append("etc/passwd", f"{user}:x:{number}:{number}::{home}:{_shell(root)}")
        root.append("etc/group", f"{user}:x:{number}:")
        if root.text("etc/gshadow"):
            root.append("etc/gshadow", f"{user}:!::")
    shadow = [line for line in root.text("etc/shadow").splitlines() if line.partition(":")[0] != user]
    root.write("etc/shadow", "\n".join([*shadow, f"{user}:{new.digest}::0:99999:7:::"]) + "\n")
    root.write("etc/group", "".join(f"{_joined(line, user)}\n" for line in root.text("etc/group").splitlines()))
    if not root.is_there(home):
        root.add_home(home, int(number))


def _joined(line: str, user: str) -> str:
    """A line of /etc/group, with the user in it where he belongs there."""
    name, _, rest = line.partition(":")
    members = rest.rpartition(":")[2]
    if name not in _GROUPS or user in members.split(","):
        return line
    return f"{line},{user}" if members else f"{line}{user}"


def _shell(root: NewRoot) -> str:
    return "/bin/bash" if "/bin/bash" in root.text("etc/shells") else "/bin/sh"
