"""How an image keeps the changes to its system beside its ISO file, or why it cannot."""

from dataclasses import replace

from bootkit.bootcfg.cmdline import has_word
from bootkit.detect.registry import stack_of
from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.boot import BootEntry, EntryKind
from bootkit.model.catalog import ImageItem
from bootkit.model.initrd import InitrdFacts
from bootkit.model.places import PERSISTENCE_FOLDER
from bootkit.model.stack import OlderName, Persistence
from bootkit.model.variants import Kept

_FOLDER = "{folder}"
_HOME = tr("a home keeps the user's own files on every system: bootkit home create NAME --size 4G")
_ENCRYPTED_HOME = tr("a home asks for its passphrase on every system: bootkit home create NAME --size 4G --encrypt")


def kept_folder(image: str) -> str:
    """Where the changes of an image lie, by its file name."""
    return f"{PERSISTENCE_FOLDER}/{image}"


def persistence_of(item: ImageItem, filesystem: str) -> Persistence:
    """How an image keeps its changes on a stick with this file system.

    Raises:
        BootkitError: it cannot; the message says why.
    """
    detection = item.detection
    if detection is None or not detection.entries:
        raise BootkitError(
            tr("{name} does not start from the menu", name=item.name),
            hint=tr("why: bootkit explain {name}", name=item.name),
        )
    stack = stack_of(detection.stack)
    persistence = stack.persistence
    if persistence is None:
        reason = stack.no_persistence or tr(
            "no way is known by which {stack} does so beside an ISO file", stack=stack.name
        )
        raise BootkitError(tr("{name} cannot keep its changes: {reason}", name=item.name, reason=reason), hint=_HOME)
    first = first_linux(item)
    if first is None or has_word(first.cmdline, "nopersistence") or has_word(first.cmdline, "nopersistent"):
        raise BootkitError(tr("{name} cannot keep its changes: its own menu forbids it", name=item.name), hint=_HOME)
    if persistence.filesystems and filesystem not in persistence.filesystems:
        message = tr(
            "{name} cannot keep its changes on this stick, which has {filesystem}: {because}",
            name=item.name,
            filesystem=filesystem,
            because=persistence.because,
        )
        raise BootkitError(message, hint=_HOME)
    older = persistence.older
    is_older = older is not None and _has_older_scripts(item, older)
    return replace(persistence, file=older.name, label=older.name) if older and is_older else persistence


def _has_older_scripts(item: ImageItem, older: OlderName) -> bool:
    """Whether the scripts in its initrd, where that was read, are the older ones; versions of relatives do not tell."""
    markers = {marker for initrd in read_initrds(item) for marker in initrd.markers}
    return older.scripts in markers and older.without not in markers


def require_unlock(item: ImageItem, persistence: Persistence) -> None:
    """Refuse to encrypt what the initrd of an image, which was looked into, could not open.

    Raises:
        BootkitError: it cannot open an encrypted file.
    """
    stack = item.stack
    if not persistence.unlock:
        message = tr(
            "{name} cannot open an encrypted file: no way is known by which {stack} does so beside an ISO file",
            name=item.name,
            stack=stack,
        )
        raise BootkitError(message, hint=_ENCRYPTED_HOME)
    found = {name for initrd in read_initrds(item) for name in (*initrd.programs, *initrd.markers)}
    if not persistence.unlocked_by <= found:
        raise BootkitError(
            tr("{name} cannot open an encrypted file: {locked_out}", name=item.name, locked_out=persistence.locked_out),
            hint=_ENCRYPTED_HOME,
        )


def read_initrds(item: ImageItem) -> tuple[InitrdFacts, ...]:
    """What is known of the initrds of the entry that starts by itself."""
    first = first_linux(item)
    initrds = item.facts.initrds if item.facts else {}
    return tuple(initrds[path] for path in (first.initrds if first else ()) if path in initrds)


def first_linux(item: ImageItem) -> BootEntry | None:
    """The entry that starts by itself, if it is a Linux."""
    entries = item.detection.entries if item.detection else ()
    return next((entry for entry in entries if entry.kind is EntryKind.LINUX), None)


def words_of(persistence: Persistence, kept: Kept) -> tuple[str, ...]:
    words = (*persistence.words, *(persistence.unlock if kept.encrypted else ()))
    return tuple(word.replace(_FOLDER, kept_folder(kept.image)) for word in words)
