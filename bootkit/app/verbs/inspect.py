"""``inspect``: one image, looked at by all detectors.

Imports nothing of a stick: a look into a file has to be quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from bootkit.app.stick.recognition import answered
from bootkit.errors import NothingRecognised
from bootkit.i18n import spoken, tr
from bootkit.model.answers import recognition_to_json
from bootkit.model.boot import Recognition
from bootkit.model.catalog import ImageItem
from bootkit.model.iso import FileKind, IsoFacts
from bootkit.model.record import facts_to_json
from bootkit.probe.image import open_image
from bootkit.render.prose import padded
from bootkit.units import format_size
from bootkit.values import dataclass

if TYPE_CHECKING:
    from bootkit.model.check import Prediction

_NAMES = 13
"""Columns for what stands before a value, in whatever language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found out about one image."""

    facts: IsoFacts
    recognition: Recognition
    iso_path: str = ""
    """Path on the stick, if it is on one."""
    stick_uuid: str = ""
    prediction: "Prediction | None" = None
    """How it boots, where that was asked for."""

    def to_json(self) -> dict[str, object]:
        """The record with the answer beside it; the record alone is what a test's fixture holds."""
        answer: dict[str, object] = {
            **facts_to_json(self.facts),
            "recognition": recognition_to_json(self.recognition),
        }
        if self.prediction is not None:
            from bootkit.render.check import prediction_to_json

            answer["prediction"] = prediction_to_json(self.prediction)
        return answer

    def summary(self) -> str:
        detection = self.recognition.detection
        facts = self.facts
        none = tr("none")
        partitions = ", ".join(f"{part.scheme} {part.number}: {part.type}" for part in facts.partitions)
        rows = [
            (tr("file"), f"{facts.name}, {format_size(facts.size)}"),
            (tr("label"), facts.volume_id or none),
            ("UUID", facts.uuid or none),
            (tr("read as"), facts.filesystem),
            *_of_its_kind(facts),
            (tr("partitions"), partitions or none),
            (tr("is"), detection.title if detection else tr("not recognised")),
            (tr("kind"), detection.stack if detection else "-"),
            (tr("entries"), ", ".join(entry.title for entry in detection.entries) if detection else "-"),
            *((tr("warning"), spoken(warning)) for warning in facts.warnings),
        ]
        return "\n".join(padded(name, _NAMES) + value for name, value in rows)

    def short_explanation(self, width: int) -> str:
        """What it is and whether it boots, for an image of which that was predicted; ``width`` columns wide."""
        from bootkit.render.brief import brief

        assert self.prediction is not None  # explain always predicts
        return brief(self.facts, self.recognition, self.prediction, on_stick=bool(self.iso_path), width=width)

    def explanation(self, width: int) -> str:
        """All of it, with how it was found out; ``width`` columns wide."""
        from bootkit.render.explain import explain

        return explain(
            self.facts,
            self.recognition,
            iso_path=self.iso_path,
            stick_uuid=self.stick_uuid,
            prediction=self.prediction,
            width=width,
        )

    def require_recognised(self) -> None:
        """Refuse an image that no detector knows.

        Raises:
            NothingRecognised: it is one.
        """
        if self.recognition.detection is None:
            name = self.facts.name
            raise NothingRecognised(
                tr("no detector knows {name}", name=name),
                hint=tr("'bootkit inspect --json {name}' prints what a bug report needs", name=name),
            )


def _of_its_kind(facts: IsoFacts) -> list[tuple[str, str]]:
    if facts.kind is FileKind.ISO:
        platforms = ", ".join(
            tr("{platform} ({emulation} emulation)", platform=entry.platform, emulation=entry.emulation)
            for entry in facts.el_torito
        )
        return [("El Torito", platforms or tr("none: no firmware would boot it from a CD"))]
    return [(tr("program"), f"{facts.kind} {facts.cpu}".strip()), (tr("calls itself"), facts.banner or "-")]


def look_at_file(path: Path) -> Inspection:
    """An ISO file on the host, looked at.

    Raises:
        BootkitError: it cannot be read, or is no image.
    """
    with open_image(path) as view:
        item = answered(ImageItem(path=str(path), size=view.size, mtime_ns=0), view)
    assert item.facts is not None and item.recognition is not None  # noqa: PT018 - both are set by answered()
    return Inspection(facts=item.facts, recognition=item.recognition)
