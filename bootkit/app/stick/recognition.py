"""What all detectors say of one image, and what lies inside the files that they name."""

from dataclasses import replace

from bootkit.detect.registry import recognise
from bootkit.model.catalog import ImageItem
from bootkit.model.iso import IsoView


def answered(item: ImageItem, view: IsoView) -> ImageItem:
    """``item`` with what the detectors say of it and the record of all that they read."""
    recognition = recognise(view, thorough=True)
    return replace(item, recognition=recognition, facts=view.facts)


def with_insides(item: ImageItem, view: IsoView) -> ImageItem:
    """``item``, which was answered, with what its kernels, initrds and root file systems hold.

    Unpacks initrds, for a second or two; what is hostile about them is bounded and becomes a warning.

    Raises:
        NotRecorded: ``view`` is a record that lacks something.
    """
    if item.detection is None or item.facts is None:
        return item

    from bootkit.plan.wanted_files import ask_for_wanted_files

    ask_for_wanted_files(view, item.detection)
    old, new = item.facts, view.facts
    facts = replace(
        old,
        dirs=old.dirs | new.dirs,
        kernels=old.kernels | new.kernels,
        initrds=old.initrds | new.initrds,
        roots=old.roots | new.roots,
        warnings=tuple(dict.fromkeys((*old.warnings, *new.warnings))),
    )
    return replace(item, facts=facts)
