"""``add`` and ``remove``: the images of a stick."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from bootkit.app.stick.images import image_named
from bootkit.app.stick.integrity import (
    Digests,
    Says,
    Testimony,
    chunks_from_start,
    neighbours_on_host,
    own_signatures,
    read_claims,
)
from bootkit.app.stick.leftovers import find_leftovers, remove_leftovers
from bootkit.app.stick.recognition import answered, with_insides
from bootkit.app.stick.records import read_records
from bootkit.app.stick.user_files import Places
from bootkit.errors import BootkitError, HostError, Interrupted, UsageError
from bootkit.formats.implanted import read_implanted_md5
from bootkit.formats.reader import HostFileIO
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.places import IMAGE_FOLDER
from bootkit.model.plan import CopyImage, RemoveFile, StickPlan
from bootkit.plan.names import better_name, name_problem
from bootkit.probe.image import open_image
from bootkit.system.changes import Watcher, apply_changes, part_path, require_unused
from bootkit.system.volume import Volume
from bootkit.units import format_size
from bootkit.values import dataclass

_AGAIN = tr("the download is damaged or not the one that was published: download it again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """An image on the host that may be copied, with what is known of it beforehand."""

    step: CopyImage
    item: ImageItem
    """``mtime_ns`` is only known when it is on the stick."""
    replaces: int = 0
    """Bytes of the image of this name that it takes the place of."""
    findings: tuple[Testimony, ...] = ()
    """What agrees with it, and signatures whose keys nobody here has."""

    @property
    def source(self) -> Path:
        return Path(self.step.source)

    @property
    def checked_with(self) -> str:
        """The checksum files and sums that agree with it; empty if there was none."""
        good = (finding.source for finding in self.findings if finding.outcome is Says.GOOD)
        return ", ".join(dict.fromkeys(good))


_Thing = TypeVar("_Thing", bound=Path | Addition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that is not copied, and why; :class:`bootkit.errors.AlreadyThere` where it need not be."""

    source: Path
    error: BootkitError


def plan_additions(
    volume: Volume,
    sources: Sequence[Path],
    *,
    folder: str = "",
    rename: bool = False,
    replacing: bool = False,
    watcher: Watcher | None = None,
    keyrings: Sequence[Path] = (),
) -> tuple[Addition, ...]:
    """What ``add`` would copy; all of it is possible, or nothing is begun.

    ``keyrings`` are asked for the keys of signatures, beside those of the host. ``rename`` gives an image whose name cannot be booted from a name near to it.
    ``replacing`` lets an image take the place of another one of its name.

    Raises:
        BootkitError: a source is no image or does not agree with what is published of it, a name is bad or taken, or there is
            no room.
    """

    def refuse(refused: Refused) -> None:
        raise refused.error

    return sort_additions(
        volume,
        sources,
        refuse,
        folder=folder,
        rename=rename,
        replacing=replacing,
        watcher=watcher,
        keyrings=keyrings,
    )


def sort_additions(
    volume: Volume,
    sources: Sequence[Path],
    refuse: Callable[[Refused], None],
    *,
    folder: str = "",
    rename: bool = False,
    replacing: bool = False,
    watcher: Watcher | None = None,
    keyrings: Sequence[Path] = (),
) -> tuple[Addition, ...]:
    """What ``add`` would copy of ``sources``, as :func:`plan_additions`; ``refuse`` hears of each that it would not.

    What takes long comes last: of all files it is known whether they could be copied before the first is read as a whole.
    """
    if not sources:
        raise UsageError(tr("no image named"), hint="bootkit add FILE.iso ...")
    watcher = watcher or Watcher()
    places = Places(
        volume,
        kind=tr("images"),
        apart="put one in a folder: --folder NAME",
        replacing=replacing,
        # what an interrupted copy left is removed before the first of these begins
        freed=sum(one.size for one in find_leftovers(volume)),
        watcher=watcher,
    )

    records = read_records(volume)

    def placed(addition: Addition) -> Addition:
        step = addition.step
        stat = volume.stat(step.path)
        known = records.sha256(step.path, stat) if stat is not None else ""
        return replace(addition, replaces=places.take(addition.source, step.path, step.size, known=known))

    found = _passed(sources, lambda source: _addition(source, folder.strip("/"), rename=rename), refuse)
    found = _passed(found, placed, refuse)
    return _passed(found, lambda addition: _compared(addition, watcher, keyrings), refuse)


