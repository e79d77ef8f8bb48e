"""``add``, ``remove`` and ``verify``: the images of a stick."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bootkit.app.stick.catalog import find_images, image_named, read_catalog, record_of, record_path
from bootkit.app.stick.recognition import answered, with_insides
from bootkit.app.stick.user_files import require_fits, require_room
from bootkit.errors import BootkitError, UsageError
from bootkit.model.catalog import ImageItem
from bootkit.model.places import IMAGE_FOLDER
from bootkit.model.plan import CopyImage, RemoveFile, StickPlan, WriteFile
from bootkit.plan.names import better_name, name_problem
from bootkit.probe.checksum import published_checksum
from bootkit.probe.image import PADDING, open_image
from bootkit.system.changes import Watcher, apply_changes
from bootkit.system.volume import Volume, chunks_of, sha256_of
from bootkit.units import format_size

_AGAIN = "the download is damaged or not the one that was published: download it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """An image on the host that may be copied, with what is known of it beforehand."""

    step: CopyImage
    item: ImageItem
    """``mtime_ns`` is only known when it is on the stick."""
    checked_with: str = ""
    """The checksum file that agrees with it; empty if there was none."""


def plan_additions(
    volume: Volume, sources: Sequence[Path], *, folder: str = "", rename: bool = False, watcher: Watcher | None = None
) -> tuple[Addition, ...]:
    """What ``add`` would copy; all of it is possible, or nothing is begun.

    ``rename`` gives an image whose name cannot be booted from a name near to it.

    Raises:
        BootkitError: a source is no image or does not agree with its checksum file, a name is bad or taken, or there is
            no room.
    """
    if not sources:
        raise UsageError("no image named", hint="bootkit add FILE.iso ...")
    additions = tuple(_addition(source, folder.strip("/"), rename=rename) for source in sources)
    _refuse_what_is_there(volume, additions)
    _refuse_what_does_not_fit(volume, additions)
    return tuple(_compared(addition, watcher or Watcher()) for addition in additions)


def add_images(volume: Volume, additions: Sequence[Addition], watcher: Watcher | None = None) -> tuple[ImageItem, ...]:
    """Copy images to the stick, one complete before the next begins; the menu is :func:`generate`'s business."""
    added: list[ImageItem] = []
    for addition in additions:
        digests = apply_changes(StickPlan(steps=(addition.step,)), volume, watcher)
        path = addition.step.path
        stat = volume.stat(path)
        assert stat is not None  # it was just read back
        item = replace(addition.item, mtime_ns=stat.mtime_ns, sha256=digests[path])
        apply_changes(StickPlan(steps=(WriteFile(path=record_path(path), content=record_of(item)),)), volume)
        added.append(item)
    return tuple(added)


def plan_removal(volume: Volume, names: Sequence[str]) -> StickPlan:
    """What ``remove`` would take away: the images and their records.

    Raises:
        BootkitError: a name fits no image, or several.
    """
    paths = [image_named(volume, name) for name in names]
    steps = [RemoveFile(path=path) for path in paths]
    steps += [RemoveFile(path=record_path(path)) for path in paths if volume.stat(record_path(path)) is not None]
    return StickPlan(steps=tuple(steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    path: str
    verdict: str
    """``good``, ``damaged``, or ``unknown`` where no checksum was kept; then the one found now is kept with the image's
    record. Images that ``generate`` has not seen have no record, and get none here: by its absence the menu knows
    what is new."""
    sha256: str


def verify_images(volume: Volume, names: Sequence[str], watcher: Watcher | None = None) -> tuple[Verified, ...]:
    """Read images from the medium and compare them with the checksums that ``add`` kept; all images if none is named."""
    watcher = watcher or Watcher()
    wanted = {image_named(volume, name) for name in names}
    images = tuple(image for image in find_images(volume) if not wanted or image[0] in wanted)
    volume.flush()
    answers: list[Verified] = []
    for item in read_catalog(volume, images).items:
        watcher.begin("reading", item.path, item.size)
        with volume.open(item.path) as file:
            digest = sha256_of(chunks_of(file, watcher.progress))
        watcher.end()
        verdict = "unknown" if not item.sha256 else "good" if item.sha256 == digest else "damaged"
        if verdict == "unknown" and volume.stat(record_path(item.path)) is not None:
            content = record_of(replace(item, sha256=digest))
            apply_changes(StickPlan(steps=(WriteFile(path=record_path(item.path), content=content),)), volume)
        answers.append(Verified(path=item.path, verdict=verdict, sha256=digest))
    return tuple(answers)


def _addition(source: Path, folder: str, *, rename: bool) -> Addition:
    try:
        size = source.stat().st_size
    except OSError as error:
        raise BootkitError(f"{source}: {error.strerror}") from error
    if source.is_dir():
        raise BootkitError(f"{source} is a folder", hint=f"name the images in it: bootkit add {source}/*.iso")
    name = source.name
    if rename and name_problem(name):
        name = better_name(name)
    path = "/".join(part for part in (IMAGE_FOLDER, folder, name) if part)
    if problem := name_problem(path):
        hint = (
            "give the folder another name"
            if name_problem(folder or "a")
            else f"--rename copies it as {better_name(name)}"
        )
        raise BootkitError(f"{source.name} cannot be booted under this name: {problem}", hint=hint)
    with open_image(source, name=name) as view:
        if view.missing > PADDING:
            missing = format_size(view.missing)
            raise BootkitError(f"{source.name} is not complete: {missing} are missing at its end", hint=_AGAIN)
        item = with_insides(answered(ImageItem(path=path, size=size, mtime_ns=0), view), view)
    return Addition(step=CopyImage(source=str(source), path=path, size=size), item=item)


def _refuse_what_is_there(volume: Volume, additions: Sequence[Addition]) -> None:
    seen: set[str] = set()
    for addition in additions:
        path = addition.step.path
        if path.lower() in seen:
            raise BootkitError(f"two of the images would both be {path}", hint="put one in a folder: --folder NAME")
        seen.add(path.lower())
        if volume.stat(path) is not None:
            hint = f"remove it first (bootkit remove {path}), or put this one in a folder: --folder NAME"
            raise BootkitError(f"{path} is on the stick already", hint=hint)


def _refuse_what_does_not_fit(volume: Volume, additions: Sequence[Addition]) -> None:
    for addition in additions:
        require_fits(volume, addition.item.name, addition.step.size)
    require_room(volume, sum(addition.step.size for addition in additions))


def _compared(addition: Addition, watcher: Watcher) -> Addition:
    """Compare with a checksum file beside the image, if there is one."""
    source = Path(addition.step.source)
    published = published_checksum(source)
    if published is None:
        return addition
    watcher.begin("comparing", addition.step.path, addition.step.size)
    digest = hashlib.new(published.algorithm, usedforsecurity=False)
    with source.open("rb") as file:
        for chunk in chunks_of(file, watcher.progress):
            digest.update(chunk)
    watcher.end()
    if digest.hexdigest() != published.digest:
        raise BootkitError(f"{source.name} does not agree with {Path(published.source).name}", hint=_AGAIN)
    return replace(addition, checked_with=Path(published.source).name)
