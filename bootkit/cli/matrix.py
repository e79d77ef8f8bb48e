"""``test --matrix``: what was predicted beside what a boot showed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bootkit.app.verbs.matrix import Cell, Matrix, boot_matrix, images_as_files
from bootkit.app.verbs.test import more_time
from bootkit.cli import output
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr
from bootkit.model.check import Answer
from bootkit.model.filesystem import USUAL, DataFs
from bootkit.model.testboot import TestFirmware
from bootkit.system.sticks import open_stick

if TYPE_CHECKING:
    from bootkit.cli.documents import CellDocument


def run_matrix(
    isos: Sequence[Path],
    stick: Path | None,
    *,
    filesystems: Sequence[DataFs],
    firmwares: Sequence[TestFirmware],
    timeout: float,
    as_json: bool,
) -> None:
    """Boot ISO files, or else the images of a stick, from sticks of every kind.

    Raises:
        BootkitError: a boot contradicts what was predicted.
    """
    with ExitStack() as stack:
        if not isos:
            opened = stack.enter_context(open_stick(stick))
            isos = stack.enter_context(images_as_files(opened.volume))
        if not isos:
            raise UsageError(
                tr("there is no image to boot"), hint=tr("name ISO files: bootkit test --matrix FILE.iso ...")
            )
        matrix = Matrix(
            isos=tuple(isos),
            filesystems=tuple(filesystems) or USUAL,
            firmwares=tuple(firmwares),
            timeout=timeout,
        )
        cells = tuple(_told(boot_matrix(matrix, told=output.say)))
    if as_json:
        output.json({"cells": [cell_json(cell) for cell in cells]})
    else:
        output.table(
            [_row(cell) for cell in cells],
            (tr("IMAGE"), tr("DATA"), tr("FIRMWARE"), tr("PREDICTED"), tr("OUTCOME"), tr("SECONDS"), ""),
        )
    wrong = [cell for cell in cells if not cell.agrees]
    if wrong:
        first = wrong[0]
        raise BootkitError(
            tr("{count} of {total} boots contradict their prediction", count=len(wrong), total=len(cells)),
            hint=tr(
                "{image} on {filesystem}, {firmware}: {outcome}; {reason}{more_time}",
                image=first.image,
                filesystem=first.filesystem,
                firmware=first.firmware.value,
                outcome=_outcome(first),
                reason=first.prediction.reason,
                more_time=more_time(first.result.waited if first.result else 0),
            ),
        )


def _told(cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells, each told of as it comes: all of them take hours."""
    for cell in cells:
        agrees = tr("as predicted") if cell.agrees else tr("which CONTRADICTS the prediction")
        output.say(
            tr(
                "{image} on {filesystem}, {firmware}: {outcome}, {agrees}",
                image=cell.image,
                filesystem=cell.filesystem,
                firmware=cell.firmware.value,
                outcome=_outcome(cell),
                agrees=agrees,
            )
        )
        yield cell


def cell_json(cell: Cell) -> "CellDocument":
    result = cell.result
    return {
        "image": cell.image,
        "filesystem": cell.filesystem,
        "firmware": cell.firmware,
        "cured": cell.cured,
        "predicted": _predicted(cell),
        "reason": cell.prediction.reason,
        "expected": cell.expected,
        "booted": cell.booted,
        "outcome": _outcome(cell),
        "seconds": round(result.seconds, 1) if result else 0,
        "agrees": cell.agrees,
    }


def _row(cell: Cell) -> tuple[str, ...]:
    seconds = f"{cell.result.seconds:.0f}" if cell.result else "-"
    sign = "" if cell.agrees else "CONTRADICTS"
    return (
        cell.image,
        cell.filesystem.value,
        cell.firmware.value,
        _predicted(cell),
        _outcome(cell),
        seconds,
        sign,
    )


def _predicted(cell: Cell) -> str:
    if cell.expected is False and cell.prediction.answer is Answer.BOOTS:
        return tr("cannot without overlay {overlay}", overlay=cell.prediction.overlay)
    return cell.prediction.verdict


def _outcome(cell: Cell) -> str:
    if cell.result is None:
        return tr("refused: {refusal}", refusal=cell.refusal) if cell.refusal else tr("no entry for this machine")
    return (
        tr("boots")
        if cell.result.ok
        else tr("stuck at {title}: {reason}", title=cell.result.stage.title, reason=cell.result.reason)
    )
