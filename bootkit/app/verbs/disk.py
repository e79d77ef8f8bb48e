"""``disk``: installed systems in the image of their disk, a file of the stick."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.app.stick.images import DISK_SUFFIXES, find_images
from bootkit.app.stick.recognition import answered, with_insides
from bootkit.app.stick.settings import settings_text
from bootkit.app.stick.user_files import fill_warning, has_holes, plan_copy, require_room, take_out, there_already
from bootkit.app.verbs.check import predictions_of
from bootkit.app.verbs.disk_source import DiskWanted, raw_disk_of
from bootkit.app.verbs.images import Addition
from bootkit.errors import BootkitError, FormatError, HostError
from bootkit.formats.diskfile import DiskFormat
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer
from bootkit.model.iso import FileKind
from bootkit.model.options import image_place
from bootkit.model.places import DISK_FOLDER, STICK_FILE
from bootkit.model.plan import StickPlan, WriteFile
from bootkit.plan.check_disks import with_journals
from bootkit.plan.edit_settings import Change, edited
from bootkit.plan.names import name_problem
from bootkit.plan.persistence import read_initrds
from bootkit.probe.disk import waiting_journals
from bootkit.probe.image import ImageView, open_image
from bootkit.system.changes import Watcher, apply_changes
from bootkit.system.diskimage import format_of, grow_disk
from bootkit.system.sticks import Stick
from bootkit.system.volume import FileStat, Volume
from bootkit.system.volumes.raw import scratch
from bootkit.values import dataclass

SUFFIX = ".raw"
_PACKED = (".gz", ".xz", ".zst", ".bz2")
_VIRTUAL = (".qcow2", ".vdi", ".vmdk", ".vhdx", ".vhd", ".img", SUFFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDisk:
    """An installed system that may be copied."""

    addition: Addition
    warnings: tuple[str, ...] = ()


def is_disk(source: Path) -> bool:
    """Whether a file of the host is the disk of an installed system, or packs what its name calls a disk.

    Raises:
        HostError: it cannot be read.
    """
    kind = format_of(source)
    if kind.is_virtual:
        return True
    if kind.is_packed:
        return source.name.removesuffix(source.suffix).lower().endswith(DISK_SUFFIXES)
    try:
        with open_image(source) as view:
            return view.facts.kind is FileKind.SYSTEM
    except (FormatError, HostError):
        return False


def disk_name(source: Path) -> str:
    """What the disk is called on the stick where nobody says: the file's name without what it was packed by."""
    name = source.name
    for suffixes in (_PACKED, _VIRTUAL):
        name = next((name[: -len(one)] for one in suffixes if name.lower().endswith(one)), name)
    return name


def disk_file(name: str) -> str:
    """The path of a disk of that name on the stick."""
    return f"{DISK_FOLDER}/{name}{SUFFIX}"


def require_free_name(volume: Volume, name: str) -> None:
    """Refuse, before there is work, what could not be copied behind it.

    Raises:
        BootkitError: there is a disk of that name.
    """
    path = disk_file(name)
    if volume.stat(path) is not None:
        raise BootkitError(tr("{path} is on the stick already", path=path), hint=f"bootkit disk remove {name}")


@contextmanager
def planned_disk(
    stick: Stick,
    source: Path,
    watcher: Watcher,
    *,
    name: str = "",
    size: int = 0,
    replacing: bool = False,
    dry_run: bool = False,
) -> Generator[PlannedDisk]:
    """What ``disk add`` would copy; the raw file that it is made of is gone when the block ends.

    ``size`` bytes are what the disk grows to; 0 leaves it as it is. Without ``dry_run`` that file may lie on the stick.

    Raises:
        BootkitError: it is no disk of an installed system, would not boot from this stick, or does not fit.
    """
    path = disk_file(name or disk_name(source))
    if problem := name_problem(path):
        raise BootkitError(
            tr("{path} cannot be booted under this name: {problem}", path=path, problem=problem),
            hint=tr("--name gives it another"),
        )
    if not replacing and stick.volume.stat(path) is not None:
        raise there_already(path)
    if size:  # whoever says what it grows to wants to have that
        require_room(stick.volume, size)
    wanted = DiskWanted(source=source, path=path, size=size, replacing=replacing)
    with raw_disk_of(stick.volume, wanted, watcher, dry_run=dry_run) as raw:
        item = looked_into(raw.file, path, source)
        (prediction,) = predictions_of(stick, (item,))
        if prediction.answer in (Answer.CANNOT, Answer.ELSEWHERE):
            raise BootkitError(f"{source.name}: {prediction.reason}", hint=prediction.cure)
        step = raw.step(stick.volume, wanted)
        with raw.file.open("rb") as fh:
            notes = with_journals(prediction, waiting_journals(cast("BinaryIO", fh)), read_initrds(item)).notes
        warnings = (*_warnings(source, notes), fill_warning(stick.volume, item.name, step.size))
        yield PlannedDisk(addition=Addition(step=step, item=item), warnings=tuple(filter(None, warnings)))


