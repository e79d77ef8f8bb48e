"""``python -m tests.faults [POINTS [FILE_SYSTEM ...]]``: interrupt every command that writes, at so many points of each kind.

Prints the table of what came of it. Without a number, 12: at least 600 points in all, half an hour.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bootkit.model.filesystem import DataFs
from bootkit.model.prepare import Layout
from tests.faults.cases import CASES, Outcome, interrupt, make_stick, make_things, table
from tests.faults.folders import interrupt_folder, make_folder
from tests.faults.sticks import FILE_SYSTEMS
from tests.faults.upgrades import interrupt_upgrade, make_old_stick


def main(each: int, file_systems: tuple[DataFs, ...]) -> int:
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="bootkit-faults-") as folder:
        things = make_things(Path(folder) / "things")
        for data_fs in file_systems:
            stick = make_stick(Path(folder) / f"{data_fs}.img", data_fs, things)
            for case in CASES:
                outcomes.append(interrupt(case, stick, data_fs, things, Path(folder), each=each))
                _tell(outcomes[-1])
        outcomes += _mounted(things, Path(folder), each=each)
    print(table(outcomes))
    return min(1, sum(len(outcome.failures) for outcome in outcomes) + upgrades())


def _mounted(things: Path, work: Path, *, each: int) -> Iterator[Outcome]:
    """The same commands on a folder, whose kernel fails."""
    stick = make_folder(make_stick(work / "stick.img", DataFs.EXT4, things), work / "stick")
    for case in CASES:
        if not case.is_raw:
            outcome = interrupt_folder(case, stick, things, work, each=each)
            _tell(outcome)
            yield outcome


def _tell(outcome: Outcome) -> None:
    print(table([outcome]).splitlines()[1], flush=True)
    for failure in outcome.failures:
        print(f"  {failure}", flush=True)


def upgrades() -> int:
    """Every write of an upgrade and of the way back from it; the number of failures."""
    failures = 0
    for layout in Layout:
        for back in (False, True):
            with tempfile.TemporaryDirectory(prefix="bootkit-faults-") as folder:
                stick = make_old_stick(Path(folder) / "stick.img", layout)
                count, problems = interrupt_upgrade(stick, Path(folder), back=back, each=sys.maxsize)
            name = "upgrade --back" if back else "upgrade"
            print(f"{layout:<12} {name}: {count} points, {len(problems)} failures", *problems, sep="\n  ", flush=True)
            failures += len(problems)
    return failures


if __name__ == "__main__":
    number, *names = sys.argv[1:] or ["12"]
    sys.exit(main(int(number), tuple(map(DataFs, names)) or FILE_SYSTEMS))
