"""What all detectors say of one image."""

from dataclasses import replace

from bootkit.detect.registry import recognise
from bootkit.model.catalog import ImageItem
from bootkit.model.iso import IsoView


def answered(item: ImageItem, view: IsoView) -> ImageItem:
    """``item`` with what the detectors say of it and the record of all that they read."""
    recognition = recognise(view, thorough=True)
    return replace(item, recognition=recognition, facts=view.facts)
