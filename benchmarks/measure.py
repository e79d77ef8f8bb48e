"""Run a program and see what it cost."""

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Argv = Sequence[str | Path]

BOOTKIT = Path(sys.prefix, "bin", "bootkit")
"""The console script beside the running interpreter: what a user starts."""

READS = "read,pread64,readv,preadv,preadv2,copy_file_range,sendfile,splice,mmap"
_AROUND = 7
"""Runs of nothing before and behind each of what is measured by it."""
_goals: list[tuple[str, ...]] = []
_ANSWER = re.compile(r"= (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    seconds: float
    """Wall time of the whole process."""
    cpu: float
    """Seconds on processors: the better measure where the machine has something else to do."""
    peak: int
    """Bytes of its largest resident set; never below this script's own, which the child begins as."""


def run(argv: Argv, *, ok: tuple[int, ...] = (0,)) -> Cost:
    """Run a program to its end, its output thrown away.

    Raises:
        SystemExit: it ended with a status that is not in ``ok``; what it said is shown.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in ok:
            said.seek(0)
            words = " ".join(map(str, argv))
            sys.exit(f"{words} ended with {process.returncode}:\n{said.read().decode(errors='replace')[-2000:]}")
    return Cost(seconds=seconds, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss * 1024)


def median(
    argv: Argv, *, runs: int, warm: int = 1, ok: tuple[int, ...] = (0,), before: Callable[[], None] | None = None
) -> Cost:
    """The median of ``runs`` runs after ``warm`` that do not count; ``before`` is called ahead of each, not timed."""
    costs: list[Cost] = []
    for _ in range(warm + runs):
        if before is not None:
            before()
        costs.append(run(argv, ok=ok))
    return _median(costs[warm:])


def in_turns(
    commands: Mapping[str, Argv], *, runs: int, warm: int = 1, before: Callable[[], None] = lambda: None
) -> dict[str, Cost]:
    """The medians of commands that take turns, so that a machine that gets busy meanwhile is busy for all of them."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(warm + runs):
        for name, argv in commands.items():
            before()
            costs[name].append(run(argv))
    return {name: _median(found[warm:]) for name, found in costs.items()}


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        seconds=statistics.median(cost.seconds for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        peak=int(statistics.median(cost.peak for cost in costs)),
    )


def bytes_read(argv: Argv, suffix: str, *, ok: tuple[int, ...] = (0,)) -> int:
    """Bytes that a program and its children read of files whose path ends in ``suffix``, as the kernel was asked for them.

    A mapped file counts with all that is mapped.
    """
    with tempfile.NamedTemporaryFile(prefix="bootkit-strace-") as log:
        trace = ["strace", "-f", "-y", "-s", "0", "-e", "signal=none", "-e", f"trace={READS}", "-o", log.name]
        run([*trace, *argv], ok=ok)
        return sum(_traced(line, suffix) for line in Path(log.name).read_text(errors="replace").splitlines())


def _traced(line: str, suffix: str) -> int:
    if f"{suffix}>" not in line:
        return 0
    if " mmap(" in line:
        return int(line.partition(", ")[2].partition(",")[0])
    answer = _ANSWER.search(line.rpartition(")")[2])
    return int(answer[1]) if answer else 0


def floor() -> int:
    """Below this many bytes a peak cannot be measured, see :class:`Cost`."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget(path: Path) -> None:
    """Write a file out and drop it from the page cache, so that the next read comes from the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    print(f"### {title}\n")
    for row in (headers, ["---"] * len(headers), *rows):
        print("|", " | ".join(row), "|")
    print(flush=True)


def goal(work: str, ours: str, wanted: str, *, met: bool, peer: str = "", ratio: float | None = None) -> None:
    """Keep a row of the table that stands at the end; ``peer`` is the best other program with what it took."""
    answer = "met" if met else "**missed**"
    _goals.append((work, ours, peer, "" if ratio is None else f"{ratio:.2f}", wanted, answer))


def table_of_goals() -> None:
    table("all goals", ["work", "bootkit", "best peer", "ratio", "goal", ""], _goals)


NOTHING: Argv = [sys.executable, "-c", "pass"]
"""An interpreter that does nothing."""


def processor_time(runs: int = 21) -> float:
    """P: seconds on processors of an interpreter that does nothing, now and here."""
    return median(NOTHING, runs=runs).cpu


def in_units(
    argv: Argv, *, runs: int = 1, warm: int = 0, ok: tuple[int, ...] = (0,), before: Callable[[], None] = lambda: None
) -> tuple[float, Cost]:
    """The median in P, of each run by what P was around it, and the median cost: a busy machine is busy for both."""
    ratios: list[float] = []
    costs: list[Cost] = []
    for _ in range(warm + runs):
        before()
        first = processor_time(_AROUND)
        costs.append(run(argv, ok=ok))
        ratios.append(costs[-1].cpu / statistics.mean((first, processor_time(_AROUND))))
    return statistics.median(ratios[warm:]), _median(costs[warm:])


def mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"


def seconds(value: float) -> str:
    return f"{value:.3f} s"
