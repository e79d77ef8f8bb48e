"""``test --matrix``: what was predicted beside what a boot showed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bootkit.app.verbs.matrix import Cell, Matrix, boot_matrix, images_as_files
from bootkit.app.verbs.test import more_time
from bootkit.cli import output
from bootkit.errors import BootkitError, UsageError
from bootkit.model.check import Answer
from bootkit.model.filesystem import USUAL, DataFs
from bootkit.model.testboot import TestFirmware
from bootkit.system.sticks import open_stick


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
            raise UsageError("there is no image to boot", hint="name ISO files: bootkit test --matrix FILE.iso ...")
        matrix = Matrix(
            isos=tuple(isos),
            filesystems=tuple(filesystems) or USUAL,
            firmwares=tuple(firmwares),
            timeout=timeout,
        )
        cells = tuple(_told(boot_matrix(matrix, told=output.say)))
    if as_json:
        output.json([cell_json(cell) for cell in cells])
    else:
        output.table(
            [_row(cell) for cell in cells], ("IMAGE", "DATA", "FIRMWARE", "PREDICTED", "OUTCOME", "SECONDS", "")
        )
    wrong = [cell for cell in cells if not cell.agrees]
    if wrong:
        first = wrong[0]
        raise BootkitError(
            f"{len(wrong)} of {len(cells)} boots contradict their prediction",
            hint=f"{first.image} on {first.filesystem}, {first.firmware.value}: {_outcome(first)}; {first.prediction.reason}"
            f"{more_time(first.result.waited if first.result else 0)}",
        )


def _told(cells: Iterable[Cell]) -> Iterator[Cell]:
    """The cells, each told of as it comes: all of them take hours."""
    for cell in cells:
        agrees = "as predicted" if cell.agrees else "which CONTRADICTS the prediction"
        output.say(f"{cell.image} on {cell.filesystem}, {cell.firmware.value}: {_outcome(cell)}, {agrees}")
        yield cell


def cell_json(cell: Cell) -> dict[str, object]:
    result = cell.result
    return {
        "image": cell.image,
        "filesystem": cell.filesystem.value,
        "firmware": cell.firmware.value,
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
        return f"cannot without overlay {cell.prediction.overlay}"
    return cell.prediction.verdict


def _outcome(cell: Cell) -> str:
    if cell.result is None:
        return f"refused: {cell.refusal}" if cell.refusal else "no entry for this machine"
    return "boots" if cell.result.ok else f"stuck at {cell.result.stage.title}: {cell.result.reason}"
