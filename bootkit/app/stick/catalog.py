"""The images of a stick and what is known of each, from the records that the stick keeps or, for new ones, by looking."""

import logging
from collections.abc import Callable
from dataclasses import replace

from bootkit.app.stick.recognition import answered, with_insides
from bootkit.app.stick.records import KnownImage, NewRecords, Record, Records, has_insides, is_speakable, read_records
from bootkit.errors import BootkitError, HostError, MediumError
from bootkit.model.catalog import ImageItem
from bootkit.model.iso import NotRecorded, RecordedIso
from bootkit.probe.image import open_image
from bootkit.system.fingerprint import program_fingerprint
from bootkit.system.volume import FileStat, Volume
from bootkit.values import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    items: tuple[ImageItem, ...]
    """In the order of their paths."""
    looked_at: frozenset[str]
    """Paths of the images whose record was missing or stale."""
    records: Records
    """What is known of these images now, and what the stick keeps of others."""
    unrecorded: frozenset[str]
    """Paths of the images that no record is of: they could not be read, or not all of it was looked at."""

    def record(self, path: str) -> Record | None:
        """What is known of an image, as it is now."""
        return None if path in self.unrecorded else self.records.get(path)


def read_catalog(
    volume: Volume,
    images: tuple[tuple[str, FileStat], ...],
    *,
    insides: bool = False,
    fresh: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> Catalog:
    """What is known of ``images``.

    ``insides`` asks for their kernels, initrds and root file systems as well, as far as predictions want them. ``told``
    is called with the path of each image before it is read. An image that cannot be read has an ``error``; it stops
    nothing.
    """
    records = read_records(volume)
    items: list[ImageItem] = []
    looked_at: set[str] = set()
    new = NewRecords()
    for path, stat in images:
        kept = records.find(path, stat)
        item = None if kept is None or fresh or _changes_unseen(kept.item) else _believed(kept, insides=insides)
        if item is None:
            told(path)
            item = replace(look_at_image(volume, path, stat, insides=insides), sha256=kept.item.sha256 if kept else "")
        if kept is None or item is not kept.item:
            looked_at.add(path)
            if insides and not item.unsettled and is_speakable(path):
                item = new.add(item)
        items.append(item)
    return Catalog(
        items=tuple(items),
        looked_at=frozenset(looked_at),
        records=records.changed(put=new.by_path) if new.by_path else records,
        unrecorded=frozenset(looked_at - new.by_path.keys()),
    )


def _believed(kept: KnownImage, *, insides: bool) -> ImageItem | None:
    """What can be said of an image out of its record; ``None`` where that does not suffice."""
    if kept.fingerprint == program_fingerprint():
        return kept.item if kept.has_insides or not insides else None
    item = _again_from_record(kept.item, insides=insides)
    return None if item is None or (insides and not has_insides(item)) else item


def look_at_image(volume: Volume, path: str, stat: FileStat, *, insides: bool = False) -> ImageItem:
    """Read an image on the stick and ask the detectors."""
    item = ImageItem(path=path, size=stat.size, mtime_ns=stat.mtime_ns)
    try:
        with volume.open(path) as fh:
            view = open_image(fh, name=stat.name, size=stat.size)
            item = answered(item, view)
            return with_insides(item, view) if insides else item
    except (MediumError, HostError) as error:
        return replace(item, error=error.message, unsettled=True)
    except BootkitError as error:
        return replace(item, error=error.message)
    except Exception as error:  # a bug that one image brings to light must not take the others with it
        log.debug("%s", path, exc_info=True)
        return replace(item, error=f"bootkit stumbles over it ({error!r}): please report that", unsettled=True)


def _changes_unseen(item: ImageItem) -> bool:
    """Whether it is the disk of an installed system of which the menu needs to know more than where kernels lie.

    One that is written to by its place on the stick keeps its file's time.
    """
    return item.is_written and item.detection is not None and any(not one.newest_in for one in item.detection.entries)


def _again_from_record(item: ImageItem, *, insides: bool) -> ImageItem | None:
    """Ask today's detectors about the recorded facts; ``None`` where they ask for more than was recorded."""
    if item.facts is None:
        return None
    # this version may see more in an initrd than the one that kept the record; without a look, that record has to do
    facts = replace(item.facts, kernels={}, initrds={}, roots={}) if insides else item.facts
    try:
        return answered(item, RecordedIso(facts))
    except (NotRecorded, BootkitError):
        return None
