"""The one place of the command line where an error becomes words and an exit status."""

import os
import shlex
import signal
import sys
from collections.abc import Callable
from types import FrameType

from bootkit.cli import output
from bootkit.errors import BootkitError, HostError, Interrupted, host_errors


def guarded(action: Callable[[], None]) -> int:
    """Carry out a command; returns the exit status.

    What is neither a :class:`BootkitError` nor a refusal of the kernel is a bug and keeps its traceback.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)
    try:
        with host_errors("the system"):
            _answered(action)
    except BootkitError as error:
        tell(error)
        return error.exit_code
    except BrokenPipeError:
        _close_stdout()  # whoever read our answer has seen enough
    return 0


def tell(error: BootkitError) -> None:
    """Say what is wrong in a line, and the way out in another."""
    output.say(f"bootkit: {error.message}")
    if hint := _way_out(error):
        output.say(f"  {hint}")


def _way_out(error: BootkitError) -> str:
    if not (isinstance(error, HostError) and error.needs_rights):
        return error.hint
    command = shlex.join(["bootkit", *sys.argv[1:]])
    return f"it takes another user's rights: sudo {command} (or: pkexec {command})"


def _answered(action: Callable[[], None]) -> None:
    try:
        action()
    finally:
        try:
            with host_errors("standard output"):
                sys.stdout.flush()
        except HostError:
            _close_stdout()
            raise


def _close_stdout() -> None:
    """Close stdout, so that the interpreter does not complain at its end about what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted("interrupted; what was on the stick before is still there")
