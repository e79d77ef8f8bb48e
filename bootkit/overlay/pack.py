"""Write a secondary initrd: a cpio archive in the ``newc`` format, the same bytes for the same files every time.

Only files get records, unless a directory is asked for. The kernel makes a directory record by removing whatever is in
its place, and in every merged-usr initrd ``/lib``, ``/bin`` or ``/usr/lib/dracut/hooks`` are symbolic links: a record
for one of them cuts the initrd off from its own programs. A file record is followed through such a link, and dropped
without a word if its parent is missing; so a directory is asked for exactly where it is the archive's own, or where it
is known to be no link.

Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst and init/initramfs.c (``clean_path``,
``do_name``).
"""

import stat
from collections.abc import Iterable, Mapping

from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.values import dataclass

MAGIC = b"070701"
NAME_LIMIT = 4096
"""The kernel's PATH_MAX, with the NUL: a longer name is skipped by ``do_header`` without a word."""
SIZE_LIMIT = (1 << 32) - 1
_FENCE = bytes(4)
_EXECUTABLE = (b"#!", b"\x7fELF")


@dataclass(frozen=True, slots=True, kw_only=True)
class Symlink:
    """A symbolic link as a member of the archive."""

    target: str


Member = bytes | Symlink


def pack(members: Mapping[str, Member], *, directories: Iterable[str] = ()) -> bytes:
    """The archive. Names are relative to the root, without a leading slash.

    Scripts that begin with ``#!`` and ELF programs are executable (0755), the others are not (0644); everything belongs to
    root and dates from 1970. ``directories`` are made before the files; each lies in one that is made, too.

    Raises:
        BootkitError: a name the kernel would not take, or a member of 4 GiB or more.
    """
    private = sorted(set(directories))
    if orphans := [name for name in private if "/" in name and name.rpartition("/")[0] not in private]:
        message = tr(
            "{orphans} must not be a directory record without the directory that it lies in", orphans=repr(orphans[0])
        )
        raise BootkitError(message, hint=tr("only where no initrd has a link is it safe to make one"))
    records = [_record(_checked(name), number, stat.S_IFDIR | 0o755, b"") for number, name in enumerate(private, 1)]
    for number, name in enumerate(sorted(members), len(private) + 1):
        mode, content = _mode_and_content(members[name])
        records.append(_record(_checked(name), number, mode, content))
    records.append(_record("TRAILER!!!", 0, 0, b""))
    return b"".join(records)


def secondary_initrd(members: Mapping[str, Member], *, directories: Iterable[str] = ()) -> bytes:
    """The archive as it follows another initrd, even one of lz4's legacy format.

    That one ends at a block of no bytes, which the zeros are. Before Linux 5.11 it does not end at all: see
    ``goes_first`` in :mod:`bootkit.overlay.manifest`.
    """
    return _FENCE + pack(members, directories=directories)


def member_header(name: str, size: int) -> bytes:
    """What makes the one file of a cpio archive out of ``size`` bytes that follow it, which are an even number of words.

    GRUB loads the two one behind the other. No trailer is needed: whatever follows is a new archive to the kernel.

    Raises:
        BootkitError: a name the kernel would not take, or 4 GiB or more.
    """
    return _header(_checked(name), 1, stat.S_IFREG | 0o644, size)


def _record(name: str, inode: int, mode: int, content: bytes) -> bytes:
    return _header(name, inode, mode, len(content)) + _padded(content)


def _header(name: str, inode: int, mode: int, size: int) -> bytes:
    raw = name.encode() + b"\0"
    if size > SIZE_LIMIT:
        raise BootkitError(
            tr("{name} is too large for an initrd", name=name), hint=tr("a cpio member has to stay below 4 GiB")
        )
    links = 0 if name == "TRAILER!!!" else 1
    # inode, mode, uid, gid, links, mtime, size, device major and minor, rdev major and minor, name size, checksum
    fields = (inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, len(raw), 0)
    return _padded(MAGIC + b"".join(b"%08X" % field for field in fields) + raw)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _mode_and_content(member: Member) -> tuple[int, bytes]:
    if isinstance(member, Symlink):
        return stat.S_IFLNK | 0o777, member.target.encode()
    return stat.S_IFREG | (0o755 if member.startswith(_EXECUTABLE) else 0o644), member


def _checked(name: str) -> str:
    parts = name.split("/")
    if not all(parts) or {".", ".."} & set(parts) or "\0" in name or len(name.encode()) >= NAME_LIMIT:
        raise BootkitError(tr("{name} is not a name for a member of an initrd", name=repr(name)))
    return name
