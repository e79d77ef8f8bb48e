"""What came of long work, as texts to read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bootkit.app.verbs.check import Check
from bootkit.app.verbs.loader_words import name_of, sentences_about, state_of
from bootkit.app.verbs.loaders import LoaderRow
from bootkit.app.verbs.verify import Verified
from bootkit.i18n import tr
from bootkit.render.check import headers, rows, sentences

if TYPE_CHECKING:
    from bootkit.app.verbs.test import BootedEntry


TAKEN_BACK = tr("u takes it back until something else is written. What it has kept and your settings for it stay.")
"""Said before an image is removed."""
_WIDTH = 72
"""Columns that a text has in a terminal of 80."""


def verified_text(answers: Sequence[Verified]) -> str:
    return "\n".join(
        "\n".join((f"{one.verdict}  {one.path}", one.sha256, *(finding.words for finding in one.findings)))
        for one in answers
    )


def boots_text(proofs: "Sequence[BootedEntry]") -> str:
    return "\n\n".join(map(_proof_text, proofs))


def logs_text(logs: Sequence[tuple[str, str]]) -> str:
    text = "\n\n".join(f"== {name}\n{text}" for name, text in logs)
    return text or tr("No boot has left a log on the stick yet.")


def checked_text(done: Check) -> str:
    """A paragraph for each image, then what is to be said of several."""
    if not done.predictions:
        return tr("No image is on the stick.")
    names = headers(done.predictions)
    width = max(map(len, names))
    tables = [
        "\n".join(f"{name:<{width}}  {cell}" for name, cell in zip(names, row, strict=True))
        for row in rows(done.predictions)
    ]
    return "\n\n".join(filter(None, [*tables, sentences(done.predictions, done.notes, _WIDTH)]))


def loaders_text(found: Sequence[LoaderRow]) -> str:
    """Each boot loader with all that is known of it."""
    return "\n\n".join(
        "\n".join([f"{name_of(row)}  {row.file.package}", *map(_indented, _about(row))]) for row in found
    )


def _about(row: LoaderRow) -> list[str]:
    state = state_of(row)
    return [*([] if state == "-" else [tr("since it was written: {state}", state=state)]), *sentences_about(row)]


def _indented(line: str) -> str:
    return f"  {line}"


def _proof_text(proof: "BootedEntry") -> str:
    result = proof.result
    reached = result.pretty_name or result.stage.title
    lines = [
        f"{proof.firmware.value}: {proof.target.title}",
        _indented(tr("reached: {reached}, after {seconds} s", reached=reached, seconds=f"{result.seconds:.0f}")),
    ]
    if not result.ok:
        lines += [f"  {result.reason}", *(f"  | {line}" for line in result.tail)]
    return "\n".join(lines)
