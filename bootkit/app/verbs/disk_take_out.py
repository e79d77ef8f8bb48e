"""``disk take-out --to``: an installed system moves from its file on a stick to a disk of its own."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bootkit.app.stick.state import read_item
from bootkit.app.stick.target import disk_of, look_at_target
from bootkit.errors import DeviceRefused
from bootkit.formats.partitions import read_partitions
from bootkit.formats.reader import read_upto
from bootkit.i18n import tr
from bootkit.model.prepare import PreparePlan
from bootkit.plan.prepare import plan_take_out
from bootkit.plan.safety import Circumstances
from bootkit.system.medium import medium_of
from bootkit.system.sticks import Stick
from bootkit.system.volume import Volume

_BOOT_CODE = 440
"""Bytes at the start of a disk."""


def plan_disk_take_out(stick: Stick, path: str, target: Path, *, allow: Iterable[str] = ()) -> PreparePlan:
    """What writes the disk in the file ``path`` of a stick over ``target``.

    Raises:
        DeviceRefused: that is the stick itself, too small, or a safety rule speaks against it.
    """
    stat = stick.volume.stat(path)
    size = stat.size if stat is not None else 0
    new = not target.exists()
    if not new and disk_of(target) == medium_of(stick.where).node:
        raise DeviceRefused(
            tr("{target} is the stick that the disk is on", target=target), hint=tr("bootkit devices lists the disks")
        )
    found, _ = look_at_target(target, size if new else None, Circumstances(minimum=size, allowed=frozenset(allow)))
    with stick.volume.open(path) as file:
        has_gpt = read_partitions(file).scheme == "gpt"
    if new:  # whole MiB are for those that are partitioned here
        found = replace(found, size=size)
    return plan_take_out(found, path=path, size=size, has_gpt=has_gpt, notes=notes_on_taking_out(stick.volume, path))


def notes_on_taking_out(volume: Volume, path: str) -> tuple[str, ...]:
    """What whoever starts it elsewhere has to know, a clause each."""
    facts = read_item(volume, path, insides=True).facts
    kinds = {row.filesystem for row in facts.partitions} if facts is not None else frozenset[str]()
    with volume.open(path) as file:
        starts = any(read_upto(file, 0, _BOOT_CODE)) or any(row.is_esp for row in read_partitions(file).partitions)
    notes = [] if starts else [tr("it has no boot loader of its own, and starts from a stick until one is installed")]
    if "crypto_LUKS" in kinds:
        notes.append(tr("it stays encrypted: its passphrase is asked for wherever it starts"))
        if starts:
            notes.append(tr("if it was encrypted on a stick, let it install its own boot loader again: grub-install"))
    return tuple(notes)
