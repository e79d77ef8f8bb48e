"""All that a detector may import.

A detector is one *boot stack* (casper, live-boot, dmsquash-live, ...) in one module of ``detectors/``, ending in
``DETECTOR = Detector(...)``. Its function looks at an image through an :class:`IsoView` and answers with a
:class:`Detection`, or with :class:`NotMine` and the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bootkit.model.boot import (
    ANY_FIRMWARE,
    ISO_PATH,
    STICK_UUID,
    BootEntry,
    Detection,
    EntryKind,
    Firmware,
    NotMine,
    Role,
)
from bootkit.model.iso import IsoView, Node

__all__ = [
    "ANY_FIRMWARE",
    "ISO_PATH",
    "STICK_UUID",
    "BootEntry",
    "Detection",
    "Detector",
    "EntryKind",
    "Firmware",
    "IsoView",
    "Node",
    "NotMine",
    "QuickRule",
    "Role",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickRule:
    """As much of a detector as a GRUB script can test, for images that came after the last ``generate``.

    Every path may hold ``*``; the first match counts. Words may hold ``{iso_path}``, ``{stick_uuid}`` and
    ``{volume_id}`` (read by GRUB's ``probe --label``).
    """

    requires: tuple[str, ...]
    """Paths in the image that must all be there."""
    kernel: tuple[str, ...]
    """Candidates, the best first."""
    initrd: tuple[str, ...]
    cmdline: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A boot stack's module, as the registry sees it."""

    name: str
    """The stack as upstream spells it."""
    detect: Callable[[IsoView], Detection | NotMine]
    rank: int = 50
    """Place in the queue, low first: a narrow test (one file that only this stack has) comes before a wide one."""
    quick: tuple[QuickRule, ...] = ()
    distributions: tuple[str, ...] = ()
    """Names for the table of supported systems."""
