"""The images of a stick and what is known of each, from the records that the stick keeps or, for new ones, by looking."""

import json
import logging
import os
from collections.abc import Callable
from dataclasses import replace

from bootkit.app.stick.recognition import answered, with_insides
from bootkit.errors import BootkitError, HostError, MediumError
from bootkit.model.answers import recognition_from_json, recognition_to_json
from bootkit.model.catalog import ImageItem
from bootkit.model.fields import json_object, parse_json
from bootkit.model.iso import NotRecorded, RecordedIso
from bootkit.model.places import FACTS_FOLDER
from bootkit.model.record import facts_from_json, facts_to_json
from bootkit.probe.image import open_image
from bootkit.system.fingerprint import program_fingerprint
from bootkit.system.volume import FileStat, Volume, read_file, walk
from bootkit.values import dataclass

log = logging.getLogger(__name__)

RECORD_NAME_LIMIT = 240
"""Bytes of the name of an image that has a record: 255, less what is put in front and behind."""
RECORD_LIMIT = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    items: tuple[ImageItem, ...]
    """In the order of their paths."""
    looked_at: frozenset[str]
    """Paths of the images whose record was missing or stale."""
    strays: tuple[str, ...]
    """Records of images that are gone."""


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
    fingerprint = program_fingerprint()
    items: list[ImageItem] = []
    looked_at: set[str] = set()
    for path, stat in images:
        record = _read_record(volume, path, stat)
        item = None if record is None or fresh or _changes_unseen(record.item) else record.item
        if item is not None and record is not None and record.fingerprint != fingerprint:
            item = _again_from_record(record.item, insides=insides)
        if item is None or (insides and not _has_insides(item)):
            told(path)
            item = replace(
                look_at_image(volume, path, stat, insides=insides), sha256=record.item.sha256 if record else ""
            )
        if record is None or item is not record.item:
            looked_at.add(path)
        items.append(item)
    known = {record_path(path) for path, _ in images}
    strays = tuple(path for path, _ in walk(volume, FACTS_FOLDER) if path not in known)
    return Catalog(items=tuple(items), looked_at=frozenset(looked_at), strays=strays)


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


def record_path(path: str) -> str:
    return f"{FACTS_FOLDER}{path}.json"


def record_fits(path: str) -> bool:
    """Whether the name of an image's record is one that every file system takes, also while it is written."""
    return len(os.fsencode(path.rpartition("/")[2])) <= RECORD_NAME_LIMIT


def recorded_sum(volume: Volume, path: str) -> str:
    """The SHA-256 that ``add`` or ``verify`` found, of an image that has not changed since; empty if nobody knows it."""
    stat = volume.stat(path)
    record = _read_record(volume, path, stat) if stat is not None else None
    return record.item.sha256 if record is not None else ""


def record_of(item: ImageItem) -> bytes:
    """The record of an image, as the stick keeps it."""
    document = {
        "size": item.size,
        "mtime_ns": item.mtime_ns,
        "sha256": item.sha256,
        "error": item.error,
        "fingerprint": program_fingerprint(),
        "recognition": None if item.recognition is None else recognition_to_json(item.recognition),
        "facts": None if item.facts is None else facts_to_json(item.facts),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogateescape")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    item: ImageItem
    fingerprint: str


def _read_record(volume: Volume, path: str, stat: FileStat) -> _Record | None:
    """The record of an image that has not changed since; ``None`` if there is none, or it cannot be trusted."""
    try:
        content = read_file(volume, record_path(path), RECORD_LIMIT)
        if content is None:
            return None
        document = json_object(parse_json(content, "the record"), "the record")
        if document["size"] != stat.size or document["mtime_ns"] != stat.mtime_ns:
            return None
        recognition, facts = document["recognition"], document["facts"]
        item = ImageItem(
            path=path,
            size=stat.size,
            mtime_ns=stat.mtime_ns,
            facts=None if facts is None else facts_from_json(facts),
            recognition=None if recognition is None else recognition_from_json(recognition),
            error=str(document["error"]),
            sha256=str(document["sha256"]),
        )
        return _Record(item=item, fingerprint=str(document["fingerprint"]))
    except (KeyError, BootkitError):
        return None


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


def _has_insides(item: ImageItem) -> bool:
    if item.facts is None:
        return True
    try:
        with_insides(item, RecordedIso(item.facts))
    except NotRecorded:
        return False
    return True
