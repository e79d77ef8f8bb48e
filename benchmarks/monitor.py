"""QEMU's monitor: how many instructions a machine has executed, and when it switched itself off."""

import json
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NANOSECONDS = 2
"""Of an instruction, with ``-icount shift=1``."""


class Monitor:
    def __init__(self, lines: Any) -> None:
        self._lines = lines
        self._ask("qmp_capabilities")

    def wait_for(self, event: str) -> None:
        """Go on when QEMU tells of an event.

        Raises:
            TimeoutError: nothing was said for as long as the connection waits.
            EOFError: QEMU has ended before.
        """
        if not any(said.get("event") == event for said in self._said()):
            raise EOFError

    def virtual_seconds(self) -> float:
        """What the instructions took that were executed until now; a processor that waits executes none."""
        self._ask("query-replay")
        found = next(said["return"]["icount"] for said in self._said() if "icount" in said.get("return", {}))
        return int(found) * NANOSECONDS / 1e9

    def _ask(self, command: str) -> None:
        self._lines.write(json.dumps({"execute": command}) + "\n")
        self._lines.flush()

    def _said(self) -> Iterator[dict[str, Any]]:
        return map(json.loads, self._lines)


@contextmanager
def monitor_at(path: Path, patience: float) -> Generator[Monitor]:
    """The monitor at a socket that will be there in a moment; ``patience`` in seconds is how long it may say nothing."""
    while not path.exists():
        time.sleep(0.1)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(patience)
        connection.connect(str(path))
        with connection.makefile("rw") as lines:
            yield Monitor(lines)
