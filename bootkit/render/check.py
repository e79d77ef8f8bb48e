"""Predictions as a table, as sentences, and as JSON."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from bootkit.model.check import Answer, FirmwareAnswer, Prediction, StickFacts, StickLoader
from bootkit.model.filesystem import filesystem_title
from bootkit.model.places import IMAGE_FOLDER
from bootkit.model.testboot import TestFirmware
from bootkit.units import format_size

_WIDTH = 100
_MARKS = {Answer.BOOTS: "yes", Answer.CANNOT: "no", Answer.UNKNOWN: "?", Answer.ELSEWHERE: "no"}


def headers(predictions: Sequence[Prediction]) -> tuple[str, ...]:
    """A column for each kind of machine that something is said of."""
    machines = (firmware.label.upper() for firmware in _machines(predictions))
    return ("IMAGE", "VERDICT", "BOOTS FROM", *machines, "MEMORY TO START", "TO RAM")


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
        prediction.short,
        ", ".join(map(filesystem_title, prediction.filesystems)) or "-",
        *(answers.get(firmware, "-") for firmware in machines),
        format_size(needed.start) if needed else "-",
        format_size(needed.to_ram) if needed and needed.to_ram else "-",
    )


def file_name(path: str) -> str:
    """The path of an image as a person would write it."""
    return path.removeprefix(f"{IMAGE_FOLDER}/")


def sentences(predictions: Sequence[Prediction], notes: Sequence[str]) -> str:
    """What stands in the way and what to do about it: each thing once, with the images that it is about."""
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
    blocks = [_block(head, names, reason, cure, len(predictions)) for (head, reason, cure), names in said.items()]
    return "\n".join([*blocks, *(_paragraph(note) for note in notes)])


def _doubtful(prediction: Prediction) -> Iterator[FirmwareAnswer]:
    """Of firmware, what the problems have not said yet."""
    said = {problem.reason for problem in prediction.problems}
    return (answer for answer in prediction.firmware if answer.reason and answer.reason not in said)


def _block(head: str, names: Sequence[str], reason: str, cure: str, total: int) -> str:
    who = "all images" if len(names) == total > 1 else ", ".join(names)
    lines = [_paragraph(f"{head}, {who}: {reason}" if head else f"{who}: {reason}")]
    return "\n".join([*lines, _paragraph(f"To do: {cure}", indent="  ")] if cure else lines)


def _paragraph(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def prediction_to_json(prediction: Prediction) -> dict[str, object]:
    """Everything that is predicted of one image; a value for ``json.dumps``."""
    return {
        "path": prediction.path,
        "answer": prediction.answer,
        "verdict": prediction.verdict,
        "reason": prediction.reason,
        "cure": prediction.cure,
        "overlay": prediction.overlay,
        "basis": prediction.basis,
        "filesystems": prediction.filesystems,
        "problems": [asdict(problem) for problem in prediction.problems],
        "files": [asdict(answer) for answer in prediction.files],
        "firmware": [asdict(answer) for answer in prediction.firmware],
        "memory": asdict(prediction.memory) if prediction.memory else None,
        "own_disks": prediction.own_disks,
        "installer": prediction.installer,
        "notes": prediction.notes,
    }


def stick_to_json(stick: StickFacts) -> dict[str, object]:
    """What the predictions know of the stick; a value for ``json.dumps``."""
    return {
        "filesystem": stick.filesystem,
        "loaders": None if stick.loaders is None else [_loader_to_json(loader) for loader in stick.loaders],
        "old_iso": stick.old_iso,
    }


def _loader_to_json(loader: StickLoader) -> dict[str, object]:
    """Without what ``bootkit list --loaders --json`` tells at length."""
    return {**asdict(replace(loader, shim=None)), "shim": loader.shim.digest if loader.shim else ""}
