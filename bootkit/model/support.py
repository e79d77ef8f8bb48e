"""The verdicts of the table of supported systems, and what the answers to records show of a row."""

from enum import StrEnum

from bootkit.values import dataclass


class Verdict(StrEnum):
    """What becomes of an image that lies on the stick as a file."""

    BOOTS = "boots"
    HELPED = "boots, with your help"
    """With help of the user, who puts a file on the stick, or says or does something when it has started."""
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
class Seen:
    """What the answers to all records of one row have in common, and what only some of them have."""

    records: int = 0
    firmware: tuple[str, ...] = ()
    filesystems: tuple[str, ...] = ()
    """In every answer that has entries."""
    some_filesystems: tuple[str, ...] = ()
    """In the answers for newer images, or for those that need no more than GRUB reads."""
    to_ram: bool = False
