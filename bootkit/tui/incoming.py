"""The kinds of files that can be brought to a stick, many at once: images, extensions, AppImages."""

from collections.abc import Callable, Sequence
from dataclasses import field
from pathlib import Path

from bootkit.app.stick.extensions import SUFFIXES as EXTENSION_SUFFIXES
from bootkit.app.stick.images import FOLDER_SUFFIXES
from bootkit.app.stick.user_files import Places, copy
from bootkit.app.verbs.app import plan_app
from bootkit.app.verbs.ext import plan_extension_copy
from bootkit.app.verbs.generate import plan_menu
from bootkit.app.verbs.images import Refused, add_images, sort_additions
from bootkit.errors import AlreadyThere, BootkitError, Interrupted
from bootkit.i18n import tr, trn
from bootkit.model.plan import CopyImage, StickPlan, StickStep
from bootkit.system.changes import apply_changes
from bootkit.tui.access import StickAccess
from bootkit.tui.progress import Job
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How the files are to be taken."""

    folder: str = ""
    """Below /boot/iso; only images have one."""
    rename: bool = False
    """Whether a name that cannot be booted is changed; it is an image's."""
    replacing: bool = False


@dataclass(slots=True)
class Brought:
    """What became of the files."""

    copied: list[str] = field(default_factory=list[str])
    """Paths on the stick."""
    there: list[Path] = field(default_factory=list[Path])
    """They were on the stick already."""
    refused: list[tuple[Path, BootkitError]] = field(default_factory=list[tuple[Path, BootkitError]])
    warnings: list[str] = field(default_factory=list[str])

    def refuse(self, file: Path, error: BootkitError) -> None:
        if isinstance(error, AlreadyThere):
            self.there.append(file)
        else:
            self.refused.append((file, error))


Bring = Callable[[StickAccess, Sequence[Path], Wishes, Job], Brought]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One kind: what the screen is called, how many of them are told, their endings in lower case, and what brings them."""

    title: str
    counted: Callable[[int], str]
    suffixes: tuple[str, ...]
    bring: Bring
    twin: str
    has_folder: bool = False


def bring_images(access: StickAccess, sources: Sequence[Path], wishes: Wishes, progress: Job) -> Brought:
    """Copy images. What is complete stands in the menu, also when the rest fails or is cancelled."""
    brought = Brought()
    watcher = progress.watcher()

    def refuse(refused: Refused) -> None:
        brought.refuse(refused.source, refused.error)

    with access.open(writing=True) as stick:
        progress.say(tr("looking into the images"))
        additions = sort_additions(
            stick.volume,
            sources,
            refuse,
            folder=wishes.folder,
            rename=wishes.rename,
            replacing=wishes.replacing,
            watcher=watcher,
        )
        progress.expect([addition.step.size for addition in additions])
        try:
            for item in (add_images(stick.volume, (addition,), watcher)[0] for addition in additions):
                brought.copied.append(item.path)
        finally:
            apply_changes(plan_menu(stick).plan, stick.volume)
    return brought


def bring_extensions(access: StickAccess, sources: Sequence[Path], wishes: Wishes, progress: Job) -> Brought:
    brought = Brought()

    def planned(places: Places, file: Path) -> tuple[CopyImage, tuple[StickStep, ...]]:
        step, extension = plan_extension_copy(places, file)
        brought.warnings += [f"{extension.name}: {problem}" for problem in extension.problems]
        return step, ()

    return _bring(access, sources, wishes, progress, tr("extensions"), planned, brought)


def bring_apps(access: StickAccess, sources: Sequence[Path], wishes: Wishes, progress: Job) -> Brought:
    brought = Brought()

    def planned(places: Places, file: Path) -> tuple[CopyImage, tuple[StickStep, ...]]:
        plan = plan_app(places, file)
        brought.warnings += [f"{file.name}: {plan.warning}"] if plan.warning else []
        return plan.copy, plan.beside

    return _bring(access, sources, wishes, progress, tr("AppImages"), planned, brought)


def _bring(
    access: StickAccess,
    sources: Sequence[Path],
    wishes: Wishes,
    progress: Job,
    kind: str,
    planned: Callable[[Places, Path], tuple[CopyImage, tuple[StickStep, ...]]],
    brought: Brought,
) -> Brought:
    watcher = progress.watcher()
    with access.open(writing=True) as stick:
        progress.say(tr("looking into the files"))
        places = Places(stick.volume, kind=kind, replacing=wishes.replacing, watcher=watcher)
        steps: list[tuple[CopyImage, tuple[StickStep, ...]]] = []
        for source in sources:
            try:
                steps.append(planned(places, source))
            except Interrupted:
                raise
            except BootkitError as error:
                brought.refuse(source, error)
        progress.expect([step.size for step, _ in steps])
        for step, beside in steps:
            _ = copy(stick.volume, step, watcher)
            apply_changes(StickPlan(steps=beside), stick.volume)
            brought.copied.append(step.path)
    return brought


IMAGES = Incoming(
    title=tr("Add images"),
    counted=lambda n: trn("{n} image", "{n} images", n),
    suffixes=FOLDER_SUFFIXES,
    bring=bring_images,
    twin="bootkit add",
    has_folder=True,
)
EXTENSIONS = Incoming(
    title=tr("Add extensions"),
    counted=lambda n: trn("{n} extension", "{n} extensions", n),
    suffixes=tuple(suffix.lower() for suffix in EXTENSION_SUFFIXES),
    bring=bring_extensions,
    twin="bootkit ext add",
)
APPS = Incoming(
    title=tr("Add AppImages"),
    counted=lambda n: trn("{n} AppImage", "{n} AppImages", n),
    suffixes=(".appimage",),
    bring=bring_apps,
    twin="bootkit app add",
)
