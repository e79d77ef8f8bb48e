"""What a detector says of the systems it knows: its rows in the table of supported systems."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What becomes of an image that lies on the stick as a file."""

    BOOTS = "boots"
    HELPED = "boots, with your help"
    """The user puts a file on the stick, or says or does something when it has started."""
    GUESS = "untested guess"
    NO = "not from a file"


class Proof(StrEnum):
    """How it is known, the strongest first."""

    BOOTED = "booted here"
    """A test of bootkit's boots it in a virtual machine."""
    FIXTURE = "fixture"
    """The answer for a record of an image of that shape is checked."""
    FACTS = "facts only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """One row: a boot stack and who uses it.

    Firmware, file systems and copying to RAM are not said here: they come from the answers to the records in
    ``tests/detectors``.
    """

    stack: str
    """As ``Detection.stack`` spells it."""
    systems: tuple[str, ...]
    source: str
    """Project and version that was read, or who reported it."""
    verdict: Verdict = Verdict.BOOTS
    but: str = ""
    """What of it does not boot, or how the user helps; a clause."""
    persistence: str = ""
    """Where its own initrd keeps changes when it was started from a file; empty if nowhere."""
    overlay: str = ""
    """What a secondary initrd does before it boots, or would have to do; empty if none is needed."""
    booted: str = ""
    """The test that boots it: ``tests/boots/test_x.py::test_name``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the answers to all records of one row have in common, and what only some of them have."""

    records: int = 0
    firmware: tuple[str, ...] = ()
    filesystems: tuple[str, ...] = ()
    """In every answer that has entries."""
    some_filesystems: tuple[str, ...] = ()
    """In the answers for newer images, or for those that need no more than GRUB reads."""
    to_ram: bool = False
