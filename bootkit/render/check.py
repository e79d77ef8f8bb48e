"""Predictions as a table, as sentences, and as JSON."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

from bootkit.i18n import spoken, tr
from bootkit.model.boot import Firmware
from bootkit.model.check import (
    Answer,
    Basis,
    FileAnswer,
    FirmwareAnswer,
    Memory,
    Prediction,
    Problem,
    StickFacts,
    StickLoader,
)
from bootkit.model.filesystem import filesystem_title
from bootkit.model.places import IMAGE_FOLDER
from bootkit.model.testboot import TestFirmware
from bootkit.render.prose import wrapped
from bootkit.units import format_size

_MARKS = {Answer.BOOTS: tr("yes"), Answer.CANNOT: tr("no"), Answer.UNKNOWN: "?", Answer.ELSEWHERE: tr("no")}


def headers(predictions: Sequence[Prediction]) -> tuple[str, ...]:
    """A column for each kind of machine that something is said of."""
    machines = (firmware.label.upper() for firmware in _machines(predictions))
    return (tr("IMAGE"), tr("VERDICT"), tr("BOOTS FROM"), *machines, tr("MEMORY TO START"), tr("TO RAM"))


def rows(predictions: Sequence[Prediction]) -> tuple[tuple[str, ...], ...]:
    """One row an image, under its ``headers``."""
    machines = _machines(predictions)
    return tuple(_row(prediction, machines) for prediction in predictions)


def _machines(predictions: Sequence[Prediction]) -> tuple[TestFirmware, ...]:
    """ARM64 has an answer only where an image or the stick is for it; the others have one of every image that boots."""
    asked = {answer.firmware for prediction in predictions for answer in prediction.firmware}
    return tuple(one for one in TestFirmware if one in asked or one is not TestFirmware.ARM64)


def _row(prediction: Prediction, machines: Sequence[TestFirmware]) -> tuple[str, ...]:
    answers = {answer.firmware: _MARKS[answer.answer] for answer in prediction.firmware}
    needed = prediction.memory
    return (
        file_name(prediction.path),
        spoken(prediction.short),
        ", ".join(map(filesystem_title, prediction.filesystems)) or "-",
        *(answers.get(firmware, "-") for firmware in machines),
        format_size(needed.start) if needed else "-",
        format_size(needed.to_ram) if needed and needed.to_ram else "-",
    )


def file_name(path: str) -> str:
    """The path of an image as a person would write it."""
    return path.removeprefix(f"{IMAGE_FOLDER}/")


def sentences(predictions: Sequence[Prediction], notes: Sequence[str], width: int) -> str:
    """What stands in the way and what to do about it: each thing once, with the images that it is about; ``width`` columns wide."""
    said: dict[tuple[str, str, str], list[str]] = {}
    for prediction in predictions:
        for problem in prediction.problems:
            said.setdefault(("", problem.reason, problem.cure), []).append(file_name(prediction.path))
    for prediction in predictions:
        for answer in _doubtful(prediction):
            key = (answer.firmware.label, answer.reason, answer.cure)
            said.setdefault(key, []).append(file_name(prediction.path))
    for prediction in predictions:
        for note in (*prediction.notes, *filter(None, (prediction.own_disks, prediction.installer))):
            said.setdefault(("", note, ""), []).append(file_name(prediction.path))
    blocks = [
        _block(head, names, reason, cure, total=len(predictions), width=width)
        for (head, reason, cure), names in said.items()
    ]
    return "\n".join([*blocks, *(_paragraph(spoken(note), width) for note in notes)])


def _doubtful(prediction: Prediction) -> Iterator[FirmwareAnswer]:
    """Of firmware, what the problems have not said yet."""
    said = {problem.reason for problem in prediction.problems}
    return (answer for answer in prediction.firmware if answer.reason and answer.reason not in said)


def _block(head: str, names: Sequence[str], reason: str, cure: str, *, total: int, width: int) -> str:
    who = tr("all images") if len(names) == total > 1 else ", ".join(names)
    said = tr("{who}: {reason}", who=f"{head}, {who}" if head else who, reason=reason)
    lines = [_paragraph(said, width)]
    return "\n".join([*lines, _paragraph(tr("To do: {cure}", cure=cure), width, indent="  ")] if cure else lines)


def _paragraph(text: str, width: int, indent: str = "") -> str:
    return "\n".join(wrapped(text, width, first=indent, then=f"{indent}  "))


def advice(prediction: Prediction) -> str:
    """The verdict and why, and if there is a problem, what to do about it."""
    cure = tr("To do: {cure}", cure=prediction.cure) if prediction.cure else ""
    return f"{spoken(prediction.line)} {cure}".rstrip()


class PredictionDocument(TypedDict):
    """Everything that is predicted of one image."""

    path: str
    answer: Answer
    verdict: str
    """The answer in words, with what cures it."""
    reason: str
    """What stands in the way; empty if nothing does."""
    cure: str
    """What to do about it."""
    overlay: str
    """Bootkit's overlay without which it would not find its file; empty if it needs none."""
    basis: Basis
    filesystems: tuple[str, ...]
    """From which it would boot, the best first."""
    problems: tuple[Problem, ...]
    files: tuple[FileAnswer, ...]
    firmware: tuple[FirmwareAnswer, ...]
    memory: Memory | None
    own_disks: str
    """What becomes of the computer's own disks meanwhile."""
    installer: str
    """Which installers may offer the stick."""
    notes: tuple[str, ...]


class LoaderDocument(TypedDict):
    """One loader of the stick; ``list --loaders`` tells more of it."""

    firmware: Firmware
    signed: bool
    vendor: str
    package: str
    shim: str
    """The Authenticode digest of the signed one's shim; empty if it could not be read."""
    grub: str
    """That of the GRUB that the shim starts."""


class StickDocument(TypedDict):
    """What the predictions know of the stick."""

    filesystem: str
    loaders: list[LoaderDocument] | None
    """``null`` if they were not looked at."""
    old_iso: bool
    """Whether the disk still carries the signature of an ISO image that was written to it."""


def prediction_to_json(prediction: Prediction) -> PredictionDocument:
    return {
        "path": prediction.path,
        "answer": prediction.answer,
        "verdict": prediction.verdict,
        "reason": prediction.reason,
        "cure": prediction.cure,
        "overlay": prediction.overlay,
        "basis": prediction.basis,
        "filesystems": prediction.filesystems,
        "problems": prediction.problems,
        "files": prediction.files,
        "firmware": prediction.firmware,
        "memory": prediction.memory,
        "own_disks": prediction.own_disks,
        "installer": prediction.installer,
        "notes": prediction.notes,
    }


def stick_to_json(stick: StickFacts) -> StickDocument:
    return {
        "filesystem": stick.filesystem,
        "loaders": None if stick.loaders is None else [_loader_to_json(loader) for loader in stick.loaders],
        "old_iso": stick.old_iso,
    }


def _loader_to_json(loader: StickLoader) -> LoaderDocument:
    return {
        "firmware": loader.firmware,
        "signed": loader.signed,
        "vendor": loader.vendor,
        "package": loader.package,
        "shim": loader.shim.digest if loader.shim else "",
        "grub": loader.grub.digest if loader.grub else "",
    }
