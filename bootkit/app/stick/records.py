"""What a stick keeps of its images: one file, however many they are.

Two lines for each image. The first is short and says which file it is of, what that is and how it starts; the second holds all
that was read of it, ten times as much, and is parsed only when somebody asks. So a thousand images are one reading, and one
cluster more where clusters are large.

What was read of a kernel or a boot loader has a line of its own, at the head of the file and under its digest: a vendor's shim is
the same in many images, and 17 KB of certificates.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import field, replace
from functools import lru_cache
from types import MappingProxyType

from bootkit.app.stick.lazy_facts import KeptFacts, KeptRecognition, Shared
from bootkit.app.stick.recognition import with_insides
from bootkit.errors import BootkitError, FormatError
from bootkit.i18n import tr
from bootkit.model.answers import (
    detection_from_json,
    detection_to_json,
    recognition_from_json,
)
from bootkit.model.catalog import ImageItem
from bootkit.model.fields import json_number, json_object, json_string, parse_json
from bootkit.model.initrdrecord import kernel_to_json
from bootkit.model.iso import NotRecorded, RecordedIso
from bootkit.model.places import IMAGES_FILE, OLD_RECORDS_FOLDER
from bootkit.model.plan import RemoveFile, WriteFile
from bootkit.model.record import facts_from_json, facts_to_json
from bootkit.system.fingerprint import program_fingerprint
from bootkit.system.volume import FileStat, Volume, read_file, walk
from bootkit.values import dataclass

_LIMIT = 512 << 20
_OLD_LIMIT = 4 << 20
_FORM = b'{"images":2}'
"""The file's first line. Lines of the kernels follow up to an empty one, and two for each image."""
_OLDER_FORM = b'{"images":1}'
"""Of a file in which each image has its kernels in its own second line."""
_WHOLE_SUM = re.compile(rb'"sha256":"[0-9a-f]*",')
_DIGESTS = 4096
"""Records whose digests are remembered: what is predicted and what is written are both kept under them."""
_HEAD = re.compile(rb'\{\s*"path"\s*:\s*("(?:[^"\\]|\\.)*")(?:,"shared":\[([^]]*)\])?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of one image, as two lines of JSON."""

    head: bytes
    rest: bytes
    shared: Shared = field(default_factory=dict[str, bytes], repr=False)
    """The lines of its kernels, by their digests."""


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
        form, *lines = content.split(b"\n")
        kernels = lines[: lines.index(b"")] if form == _FORM and b"" in lines else []
        pairs = lines[len(kernels) + 1 :] if form == _FORM else lines if form == _OLDER_FORM else []
        shared = {name: text for name, text in map(_shared_in, kernels) if name == _digest(text)}
        self._records: dict[str, Record] = {}
        for head, rest in zip(pairs[::2], pairs[1::2], strict=False):
            self._take(head, rest, shared)

    def take(self, record: Record) -> None:
        """Know what another record says, too; one that cannot be read says nothing."""
        self._take(record.head, record.rest, record.shared)

    def _take(self, head: bytes, rest: bytes, shared: Shared) -> None:
        found = _HEAD.match(head)
        if found is None:
            return
        try:
            # nearly all paths are in JSON as they are
            path = (
                json_string(parse_json(found[1], "a path"), "a path") if b"\\" in found[1] else found[1][1:-1].decode()
            )
        except (FormatError, UnicodeDecodeError):
            return
        names = found[2].decode(errors="replace").replace('"', "").split(",") if found[2] else ()
        if all(name in shared for name in names):
            self._records[path] = Record(head=head, rest=rest, shared={name: shared[name] for name in names})

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
            return _kept(path, head, record) if is_of_it else None
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
        records = {**self._records, **{item.path: record_of(item) for item in new if is_speakable(item.path)}, **put}
        for path in gone:
            records.pop(path, None)
        changed = copy(self)
        changed._records = records  # noqa: SLF001 - its own
        return changed

    def steps(self) -> Iterator[WriteFile | RemoveFile]:
        """The step, if any, after which the stick keeps this."""
        records = self._records
        lines = (line for path in sorted(records) for line in (records[path].head, records[path].rest))
        shared = {name: text for record in records.values() for name, text in record.shared.items()}
        kernels = (name.encode() + b" " + shared[name] for name in sorted(shared))
        content = b"\n".join((_FORM, *kernels, b"", *lines, b"")) if records else b""
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
    known, facts = item.recognition, item.facts
    kernels = {} if facts is None else {path: _line(kernel_to_json(one)) for path, one in facts.kernels.items()}
    digests = {path: _digest(text) for path, text in kernels.items()}
    read = None if facts is None else {**facts_to_json(facts), **({"kernels": digests} if digests else {})}
    rest = _line({"rejections": [] if known is None else [list(pair) for pair in known.rejections], "facts": read})
    shared = {digests[path]: text for path, text in kernels.items()}
    head = {
        "path": item.path,
        "shared": sorted(shared),
        "size": item.size,
        "mtime_ns": item.mtime_ns,
        "sha256": item.sha256,
        "error": item.error,
        "fingerprint": fingerprint or program_fingerprint(),
        "insides": insides,
        "volume_id": "" if facts is None else facts.volume_id,
        "efi_image": None if facts is None else facts.efi_image,
        "cpus": () if facts is None else facts.cpus,
        "packed_by": () if facts is None else facts.packed_by,
        "shims": {} if facts is None else {path: digests[path] for path in facts.shims},
        "has_sections": facts is not None and bool(facts.sections),
        "detector": None if known is None else known.detector,
        "detection": None if known is None or known.detection is None else detection_to_json(known.detection),
        "rest": zlib.crc32(rest),
        "facts": facts is not None,
    }
    return Record(head=_line(head), rest=rest, shared=shared)


class NewRecords:
    """The records of images that were looked into, in which what is known of a kernel is in memory once."""

    def __init__(self) -> None:
        self.by_path: dict[str, Record] = {}
        self._lines: dict[str, bytes] = {}

    def add(self, item: ImageItem) -> ImageItem:
        """The image as its record has it: a tenth of what was read of it is in memory then, of a thousand images 40 MiB less."""
        record = record_of(item)
        lines = {digest: self._lines.setdefault(digest, line) for digest, line in record.shared.items()}
        record = self.by_path[item.path] = replace(record, shared=lines)
        return _kept(item.path, json_object(parse_json(record.head, "a record"), "a record"), record).item


def with_sum(record: Record, sha256: str) -> Record:
    """The same record with the checksum that was found."""
    head = json_object(parse_json(record.head, "a record"), "a record")
    return replace(record, head=_line({**head, "sha256": sha256}))


@lru_cache(maxsize=_DIGESTS)
def record_digest(head: bytes) -> str:
    """Of all that a record says of how an image boots; of which its whole sum says nothing. Hex."""
    return _digest(_WHOLE_SUM.sub(b"", head, count=1))


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


def is_speakable(path: str) -> bool:
    """Whether a path can be said in JSON: on most file systems a name may be any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _kept(path: str, head: Mapping[str, object], record: Record) -> KnownImage:
    if head.get("rest") != zlib.crc32(record.rest):
        raise FormatError(tr("the record of {path} is damaged", path=path))
    detector, detection = head.get("detector"), head.get("detection")
    item = ImageItem(
        path=path,
        size=json_number(head.get("size"), "size"),
        mtime_ns=json_number(head.get("mtime_ns"), "mtime_ns"),
        facts=KeptFacts.of(record.rest, head, record.shared) if head.get("facts") is True else None,
        recognition=None
        if detector is None
        else KeptRecognition.of(
            record.rest,
            detector=json_string(detector, "detector"),
            detection=None if detection is None else detection_from_json(detection),
        ),
        error=json_string(head.get("error"), "error"),
        sha256=json_string(head.get("sha256"), "sha256"),
    )
    fingerprint = json_string(head.get("fingerprint"), "fingerprint")
    return KnownImage(item=item, fingerprint=fingerprint, has_insides=head.get("insides") is True)


def _shared_in(line: bytes) -> tuple[str, bytes]:
    """A kernel's line: its digest, and what was read of it."""
    digest, _, text = line.partition(b" ")
    return digest.decode(errors="replace"), text


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:32]


def _sum(content: bytes) -> tuple[int, int]:
    return len(content), zlib.crc32(content)


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
