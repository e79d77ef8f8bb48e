"""What a stick keeps of its images: one file, however many they are.

Two lines for each image. The first is short and says which file it is of, what that is and how it starts; the second holds all
that was read of it, ten times as much, and is parsed only when somebody asks. So a thousand images are one reading, and one
cluster more where clusters are large.
"""

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import fields
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from bootkit.app.stick.recognition import with_insides
from bootkit.errors import BootkitError, FormatError
from bootkit.i18n import tr
from bootkit.model.answers import (
    detection_from_json,
    detection_to_json,
    recognition_from_json,
    rejections_from_json,
)
from bootkit.model.boot import Detection, Recognition
from bootkit.model.catalog import ImageItem
from bootkit.model.efi import EfiFacts
from bootkit.model.fields import json_list, json_number, json_object, json_string, parse_json
from bootkit.model.initrdrecord import kernel_from_json, kernel_to_json
from bootkit.model.iso import IsoFacts, NotRecorded, RecordedIso
from bootkit.model.kernel import KernelFacts
from bootkit.model.places import IMAGES_FILE, OLD_RECORDS_FOLDER
from bootkit.model.plan import RemoveFile, WriteFile
from bootkit.model.record import facts_from_json, facts_to_json
from bootkit.system.fingerprint import program_fingerprint
from bootkit.system.volume import FileStat, Volume, read_file, walk
from bootkit.values import dataclass

_LIMIT = 512 << 20
_OLD_LIMIT = 4 << 20
_FORM = b'{"images":1}'
"""The file's first line."""
_RECENT = 256
"""Images whose second line stays parsed: more than most sticks have, and no more memory where one has a thousand."""
_PATH = re.compile(rb'\{\s*"path"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of one image, as two lines of JSON."""

    head: bytes
    rest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownImage:
    """What a record says of an image that has not changed since."""

    item: ImageItem
    fingerprint: str
    """Of the program that kept it."""
    has_insides: bool
    """Whether its kernels, initrds and root file systems were looked into."""


NOTHING: Mapping[str, Record] = MappingProxyType({})


class Records:
    """What is kept of the images of one stick, by their paths."""

    def __init__(self, content: bytes) -> None:
        """``content`` is that of the file."""
        self._was = _sum(content)
        lines = content.split(b"\n")
        pairs = zip(lines[1::2], lines[2::2], strict=False) if lines[0] == _FORM else ()
        self._records: dict[str, Record] = {}
        for head, rest in pairs:
            self.take(Record(head=head, rest=rest))

    def take(self, record: Record) -> None:
        """Know what another record says, too; one that cannot be read says nothing."""
        try:
            found = _PATH.match(record.head)
            path = json_string(parse_json(found[1] if found else b"", "a path"), "a path")
        except FormatError:
            return
        self._records[path] = record

    def get(self, path: str) -> Record | None:
        return self._records.get(path)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self._records)

    def find(self, path: str, stat: FileStat) -> KnownImage | None:
        """What is kept of an image; ``None`` if nothing is, it has changed since, or what is kept cannot be read."""
        record = self._records.get(path)
        if record is None:
            return None
        try:
            head = json_object(parse_json(record.head, "a record"), "a record")
            is_of_it = (head.get("size"), head.get("mtime_ns")) == (stat.size, stat.mtime_ns)
            return _kept(path, head, record.rest) if is_of_it else None
        except FormatError:
            return None

    def sha256(self, path: str, stat: FileStat) -> str:
        """The SHA-256 that ``add`` or ``verify`` found; empty if nobody knows it of the image as it is now."""
        kept = self.find(path, stat)
        return kept.item.sha256 if kept is not None else ""

    def changed(
        self, new: Iterable[ImageItem] = (), *, gone: Iterable[str] = (), put: Mapping[str, Record] = NOTHING
    ) -> "Records":
        """The same with what is known of ``new`` images, with their insides, ``put`` records, and without what is ``gone``."""
        records = {**self._records, **{item.path: record_of(item) for item in new if _is_speakable(item.path)}, **put}
        for path in gone:
            records.pop(path, None)
        changed = copy(self)
        changed._records = records  # noqa: SLF001 - its own
        return changed

    def steps(self) -> Iterator[WriteFile | RemoveFile]:
        """The step, if any, after which the stick keeps this."""
        records = self._records
        lines = (line for path in sorted(records) for line in (records[path].head, records[path].rest))
        content = b"\n".join((_FORM, *lines, b"")) if records else b""
        if _sum(content) != self._was:
            yield WriteFile(path=IMAGES_FILE, content=content) if content else RemoveFile(path=IMAGES_FILE)


