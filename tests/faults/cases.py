"""The commands that write, each interrupted at many points, and what came of it."""

import filecmp
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bootkit.app.verbs.prepare import prepare_image
from bootkit.model.filesystem import DataFs
from bootkit.system.sticks import open_stick
from tests.app.conftest import LIVE_BOOT, small_iso
from tests.conftest import copy_with_holes
from tests.faults.sticks import MIB, bootkit, file_system_problem, fill, grub_problem, menu_problem, read_stick
from tests.faults.trace import Point, Trace, apply, points, recorded

SIZE = 400 * MIB
"""FAT32 has clusters of 4 KiB then, as on a stick, and eight times fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A command; ``before`` makes what it needs on the stick."""

    name: str
    words: Callable[[Path, Path], tuple[str | Path, ...]]
    """Of the image of the stick, and a folder with things to copy."""
    before: Callable[[Path, Path], object] = lambda _image, _things: None
    is_raw: bool = False
    """Whether only a stick that is not mounted has this."""


@dataclass(slots=True)
class Outcome:
    """Of all points of one command on one file system."""

    case: str
    file_system: str
    points: int = 0
    torn: int = 0
    """Points at which the file system's checker finds something as long as no command has completed the change."""
    dark: list[str] = field(default_factory=list[str])
    """As the stick is then, GRUB does not read its menu, or a file that it reads for a boot."""
    unclean: list[str] = field(default_factory=list[str])
    """It finds something still, after the next command that only reads."""
    lost: list[str] = field(default_factory=list[str])
    """A file is neither what it was before nor what it should become."""
    menus: list[str] = field(default_factory=list[str])
    stuck: list[str] = field(default_factory=list[str])
    """The command cannot be repeated, or ``generate`` cannot bring the stick in order."""
    left: list[str] = field(default_factory=list[str])
    """Leftovers that the next command does not take away."""

    @property
    def failures(self) -> list[str]:
        return [*self.dark, *self.unclean, *self.lost, *self.menus, *self.stuck, *self.left]


def _with_second(image: Path, things: Path) -> None:
    with open_stick(image, writing=True) as stick:
        stick.volume.copy_in(things / "second.iso", "/boot/iso/second.iso", lambda _: None)


def _full(image: Path, _things: Path) -> None:
    fill(image)


CASES = (
    Case(name="add", words=lambda image, things: ("add", things / "second.iso", "--stick", image)),
    Case(name="remove", words=lambda image, _: ("remove", "first.iso", "--stick", image)),
    Case(
        name="remove (full)",
        words=lambda image, _: ("remove", "first.iso", "--stick", image),
        before=_full,
        is_raw=True,
    ),
    Case(name="generate", words=lambda image, _: ("generate", "--stick", image), before=_with_second),
    Case(
        name="options set",
        words=lambda image, _: ("options", "set", "language", "de_DE.UTF-8", "--stick", image),
    ),
    Case(name="home create", words=lambda image, _: ("home", "create", "berta", "--size", "8M", "--stick", image)),
    Case(name="home resize", words=lambda image, _: ("home", "resize", "anna", "--size", "12M", "--stick", image)),
    Case(name="ext add", words=lambda image, things: ("ext", "add", things / "tools.raw", "--stick", image)),
)


def make_things(folder: Path) -> Path:
    """What the commands copy to the stick."""
    folder.mkdir()
    small_iso(folder, "first.iso")
    small_iso(folder, "second.iso", {**LIVE_BOOT, "live/more": "x" * 3 * MIB})
    tree = folder / "tools"
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/tool").write_text("#!/bin/sh\n")
    said = bootkit("ext", "create", tree, "--name", "tools", "--any", "--output", folder / "tools.raw")
    assert said.status == 0, said.text
    return folder


def make_stick(image: Path, data_fs: DataFs, things: Path) -> Path:
    """A stick with an image, a home, settings and a script of the user's."""
    prepare_image(image, SIZE, data_fs=data_fs)
    for words in (
        ("add", things / "first.iso"),
        ("home", "create", "anna", "--size", "8M"),
        ("options", "set", "timezone", "Europe/Berlin"),
    ):
        said = bootkit(*words, "--stick", image)
        assert said.status == 0, said.text
    with open_stick(image, writing=True) as stick:
        stick.volume.write({"/boot/customize/mine.sh": b"#!/bin/sh\necho mine\n", "/letter.txt": b"Dear reader\n"})
    return image


