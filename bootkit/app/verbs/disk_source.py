"""Where ``disk add`` has its raw disk from: the user's file, a copy on the host, or what is unpacked straight to the stick."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from bootkit.app.stick.leftovers import remove_leftovers
from bootkit.app.stick.user_files import SPARE, has_holes, plan_copy, require_fits, require_room
from bootkit.errors import BootkitError, host_errors
from bootkit.i18n import tr
from bootkit.model.plan import CopyImage
from bootkit.system.changes import Watcher, checksum_of, incoming, part_path, require_same
from bootkit.system.diskimage import end_table, format_of, grow_disk, is_ready, raw_disk
from bootkit.system.unpack import unpack
from bootkit.system.volume import Volume
from bootkit.system.volumes.raw import scratch
from bootkit.units import format_size
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskWanted:
    """What ``disk add`` is to bring."""

    source: Path
    path: str
    """On the stick."""
    size: int = 0
    """Bytes that it grows to; 0 leaves it as it is."""
    replacing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDisk:
    """A raw disk that can be looked into."""

    file: Path
    sparse: bool
    checksum: str = ""
    """Of what lies on the stick already; empty where the file is to be copied."""

    def step(self, volume: Volume, wanted: DiskWanted) -> CopyImage:
        """What is left to be done for it.

        Raises:
            BootkitError: there is no room.
        """
        if not self.checksum:
            return plan_copy(volume, self.file, wanted.path, sparse=self.sparse, replace=wanted.replacing)
        size = self.file.stat().st_size
        return CopyImage(
            source=str(wanted.source), path=wanted.path, size=size, sparse=self.sparse, arrived=self.checksum
        )


@contextmanager
def raw_disk_of(volume: Volume, wanted: DiskWanted, watcher: Watcher, *, dry_run: bool) -> Generator[RawDisk]:
    """The raw disk; what was made of it is gone when the block ends, unless it has got its name on the stick.

    What is packed is unpacked to the stick, so that all of it moves once. An image file or a device that nobody has mounted is
    written to by us, who have to know how much before.

    Raises:
        BootkitError: it cannot be unpacked, or is more than there is room for.
    """
    new = incoming(volume, wanted.path) if not dry_run and format_of(wanted.source).is_packed else None
    # where bytes are found by their place, all of them have to have one
    sparse = has_holes(volume)
    with scratch() as work:
        if new is None:
            yield RawDisk(file=raw_disk(wanted.source, work, watcher, size=wanted.size), sparse=sparse)
        else:
            with _arriving(volume, new, wanted, watcher, sparse=sparse) as (file, checksum):
                if wanted.size or not is_ready(file):
                    checksum = _completed(volume, file, wanted, checksum, work, watcher, sparse=sparse)
                yield RawDisk(file=file, sparse=sparse, checksum=checksum)


@contextmanager
def _arriving(
    volume: Volume, new: AbstractContextManager[Path], wanted: DiskWanted, watcher: Watcher, *, sparse: bool
) -> Generator[tuple[Path, str]]:
    source = wanted.source
    packed = source.stat().st_size
    remove_leftovers(volume)
    require_room(volume, packed)  # what it unpacks to is more than that
    room = volume.free() - SPARE

    def grows(size: int, written: int) -> None:
        require_fits(volume, source.name, size)
        if written > room:
            raise BootkitError(
                tr(
                    "{where} has {free} free, and {source} unpacks to more",
                    where=volume.where,
                    free=format_size(room),
                    source=source,
                ),
                hint=tr("remove what is not needed: bootkit list, bootkit remove IMAGE"),
            )

    with new as file:
        watcher.begin("unpacking", str(source), packed)
        with host_errors(f"{volume.where}{wanted.path}"):
            checksum = unpack(format_of(source), source, file, watcher.progress, sparse=sparse, grows=grows)
        watcher.end()
        yield file, checksum


def _completed(
    volume: Volume, file: Path, wanted: DiskWanted, checksum: str, work: Path, watcher: Watcher, *, sparse: bool
) -> str:
    """The checksum of a disk that was grown, or whose table was put at its end, on the stick.

    What was unpacked is read back before, because afterwards it is no longer what was hashed.
    """
    part = part_path(wanted.path)
    volume.flush()
    watcher.begin("checking", wanted.path, file.stat().st_size)
    require_same(volume, part, checksum, watcher.progress, sparse=sparse)
    if wanted.size:
        grow_disk(file, wanted.size, work, name=wanted.source.name)
    end_table(file)
    checksum = checksum_of(volume, part, watcher.progress, sparse=sparse)
    watcher.end()
    return checksum