def add_images(volume: Volume, additions: Sequence[Addition], watcher: Watcher | None = None) -> tuple[ImageItem, ...]:
    """Copy images to the stick, one complete before the next begins; the menu is :func:`generate`'s business."""
    added: list[ImageItem] = []
    arrived = {part_path(addition.step.path) for addition in additions if addition.step.arrived}
    remove_leftovers(volume, but=arrived)
    for addition in additions:
        digests = apply_changes(StickPlan(steps=(addition.step,)), volume, watcher)
        path = addition.step.path
        stat = volume.stat(path)
        assert stat is not None  # it was just read back
        sha256 = "" if addition.item.is_written else digests[path]
        item = replace(addition.item, mtime_ns=stat.mtime_ns, sha256=sha256)
        apply_changes(StickPlan(steps=tuple(read_records(volume).changed([item]).steps())), volume)
        added.append(item)
    return tuple(added)


def plan_removal(volume: Volume, names: Sequence[str]) -> StickPlan:
    """What ``remove`` would take away: the images and their records.

    Raises:
        BootkitError: a name fits no image, or several, or the running system was started from one.
    """
    paths = [image_named(volume, name) for name in names]
    for path in paths:
        require_unused(volume, path)
    removed = (RemoveFile(path=path) for path in paths)
    return StickPlan(steps=(*removed, *read_records(volume).changed(gone=paths).steps()))


def _addition(source: Path, folder: str, *, rename: bool) -> Addition:
    try:
        size = source.stat().st_size
    except OSError as error:
        raise HostError.of(error, str(source)) from error
    if source.is_dir():
        raise BootkitError(
            tr("{source} is a folder", source=source),
            hint=tr("name the images in it: bootkit add {source}/*.iso", source=source),
        )
    name = source.name
    if rename and name_problem(name):
        name = better_name(name)
    path = "/".join(part for part in (IMAGE_FOLDER, folder, name) if part)
    if problem := name_problem(path):
        hint = (
            tr("give the folder another name")
            if name_problem(folder or "a")
            else f"--rename copies it as {better_name(name)}"
        )
        raise BootkitError(
            tr("{source} cannot be booted under this name: {problem}", source=source.name, problem=problem), hint=hint
        )
    with open_image(source, name=name) as view:
        if view.missing:
            missing = format_size(view.missing)
            raise BootkitError(
                tr("{source} is not complete: {missing} are missing at its end", source=source.name, missing=missing),
                hint=_AGAIN,
            )
        item = with_insides(answered(ImageItem(path=path, size=size, mtime_ns=0), view), view)
    return Addition(step=CopyImage(source=str(source), path=path, size=size), item=item)


def _passed(
    things: Sequence[_Thing], step: Callable[[_Thing], Addition], refuse: Callable[[Refused], None]
) -> tuple[Addition, ...]:
    passed: list[Addition] = []
    for thing in things:
        try:
            passed.append(step(thing))
        except Interrupted:
            raise
        except BootkitError as error:
            refuse(Refused(source=thing if isinstance(thing, Path) else thing.source, error=error))
    return tuple(passed)


def _compared(addition: Addition, watcher: Watcher, keyrings: Sequence[Path]) -> Addition:
    """Compare with what the files beside the image and the image itself say of it, if anything does."""
    source = addition.source
    claims = read_claims(source.name, neighbours_on_host(source), keyrings)
    with HostFileIO(source) as fh:
        file = cast("BinaryIO", fh)
        digests = Digests(claims.algorithms, read_implanted_md5(file))
        if digests.is_asked:
            watcher.begin("comparing", addition.step.path, addition.step.size)
            for chunk in chunks_from_start(file, watcher.progress):
                digests.update(chunk)
            watcher.end()
        signed = own_signatures(claims, lambda: chunks_from_start(file, watcher.progress), keyrings)
        findings = (*digests.findings(claims), *signed)
    for finding in findings:
        if finding.outcome is Says.WRONG:
            said = f": {finding.detail}" if finding.detail else ""
            raise BootkitError(
                tr(
                    "{image} does not agree with {source}{said}",
                    image=source.name,
                    source=finding.source,
                    said=said,
                ),
                hint=_AGAIN,
            )
        if finding.outcome is Says.UNREADABLE:
            hint = tr("download that file again, or take it away")
            raise BootkitError(
                tr(
                    "{source}, which is about {image}, {detail}",
                    source=finding.source,
                    image=source.name,
                    detail=finding.detail,
                ),
                hint=hint,
            )
    return replace(addition, findings=findings)
