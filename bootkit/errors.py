"""What can go wrong, sorted by what a caller does about it.

Every message names the thing and says what is wrong in the user's words; ``hint`` is the way out, best something to
type. The two front ends (``cli.main`` and the TUI) are the only places that catch :class:`BootkitError` as such.
"""

import errno
from collections.abc import Generator
from contextlib import contextmanager

from bootkit.i18n import PLACE, tr


class BootkitError(Exception):
    """The base of all; exit status 1 where nothing narrower fits."""

    exit_code = 1
    needs_rights = False
    """Whether somebody with other rights could go on."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


_WAYS_OUT = {
    errno.EACCES: tr("it takes another user's rights: sudo bootkit ..."),
    errno.EPERM: tr("it takes another user's rights: sudo bootkit ..."),
    errno.ENOSPC: tr("make room there; on a stick: bootkit list, bootkit remove IMAGE"),
    errno.EDQUOT: tr("make room there; on a stick: bootkit list, bootkit remove IMAGE"),
    errno.EROFS: tr(
        "mount it writable; a switch on the stick, or an error that made the kernel careful, may stand against it"
    ),
    errno.EIO: tr("try another port, then another stick: this one may be worn out; 'dmesg' tells what the kernel saw"),
    errno.ENODEV: tr("is the stick still plugged in?"),
    errno.ENXIO: tr("is the stick still plugged in?"),
    errno.ENOENT: tr("look how its name is spelled, and whether it is still there"),
}


class HostError(BootkitError):
    """The host's kernel refuses: a file cannot be read, written or found; the message names it."""

    @classmethod
    def of(cls, error: OSError, name: str) -> "HostError":
        """What an error of the kernel means for ``name``."""
        found = cls(f"{name}: {error.strerror or error}", hint=_WAYS_OUT.get(error.errno or 0, ""))
        found.needs_rights = error.errno in (errno.EACCES, errno.EPERM)
        return found


class RightsMissing(BootkitError):
    """Only root can do that; ``hint`` is the way without it, if there is one."""

    needs_rights = True


@contextmanager
def host_errors(name: str) -> Generator[None]:
    """The border to the host: what its kernel refuses in the block becomes a :class:`HostError` of the file, or of ``name``.

    A pipe that nobody reads any more is the end of the answer, not an error; it passes as it is.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise HostError.of(error, str(error.filename or name)) from error


class FormatError(BootkitError):
    """A file does not follow the format it claims, or cannot be read; ``offset`` is in bytes from the start of the file."""

    def __init__(self, message: str, *, offset: int | None = None, hint: str = "") -> None:
        # in English as the message itself is: both become warnings in records
        super().__init__(message if offset is None else PLACE.format(message=message, offset=offset), hint=hint)
        self.offset = offset


class MediumError(FormatError):
    """The medium does not give the bytes, or the kernel not to us: another look may find them."""


class CommandFailed(BootkitError):
    """An external program ended with an error; ``stderr`` is what it said."""

    def __init__(self, argv: tuple[str, ...], returncode: int, stderr: str) -> None:
        last = stderr.strip().splitlines()[-1:] or [tr("it said nothing")]
        super().__init__(
            tr("{program} failed with status {status}: {said}", program=argv[0], status=returncode, said=last[0])
        )
        self.argv = argv
        self.returncode = returncode
        self.stderr = stderr


class UsageError(BootkitError):
    """The words of the command line do not make sense together; exit status 2."""

    exit_code = 2


class NothingRecognised(BootkitError):
    """No detector knows the image; exit status 3."""

    exit_code = 3


class DeviceRefused(BootkitError):
    """A safety rule forbids to write there; exit status 4. Nothing was written."""

    exit_code = 4


class ToolMissing(BootkitError):
    """An external program is not installed; exit status 5, and the hint names its package."""

    exit_code = 5


class BootUnknown(BootkitError):
    """Of an image nobody can tell whether it boots; exit status 6."""

    exit_code = 6


class BootsElsewhere(BootkitError):
    """An image boots from another file system than the stick's; exit status 7."""

    exit_code = 7


class BootsNowhere(BootkitError):
    """An image cannot boot, or not on the machine that was described; exit status 8."""

    exit_code = 8


class AlreadyThere(BootkitError):
    """What was to be copied is on the stick already, byte by byte: nothing is to be done, and nothing is wrong."""

    exit_code = 0


class Cancelled(BootkitError):
    """Whoever was asked said no; exit status 1, and nothing was changed."""


class Interrupted(BootkitError):
    """Ctrl-C, or a request to end; exit status 130."""

    exit_code = 130
