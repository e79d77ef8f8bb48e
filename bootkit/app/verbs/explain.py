"""``explain``: an image looked at as :mod:`bootkit.app.verbs.inspect` does, and what is predicted of it."""

from pathlib import Path
from typing import BinaryIO, cast

from bootkit.app.stick.facts import stick_facts
from bootkit.app.stick.images import image_named
from bootkit.app.stick.recognition import answered, with_insides
from bootkit.app.verbs.check import with_journal
from bootkit.app.verbs.inspect import Inspection
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.check import Prediction, StickFacts
from bootkit.model.places import IMAGE_FOLDER
from bootkit.plan.check import predict
from bootkit.plan.check_disks import with_journals
from bootkit.plan.persistence import read_initrds
from bootkit.probe.disk import waiting_journals
from bootkit.probe.image import ImageView, open_image
from bootkit.system.sticks import Stick


def explain_file(path: Path) -> Inspection:
    """An ISO file on the host, looked at, with a prediction of how it boots from some stick.

    Raises:
        BootkitError: it cannot be read, or is no image.
    """
    with open_image(path) as view:
        item = _item(view, ImageItem(path=f"{IMAGE_FOLDER}/{path.name}", size=view.size, mtime_ns=0))
    prediction = predict(item, StickFacts())
    if item.is_written:
        with path.open("rb") as fh:
            prediction = with_journals(prediction, waiting_journals(cast("BinaryIO", fh)), read_initrds(item))
    return _look(item, prediction)


def look_on_stick(stick: Stick, name: str) -> Inspection:
    """An image on a stick, looked at, with a prediction of how it boots from there.

    Raises:
        BootkitError: there is none of that name, it cannot be read, or is no image.
    """
    volume = stick.volume
    path = image_named(volume, name)
    stat = volume.stat(path)
    assert stat is not None
    with volume.open(path) as fh, open_image(fh, name=stat.name, size=stat.size) as view:
        item = _item(view, ImageItem(path=path, size=stat.size, mtime_ns=stat.mtime_ns))
    prediction = with_journal(predict(item, stick_facts(stick, (item,))), item, volume)
    return _look(item, prediction, iso_path=path, stick_uuid=volume.uuid)


def explain_item(item: ImageItem, stick_uuid: str, width: int) -> str:
    """What ``bootkit explain`` tells of an image, out of its record; ``width`` columns wide."""
    if item.facts is None or item.recognition is None:
        return tr("{name} cannot be read: {error}", name=item.name, error=item.error)
    inspection = Inspection(facts=item.facts, recognition=item.recognition, iso_path=item.path, stick_uuid=stick_uuid)
    return inspection.explanation(width)


def _item(view: ImageView, item: ImageItem) -> ImageItem:
    return with_insides(answered(item, view), view)


def _look(item: ImageItem, prediction: Prediction, *, iso_path: str = "", stick_uuid: str = "") -> Inspection:
    assert item.facts is not None and item.recognition is not None  # noqa: PT018 - both are set by answered()
    return Inspection(
        facts=item.facts,
        recognition=item.recognition,
        iso_path=iso_path,
        stick_uuid=stick_uuid,
        prediction=prediction,
    )
