"""An image that goes from the stick and can be taken back: it lies aside until its room is needed, or nobody asks any more."""

from bootkit.app.stick.catalog import record_path
from bootkit.app.stick.images import image_named
from bootkit.app.stick.leftovers import aside_path
from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.plan import RemoveFile, RenameFile, StickPlan, StickStep, WriteFile
from bootkit.system.volume import Volume, read_file
from bootkit.values import dataclass

_RECORD_LIMIT = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What is needed to take an image back."""

    path: str
    record: bytes = b""
    """What was known of it, its checksum among that; empty if nothing was."""

    @property
    def aside(self) -> str:
        return aside_path(self.path)


def find_removal(volume: Volume, name: str) -> Removal:
    """The removal of the one image that ``name`` fits; nothing is changed yet.

    Raises:
        BootkitError: it fits none, or several.
    """
    path = image_named(volume, name)
    return Removal(path=path, record=read_file(volume, record_path(path), _RECORD_LIMIT) or b"")


def plan_aside(removal: Removal) -> StickPlan:
    """The image is no image of the menu any more; the menu itself is :func:`generate`'s business."""
    steps: list[StickStep] = [RenameFile(old=removal.path, path=removal.aside)]
    if removal.record:
        steps.append(RemoveFile(path=record_path(removal.path)))
    return StickPlan(steps=tuple(steps))


def plan_return(volume: Volume, removal: Removal) -> StickPlan:
    """The image is there again, with what was known of it.

    Raises:
        BootkitError: its room was needed meanwhile, or another image has its name.
    """
    if volume.stat(removal.aside) is None:
        raise BootkitError(
            tr("{path} cannot be taken back: its room was freed", path=removal.path), hint=tr("add it again")
        )
    if volume.stat(removal.path) is not None:
        raise BootkitError(tr("another {path} is on the stick", path=removal.path), hint=tr("remove that one first"))
    steps: list[StickStep] = [RenameFile(old=removal.aside, path=removal.path)]
    if removal.record:
        steps.append(WriteFile(path=record_path(removal.path), content=removal.record))
    return StickPlan(steps=tuple(steps))


def plan_farewell(volume: Volume, removal: Removal) -> StickPlan:
    """Its room becomes free; nothing is to be done where it is already."""
    there = volume.stat(removal.aside) is not None
    return StickPlan(steps=(RemoveFile(path=removal.aside),) if there else ())
