"""Predictions as JSON, for what a stick keeps. Values without a name are lists, in the order of their fields.

Thousands of answers in them are the same, so that each is made, and is in memory, once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from bootkit.errors import FormatError
from bootkit.i18n import tr
from bootkit.model.check import Answer, Basis, Cure, FileAnswer, FirmwareAnswer, Memory, Prediction, Problem, Trust
from bootkit.model.fields import Json
from bootkit.model.testboot import TestFirmware

_SAME = 4096
Row = tuple[object, ...]


def prediction_to_json(prediction: Prediction) -> Json:
    """A value for ``json.dumps``; :func:`prediction_from_json` gives ``prediction`` back."""
    needed = prediction.memory
    return {
        "cured": prediction.brought is not None,  # the first two, to be seen without reading all
        "answer": prediction.answer.value,
        "path": prediction.path,
        "basis": prediction.basis.value,
        "filesystems": list(prediction.filesystems),
        "problems": [[one.answer.value, one.reason, one.cure] for one in prediction.problems],
        "files": [_file_row(answer) for answer in prediction.files],
        "firmware": [_firmware_row(answer) for answer in prediction.firmware],
        "memory": None
        if needed is None
        else [needed.kernel, needed.initrds, needed.unpacked, needed.start, needed.to_ram],
        "own_disks": prediction.own_disks,
        "installer": prediction.installer,
        "notes": list(prediction.notes),
    }


def prediction_from_json(value: object) -> Prediction:
    """What :func:`prediction_to_json` wrote.

    Raises:
        FormatError: it is something else.
    """
    try:
        return _prediction(cast("Mapping[str, object]", value))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(tr("a kept prediction cannot be read: {error}", error=repr(error))) from error


def _prediction(record: Mapping[str, object]) -> Prediction:
    needed = record["memory"]
    return Prediction(
        path=_text(record["path"]),
        answer=Answer(_text(record["answer"])),
        basis=Basis(_text(record["basis"])),
        filesystems=tuple(map(_text, _row(record["filesystems"]))),
        problems=tuple(map(_problem, _rows(record["problems"]))),
        files=tuple(map(_file, _rows(record["files"]))),
        firmware=tuple(map(_firmware, _rows(record["firmware"]))),
        memory=None if needed is None else _memory(_row(needed)),
        own_disks=_text(record["own_disks"]),
        installer=_text(record["installer"]),
        notes=tuple(map(_text, _row(record["notes"]))),
    )


def _file_row(answer: FileAnswer) -> Json:
    cure = answer.cure
    brought: Json = (
        None if cure is None else [cure.overlay, cure.reason, cure.root, cure.kernel, cure.driver, *cure.members]
    )
    return [answer.filesystem, answer.readable, answer.basis.value, answer.reason, answer.instead, brought]


def _firmware_row(answer: FirmwareAnswer) -> Json:
    trust = None if answer.trust is None else answer.trust.value
    return [answer.firmware.value, answer.answer.value, answer.reason, answer.cure, trust]


@lru_cache(maxsize=_SAME)
def _problem(row: Row) -> Problem:
    match row:
        case (str(answer), str(reason), str(cure)):
            return Problem(answer=Answer(answer), reason=reason, cure=cure)
        case _:
            raise TypeError(row)


@lru_cache(maxsize=_SAME)
def _file(row: Row) -> FileAnswer:
    match row:
        case (str(filesystem), bool() | None as readable, str(basis), str(reason), str(instead), cure):
            return FileAnswer(
                filesystem=filesystem,
                readable=readable,
                basis=Basis(basis),
                reason=reason,
                instead=instead,
                cure=None if cure is None else _cure(cast("Row", cure)),
            )
        case _:
            raise TypeError(row)


def _cure(row: Row) -> Cure:
    overlay, reason, root, kernel, driver, *members = map(_text, row)
    return Cure(overlay=overlay, reason=reason, root=root, kernel=kernel, driver=driver, members=tuple(members))


@lru_cache(maxsize=_SAME)
def _firmware(row: Row) -> FirmwareAnswer:
    match row:
        case (str(firmware), str(answer), str(reason), str(cure), str() | None as trust):
            return FirmwareAnswer(
                firmware=TestFirmware(firmware),
                answer=Answer(answer),
                reason=reason,
                cure=cure,
                trust=None if trust is None else Trust(trust),
            )
        case _:
            raise TypeError(row)


@lru_cache(maxsize=_SAME)
def _memory(row: Row) -> Memory:
    match row:
        case (int(kernel), int(initrds), int(unpacked), int(start), int(to_ram)):
            return Memory(kernel=kernel, initrds=initrds, unpacked=unpacked, start=start, to_ram=to_ram)
        case _:
            raise TypeError(row)


def _rows(value: object) -> tuple[Row, ...]:
    return tuple(map(_hashable, _row(value)))


def _hashable(value: object) -> Row:
    """A row of which only the last value may be a list; a thousand predictions have ten thousand."""
    row = _row(value)
    return (*row[:-1], tuple(cast("list[object]", row[-1]))) if row and isinstance(row[-1], list) else row


def _row(value: object) -> Row:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(cast("list[object]", value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
