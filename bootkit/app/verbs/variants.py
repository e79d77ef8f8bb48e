"""``persist`` and ``seed``: what lies beside the images, and the initrds that bring it to them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from bootkit.app.stick.catalog import find_images, image_named, read_catalog
from bootkit.app.stick.user_files import copy, fill_warning, has_holes, plan_copy, require_fits, require_room
from bootkit.detect.registry import stacks
from bootkit.errors import BootkitError, UsageError
from bootkit.model.catalog import ImageItem
from bootkit.model.plan import RemoveFile, StickPlan, StickStep, WriteFile
from bootkit.model.stack import AnswerFile, Persistence
from bootkit.model.variants import (
    ADDED_FOLDER,
    PERSISTENCE_FOLDER,
    SEED_FOLDER,
    Kept,
    Seed,
    Variants,
)
from bootkit.overlay.manifest import overlay_archive, overlay_for, overlays
from bootkit.overlay.pack import secondary_initrd
from bootkit.plan.names import file_name_problem
from bootkit.plan.persistence import kept_folder, persistence_of, require_unlock
from bootkit.plan.seeds import chosen_answer_file, filled, seed_path
from bootkit.plan.variants import persistence_for, persistence_initrd, seed_initrd, seeds_for, varied
from bootkit.system.changes import Watcher
from bootkit.system.fsimage import LUKS_HEADER, encrypt, is_encrypted, make_ext4
from bootkit.system.volume import Volume, read_file, walk
from bootkit.system.volumes.raw import scratch
from bootkit.units import MIB, format_size

SMALLEST = 32 * MIB
SEED_LIMIT = 4 << 20
_MARK_TEXT = (
    "The live system keeps its changes in this folder. To throw them away, remove the folder as root; without this file "
    "the menu has no entry for it.\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistencePlan:
    """What ``persist create`` would do."""

    item: ImageItem
    persistence: Persistence
    path: str
    size: int
    encrypted: bool = False
    warning: str = ""


def read_variants(volume: Volume) -> Variants:
    """What lies beside the images of a stick."""
    every = stacks().values()
    files = {name for stack in every if stack.persistence for name in stack.persistence.files}
    seed_files = {(answers.kind, answers.file) for stack in every for answers in stack.answers}
    kept: dict[str, Kept] = {}
    for image in volume.listdir(PERSISTENCE_FOLDER):
        for stat in volume.listdir(f"{PERSISTENCE_FOLDER}/{image.name}") if image.is_dir else ():
            if stat.name in files and not stat.is_dir:
                path = f"{PERSISTENCE_FOLDER}/{image.name}/{stat.name}"
                encrypted = is_encrypted(read_file(volume, path, 8) or b"")
                kept[image.name] = Kept(image=image.name, path=path, size=stat.size, encrypted=encrypted)
    seeds: list[Seed] = []
    for path, _ in walk(volume, SEED_FOLDER):
        parts = path.removeprefix(f"{SEED_FOLDER}/").split("/")
        if len(parts) == 4 and (parts[1], parts[3]) in seed_files:  # image, kind, name, file
            seeds.append(Seed(image=parts[0], kind=parts[1], name=parts[2], path=path))
    return Variants(kept=kept, seeds=tuple(seeds))


def offered_items(volume: Volume, items: tuple[ImageItem, ...], variants: Variants) -> tuple[ImageItem, ...]:
    """Images with the entries for what lies beside them."""
    return tuple(varied(item, variants, volume.filesystem) for item in items)


def variants_digest(volume: Volume, variants: Variants) -> list[tuple[str, int, int]]:
    """Changes when the entries do: changes that were kept meanwhile are none."""
    rows = [(kept.path, int(kept.encrypted), 0) for kept in variants.kept.values()]
    for seed in variants.seeds:
        stat = volume.stat(seed.path)
        rows.append((seed.path, stat.size, stat.mtime_ns) if stat else (seed.path, 0, 0))
    return rows


def plan_added(volume: Volume, items: tuple[ImageItem, ...], variants: Variants) -> tuple[StickStep, ...]:
    """The initrds that the entries of :func:`bootkit.plan.variants.varied` load; those that none does are removed."""
    archives: dict[str, bytes] = {}
    for item in items:
        persistence = persistence_for(item, variants.kept.get(item.name), volume.filesystem)
        if persistence is not None and persistence.overlay:
            archives[persistence_initrd(persistence)] = _overlay(persistence.overlay)
        for seed, answers in seeds_for(item, variants):
            if answers.member:
                content = read_file(volume, seed.path, SEED_LIMIT) or b""
                archives[seed_initrd(seed)] = secondary_initrd({answers.member: content})
    old = [path for path, _ in walk(volume, ADDED_FOLDER)]
    return (
        *(
            WriteFile(path=path, content=content)
            for path, content in archives.items()
            if path not in old or read_file(volume, path, 2 * SEED_LIMIT) != content
        ),
        *(RemoveFile(path=path) for path in old if path not in archives),
    )


def plan_persistence(volume: Volume, image: str, size: int, *, encrypted: bool = False) -> PersistencePlan:
    """Check that an image can keep its changes here; its initrd is looked into.

    Raises:
        BootkitError: it cannot, it does already, or there is no room.
    """
    item = _item(volume, image, insides=True)
    persistence = persistence_of(item, volume.filesystem)
    if encrypted:
        require_unlock(item, persistence)
    path = f"{kept_folder(item.name)}/{persistence.file}"
    if volume.stat(path) is not None:
        raise BootkitError(f"{item.name} keeps its changes already", hint=f"bootkit persist remove {item.name}")
    if persistence.is_folder:
        if size:
            message = f"{item.name} keeps its changes in a folder, which takes what room there is"
            raise UsageError(message, hint="leave --size out")
        return PersistencePlan(item=item, persistence=persistence, path=path, size=0)
    if not size:
        raise UsageError("how much room may the changes take?", hint="--size 4G")
    if size < SMALLEST:
        raise UsageError(f"{format_size(size)} is too small", hint=f"at least {format_size(SMALLEST)}")
    require_fits(volume, f"the file for changes of {item.name}", size)
    whole = encrypted or not has_holes(volume)
    require_room(volume, size if whole else 0)
    warning = "" if whole else fill_warning(volume, "the file for changes", size)
    return PersistencePlan(
        item=item, persistence=persistence, path=path, size=size, encrypted=encrypted, warning=warning
    )


def create_persistence(
    volume: Volume, plan: PersistencePlan, watcher: Watcher | None = None, *, passphrase: bytes | None = None
) -> None:
    """Make the file, or the folder; the menu is :func:`generate`'s business."""
    persistence = plan.persistence
    assert plan.encrypted == (passphrase is not None)
    if persistence.is_folder:
        volume.write({plan.path: _MARK_TEXT.encode()})
        volume.flush()
        return
    with scratch() as work:
        tree = work / "tree"
        tree.mkdir()
        for name, text in persistence.texts.items():
            (tree / name).write_text(text)
        image = work / "image"
        size = plan.size - (LUKS_HEADER if plan.encrypted else 0)
        make_ext4(image, size, label=persistence.label, content=tree, folders=persistence.folders)
        shutil.rmtree(tree)
        if passphrase is not None:
            encrypt(image, passphrase, label=persistence.label)
        copy(volume, plan_copy(volume, image, plan.path, sparse=not plan.encrypted), watcher, keep_sum=False)


