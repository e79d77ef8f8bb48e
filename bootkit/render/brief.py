"""What an image is and whether it boots, in some ten lines: what ``explain`` begins with, and mostly all that is asked."""

from collections.abc import Iterator

from bootkit.i18n import spoken, tr
from bootkit.model.boot import Detection, Recognition
from bootkit.model.check import Answer, FirmwareAnswer, Prediction
from bootkit.model.filesystem import filesystem_title
from bootkit.model.iso import IsoFacts
from bootkit.render.explain import headline, seen, why_never
from bootkit.render.prose import columns, wrapped
from bootkit.units import format_size

_NAMES = 14
"""Columns for what a line is about."""
_NOTES = 2
"""What stands in the way and what would erase disks comes first; the rest is for those who ask why."""


def brief(facts: IsoFacts, recognition: Recognition, prediction: Prediction, *, on_stick: bool, width: int) -> str:
    """The short answer, ``width`` columns wide; ``on_stick`` says that the prediction is of a stick on which the image lies."""
    detection = recognition.detection
    if detection is None:
        return "\n".join([*wrapped(tr("Nobody knows {name}.", name=facts.name), width), *wrapped(seen(facts), width)])
    rows = [row for row in _rows(detection, prediction, on_stick=on_stick) if row[1]]
    lines = [line for name, text in rows for line in _row(name, text, width)]
    return "\n".join([*wrapped(headline(facts, detection, prediction), width), "", *lines])


def _rows(detection: Detection, prediction: Prediction, *, on_stick: bool) -> Iterator[tuple[str, str]]:
    yield tr("kind"), detection.stack
    if not detection.entries:
        yield tr("because"), spoken(detection.obstacle)
        yield tr("instead"), spoken(detection.instead)
        return
    if why_never(prediction):  # the headline has said it
        yield tr("to do"), spoken(prediction.cure)
        return
    if on_stick:
        yield tr("this stick"), spoken(prediction.verdict if prediction.boots else prediction.line)
        yield tr("to do"), spoken(prediction.cure)
    yield tr("stick with"), _filesystems(prediction)
    yield (
        tr("starts by"),
        ", ".join(answer.firmware.label for answer in prediction.firmware if answer.answer is Answer.BOOTS),
    )
    yield from _by_reason(prediction)
    yield tr("memory"), _memory(prediction)
    yield from ((tr("note"), spoken(note)) for note in prediction.notes[:_NOTES])


def _filesystems(prediction: Prediction) -> str:
    known = [answer for answer in prediction.files if answer.filesystem]
    good = [filesystem_title(answer.filesystem) for answer in known if answer.readable]
    bad = [filesystem_title(answer.filesystem) for answer in known if answer.readable is False]
    shown = [", ".join(dict.fromkeys(names)) for names in (good, bad)]
    if not all(shown):
        return shown[0] or tr("not {names}", names=shown[1]) if any(shown) else ""
    return tr("{good}; not {bad}", good=shown[0], bad=shown[1])


def _by_reason(prediction: Prediction) -> Iterator[tuple[str, str]]:
    """Firmware by which it does not start, or nobody can tell; what has one reason is said once."""
    found: dict[tuple[Answer, str], list[FirmwareAnswer]] = {}
    for answer in prediction.firmware:
        if answer.answer is not Answer.BOOTS:
            without = answer.reason == f"None of its entries starts by {answer.firmware.label}."
            reason = tr("None of its entries starts there.") if without else spoken(answer.reason)
            found.setdefault((answer.answer, reason), []).append(answer)
    for (verdict, reason), machines in found.items():
        names = ", ".join(one.firmware.label for one in machines)
        yield tr("perhaps by") if verdict is Answer.UNKNOWN else tr("not by"), f"{names}: {reason}"


def _memory(prediction: Prediction) -> str:
    needed = prediction.memory
    if needed is None:
        return ""
    least = tr("{size} at the least, for kernel and initrd", size=format_size(needed.start))
    return "; ".join(
        [least, tr("{size} with all of it in RAM", size=format_size(needed.to_ram))] if needed.to_ram else [least]
    )


def _row(name: str, text: str, width: int) -> list[str]:
    padding = " " * (_NAMES - 2 - columns(name))
    return wrapped(text, width, first=f"  {name}{padding}", then=" " * _NAMES)