def _opened(raw: Path, path: str, source: Path) -> ImageView:
    try:
        return open_image(raw, name=path.rpartition("/")[2])
    except FormatError as error:
        raise BootkitError(tr("{source} is no disk", source=source.name), hint=error.hint) from error


def looked_into(raw: Path, path: str, source: Path) -> ImageItem:
    """The disk in ``raw`` as it will be at ``path`` on the stick; ``source`` is what it was made of.

    Raises:
        BootkitError: it has no installed system, or one that cannot start from a file.
    """
    with _opened(raw, path, source) as view:
        if view.facts.kind is not FileKind.SYSTEM:
            raise BootkitError(
                tr("{source} is no disk with an installed system", source=source.name),
                hint=tr("bootkit inspect {source} tells what it is", source=source),
            )
        item = ImageItem(path=path, size=raw.stat().st_size, mtime_ns=0)
        item = with_insides(answered(item, view), view)
    detection = item.detection
    if detection is None or not detection.entries:
        obstacle = detection.obstacle if detection is not None else tr("nobody knows its system")
        raise BootkitError(f"{source.name}: {obstacle}", hint=detection.instead if detection is not None else "")
    return item


def _warnings(source: Path, notes: tuple[str, ...]) -> tuple[str, ...]:
    kind = format_of(source)
    made = f"on the stick it is a raw disk, made from {kind}" if kind is not DiskFormat.RAW else ""
    return (*((made,) if made else ()), *notes)


def choose_for_disk(volume: Volume, path: str, values: Mapping[str, bool]) -> None:
    """Choose options for a disk, before the menu is written: none of its entries is to be there for a moment only."""
    text = settings_text(volume)
    changes = [Change(key=key, value=value, place=image_place(path)) for key, value in values.items()]
    after = edited(text, changes)
    if after != text:
        apply_changes(StickPlan(steps=(WriteFile(path=STICK_FILE, content=after.encode()),)), volume)


def find_disks(volume: Volume) -> tuple[tuple[str, FileStat], ...]:
    """The disks in their folder."""
    return tuple((path, stat) for path, stat in find_images(volume) if path.startswith(f"{DISK_FOLDER}/"))


def disk_path(volume: Volume, name: str) -> str:
    """The path of the disk that is meant by its name, with its suffix or without.

    Raises:
        BootkitError: there is none.
    """
    paths = [path for path, _ in find_disks(volume)]
    for path in paths:
        if name in (path, path.rpartition("/")[2], path.rpartition("/")[2].rpartition(".")[0]):
            return path
    there = ", ".join(path.rpartition("/")[2] for path in paths)
    raise BootkitError(
        tr("no disk on the stick is called {name}", name=name), hint=there or "bootkit disk add FILE brings one"
    )


@contextmanager
def grown_disk(volume: Volume, name: str, size: int, watcher: Watcher) -> Generator[Addition]:
    """What ``disk grow`` would copy in the place of the disk: the same with ``size`` bytes.

    It is made beside the old one, which stays until the new one is complete and was read back.

    Raises:
        BootkitError: there is no such disk, it cannot grow, or there is no room for both.
    """
    path = disk_path(volume, name)
    stat = volume.stat(path)
    if stat is not None and size > stat.size:
        require_room(volume, size - stat.size)
    with changed_disk(volume, path, lambda raw, work: grow_disk(raw, size, work), watcher) as changed:
        yield changed


@contextmanager
def changed_disk(
    volume: Volume, path: str, change: Callable[[Path, Path], None], watcher: Watcher
) -> Generator[Addition]:
    """What takes the place of a disk: a copy of it that ``change`` was done to, with a folder for its work."""
    with scratch() as work:
        raw = work / path.rpartition("/")[2]
        take_out(volume, path, raw, watcher)
        change(raw, work)
        item = looked_into(raw, path, raw)
        step = plan_copy(volume, raw, path, sparse=has_holes(volume), replace=True)
        yield Addition(step=step, item=item)
