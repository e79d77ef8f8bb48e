"""``restore``: a stick becomes one partition again, empty."""

import re
from collections.abc import Iterable
from pathlib import Path

from bootkit.app.stick.target import look_at_target, stick_record_of
from bootkit.app.verbs.prepare import fresh_ids, owner
from bootkit.errors import DeviceRefused, UsageError
from bootkit.i18n import tr
from bootkit.model.filesystem import DataFs
from bootkit.model.prepare import PreparePlan
from bootkit.plan.prepare import plan_put_back, plan_restore
from bootkit.plan.safety import Circumstances
from bootkit.system.interrupted import interrupted_action, kept_folders, kept_parts

RESTORE_LABEL = "USB"
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,10}")
"""Labels that every file system takes; FAT is the narrowest, and would rather have capitals."""


def plan_putting_back(path: Path, folder: Path, *, allow: Iterable[str] = ()) -> PreparePlan:
    """What ``restore --put-back`` would do: both ends of a disk as ``prepare`` found and kept them.

    Raises:
        DeviceRefused: ``folder`` does not hold those of this disk, or a safety rule.
    """
    _require_there(path)
    target, _ = look_at_target(path, None, Circumstances(allowed=frozenset(allow)))
    kept = kept_folders(target) if target.is_device else ()
    if folder.resolve() not in (one.resolve() for one in kept):
        hint = (
            tr("of this disk there are: {kept}", kept=", ".join(map(str, kept)))
            if kept
            else tr("nothing of this disk is kept here")
        )
        raise DeviceRefused(tr("{folder} is not what was kept of {path}", folder=folder, path=path), hint=hint)
    return plan_put_back(target, kept_parts(folder))


def plan_restoration(
    path: Path, *, data_fs: DataFs = DataFs.EXFAT, label: str = RESTORE_LABEL, allow: Iterable[str] = ()
) -> PreparePlan:
    """What ``restore`` would do.

    Raises:
        DeviceRefused: neither a stick of ours nor one that an interrupted run left behind, or a safety rule.
    """
    if not _LABEL.fullmatch(label):
        raise UsageError(tr("{label} is no label", label=repr(label)), hint=tr("take 1 to 11 letters, digits, - and _"))
    _require_there(path)
    target, contents = look_at_target(path, None, Circumstances(allowed=frozenset(allow)))
    if not interrupted_action(target):
        stick_record_of(path, contents)
    return plan_restore(target, data_fs=data_fs, label=label, ids=fresh_ids(), owner=owner())


def _require_there(path: Path) -> None:
    if not path.exists():
        raise DeviceRefused(tr("there is no {path}", path=path), hint=tr("bootkit devices lists the disks"))
