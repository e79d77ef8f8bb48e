"""What an image is and whether it boots, in some ten lines: what ``explain`` begins with, and mostly all that is asked."""

import textwrap
from collections.abc import Iterator

from bootkit.model.boot import Detection, Recognition
from bootkit.model.check import Answer, FirmwareAnswer, Prediction
from bootkit.model.filesystem import filesystem_title
from bootkit.model.iso import IsoFacts
from bootkit.render.explain import headline, seen, why_never
from bootkit.units import format_size

_NAMES = 14
"""Columns for what a line is about."""
_NOTES = 2
"""What stands in the way and what would erase disks comes first; the rest is for those who ask why."""


def brief(facts: IsoFacts, recognition: Recognition, prediction: Prediction, *, on_stick: bool, width: int) -> str:
    """The short answer, ``width`` columns wide; ``on_stick`` says that the prediction is of a stick on which the image lies."""
    detection = recognition.detection
    if detection is None:
        return "\n".join([*_wrapped(f"Nobody knows {facts.name}.", width), *seen(facts)])
    rows = [row for row in _rows(detection, prediction, on_stick=on_stick) if row[1]]
    lines = [line for name, text in rows for line in _row(name, text, width)]
    return "\n".join([*_wrapped(headline(facts, detection, prediction), width), "", *lines])


def _rows(detection: Detection, prediction: Prediction, *, on_stick: bool) -> Iterator[tuple[str, str]]:
    yield "kind", detection.stack
    if not detection.entries:
        yield "because", detection.obstacle
        yield "instead", detection.instead
        return
    if why_never(prediction):  # the headline has said it
        yield "to do", prediction.cure
        return
    if on_stick:
        yield "this stick", prediction.verdict if prediction.boots else prediction.line
        yield "to do", prediction.cure
    yield "stick with", _filesystems(prediction)
    yield (
        "starts by",
        ", ".join(answer.firmware.label for answer in prediction.firmware if answer.answer is Answer.BOOTS),
    )
    yield from _by_reason(prediction)
    yield "memory", _memory(prediction)
    yield from (("note", note) for note in prediction.notes[:_NOTES])


def _filesystems(prediction: Prediction) -> str:
    known = [answer for answer in prediction.files if answer.filesystem]
    good = [filesystem_title(answer.filesystem) for answer in known if answer.readable]
    bad = [filesystem_title(answer.filesystem) for answer in known if answer.readable is False]
    return "; not ".join(filter(None, (", ".join(dict.fromkeys(good)), ", ".join(dict.fromkeys(bad)))))


def _by_reason(prediction: Prediction) -> Iterator[tuple[str, str]]:
    """Firmware by which it does not start, or nobody can tell; what has one reason is said once."""
    found: dict[tuple[Answer, str], list[FirmwareAnswer]] = {}
    for answer in prediction.firmware:
        if answer.answer is not Answer.BOOTS:
            reason = answer.reason.replace(f" by {answer.firmware.label}.", " there.")
            found.setdefault((answer.answer, reason), []).append(answer)
    for (verdict, reason), machines in found.items():
        names = ", ".join(one.firmware.label for one in machines)
        yield "perhaps by" if verdict is Answer.UNKNOWN else "not by", f"{names}: {reason}"


def _memory(prediction: Prediction) -> str:
    needed = prediction.memory
    if needed is None:
        return ""
    ram = f"; {format_size(needed.to_ram)} with all of it in RAM" if needed.to_ram else ""
    return f"{format_size(needed.start)} at the least, for kernel and initrd{ram}"


def _row(name: str, text: str, width: int) -> list[str]:
    return _wrapped(text, width, first=f"  {name:<{_NAMES - 2}}", then=" " * _NAMES)


def _wrapped(text: str, width: int, first: str = "", then: str = "") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=then, break_long_words=False, break_on_hyphens=False
    )
