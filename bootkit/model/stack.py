"""A boot stack as one value: what the rest of the program wants to know of it, declared by its detector."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field

from bootkit.model.installers import Installer
from bootkit.model.support import Verdict
from bootkit.model.variants import FOLDER_MARK
from bootkit.values import dataclass

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
class OlderName:
    """What older scripts of a stack call its file of changes."""

    name: str
    """As a label and as a file."""
    scripts: str
    """The marker (``InitrdFacts.markers``) of an initrd that has such scripts."""
    without: str
    """The marker that older ones lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How a boot stack keeps the changes to its system on the stick, in a folder of the image's own."""

    file: str
    """Name of an ext4 image, or :data:`bootkit.model.variants.FOLDER_MARK` where a folder is all."""
    words: Words
    """Kernel words, with the slots ``{folder}`` and ``{stick_uuid}``."""
    label: str = "bootkit"
    older: OlderName | None = None
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files that have to be in the image."""
    folders: tuple[str, ...] = ()
    """Empty folders of root's that have to be in its top."""
    overlay: str = ""
    """The folder of ``initrd_overlays/`` without which its initrd does not find the file."""
    filesystems: tuple[str, ...] = ()
    """Of the stick, as blkid calls them, on which it works; empty for all."""
    because: str = ""
    """Why not on others."""
    unlock: Words = ()
    """Kernel words with which its initrd opens an encrypted file; none where no way is known."""
    unlocked_by: frozenset[str] = frozenset()
    """Programs and markers that the initrd must have for it."""
    locked_out: str = ""
    """What it means that it has not."""
    note: str = ""
    """What the user should know before the file is made; a clause."""

    @property
    def is_folder(self) -> bool:
        return self.file == FOLDER_MARK

    @property
    def files(self) -> tuple[str, ...]:
        """All names that its file may have on a stick."""
        return (self.file, *((self.older.name,) if self.older else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class RootEncryption:
    """How an installed system gets its encrypted root opened by an initrd that was made before it was encrypted."""

    words: Words
    """Kernel words, with the slot ``{luks_uuid}``."""
    needs: tuple[frozenset[str], ...]
    """Programs and markers that the initrd must have for it: all of one of these sets."""
    lacking: str
    """What to do inside where it has not; a sentence."""

    def lacks(self, found: Collection[str]) -> frozenset[str]:
        """What is missing in an initrd with all that is ``found``, of the set that it comes closest to."""
        return min((needed.difference(found) for needed in self.needs), key=len)


def _as_it_is(content: bytes) -> bytes:
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFile:
    """One way to answer the questions of an installer: a file of the stick, and how the installer is given it."""

    kind: str
    """``preseed``, ``kickstart``: what the user calls it. A stack's kinds differ in it."""
    file: str
    """What the file is called on the stick."""
    words: Words
    """Kernel words, with the slots ``{path}`` and ``{folder}``: of the file, on the data partition."""
    member: str = ""
    """Its name in the root of the initrd, for an installer that wants it there."""
    beside: Mapping[str, str] = field(default_factory=dict[str, str])
    """Texts of files that belong to it, by name, with the same slots."""
    suffixes: tuple[str, ...] = ()
    """Ends of names by which it is known."""
    first_words: tuple[str, ...] = ()
    """What one of its first lines begins with, by which it is known, too."""
    needs_word: str = ""
    """A part of the kernel words of images that understand it."""
    without_word: str = ""
    """A part of the kernel words of images that do not."""
    distro: str = ""
    """A part of the names of the distributions that do, in small letters."""
    needs_stick: bool = False
    """Whether the installer reads it where only an overlay shows it the stick."""
    rewritten: Callable[[bytes], bytes] = _as_it_is
    """The user's file as the installer wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptMark:
    """What a script of an initrd says, where no file of its own gives it away."""

    files: tuple[str, ...]
    """Where the script lies, as :attr:`Stack.markers` has paths. One that says it is enough."""
    says: str
    """A regular expression that must be found in it outside of its comments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFinder:
    """The part of a stack's initrd that looks for the ISO file, by the markers that give it away."""

    markers: tuple[str, ...]
    """One of them is there where it is."""
    mounts_anything: bool = False
    """Whether it mounts whatever blkid calls a file system, or what its own list (``InitrdFacts.allowed``) has, so that a
    driver is enough; others try fixed names, where it takes both."""
    scripts: str = ""
    """The marker of an initrd that holds the stack, with the finder or without; empty where nothing tells."""
    lacking: str = ""
    """What it means that it holds the stack without the finder; a sentence."""
    parts: tuple[tuple[str, str], ...] = ()
    """What it needs beside its files: the marker of an initrd that has the list or the script which would name it, and the marker
    of one that does. The first without the second is an initrd that never comes to look for a file."""
    partial: str = ""
    """What it means that such a part is missing; a sentence."""

    maker: str = ""
    """The program (``InitrdFacts.maker``) whose initrds hold the stack in the files that its markers are of: one of that maker
    with none of them was made without the stack, and of another maker's nothing is known."""

    def why_not(self, markers: Collection[str]) -> str:
        """Why an initrd of the stack with ``markers`` cannot look for a file; empty if it can, or nothing tells."""
        if self.scripts not in markers:
            return ""
        if not any(marker in markers for marker in self.markers):
            return self.lacking
        return self.partial if any(has in markers and part not in markers for has, part in self.parts) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """The newest version of a system that was looked at: what makes its images, or images themselves."""

    system: str
    """As the stack's ``systems`` call it, without what they say in brackets."""
    version: str
    """Of the system: ``26.04``, ``2026.08``."""
    when: str
    """The month of the look, ``2026-11``."""
    what: str
    """What was looked at, with its version."""

    def __str__(self) -> str:
        return f"{self.system} {self.version}"


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
    looked_at: tuple[LookedAt, ...] = ()
    """Up to which versions of its systems that holds; a system of which it is not known has none."""
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
    persistence: Persistence | None = None
    """How it keeps changes on the stick; ``None`` if it cannot."""
    no_persistence: str = ""
    """Why it cannot; a clause, empty where no way is known."""
    root_encryption: RootEncryption | None = None
    """Of an installed system; ``None`` where no way is known."""
    answers: tuple[AnswerFile, ...] = ()
    """The answer files that it takes, the one to try first in front."""
    no_answers: str = ""
    """Why it takes none; a clause, empty where no way is known."""
    installers: tuple[Installer, ...] = ()
    """Those that its systems are known to bring along, where it depends on what they find whether they offer the stick."""
    only_installs: bool = False
    """Whether its images are nothing but installers: none of them is what a time-out starts."""
    roots: tuple[str, ...] = ()
    """Where the root file systems lie in the image: paths, in which ``*`` stands for anything in a name and ``{word:default}``
    for the value of a kernel word: ``/{archisobasedir:arch}/*/airootfs.*fs``."""
    layer_word: str = ""
    """The kernel word that names the uppermost of the layers that its root is stacked of; those below have the names before its dots."""
    layer_list: str = ""
    """The file beside the layers of its root that names them, the lowest first."""
    markers: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The files by which its initrd and the parts of it are known, by the marker that each stands for
    (``InitrdFacts.markers``): paths without slash and ``usr/`` in front, in which ``*`` stands for anything."""
    scripts: Mapping[str, ScriptMark] = field(default_factory=dict[str, ScriptMark])
    """What the scripts of its initrd say, by the marker that it stands for."""
    finder: FileFinder | None = None
    """What its initrd must hold to find its file, where that is a part which can be left out or known."""
    layers: tuple[str, ...] = ()
    """Modules by which its initrd makes the root writable, of which one is enough; the one of today first, empty where
    none is needed or it is not known."""
    takes_modules: bool = False
    """Whether its overlay inserts modules of the ISO's own kernel before it looks for its file (``cure.sh drivers``)."""
    takes_device: bool = False
    """Whether its overlay can give it the ISO as a block device, so that it looks for no file at all."""
    mounts_all: bool = False
    """Whether its initrd tries one partition after another even where its words name the one with the file."""
    wants_iso_suffix: bool = False
    """Whether it takes a file for an image only if its name ends in ``.iso``, in small letters."""
    skips_former_iso: bool = False
    """Whether it passes over a disk that still has the signature of an ISO image which was once written to the whole of
    it."""
