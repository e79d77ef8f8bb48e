"""The one place of the command line where an error becomes words and an exit status."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

from bootkit.cli import output
from bootkit.errors import BootkitError, Interrupted


def guarded(action: Callable[[], None]) -> int:
    """Carry out a command; returns the exit status. What is no :class:`BootkitError` is a bug and keeps its traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        action()
    except BootkitError as error:
        output.say(f"bootkit: {error.message}")
        if error.hint:
            output.say(f"  {error.hint}")
        return error.exit_code
    except BrokenPipeError:
        # whoever read our answer has seen enough; the interpreter must not complain about it at its end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted("interrupted; what was on the stick before is still there")
