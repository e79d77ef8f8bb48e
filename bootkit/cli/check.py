"""``check``: what boots, before anyone reboots."""

from collections.abc import Sequence
from typing import Annotated

from bootkit.cli import output
from bootkit.cli.command import Argument, Option
from bootkit.cli.options import AsJson, StickOption, Wide
from bootkit.i18n import spoken, tr
from bootkit.model.check import Answer, Prediction
from bootkit.model.testboot import TestFirmware

_RANK = (Answer.CANNOT, Answer.ELSEWHERE, Answer.UNKNOWN)
"""The worst first."""


def check(
    images: Annotated[list[str] | None, Argument(help=tr("Images on the stick; all if none is named."))] = None,
    stick: StickOption = None,
    memory: Annotated[str, Option(help=tr("What the machine has, to compare with: 4G, 512M."), metavar="SIZE")] = "",
    firmware: Annotated[
        list[TestFirmware] | None,
        Option(help=tr("What the machine has to boot by; may be repeated."), default=tr("any will do")),
    ] = None,
    wide: Wide = False,
    as_json: AsJson = False,
) -> None:
    """Predict which images boot from this stick, by which firmware, with how much memory, and what to do about the rest."""
    from bootkit.app.verbs.check import check_stick, keep_records
    from bootkit.render.check import headers, prediction_to_json, rows, sentences, stick_to_json
    from bootkit.system.sticks import open_stick
    from bootkit.units import parse_size

    size = parse_size(memory) if memory else 0
    with open_stick(stick) as opened:
        done = check_stick(
            opened,
            images or (),
            memory=size,
            firmwares=firmware or (),
            told=lambda path: output.say(tr("reading {path}", path=path)),
        )
    if reason := keep_records(opened, done.plan):
        output.say(tr("warning: the next check has to read the images again: {reason}", reason=reason))
    if as_json:
        predictions = [prediction_to_json(prediction) for prediction in done.predictions]
        output.json({"stick": stick_to_json(done.stick), "images": predictions, "notes": done.notes})
    elif done.predictions:
        output.table(rows(done.predictions), headers(done.predictions), wide=wide)
        if text := sentences(done.predictions, done.notes, output.columns()):
            output.answer(f"\n{text}")
    else:
        output.say(tr("No images on {where}: bootkit add FILE.iso brings one.", where=opened.volume.where))
    _judge(done.predictions)


def _judge(predictions: Sequence[Prediction]) -> None:
    """Turn the worst verdict into the exit status.

    Raises:
        BootUnknown: of an image nobody can tell.
        BootsElsewhere: an image boots from other sticks.
        BootsNowhere: an image does not boot.
    """
    from bootkit.errors import BootsElsewhere, BootsNowhere, BootUnknown

    bad = [prediction for prediction in predictions if prediction.answer is not Answer.BOOTS]
    if not bad:
        return
    worst = min(bad, key=lambda prediction: _RANK.index(prediction.answer))
    hint = f"{worst.path}: {spoken(worst.line)}"
    if worst.answer is Answer.UNKNOWN:
        raise BootUnknown(
            tr(
                "nobody can tell of {count} of {total} images whether they boot",
                count=len(bad),
                total=len(predictions),
            ),
            hint=hint,
        )
    sure = [prediction for prediction in bad if prediction.answer is not Answer.UNKNOWN]
    error = BootsNowhere if worst.answer is Answer.CANNOT else BootsElsewhere
    raise error(
        tr("{count} of {total} images do not boot from this stick", count=len(sure), total=len(predictions)),
        hint=hint,
    )
