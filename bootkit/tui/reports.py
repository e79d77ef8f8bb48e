"""What came of long work, as texts to read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bootkit.app.verbs.verify import Verified
from bootkit.i18n import tr

if TYPE_CHECKING:
    from bootkit.app.verbs.test import BootedEntry


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


def _proof_text(proof: "BootedEntry") -> str:
    result = proof.result
    reached = result.pretty_name or result.stage.title
    lines = [
        f"{proof.firmware.value}: {proof.target.title}",
        tr("reached: {reached}, after {seconds} s", reached=reached, seconds=f"{result.seconds:.0f}"),
    ]
    if not result.ok:
        lines += [f"  {result.reason}", *(f"  | {line}" for line in result.tail)]
    return "\n".join(lines)