def read_records(volume: Volume) -> Records:
    """What a stick keeps, also where version 0.1.0 was the last to write it."""
    records = Records(read_file(volume, IMAGES_FILE, _LIMIT) or b"")
    for path in old_records(volume):
        if records.get(_image_of(path)) is None and (record := _old_record(volume, path)):
            records.take(record)
    return records


def old_records(volume: Volume) -> tuple[str, ...]:
    """The files in which version 0.1.0 kept records, and by which GRUB told new images in its menus."""
    return tuple(path for path, _ in walk(volume, OLD_RECORDS_FOLDER, hidden=True))


def record_of(item: ImageItem, *, insides: bool = True, fingerprint: str = "") -> Record:
    """What a stick keeps of an image; ``fingerprint`` is that of the program that looked, if it was another one."""
    known = item.recognition
    rest = _line(
        {
            "rejections": [] if known is None else [list(pair) for pair in known.rejections],
            "facts": None if item.facts is None else facts_to_json(item.facts),
        }
    )
    head = {
        "path": item.path,
        "size": item.size,
        "mtime_ns": item.mtime_ns,
        "sha256": item.sha256,
        "error": item.error,
        "fingerprint": fingerprint or program_fingerprint(),
        "insides": insides,
        "volume_id": "" if item.facts is None else item.facts.volume_id,
        "efi_image": None if item.facts is None else item.facts.efi_image,
        "cpus": () if item.facts is None else item.facts.cpus,
        "packed_by": () if item.facts is None else item.facts.packed_by,
        "shims": {} if item.facts is None else {path: _place_of(path, item.facts, rest) for path in item.facts.shims},
        "has_sections": item.facts is not None and bool(item.facts.sections),
        "detector": None if known is None else known.detector,
        "detection": None if known is None or known.detection is None else detection_to_json(known.detection),
        "rest": zlib.crc32(rest),
        "facts": item.facts is not None,
    }
    return Record(head=_line(head), rest=rest)


def with_sum(record: Record, sha256: str) -> Record:
    """The same record with the checksum that was found."""
    head = json_object(parse_json(record.head, "a record"), "a record")
    return Record(head=_line({**head, "sha256": sha256}), rest=record.rest)


def has_insides(item: ImageItem) -> bool:
    """Whether all is known of an image that predictions ask for."""
    if item.facts is None:
        return True
    try:
        with_insides(item, RecordedIso(item.facts))
    except NotRecorded:
        return False
    return True


