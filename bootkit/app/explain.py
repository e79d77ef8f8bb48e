"""``explain``: an image on a stick, looked at as :mod:`bootkit.app.inspect` looks at a file."""

from bootkit.app.catalog import image_named
from bootkit.app.inspect import Look
from bootkit.app.look import answered
from bootkit.model.catalog import ImageItem
from bootkit.probe.image import open_image
from bootkit.system.volume import Volume


def look_on_stick(volume: Volume, name: str) -> Look:
    """Look at an image on a stick.

    Raises:
        BootkitError: there is none of that name, it cannot be read, or is no image.
    """
    path = image_named(volume, name)
    stat = volume.stat(path)
    assert stat is not None
    with volume.open(path) as fh, open_image(fh, name=stat.name, size=stat.size) as view:
        item = answered(ImageItem(path=path, size=stat.size, mtime_ns=stat.mtime_ns), view)
    assert item.facts is not None and item.recognition is not None  # noqa: PT018
    return Look(facts=item.facts, recognition=item.recognition, iso_path=path, stick_uuid=volume.uuid)