def interrupt(case: Case, stick: Path, data_fs: DataFs, things: Path, work: Path, *, each: int) -> Outcome:
    """Try ``each`` points of every kind, at most."""
    before, after, now = work / "before.img", work / "after.img", work / "now.img"
    copy_with_holes(stick, before)
    case.before(before, things)
    copy_with_holes(before, after)
    with recorded(after) as trace:
        said = bootkit(*case.words(after, things))
    assert said.status == 0, said.text
    _require_whole(trace, before, after, now)
    outcome = Outcome(case=case.name, file_system=data_fs)
    known = known_files(before, after)
    for point in points(trace, each=each):
        copy_with_holes(before, now)
        apply(point.writes(trace), now)
        outcome.points += 1
        _examine(case, point, now, outcome, known, things, work)
    return outcome


def _require_whole(trace: Trace, before: Path, after: Path, now: Path) -> None:
    """The trace holds all that was written."""
    copy_with_holes(before, now)
    apply(Point(kind="K", number=trace.writes).writes(trace), now)
    assert filecmp.cmp(now, after, shallow=False)


def known_files(before: Path, after: Path) -> dict[str, set[str]]:
    """What each file may be: as before, as after, or absent where it was not there before or is not after."""
    known: dict[str, set[str]] = {}
    stages = (read_stick(before).files, read_stick(after).files)
    assert all(stages)
    for path in {*stages[0], *stages[1]}:
        known[path] = {stage.get(path, "") for stage in stages}
    return known


def _examine(
    case: Case, point: Point, now: Path, outcome: Outcome, known: dict[str, set[str]], things: Path, work: Path
) -> None:
    name = f"{outcome.file_system} {case.name} {point.kind}{point.number}"
    if problem := grub_problem(now, known):
        outcome.dark.append(f"{name}: GRUB: {problem}")
    outcome.torn += bool(file_system_problem(now, DataFs(outcome.file_system), work))
    listed = bootkit("list", "--stick", now)
    if listed.status:
        outcome.stuck.append(f"{name}: list: {listed.text}")
        return
    if problem := file_system_problem(now, DataFs(outcome.file_system), work):
        outcome.unclean.append(f"{name}: {problem}")
    outcome.lost += [f"{name}: {path}" for path in wrong(read_stick(now).files, known)]
    if problem := menu_problem(now, work):
        outcome.menus.append(f"{name}: {problem}")
    again = bootkit(*case.words(now, things))
    if again.status and not is_done(again.text):
        outcome.stuck.append(f"{name}: {again.text}")
    done = bootkit("generate", "--stick", now)
    if done.status or (
        problem := menu_problem(now, work) or file_system_problem(now, DataFs(outcome.file_system), work)
    ):
        outcome.stuck.append(f"{name}: {done.text}")
    outcome.left += [f"{name}: {path}" for path in read_stick(now).files if path.endswith(".part")]


def wrong(files: dict[str, str], known: dict[str, set[str]]) -> Iterator[str]:
    for path, allowed in known.items():
        if files.get(path, "") not in allowed:
            yield f"{path} is {'another' if path in files else 'gone'}"
    yield from (f"{path} is new" for path in files if path not in known and not path.endswith(".part"))


def is_done(text: str) -> bool:
    """The interrupted command had come to its end."""
    return any(words in text for words in ("on the stick already", "there is a home", "no image on the stick"))


def table(outcomes: list[Outcome]) -> str:
    rows = [
        "file system  command       points  dark  torn  unclean  lost  menu  stuck  left over",
        *(
            f"{one.file_system:<12} {one.case:<13} {one.points:>6} {len(one.dark):>5} {one.torn:>5} {len(one.unclean):>8} {len(one.lost):>5} "
            f"{len(one.menus):>5} {len(one.stuck):>6} {len(one.left):>10}"
            for one in outcomes
        ),
    ]
    total = sum(one.points for one in outcomes)
    failed = sum(len(one.failures) for one in outcomes)
    return "\n".join([*rows, f"{total} points, {failed} failures"])