def _line(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogateescape")


def _is_speakable(path: str) -> bool:
    """Whether a path can be said in JSON: on most file systems a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kept(path: str, head: Mapping[str, object], rest: bytes) -> KnownImage:
    if head.get("rest") != zlib.crc32(rest):
        raise FormatError(tr("the record of {path} is damaged", path=path))
    detector, detection = head.get("detector"), head.get("detection")
    item = ImageItem(
        path=path,
        size=json_number(head.get("size"), "size"),
        mtime_ns=json_number(head.get("mtime_ns"), "mtime_ns"),
        facts=KeptFacts.of(rest, head) if head.get("facts") is True else None,
        recognition=None
        if detector is None
        else KeptRecognition.of(
            rest,
            detector=json_string(detector, "detector"),
            detection=None if detection is None else detection_from_json(detection),
        ),
        error=json_string(head.get("error"), "error"),
        sha256=json_string(head.get("sha256"), "sha256"),
    )
    fingerprint = json_string(head.get("fingerprint"), "fingerprint")
    return KnownImage(item=item, fingerprint=fingerprint, has_insides=head.get("insides") is True)


def _sum(content: bytes) -> tuple[int, int]:
    return len(content), zlib.crc32(content)


@lru_cache(maxsize=1)
def _parsed(rest: bytes) -> Mapping[str, object]:
    return json_object(parse_json(rest, "a record"), "a record")


@lru_cache(maxsize=_RECENT)
def _facts(rest: bytes) -> IsoFacts:
    return facts_from_json(_parsed(rest).get("facts"))


class KeptFacts(IsoFacts):
    """Facts that are parsed when somebody asks for them, and forgotten soon after.

    A slot that was never filled is no attribute, so that Python asks ``__getattr__``.
    """

    __slots__ = ("_cpus", "_efi_image", "_packed_by", "_rest", "_shims")
    _rest: bytes
    _shims: Mapping[str, EfiFacts]
    _cpus: tuple[str, ...]
    _packed_by: tuple[str, ...]
    _efi_image: tuple[int, int] | None

    def __new__(cls, **values: Any) -> IsoFacts:  # type: ignore[misc]  # a changed copy is no kept one any more
        return IsoFacts(**values)

    @classmethod
    def of(cls, rest: bytes, head: Mapping[str, object]) -> "KeptFacts":
        """The facts of a record's second line; what all images of a stick are asked for is known from the first.

        Raises:
            FormatError: the first line cannot be read.
        """
        facts = object.__new__(cls)
        object.__setattr__(facts, "_rest", rest)
        object.__setattr__(facts, "volume_id", json_string(head.get("volume_id"), "volume_id"))
        if head.get("has_sections") is False:
            object.__setattr__(facts, "sections", {})
        shims = json_object(head.get("shims"), "shims").items()
        object.__setattr__(facts, "_shims", {path: _shim(rest, _place(place)) for path, place in shims})
        object.__setattr__(facts, "_cpus", json_list(head.get("cpus"), "cpus", json_string))
        object.__setattr__(facts, "_packed_by", json_list(head.get("packed_by"), "packed_by", json_string))
        efi_image = head.get("efi_image")
        object.__setattr__(facts, "_efi_image", None if efi_image is None else _place(efi_image))
        return facts

    @property
    def shims(self) -> Mapping[str, EfiFacts]:
        return self._shims

    @property
    def cpus(self) -> tuple[str, ...]:
        return self._cpus

    @property
    def packed_by(self) -> tuple[str, ...]:
        return self._packed_by

    @property
    def efi_image(self) -> tuple[int, int] | None:
        return self._efi_image

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(_facts(self._rest), name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IsoFacts):
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in fields(IsoFacts))

    __hash__ = None  # type: ignore[assignment]  # as of all facts: they hold mappings


def _place(value: object) -> tuple[int, int]:
    match json_list(value, "a place", json_number):
        case (offset, size):
            return offset, size
        case _:
            raise FormatError(tr("a place is not an offset and a size"))


def _place_of(path: str, facts: IsoFacts, rest: bytes) -> tuple[int, int]:
    """Where in the second line stands what is known of a kernel: shims are of a vendor, and the same in many images."""
    text = _line(kernel_to_json(facts.kernels[path]))
    return rest.index(text), len(text)


def _shim(rest: bytes, place: tuple[int, int]) -> EfiFacts:
    at, length = place
    efi = _kernel(rest[at : at + length]).efi
    if efi is None:
        raise FormatError(tr("a recorded shim is none"))
    return efi


@lru_cache(maxsize=_RECENT)
def _kernel(text: bytes) -> KernelFacts:
    return kernel_from_json(parse_json(text, "a kernel"), "a kernel")


class KeptRecognition(Recognition):
    """An answer whose rejections, some fifty sentences, are parsed when somebody asks for them."""

    __slots__ = ("_rest",)
    _rest: bytes

    def __new__(cls, **values: Any) -> Recognition:  # type: ignore[misc]  # a changed copy is no kept one any more
        return Recognition(**values)

    @classmethod
    def of(cls, rest: bytes, *, detector: str, detection: Detection | None) -> "KeptRecognition":
        """The answer of a record's first line, with the rejections of its second."""
        answer = object.__new__(cls)
        object.__setattr__(answer, "_rest", rest)
        object.__setattr__(answer, "detector", detector)
        object.__setattr__(answer, "detection", detection)
        return answer

    def __getattr__(self, name: str) -> object:
        if name != "rejections":
            raise AttributeError(name)
        return rejections_from_json(_parsed(self._rest).get("rejections"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recognition):
            return NotImplemented
        return all(getattr(self, field.name) == getattr(other, field.name) for field in fields(Recognition))

    __hash__ = Recognition.__hash__


def _image_of(old_record: str) -> str:
    return old_record.removeprefix(OLD_RECORDS_FOLDER).removesuffix(".json")


def _old_record(volume: Volume, path: str) -> Record | None:
    """A record that version 0.1.0 kept in a file of its own; ``None`` if it cannot be read."""
    try:
        document = json_object(parse_json(read_file(volume, path, _OLD_LIMIT) or b"", "a record"), "a record")
        facts, recognition = document.get("facts"), document.get("recognition")
        item = ImageItem(
            path=_image_of(path),
            size=json_number(document.get("size"), "size"),
            mtime_ns=json_number(document.get("mtime_ns"), "mtime_ns"),
            facts=None if facts is None else facts_from_json(facts),
            recognition=None if recognition is None else recognition_from_json(recognition),
            error=json_string(document.get("error"), "error"),
            sha256=json_string(document.get("sha256"), "sha256"),
        )
        fingerprint = json_string(document.get("fingerprint"), "fingerprint")
        return record_of(item, insides=has_insides(item), fingerprint=fingerprint)
    except BootkitError:
        return None
