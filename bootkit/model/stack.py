"""A boot stack as one value: what the rest of the program wants to know of it, declared by its detector."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bootkit.model.support import Verdict

Words = tuple[str, ...]
"""Words of a kernel's command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceWords:
    """The kernel words that carry the user's choices into a live system, by the option's key.

    The slots: ``{locale}`` de_DE.UTF-8, ``{lang}`` de_DE, ``{language}`` de, ``{layout}`` and ``{variant}`` of the XKB
    keyboard, ``{keymap}`` the console's name for both, ``{value}`` the value as it is. A word whose slot has nothing to
    be filled with is left out.
    """

    language: Words = ()
    keyboard: Words = ()
    timezone: Words = ()
    user: Words = ()
    host: Words = ()
    needs: Words = ()
    """One of these must be on the kernel line, or nobody reads the words; empty if they are read in any case."""

    @property
    def by_option(self) -> Mapping[str, Words]:
        """The words by the option's key, also those for which there are none."""
        return {
            "language": self.language,
            "keyboard": self.keyboard,
            "timezone": self.timezone,
            "user": self.user,
            "host": self.host,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A boot stack, and who uses it.

    Firmware, file systems and copying to RAM are not said here: they come from the answers to the records in
    ``tests/detectors``. A plug-in declares its stacks in the same way as a detector of bootkit's own.
    """

    name: str
    """As upstream spells it, and as ``Detection.stack`` has it: no other detector's stack is called so."""
    systems: tuple[str, ...] = ()
    source: str = ""
    """Project and version that was read, or who reported it."""
    verdict: Verdict = Verdict.BOOTS
    but: str = ""
    """What of it does not boot, or how the user helps; a clause."""
    booted: str = ""
    """The test that boots it: ``tests/boots/test_x.py::test_name``."""

    words: ChoiceWords = field(default_factory=ChoiceWords)
    """What its kernel line says for the user's language, keyboard and the like."""
    adapter: str = ""
    """The folder of ``initrd_overlays/`` whose adapter serves it, for a stack that no ``overlay.toml`` names: another
    package's."""
    overlay: str = ""
    """What a secondary initrd does before it boots, or would have to do; empty if none is needed."""
    keeps: str = ""
    """Where its own initrd keeps changes when it was started from a file; empty if nowhere."""
