"""The one place of the command line where an error becomes words and an exit status."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from bootkit.cli import output
from bootkit.errors import BootkitError, HostError, Interrupted, host_errors
from bootkit.i18n import spoken, tr

_PATH_OF_ROOT = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where sudo and pkexec look for a program."""


def guarded(action: Callable[[], None]) -> int:
    """Carry out a command; returns the exit status.

    What is neither a :class:`BootkitError` nor a refusal of the kernel is a bug and keeps its traceback.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    try:
        with host_errors(tr("the system")):
            _answered(action)
    except BootkitError as error:
        tell(error)
        if error.needs_rights:
            from bootkit.cli.rights import offer_again

            offer_again()
        return error.exit_code
    except BrokenPipeError:
        _close_stdout()  # whoever read our answer has seen enough
    return 0


def tell(error: BootkitError) -> None:
    """Say what is wrong in a line, and the way out in another."""
    output.say(f"bootkit: {spoken(error.message)}")
    if hint := _way_out(error):
        output.say(f"  {spoken(hint)}")


def _way_out(error: BootkitError) -> str:
    if not error.needs_rights:
        return error.hint
    way = tr("it takes another user's rights: {command}", command=_with_rights(sys.argv))
    return tr("{way}; or {hint}", way=way, hint=error.hint) if error.hint and not isinstance(error, HostError) else way


def _with_rights(argv: Sequence[str]) -> str:
    """The same command once more, whole, as one types it to have it run by root: by sudo, or by what is there instead."""
    program = argv[0] if Path(argv[0]).name == "bootkit" else "bootkit"
    if os.fspath(Path(program).parent) in (".", *_PATH_OF_ROOT):
        program = "bootkit"
    command = shlex.join([program, *argv[1:]])
    # pkexec goes to root's home by itself
    stay = "--keep-cwd " if any(Path(word).exists() for word in argv[1:] if not word.startswith("/")) else ""
    ways = {
        "sudo": f"sudo {command}",
        "run0": f"run0 {command}",
        "pkexec": f"pkexec {stay}{command}",
    }
    from shutil import which  # with four packers

    there = [ways[name] for name in ways if which(name)]
    if there and not which("sudo"):
        return there[0]
    return tr("{sudo} (or: {pkexec})", sudo=ways["sudo"], pkexec=ways["pkexec"])


def _answered(action: Callable[[], None]) -> None:
    try:
        action()
    finally:
        try:
            with host_errors(tr("standard output")):
                sys.stdout.flush()
        except HostError:
            _close_stdout()
            raise


def _close_stdout() -> None:
    """Close stdout, so that the interpreter does not complain at its end about what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted(tr("interrupted; what was on the stick before is still there"))
