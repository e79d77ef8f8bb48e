"""An image that goes from the stick and can be taken back: it lies aside until its room is needed, or nobody asks any more."""

from bootkit.app.stick.images import image_named
from bootkit.app.stick.leftovers import aside_path
from bootkit.app.stick.records import Record, read_records
from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.model.plan import RemoveFile, RenameFile, StickPlan
from bootkit.system.volume import Volume
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What is needed to take an image back."""

    path: str
    record: Record | None = None
    """What was known of it, its checksum among that."""

    @property
    def aside(self) -> str:
        return aside_path(self.path)


def find_removal(volume: Volume, name: str) -> Removal:
    """The removal of the one image that ``name`` fits; nothing is changed yet.

    Raises:
        BootkitError: it fits none, or several.
    """
    path = image_named(volume, name)
    return Removal(path=path, record=read_records(volume).get(path))


def plan_aside(volume: Volume, removal: Removal) -> StickPlan:
    """The image is no image of the menu any more; the menu itself is :func:`generate`'s business."""
    moved = RenameFile(old=removal.path, path=removal.aside)
    return StickPlan(steps=(moved, *read_records(volume).changed(gone=[removal.path]).steps()))


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
    moved = RenameFile(old=removal.aside, path=removal.path)
    known = {removal.path: removal.record} if removal.record else {}
    return StickPlan(steps=(moved, *read_records(volume).changed(put=known).steps()))


def plan_farewell(volume: Volume, removal: Removal) -> StickPlan:
    """Its room becomes free; nothing is to be done where it is already."""
    there = volume.stat(removal.aside) is not None
    return StickPlan(steps=(RemoveFile(path=removal.aside),) if there else ())
