"""An upgrade that is interrupted: what firmware, which completes nothing, finds on the medium then."""

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.app.verbs.prepare import prepare_image
from bootkit.app.verbs.upgrade import plan_upgrade_of, plan_way_back
from bootkit.formats.fat import Fat
from bootkit.formats.reader import Window
from bootkit.model.prepare import SECTOR, Layout, PreparePlan
from bootkit.system.apply import apply_plan
from bootkit.system.bootcode import loads_from
from bootkit.system.recognise import read_contents
from bootkit.units import MIB
from tests.conftest import copy_with_holes
from tests.faults.trace import Sync, Trace, Write, apply, points, recorded

SHIM, GRUB, CONFIGURATION = "/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/grubx64.efi", "/EFI/debian/grub.cfg"
CORE = 1000 * SECTOR
"""Bytes behind the start of a BIOS core image: as much as either place for one has in both layouts."""
IN_PLACE = 16 * SECTOR
"""Writes of at most so many bytes are tried sector by sector; longer ones are content, which goes to free room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What starts from a stick."""

    shim: bytes
    grub: bytes
    configuration: bytes
    core: bytes


def make_old_stick(image: Path, layout: Layout) -> Path:
    """A stick as an older program would have left it: each file that starts it is another than the one of today."""
    prepare_image(image, 180 * MIB, layout=layout)
    record = read_contents(image).stick
    assert record is not None
    with image.open("r+b") as opened:
        tree = Fat(cast("BinaryIO", Window(cast("BinaryIO", opened), record.boot.offset, record.boot.size)))
        for name in (SHIM, GRUB, CONFIGURATION):
            (at, _length), *_ = tree.extents(name)
            assert at is not None
            opened.seek(record.boot.offset + at + 8)
            opened.write(b"is older")
        opened.seek(0)
        opened.seek(loads_from(opened.read(SECTOR)) * SECTOR + 2048)
        opened.write(b"is older")
    return image


def interrupt_upgrade(stick: Path, work: Path, *, back: bool, each: int) -> tuple[int, list[str]]:
    """Try ``each`` points of every kind, at most, of an upgrade, or of the way back from one: their number, and what went wrong."""
    before, now = work / "before.img", work / "now.img"
    copy_with_holes(stick, before)
    plan: Callable[[Path], PreparePlan] = plan_upgrade_of
    if back:
        apply_plan(plan_upgrade_of(before))
        plan = plan_way_back
    old = as_firmware_sees(before)
    copy_with_holes(before, now)
    with recorded(now) as trace:
        apply_plan(plan(now))
    new = as_firmware_sees(now)
    problems = [f"{name} was not renewed" for name, one in _named(new) if one in (b"", dict(_named(old))[name])]
    tried = points(_by_sectors(trace), each=each)
    for point in tried:
        copy_with_holes(before, now)
        apply(point.writes(_by_sectors(trace)), now)
        problems += (f"{point}: {problem}" for problem in _problems(as_firmware_sees(now), old, new, back=back))
    return len(tried), problems


def as_firmware_sees(image: Path) -> Start:
    record = read_contents(image).stick
    assert record is not None
    with image.open("rb") as opened:
        fh = cast("BinaryIO", opened)
        fh.seek(loads_from(fh.read(SECTOR)) * SECTOR)
        core = fh.read(CORE)
        tree = Fat(cast("BinaryIO", Window(fh, record.boot.offset, record.boot.size)))
        shim, grub, configuration = (
            tree.read(path, 8 * MIB) if tree.find(path) else b"" for path in (SHIM, GRUB, CONFIGURATION)
        )
    return Start(shim=shim, grub=grub, configuration=configuration, core=core)


def _problems(found: Start, old: Start, new: Start, *, back: bool) -> Iterable[str]:
    was, becomes = dict(_named(old)), dict(_named(new))
    yield from (
        f"{name} is neither old nor new" for name, one in _named(found) if one not in (was[name], becomes[name])
    )
    newest, beside = (old.shim, old.grub) if back else (new.shim, new.grub)
    if found.shim == newest and found.grub != beside:
        yield "the newer shim starts the older GRUB, which it may refuse"


def _named(start: Start) -> tuple[tuple[str, bytes], ...]:
    return tuple(zip(("shim", "GRUB", "configuration", "BIOS core image"), astuple(start), strict=True))


def _by_sectors(trace: Trace) -> Trace:
    """The same writes as a medium takes them."""
    events: list[Write | Sync] = []
    for event in trace.events:
        if isinstance(event, Write) and len(event.data) <= IN_PLACE:
            places = range(0, len(event.data), SECTOR)
            events += (Write(event.offset + at, event.data[at : at + SECTOR]) for at in places)
        else:
            events.append(event)
    return Trace(events)
