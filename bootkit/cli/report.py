"""What the commands about images print."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bootkit.cli import output
from bootkit.errors import BootkitError
from bootkit.i18n import spoken, tr, trn
from bootkit.model.answers import recognition_to_json
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer, Prediction
from bootkit.model.plan import StickPlan
from bootkit.plan.changes import describe_change
from bootkit.render.check import advice
from bootkit.system.volume import Volume
from bootkit.units import format_size

if TYPE_CHECKING:
    # the use cases bring much with them, and each command has only its own
    from bootkit.app.stick.user_files import VerifiedFile
    from bootkit.app.verbs.generate import Generation
    from bootkit.app.verbs.images import Addition
    from bootkit.app.verbs.test import BootedEntry
    from bootkit.app.verbs.verify import Verified
    from bootkit.cli.documents import AddedImage, BootDocument, Generated, ListedImage, VerifiedImage


def plan(changes: StickPlan) -> None:
    for step in changes.steps:
        output.answer(spoken(describe_change(step)))
    if not changes.steps:
        output.answer(tr("nothing to do"))


def additions(planned: "Sequence[Addition]", predictions: Sequence[Prediction]) -> None:
    for addition, prediction in zip(planned, predictions, strict=True):
        output.say(_addition_line(addition, prediction))
        for finding in addition.findings:
            if finding.detail:
                output.say(f"  {finding.words}")


def _addition_line(addition: "Addition", prediction: Prediction) -> str:
    detection = addition.item.detection
    name = detection.title if detection is not None else tr("not recognised")
    checked = (
        "; " + tr("agrees with {checked_with}", checked_with=addition.checked_with) if addition.checked_with else ""
    )
    replaced = "; " + tr("takes the place of the one on the stick") if addition.replaces else ""
    return f"{addition.item.name}: {name}{checked}{replaced}; {advice(prediction)}"


def additions_json(
    additions: "Sequence[Addition]", predictions: Sequence[Prediction], sums: Mapping[str, str]
) -> "list[AddedImage]":
    """``sums`` are the SHA-256 of the images that are on the stick, by their paths."""
    return [
        {
            "source": addition.step.source,
            "path": addition.step.path,
            "size": addition.step.size,
            "replaces": bool(addition.replaces),
            "sha256": sums.get(addition.step.path, ""),
            "title": addition.item.title,
            "agrees_with": addition.checked_with,
            "verdict": prediction.verdict,
            "reason": prediction.reason,
            "cure": prediction.cure,
        }
        for addition, prediction in zip(additions, predictions, strict=True)
    ]


def generation(done: "Generation", *, in_passing: bool = False) -> None:
    """Tell what a generation did.

    What is wrong with an image that was known before has been told when it came. ``in_passing``, after another command has told of
    its own images, nothing is said either that was said at the last writing.
    """
    for warning in done.new_warnings if in_passing else done.plan.warnings:
        output.say(tr("warning: {warning}", warning=warning))
    if done.catalog is None:
        output.say(tr("The menu is up to date."))
        return
    items = done.catalog.items
    looked_at = done.catalog.looked_at
    for prediction in done.predictions:
        if prediction.path in looked_at and prediction.problems and not in_passing:
            output.say(tr("warning: {path}: {advice}", path=prediction.path, advice=advice(prediction)))
    bad = {prediction.path for prediction in done.predictions if prediction.answer in (Answer.CANNOT, Answer.ELSEWHERE)}
    bootable = sum(1 for item in items if not item.problem and item.path not in bad)
    total = len(items)
    words = [tr("The menu is written: {bootable} of {total} images boot from it.", bootable=bootable, total=total)]
    words += [trn("{n} image looked into.", "{n} images looked into.", len(looked_at))] if looked_at else []
    words += [tr("What keeps the others from it: bootkit check")] if bootable < total else []
    output.say(" ".join(words))


def generation_json(done: "Generation") -> "Generated":
    items = () if done.catalog is None else done.catalog.items
    return {
        "steps": [describe_change(step) for step in done.plan.steps],
        "warnings": done.plan.warnings,
        "images": None if done.catalog is None else list(map(item_json, items, done.predictions)),
    }


def item_json(item: ImageItem, prediction: Prediction) -> "ListedImage":
    return {
        "path": item.path,
        "size": item.size,
        "sha256": item.sha256,
        "error": item.error,
        "verdict": prediction.verdict,
        "reason": prediction.reason,
        "cure": prediction.cure,
        "recognition": None if item.recognition is None else recognition_to_json(item.recognition),
    }


def items(found: Sequence[ImageItem], predictions: Sequence[Prediction], volume: Volume, *, wide: bool) -> None:
    rows = [
        (
            item.path,
            format_size(item.size),
            item.title,
            item.detection.stack if item.detection else "-",
            spoken(prediction.verdict),
            spoken(prediction.reason) if prediction.problems else "",
        )
        for item, prediction in zip(found, predictions, strict=True)
    ]
    output.table(rows, (tr("IMAGE"), tr("SIZE"), tr("WHAT IT IS"), tr("KIND"), tr("VERDICT"), tr("WHY")), wide=wide)
    output.say(
        tr(
            "{free} free on {where} ({filesystem})",
            free=format_size(volume.free()),
            where=volume.where,
            filesystem=volume.filesystem,
        )
    )


def verified(answers: "Sequence[Verified]", *, wide: bool, as_json: bool) -> None:
    if as_json:
        output.json({"images": [_verified_json(answer) for answer in answers]})
        return
    if earlier := sum(answer.earlier for answer in answers):
        output.say(
            tr(
                "{earlier} of {count} were read before the last look was interrupted: --fresh reads them again.",
                earlier=earlier,
                count=len(answers),
            )
        )
    rows = [(answer.verdict, answer.path, answer.sha256) for answer in answers]
    output.table(rows, (tr("VERDICT"), tr("IMAGE"), "SHA-256"), wide=wide)
    for answer in answers:
        for finding in answer.findings:
            output.answer(f"  {answer.path}: {finding.words}")


def _verified_json(answer: "Verified") -> "VerifiedImage":
    known: VerifiedImage = {"path": answer.path, "verdict": answer.verdict, "sha256": answer.sha256}
    return {**known, "checks": answer.findings} if answer.findings else known


def verified_files(answers: "Sequence[VerifiedFile]", *, as_json: bool) -> None:
    """Tell what a comparison with the kept checksums showed.

    Raises:
        BootkitError: something is damaged; behind the answer.
    """
    if as_json:
        output.json({"files": answers})
    else:
        output.table([(one.verdict, one.path, one.sha256) for one in answers], (tr("VERDICT"), tr("FILE"), "SHA-256"))
    damaged = [one.path for one in answers if one.verdict == "damaged"]
    if damaged:
        raise BootkitError(
            tr("damaged on the stick: {damaged}", damaged=", ".join(damaged)), hint=tr("copy it again, with --replace")
        )


def boot_results(proofs: "Sequence[BootedEntry]") -> None:
    """One row a boot; for those that stuck, the reason and the last lines of the console."""
    rows = [
        (
            proof.firmware.value,
            proof.target.title,
            proof.result.pretty_name or proof.result.stage.title
            if proof.result.ok
            else f"{tr('stuck')}: {proof.result.stage.title}",
            f"{proof.result.seconds:.0f}",
        )
        for proof in proofs
    ]
    output.table(rows, (tr("FIRMWARE"), tr("ENTRY"), tr("VERDICT"), tr("SECONDS")))
    for proof in proofs:
        for picture in proof.result.screenshots:
            output.answer(picture)
        if not proof.result.ok:
            output.say(f"{proof.firmware.value}, {proof.target.title}: {proof.result.reason}")
            for line in proof.result.tail:
                output.say(f"  | {line}")


def boot_result_json(proof: "BootedEntry") -> "BootDocument":
    result = proof.result
    return {
        "firmware": proof.firmware,
        "image": proof.target.path,
        "entry": proof.target.entry.title,
        "ok": result.ok,
        "stage": result.stage.title,
        "reason": result.reason,
        "pretty_name": result.pretty_name,
        "iso": result.iso,
        "seconds": round(result.seconds, 1),
        "reached": [(stage.title, round(seconds, 1)) for stage, seconds in result.reached],
        "tail": result.tail,
        "screenshots": result.screenshots,
    }
