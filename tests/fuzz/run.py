"""Feed damaged inputs to every reader: ``./dev test fuzz [SECONDS]``; a table, and each input that does harm in a file.

What counts as harm: an error that is not ours, more than a second of processor, more than 256 MiB.
"""

import gc
import os
import pickle
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from bootkit.errors import BootkitError
from bootkit.model.iso import NotRecorded
from tests.fuzz.targets import FuzzTarget, targets

CPU_LIMIT = 1.0
MEMORY_LIMIT = 256 << 20
_HARD_CPU = 5.0
_SEED = 20261129


@dataclass(slots=True)
class Harm:
    what: str
    data: bytes
    trace: str = ""


@dataclass(slots=True)
class Tally:
    """Of one reader."""

    name: str
    inputs: int = 0
    refused: int = 0
    slowest: float = 0.0
    """Seconds of processor."""
    growth: int = 0
    """Bytes that the process grew by at most."""
    harms: list[Harm] = field(default_factory=list[Harm])


class _TooLongError(BaseException):
    pass


def damaged(target: FuzzTarget, number: int) -> bytes:
    """The input of that number: the sound ones first, then always the same damage."""
    if number < len(target.seeds):
        return target.seeds[number]
    dice = random.Random(f"{_SEED} {target.name} {number}")
    data = dice.choice(target.seeds)
    return target.mutate(dice, data, target.seeds)


def fuzzed(target: FuzzTarget, *, inputs: int | None = None, seconds: float | None = None) -> Tally:
    """So many inputs, or as many as the time allows, in a process of its own: it may need all its memory, or die."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 1
        try:
            tally = _fuzz(target, inputs=inputs, seconds=seconds)
            with os.fdopen(writing, "wb") as out:
                pickle.dump(tally, out)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        content = answer.read()
    _, status = os.waitpid(child, 0)
    if status or not content:
        return Tally(name=target.name, harms=[Harm(what=f"the process ended with status {status}", data=b"")])
    answered: Tally = pickle.loads(content)
    return answered


def _fuzz(target: FuzzTarget, *, inputs: int | None, seconds: float | None) -> Tally:
    tally = Tally(name=target.name)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 4 * MEMORY_LIMIT, resource.RLIM_INFINITY))
    signal.signal(signal.SIGPROF, _stop)
    end = time.monotonic() + seconds if seconds is not None else float("inf")
    number = 0
    while number != inputs and time.monotonic() < end:
        _try(target, damaged(target, number), tally)
        number += 1
    return tally


def _try(target: FuzzTarget, data: bytes, tally: Tally) -> None:
    gc.collect(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, _HARD_CPU)
    what = trace = ""
    try:
        target.read(data)
    except (BootkitError, NotRecorded):
        tally.refused += 1
    except _TooLongError:
        what, trace = "too long", traceback.format_exc(limit=-4)
    except Exception as error:
        what, trace = f"{type(error).__name__}: {str(error)[:80]}", traceback.format_exc(limit=-4)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    took = time.process_time() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    tally.inputs += 1
    tally.slowest, tally.growth = max(tally.slowest, took), max(tally.growth, grown)
    if not what and took > CPU_LIMIT:
        what = f"{took:.1f} s of processor"
    if not what and grown > MEMORY_LIMIT:
        what = f"{grown >> 20} MiB"
    if what:
        tally.harms.append(Harm(what=what, data=data, trace=trace))


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _TooLongError


def lines(tallies: Iterator[Tally]) -> Iterator[str]:
    """The table, a line as soon as it is known."""
    yield f"{'READER':18} {'INPUTS':>8} {'REFUSED':>8} {'SLOWEST':>9} {'GROWTH':>9}  DEFECTS"
    inputs = harms = 0
    for tally in tallies:
        inputs, harms = inputs + tally.inputs, harms + len(tally.harms)
        yield (
            f"{tally.name:18} {tally.inputs:8} {tally.refused:8} {tally.slowest * 1000:6.0f} ms {tally.growth >> 20:5} MiB"
            f"  {len(tally.harms)}"
        )
        seen: set[str] = set()
        for harm in tally.harms:
            if harm.what not in seen and len(seen) < 5:
                yield from (f"    {line}" for line in (harm.what, *harm.trace.splitlines()[-4:]))
                seen.add(harm.what)
    yield f"{inputs} inputs, {harms} defects"


def kept(tallies: Iterator[Tally], folder: Path) -> Iterator[Tally]:
    """The same; what did harm lies in ``folder`` afterwards."""
    for tally in tallies:
        for number, harm in enumerate(tally.harms[:20]):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{tally.name.replace(' ', '-').replace('/', '-')}-{number}").write_bytes(harm.data)
        yield tally


def main(argv: list[str], show: Callable[[str], object] = sys.stdout.write) -> int:
    """``argv``: seconds in all, or nothing for ten minutes; names of readers behind them, or nothing for all."""
    seconds = float(argv[0]) if argv else 600.0
    folder = Path(tempfile.gettempdir()) / "bootkit-fuzz"
    bad = 0
    with tempfile.TemporaryDirectory() as work:
        chosen = [target for target in targets(Path(work)) if not argv[1:] or target.name in argv[1:]]
        for line in lines(kept((fuzzed(target, seconds=seconds / len(chosen)) for target in chosen), folder)):
            show(f"{line}\n")
            sys.stdout.flush()
            bad += line.endswith(" defects") and not line.endswith(", 0 defects")
    if bad:
        show(f"what did harm lies in {folder}\n")
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
