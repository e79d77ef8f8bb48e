"""``check``: what will happen when the images of a stick are booted, from what is known of them and of the stick."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bootkit.app.menu.busybox import lacks_busybox
from bootkit.app.menu.cures import extents_of
from bootkit.app.menu.freshness import is_up_to_date, moved_images
from bootkit.app.stick.catalog import Catalog, read_catalog
from bootkit.app.stick.facts import stick_facts
from bootkit.app.stick.homes import home_names, homes_note
from bootkit.app.stick.images import image_named
from bootkit.app.stick.predictions import PredictionDigests, read_predictions
from bootkit.app.stick.settings import choices_of
from bootkit.app.stick.state import StickListing, list_stick
from bootkit.errors import BootkitError
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Answer, Cure, Prediction, Problem, StickFacts
from bootkit.model.efi import MachineKeys
from bootkit.model.plan import StickPlan, StickStep
from bootkit.model.testboot import TestFirmware
from bootkit.plan.check import predict, stick_notes
from bootkit.plan.check_disks import with_journals
from bootkit.plan.cures import MAP
from bootkit.plan.persistence import read_initrds
from bootkit.probe.disk import waiting_journals
from bootkit.system.changes import apply_changes
from bootkit.system.sticks import Stick, open_stick
from bootkit.system.volume import Volume
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is predicted of a stick's images."""

    stick: StickFacts
    predictions: tuple[Prediction, ...]
    """In the order of their paths."""
    notes: tuple[str, ...]
    """What holds for the stick as a whole; sentences."""
    plan: StickPlan
    """Records that the stick does not have yet: with them the next check reads no image."""


