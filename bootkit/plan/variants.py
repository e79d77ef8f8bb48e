"""The entries of an image for its kept changes and its answer files."""

import zlib
from collections.abc import Iterator
from dataclasses import replace

from bootkit.bootcfg.cmdline import SEPARATORS, before_separator, name_of, without
from bootkit.errors import BootkitError
from bootkit.model.boot import ON_STICK, BootEntry, Role
from bootkit.model.catalog import ImageItem
from bootkit.model.places import ADDED_FOLDER
from bootkit.model.stack import AnswerFile, Persistence
from bootkit.model.variants import Kept, Seed, Variants
from bootkit.plan.persistence import first_linux, persistence_of, words_of
from bootkit.plan.seeds import answer_files, filled


def varied(item: ImageItem, variants: Variants, filesystem: str) -> ImageItem:
    """``item`` with more entries: the one that keeps changes comes first, those with answers behind all."""
    if item.name not in variants.kept and not any(seed.image == item.name for seed in variants.seeds):
        return item
    first, known = first_linux(item), item.recognition
    if first is None or known is None or known.detection is None:
        return item
    entries = known.detection.entries
    place = variants.kept.get(item.name)
    persistence = persistence_for(item, place, filesystem)
    if place is not None and persistence is not None:
        kept = _with_words(first, words_of(persistence, place))
        added = (ON_STICK + persistence_initrd(persistence),) if persistence.overlay else ()
        initrds = (*kept.initrds, *added)
        kept = replace(kept, title=f"{first.title}, changes are kept", initrds=initrds, role=Role.PERSISTENT, to_ram=())
        entries = (kept, *entries)
    entries += tuple(_seeded(first, seed, answers) for seed, answers in seeds_for(item, variants))
    return replace(item, recognition=replace(known, detection=replace(known.detection, entries=entries)))


def persistence_for(item: ImageItem, kept: Kept | None, filesystem: str) -> Persistence | None:
    """How an image keeps its changes; ``None`` if it does not, or cannot here."""
    if kept is None:
        return None
    try:
        persistence = persistence_of(item, filesystem)
    except BootkitError:
        return None
    is_found = kept.path.endswith(f"/{persistence.file}")
    return persistence if is_found and (persistence.unlock or not kept.encrypted) else None


def persistence_initrd(persistence: Persistence) -> str:
    """Where the stick keeps the overlay without which the file of changes is not found."""
    return f"{ADDED_FOLDER}/{persistence.overlay}.cpio"


def seeds_for(item: ImageItem, variants: Variants) -> Iterator[tuple[Seed, AnswerFile]]:
    """The answer files on the stick that an image takes, each with how it is given to it."""
    mine = [seed for seed in variants.seeds if seed.image == item.name]
    if not mine:
        return
    try:
        kinds = {answers.kind: answers for answers in answer_files(item)}
    except BootkitError:
        return
    yield from ((seed, kinds[seed.kind]) for seed in mine if seed.kind in kinds)


def seed_initrd(seed: Seed) -> str:
    """Where the stick keeps the initrd with an answer file."""
    return f"{ADDED_FOLDER}/seed_{zlib.crc32(seed.path.encode('utf-8', 'surrogateescape')):08x}.cpio"


def _seeded(first: BootEntry, seed: Seed, answers: AnswerFile) -> BootEntry:
    entry = _with_words(first, tuple(filled(word, seed) for word in answers.words))
    initrds = (*entry.initrds, ON_STICK + seed_initrd(seed)) if answers.member else entry.initrds
    title = f"{first.title}, with {seed.kind} {seed.name}"
    return replace(entry, title=title, initrds=initrds, role=Role.INSTALL, answers=seed.label, wipes=seed.wipes)


def _with_words(entry: BootEntry, words: tuple[str, ...]) -> BootEntry:
    """``words`` in place of those of their names, before what is for the installed system."""
    place = next((index for index, word in enumerate(entry.cmdline) if word in SEPARATORS), len(entry.cmdline))
    kept = without(entry.cmdline[:place], *map(name_of, words))
    return replace(entry, cmdline=before_separator((*kept, *entry.cmdline[place:]), *words))
