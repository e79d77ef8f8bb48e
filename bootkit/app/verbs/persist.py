"""``persist``: images keep their changes, in a file of the stick or a folder."""

import shutil

from bootkit.app.stick.state import read_item
from bootkit.app.stick.user_files import copy, fill_warning, has_holes, plan_copy, require_fits, require_room
from bootkit.errors import BootkitError, UsageError
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.plan import StickPlan, WriteFile
from bootkit.model.stack import Persistence
from bootkit.plan.persistence import kept_folder, persistence_of, require_unlock
from bootkit.system.changes import Watcher, apply_changes
from bootkit.system.fsimage import make_ext4
from bootkit.system.luks import LUKS_HEADER, seal
from bootkit.system.volume import Volume
from bootkit.system.volumes.raw import scratch
from bootkit.units import MIB, format_size
from bootkit.values import dataclass

SMALLEST = 32 * MIB
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


def plan_persistence(volume: Volume, image: str, size: int, *, encrypted: bool = False) -> PersistencePlan:
    """Check that an image can keep its changes here; its initrd is looked into.

    Raises:
        BootkitError: it cannot, it does already, or there is no room.
    """
    item = read_item(volume, image, insides=True)
    persistence = persistence_of(item, volume.filesystem)
    if encrypted:
        require_unlock(item, persistence)
    path = f"{kept_folder(item.name)}/{persistence.file}"
    if volume.stat(path) is not None:
        raise BootkitError(
            tr("{name} keeps its changes already", name=item.name),
            hint=f"bootkit persist remove {item.name}",
        )
    if persistence.is_folder:
        if size:
            message = tr("{name} keeps its changes in a folder, which takes what room there is", name=item.name)
            raise UsageError(message, hint=tr("leave --size out"))
        return PersistencePlan(item=item, persistence=persistence, path=path, size=0)
    if not size:
        raise UsageError(tr("how much room may the changes take?"), hint="--size 4G")
    if size < SMALLEST:
        raise UsageError(
            tr("{size} is too small", size=format_size(size)),
            hint=tr("at least {smallest}", smallest=format_size(SMALLEST)),
        )
    require_fits(volume, f"the file for changes of {item.name}", size)
    whole = not has_holes(volume)
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
        mark = WriteFile(path=plan.path, content=_MARK_TEXT.encode())
        apply_changes(StickPlan(steps=(mark,)), volume)
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
            sealed = work / "sealed"
            sealed.touch()
            seal(image, sealed, passphrase, label=persistence.label)
            image = sealed
        copy(volume, plan_copy(volume, image, plan.path, sparse=True), watcher, keep_sum=False)
