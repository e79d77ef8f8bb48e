"""``restore``: a stick becomes one partition again, empty."""

import re
from collections.abc import Iterable
from pathlib import Path

from bootkit.app.stick.target import look_at_target, stick_record_of
from bootkit.app.verbs.prepare import fresh_ids, owner
from bootkit.errors import UsageError
from bootkit.model.filesystem import DataFs
from bootkit.model.prepare import PreparePlan
from bootkit.plan.prepare import plan_restore
from bootkit.plan.safety import Circumstances
from bootkit.system.interrupted import interrupted_action

RESTORE_LABEL = "USB"
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,10}")
"""Labels that every file system takes; FAT is the narrowest, and would rather have capitals."""


def plan_restoration(
    path: Path, *, data_fs: DataFs = DataFs.EXFAT, label: str = RESTORE_LABEL, allow: Iterable[str] = ()
) -> PreparePlan:
    """What ``restore`` would do.

    Raises:
        DeviceRefused: neither a stick of ours nor one that an interrupted run left behind, or a safety rule.
    """
    if not _LABEL.fullmatch(label):
        raise UsageError(f"{label!r} is no label", hint="take 1 to 11 letters, digits, - and _")
    target, contents = look_at_target(path, None, Circumstances(allowed=frozenset(allow)))
    if not interrupted_action(target):
        stick_record_of(path, contents)
    return plan_restore(target, data_fs=data_fs, label=label, ids=fresh_ids(), owner=owner())
