"""Opening the text interface on a stick with many images that are known already: until all of them are on the screen."""

import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import time
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

from generate import make_stick
from images import make_shapes
from measure import BOOTKIT, goal, run, seconds, table

COUNT = 100
RUNS = 5
WITHIN = 1.0
PATIENCE = 120.0
LAST = re.compile(rb"menu up to date +%d images" % COUNT)


def measure(folder: Path) -> None:
    stick = make_stick(folder / "stick", make_shapes(folder), COUNT)
    run([BOOTKIT, "generate", "--stick", stick])
    until_shown(stick)
    costs = [until_shown(stick) for _ in range(RUNS)]
    wall = statistics.median(cost[0] for cost in costs)
    cpu = statistics.median(cost[1] for cost in costs)
    rows = [["all of it is on the screen", seconds(wall), seconds(cpu)]]
    table(f"tui: a stick with {COUNT} known images, 140x45", ["until", "wall", "CPU"], rows)
    goal(f"tui with {COUNT} images on the screen", seconds(wall), f"within {WITHIN} s", met=wall <= WITHIN)


def until_shown(stick: Path) -> tuple[float, float]:
    """Seconds, and seconds on processors, from the start of the program to the line that stands there when all was read."""
    started = time.perf_counter()
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execv(BOOTKIT, [os.fspath(BOOTKIT), "tui", "--stick", os.fspath(stick)])
    ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", 45, 140, 0, 0))
    said = b""
    while not LAST.search(re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", said)):
        ready, _, _ = select.select([terminal], [], [], PATIENCE)
        if not ready:
            sys.exit(f"bootkit tui did not come up: {said[-2000:]!r}")
        said += os.read(terminal, 1 << 16)
    wall = time.perf_counter() - started
    os.kill(process, signal.SIGKILL)
    _, _, usage = os.wait4(process, 0)
    os.close(terminal)
    return wall, usage.ru_utime + usage.ru_stime
