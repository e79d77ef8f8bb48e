"""What bootkit does itself about an initrd that does not find its ISO file on the stick's file system. Pure."""

from collections.abc import Callable

from bootkit.model.boot import BootEntry, Detection
from bootkit.model.check import Cure
from bootkit.model.iso import IsoFacts

Judge = Callable[[Detection, BootEntry, IsoFacts, str], Cure | None]

CURES: tuple[Judge, ...] = ()
"""Every kind of cure, the one to prefer first. Each gets what :func:`cure_for` gets."""


def cure_for(detection: Detection, entry: BootEntry, facts: IsoFacts, filesystem: str) -> Cure | None:
    """What lets the initrds of ``entry`` find their file on ``filesystem`` (as blkid calls it); ``None`` if nothing does.

    To be asked only where they are not known to do so by themselves. ``generate`` puts on the stick what this answers,
    and ``check`` predicts from it, so that the two cannot disagree.
    """
    answers = (judge(detection, entry, facts, filesystem) for judge in CURES)
    return next((cure for cure in answers if cure is not None), None)
