"""A detectors' answer as JSON: for ``--json``, and for the record of an image that a stick keeps.

The record on a stick is written by us but read back from a disk that anyone could write to: every value is checked.
"""

from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import TypedDict, cast

from bootkit.errors import FormatError
from bootkit.i18n import tr
from bootkit.model.boot import BootEntry, Detection, EntryKind, Firmware, Module, Recognition, Role

Json = dict[str, object]


class EntryDocument(TypedDict):
    """One entry of the menu."""

    title: str
    role: Role
    kind: EntryKind
    kernel: str
    initrds: list[str]
    cmdline: list[str]
    to_ram: list[str]
    """The words more that copy all to RAM."""
    safe_graphics: list[str]
    modules: list[list[str]]
    """Each with its words."""
    image_as: str
    sign: str
    wipes: str
    newest_in: str
    devicetree: str
    firmware: list[Firmware]


class DetectionDocument(TypedDict):
    """What an image is and how it starts."""

    title: str
    stack: str
    distro: str
    version: str
    arch: str
    edition: str
    obstacle: str
    """Why it does not start from a file."""
    instead: str
    filesystems: list[str]
    evidence: list[str]
    notes: list[str]
    marks: list[str]
    untested: bool
    wants_disk: bool
    is_written: bool
    entries: list[EntryDocument]


class RecognitionDocument(TypedDict):
    """What the detectors say of an image."""

    detector: str
    detection: DetectionDocument | None
    rejections: list[tuple[str, str]]
    """Which detectors did not claim it, each with its reason."""


def recognition_to_json(recognition: Recognition) -> RecognitionDocument:
    detection = recognition.detection
    return {
        "detector": recognition.detector,
        "detection": None if detection is None else detection_to_json(detection),
        "rejections": list(recognition.rejections),
    }


def detection_to_json(detection: Detection) -> DetectionDocument:
    answer = {
        "title": detection.title,
        **{name: getattr(detection, name) for name in _TEXTS},
        **{name: list(getattr(detection, name)) for name in _LISTS},
        **{name: getattr(detection, name) for name in _FLAGS},
        "entries": [_entry_to_json(entry) for entry in detection.entries],
    }
    return cast("DetectionDocument", answer)


def recognition_from_json(value: object) -> Recognition:
    """The answer out of a stick's record.

    Raises:
        FormatError: not what :func:`recognition_to_json` writes.
    """
    with _recorded():
        answer = _object(value)
        found = answer["detection"]
        return Recognition(
            detection=None if found is None else _detection(_object(found)),
            detector=_text(answer["detector"]),
            rejections=tuple(map(_rejection, _list(answer["rejections"]))),
        )


def detection_from_json(value: object) -> Detection:
    """What :func:`detection_to_json` wrote.

    Raises:
        FormatError: it is something else.
    """
    with _recorded():
        return _detection(_object(value))


def rejections_from_json(value: object) -> tuple[tuple[str, str], ...]:
    """The pairs of a detector and its reason.

    Raises:
        FormatError: it is something else.
    """
    with _recorded():
        return tuple(map(_rejection, _list(value)))


@contextmanager
def _recorded() -> Generator[None]:
    try:
        yield
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise FormatError(tr("a recorded answer cannot be read: {error}", error=repr(error))) from error


_TEXTS = ("stack", "distro", "version", "arch", "edition", "obstacle", "instead")
_LISTS = ("filesystems", "evidence", "notes", "marks")
_FLAGS = ("untested", "wants_disk", "is_written")
_WORDS = ("initrds", "cmdline", "to_ram", "safe_graphics")


def _entry_to_json(entry: BootEntry) -> Json:
    return {
        "title": entry.title,
        "role": entry.role.value,
        "kind": entry.kind.value,
        "kernel": entry.kernel,
        **{name: list(getattr(entry, name)) for name in _WORDS},
        "modules": [[module.path, *module.cmdline] for module in entry.modules],
        "image_as": entry.image_as,
        "sign": entry.sign,
        "wipes": entry.wipes,
        "newest_in": entry.newest_in,
        "devicetree": entry.devicetree,
        "firmware": sorted(firmware.value for firmware in entry.firmware),
    }


def _rejection(value: object) -> tuple[str, str]:
    match value:
        case [str(detector), str(reason)]:
            return _same_rejection(detector, reason)
        case _:
            raise TypeError(f"{value!r} is no reason of a detector")


@lru_cache(maxsize=1024)
def _same_rejection(detector: str, reason: str) -> tuple[str, str]:
    """One for all images: each has some fifty of them, and most are the same."""
    return detector, reason


def _detection(answer: Json) -> Detection:
    texts = {name: _text(answer[name]) for name in _TEXTS}
    lists = {name: _texts(answer[name]) for name in _LISTS}
    entries = tuple(_entry(_object(entry)) for entry in _list(answer["entries"]))
    flags = {name: answer.get(name) is True for name in _FLAGS}
    return Detection(**texts, **lists, **flags, entries=entries)  # type: ignore[arg-type]  # two kinds of fields by name


def _entry(answer: Json) -> BootEntry:
    return BootEntry(
        title=_text(answer["title"]),
        role=Role(_text(answer["role"])),
        kind=EntryKind(_text(answer["kind"])),
        kernel=_text(answer["kernel"]),
        modules=tuple(Module(path=words[0], cmdline=words[1:]) for words in map(_texts, _list(answer["modules"]))),
        image_as=_text(answer["image_as"]),
        sign=_text(answer["sign"]),
        wipes=_text(answer.get("wipes", "")),
        newest_in=_text(answer.get("newest_in", "")),
        devicetree=_text(answer.get("devicetree", "")),
        initrds=_texts(answer["initrds"]),
        cmdline=_texts(answer["cmdline"]),
        to_ram=_texts(answer["to_ram"]),
        safe_graphics=_texts(answer["safe_graphics"]),
        firmware=_firmware(_texts(answer["firmware"])),
    )


@lru_cache(maxsize=64)
def _firmware(names: tuple[str, ...]) -> frozenset[Firmware]:
    return frozenset(map(Firmware, names))


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return cast("Json", value)  # JSON has no other keys than texts


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return cast("list[object]", value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    found = _list(value)
    if found and set(map(type, found)) != {str}:  # a thousand images have ten thousand lists
        raise TypeError(f"{value!r} is not a list of texts")
    return tuple(cast("list[str]", found))