def kept_named(volume: Volume, image: str) -> Kept:
    """Raises BootkitError: that image keeps nothing; the image itself may be gone."""
    kept = read_variants(volume).kept
    fits = [one for name, one in kept.items() if image in (name, one.path)] or [
        one for name, one in kept.items() if image.rpartition("/")[2].lower() in name.lower()
    ]
    if len(fits) != 1:
        there = ", ".join(sorted(kept))
        message = f"{image} fits {'no' if not fits else 'more than one'} image that keeps its changes"
        raise BootkitError(message, hint=f"there are: {there}" if there else "bootkit persist list")
    return fits[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedPlan:
    """What ``seed add`` would do."""

    seed: Seed
    answers: AnswerFile
    plan: StickPlan


def plan_seed(
    volume: Volume, image: str, source: Path, *, kind: str = "", name: str = "", again: bool = False
) -> SeedPlan:
    """An answer file for an image.

    Raises:
        BootkitError: the image takes none of that kind, or one of that name is there.
    """
    item = _item(volume, image)
    try:
        content = source.read_bytes()[: SEED_LIMIT + 1]
    except OSError as error:
        raise BootkitError(f"{source}: {error.strerror}") from error
    if len(content) > SEED_LIMIT:
        raise BootkitError(f"{source.name} is too large for an answer file", hint=f"at most {format_size(SEED_LIMIT)}")
    chosen = chosen_answer_file(item, source.name, content[:65536].decode("utf-8", "replace"), kind)
    assert item.detection is not None  # who has none takes none
    if chosen.needs_stick and overlay_for(item.detection.stack) is None:
        raise BootkitError(f"{item.name} cannot see the stick when its installer runs")
    called = name or source.name.partition(".")[0]
    if problem := file_name_problem(called):
        raise UsageError(f"{called!r} is no name for an answer file: {problem}", hint="--name NAME")
    seed = Seed(
        image=item.name, kind=chosen.kind, name=called, path=seed_path(item.name, chosen.kind, called, chosen.file)
    )
    if volume.stat(seed.path) is not None and not again:
        raise BootkitError(f"{item.name} has a {chosen.kind} {called} already", hint="--replace, or another --name")
    steps = [WriteFile(path=seed.path, content=chosen.rewritten(content))]
    steps += [
        WriteFile(path=f"{seed.folder}/{other}", content=filled(text, seed).encode())
        for other, text in chosen.beside.items()
    ]
    return SeedPlan(seed=seed, answers=chosen, plan=StickPlan(steps=tuple(steps)))


def seed_named(volume: Volume, image: str, name: str) -> Seed:
    """Raises BootkitError: there is none of that name for that image."""
    mine = [seed for seed in read_variants(volume).seeds if image.rpartition("/")[2].lower() in seed.image.lower()]
    fits = [seed for seed in mine if name in (seed.name, seed.label, seed.path)]
    if len(fits) != 1:
        there = ", ".join(seed.label for seed in mine)
        message = f"{name} is {'no' if not fits else 'more than one'} answer file of {image}"
        raise BootkitError(message, hint=f"there are: {there}" if there else "bootkit seed list")
    return fits[0]


def plan_seed_removal(volume: Volume, seed: Seed) -> StickPlan:
    return StickPlan(steps=tuple(RemoveFile(path=path) for path, _ in walk(volume, seed.folder)))


def _overlay(name: str) -> bytes:
    return overlay_archive(next(one for one in overlays() if one.name == name))


def _item(volume: Volume, name: str, *, insides: bool = False) -> ImageItem:
    path = image_named(volume, name)
    pairs = tuple(pair for pair in find_images(volume) if pair[0] == path)
    return read_catalog(volume, pairs, insides=insides).items[0]