def check_stick(
    stick: Stick,
    names: Sequence[str] = (),
    *,
    memory: int = 0,
    firmwares: Collection[TestFirmware] = (),
    machine: MachineKeys | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Check:
    """Predict how the named images boot; all if none is named. Writes nothing.

    ``memory`` (bytes) and ``firmwares`` are those of the machine, as for :func:`bootkit.plan.check.predict`, and ``machine``
    its keys where it is not this computer. ``told`` is called with the path of each image before it is read.

    Raises:
        BootkitError: a name fits no image, or several.
    """
    volume = stick.volume
    listing = list_stick(volume)
    images = listing.images
    wanted = {image_named(volume, name) for name in names} or {path for path, _ in images}
    chosen = read_catalog(volume, tuple(row for row in images if row[0] in wanted), insides=True, told=told)
    others = read_catalog(volume, tuple(row for row in images if row[0] not in wanted))
    facts = stick_facts(stick, (*chosen.items, *others.items), machine)
    if memory or firmwares or others.items:
        known = (predict(item, facts, memory=memory, firmwares=firmwares) for item in chosen.items)
        found = Predicted(predictions=_all_confirmed(known, chosen.items, volume))
    else:
        found = predicted(stick, chosen, facts)
    is_new = bool(chosen.looked_at - chosen.unrecorded)
    stale = "The menu is not up to date, and what it loads behind the initrds neither. To write it: bootkit generate"
    return Check(
        stick=facts,
        predictions=with_moved(volume, found.predictions),
        notes=(
            *stick_notes(facts),
            *_of_choices(volume, listing),
            *(() if is_up_to_date(volume, listing) else (stale,)),
        ),
        plan=StickPlan(steps=tuple(chosen.records.steps()) if is_new else ()),
    )


def _of_choices(volume: Volume, listing: StickListing) -> Iterator[str]:
    try:
        if note := homes_note(home_names(volume), choices_of(listing.settings)):
            yield note
    except BootkitError as error:
        yield f"{error.message}: {error.hint}"


def predictions_of(stick: Stick, items: Iterable[ImageItem]) -> tuple[Prediction, ...]:
    """What is predicted of images from what is known of them already."""
    known = tuple(items)
    facts = stick_facts(stick, known)
    return _all_confirmed((predict(item, facts) for item in known), known, stick.volume)


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What is predicted of all images of a stick."""

    predictions: tuple[Prediction, ...] = ()
    """In the order of the images."""
    steps: tuple[StickStep, ...] = ()
    """With them the stick keeps it."""

    @property
    def cures(self) -> Mapping[str, Cure | None]:
        """What each image needs to find its file on this stick, by its path."""
        return {one.path: one.brought for one in self.predictions}


def predicted(stick: Stick, catalog: Catalog, facts: StickFacts | None = None) -> Predicted:
    """What is predicted of all images of a stick, as far as it is kept from what the stick keeps.

    ``facts`` are those of the stick, where they are known already.
    """
    facts = facts or stick_facts(stick, catalog.items)
    kept, digests = read_predictions(stick.volume), PredictionDigests(facts)
    found: list[Prediction] = []
    known: dict[bytes, Prediction] = {}
    for item in catalog.items:
        record = catalog.record(item.path)
        digest = digests.of(item, record) if record is not None else b""
        prediction = (kept.find(digest, item.path) if digest else None) or predict(item, facts)
        found.append(prediction)
        if digest:
            known[digest] = prediction
    predictions = _all_confirmed(found, catalog.items, stick.volume)
    return Predicted(predictions=predictions, steps=tuple(kept.steps(known)))


def _all_confirmed(
    predictions: Iterable[Prediction], items: Iterable[ImageItem], volume: Volume
) -> tuple[Prediction, ...]:
    return tuple(
        with_journal(_confirmed(one, item, volume), item, volume) for one, item in zip(predictions, items, strict=True)
    )


def with_journal(prediction: Prediction, item: ImageItem, volume: Volume) -> Prediction:
    """With a note on what an installed system has yet to put in place: each run changes that, and no date tells of it."""
    stat = volume.stat(item.path) if item.is_written else None
    if stat is None or stat.mtime_ns != item.mtime_ns:
        return prediction
    with volume.open(item.path) as fh:
        return with_journals(prediction, waiting_journals(fh), read_initrds(item))


def _confirmed(prediction: Prediction, item: ImageItem, volume: Volume) -> Prediction:
    """What only the stick and this computer can tell of a cure.

    A file can be mapped by the place of its bytes only if that can be told, and if it lies in few pieces; some overlays
    run on a busybox that has to come from somewhere. An image that is about to be copied has no place yet.
    """
    if not prediction.overlay:
        return prediction
    answer, error = Answer.CANNOT, lacks_busybox(volume, item)
    if error is None and prediction.overlay == MAP and volume.stat(item.path) is not None:
        try:
            extents_of(volume, item)
        except BootkitError as untold:
            answer, error = Answer.UNKNOWN if volume.extents(item.path) is None else Answer.CANNOT, untold
    if error is None:
        return prediction
    problem = Problem(answer=answer, reason=f"{error.message}.", cure=error.hint)
    worst = answer if prediction.answer in (Answer.BOOTS, Answer.UNKNOWN) else prediction.answer
    return replace(prediction, answer=worst, problems=(problem, *prediction.problems))


def with_moved(volume: Volume, predictions: Iterable[Prediction]) -> tuple[Prediction, ...]:
    """``predictions`` with what is wrong with images that have moved."""
    moved = moved_images(volume)
    problem = Problem(
        answer=Answer.CANNOT,
        reason="Its bytes have moved on the stick since their place was written down.",
        cure="bootkit generate",
    )
    return tuple(
        replace(prediction, answer=Answer.CANNOT, problems=(problem, *prediction.problems))
        if prediction.path in moved
        else prediction
        for prediction in predictions
    )


def keep_records(stick: Stick, plan: StickPlan) -> str:
    """Put what a check found out on the stick; why it could not, as a clause, where the stick cannot be written.

    The stick must not be open: this opens it for writing.
    """
    if not plan.steps:
        return ""
    try:
        with open_stick(stick.where, writing=True) as opened:
            apply_changes(plan, opened.volume)
    except (BootkitError, OSError) as error:
        return error.message if isinstance(error, BootkitError) else error.strerror or str(error)
    return ""
