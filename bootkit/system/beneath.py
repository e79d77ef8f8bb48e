"""Files below a folder that somebody else has filled: whatever links lie there, no path leads out of it.

Where something is read, links are followed as if the folder were the root of everything, which is how GRUB and our own readers
see a stick; where something is written, none is followed. Source: openat2(2), Linux 5.6; include/uapi/linux/openat2.h.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Sequence

from bootkit.errors import BootkitError
from bootkit.i18n import tr

_OPENAT2 = 437
_IN_ROOT, _NO_MAGIC_LINKS = 0x10, 0x02
_C = ctypes.CDLL(None, use_errno=True)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_inside(root: int, parts: Sequence[str], flags: int) -> int:
    """A descriptor of what lies there, links followed inside of ``root``, which is one of a folder.

    Raises:
        OSError: there is nothing, or it cannot be opened.
    """
    path = "/".join(parts) or "."
    how = _How(flags | os.O_CLOEXEC, 0, _IN_ROOT | _NO_MAGIC_LINKS)
    found = int(_C.syscall(_OPENAT2, root, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)))
    if found >= 0:
        return found
    number = ctypes.get_errno()
    if number not in (errno.ENOSYS, errno.EPERM):
        raise OSError(number, os.strerror(number), path)
    # an old kernel, or a container that does not know the call: then no link is followed
    *above, name = parts or (".",)
    folder = open_folder(root, above)
    try:
        return os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def open_folder(root: int, parts: Sequence[str], *, make: bool = False) -> int:
    """A descriptor of the folder there, links not followed; made with its parents if ``make`` says so.

    Raises:
        BootkitError: there is a link on the way.
        OSError: it is not there, no folder, or cannot be opened.
    """
    here = os.dup(root)
    for depth, part in enumerate(parts):
        above = here
        try:
            if make:
                _make(part, above)
            here = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        except OSError:
            if _is_link(part, above):
                path = "/" + "/".join(parts[: depth + 1])
                hint = tr("put a folder in its place: what is written there could land outside of the stick")
                raise BootkitError(tr("{path} on the stick is a symbolic link", path=path), hint=hint) from None
            raise
        finally:
            os.close(above)
    return here


def sync_file_system(descriptor: int) -> None:
    """Return when all that was written to the file system is on its medium.

    Raises:
        OSError: something could not be written.
    """
    if _C.syncfs(descriptor) == 0:
        return
    number = ctypes.get_errno()
    if number in (errno.EIO, errno.ENOSPC, errno.EDQUOT):  # others: one that cannot be synchronised, as some of FUSE
        raise OSError(number, os.strerror(number))


def _make(name: str, above: int) -> None:
    try:
        os.mkdir(name, dir_fd=above)
    except FileExistsError:
        return


def _is_link(name: str, above: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode)
    except OSError:
        return False
