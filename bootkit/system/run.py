"""Start other programs: the only module that imports ``subprocess``.

A program gets a list of arguments, a small environment built from scratch and an empty stdin, so that its answer does
not depend on the user's locale or settings. One that is not installed is :class:`ToolMissing`, one that fails is
:class:`CommandFailed` with all it said on stderr.

None outlives us: the kernel ends it with us (prctl(2), PR_SET_PDEATHSIG), even where nothing of ours can run any more. None
works for ever either: a damaged file system has made mcopy spin for as long as it was let.
"""

import logging
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import IO, Self

from bootkit.errors import CommandFailed, ToolMissing
from bootkit.i18n import tr

log = logging.getLogger(__name__)

Argument = str | os.PathLike[str]

Process = subprocess.Popen[bytes]
"""A running child, for annotations: nobody else imports ``subprocess``."""

PIPE = subprocess.PIPE
"""For the streams of :func:`popen`."""

TIME_LIMIT = 600.0
"""Seconds for what looks at a few megabytes, and for taking the next of what is fed."""
LONG = 12 * 3600.0
"""Seconds for what reads or writes a whole medium; a slow stick of 256 GiB takes seven hours."""

SYSTEM_DIRECTORIES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Added behind the user's PATH: Debian leaves the sbin directories out for users, and mkfs is there."""


def run(
    argv: Sequence[Argument],
    *,
    stdin: bytes | None = None,
    env: Mapping[str, str] | None = None,
    ok: Collection[int] = (0,),
    timeout: float = TIME_LIMIT,
    cwd: Argument | None = None,
) -> bytes:
    """What the program printed on stdout.

    ``env`` is added to the small environment, ``ok`` are the exit statuses that count as success, ``timeout`` is in
    seconds.

    Raises:
        ToolMissing: the program is not installed.
        CommandFailed: it ended with another status, by a signal (negative status), or was stopped at ``timeout``.
    """
    with popen(
        argv,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        cwd=cwd,
    ) as process:
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            raise _too_late(argv, timeout) from None
    if process.returncode not in ok:
        raise CommandFailed(_words(argv), process.returncode, err.decode(errors="replace"))
    return out


def feed(
    argv: Sequence[Argument],
    chunks: Iterable[bytes],
    *,
    stdout: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = TIME_LIMIT,
) -> None:
    """Run a program with ``chunks`` as its stdin, never holding more than one of them; its stdout goes to a file.

    ``timeout`` is in seconds, for each chunk and for what it does behind the last one.

    Raises:
        ToolMissing, CommandFailed: as :func:`run`.
    """
    target = subprocess.DEVNULL if stdout is None else stdout
    with popen(argv, stdin=subprocess.PIPE, stdout=target, stderr=subprocess.PIPE, env=env) as process:
        assert process.stdin is not None
        # a program that has enough closes the pipe: its exit status tells whether that was all right
        with _Patience(process, timeout) as patience, suppress(BrokenPipeError):
            for chunk in chunks:
                process.stdin.write(chunk)
                patience.moved()
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None
        try:
            _, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise _too_late(argv, timeout) from None
    if patience.is_over:
        raise _too_late(argv, timeout)
    if process.returncode:
        raise CommandFailed(_words(argv), process.returncode, err.decode(errors="replace"))


@contextmanager
def popen(
    argv: Sequence[Argument],
    *,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
    cwd: Argument | None = None,
) -> Generator[Process]:
    """A running program in a process group of its own, which is gone when the block ends, however it ends.

    How long it may run is the block's business.

    Raises:
        ToolMissing: the program is not installed.
    """
    words = _words(argv)
    environment = {**small_environment(), **(env or {})}
    log.debug("+ %s", shlex.join(words))
    program = shutil.which(words[0], path=environment["PATH"])
    if program is None:
        raise tool_missing(words[0])
    process = subprocess.Popen(
        [*_tied_to_us(), program, *words[1:]],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        cwd=cwd,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_group(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def kill_group(process: Process) -> None:
    """End a program of :func:`popen` with all its children and wait for it; nothing if it has ended."""
    if process.poll() is None:
        # the group is named after its leader, which exists until it is waited for: nobody else can be hit
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def which(program: str) -> str | None:
    """Where :func:`run` would find the program, ``None`` if it is not installed."""
    return shutil.which(program, path=small_environment()["PATH"])


def tool_missing(program: str) -> ToolMissing:
    """The error for a program that is not installed; the hint names its package."""
    from bootkit.system.tools import hint_for

    return ToolMissing(tr("{program} is not installed", program=program), hint=hint_for(program))


def small_environment() -> dict[str, str]:
    """All that a child gets to see of ours."""
    path = os.environ.get("PATH", "").split(":")
    path.extend(directory for directory in SYSTEM_DIRECTORIES if directory not in path)
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return {"HOME": "/", **kept, "PATH": ":".join(filter(None, path)), "LANG": "C.UTF-8"}


@cache
def _tied_to_us() -> tuple[str, ...]:
    """What is put before a command so that the kernel ends it when the thread ends that started it.

    Empty where util-linux is older than 2.33 or not there: then a program outlives us if we are killed, but not otherwise.
    """
    words = (which("setpriv") or "", "--pdeathsig", "KILL", "--")
    if not words[0] or subprocess.run([*words, "true"], check=False, capture_output=True).returncode:
        return ()
    return words


class _Patience:
    """Ends a program that takes nothing for ``timeout`` seconds, as long as the block lasts."""

    def __init__(self, process: Process, timeout: float) -> None:
        self.is_over = False
        """Whether it had to be ended."""
        self._process = process
        self._timeout = timeout
        self._moved = time.monotonic()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def moved(self) -> None:
        self._moved = time.monotonic()

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._done.wait(min(1.0, self._timeout)):
            if time.monotonic() - self._moved > self._timeout:
                self.is_over = True
                kill_group(self._process)
                return


def _too_late(argv: Sequence[Argument], timeout: float) -> CommandFailed:
    return CommandFailed(
        _words(argv), -signal.SIGKILL, tr("no answer within {seconds} seconds", seconds=f"{timeout:g}")
    )


def _words(argv: Sequence[Argument]) -> tuple[str, ...]:
    return tuple(os.fspath(word) for word in argv)
