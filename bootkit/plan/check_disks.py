"""The computer's own disks, which an initrd may touch while it looks for its ISO file, and those of installed systems. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from bootkit.detect.registry import stack_of
from bootkit.model.boot import STICK_UUID, BootEntry, Detection
from bootkit.model.check import Prediction
from bootkit.model.initrd import InitrdFacts
from bootkit.overlay.manifest import closes_disks


def own_disks_note(detection: Detection, entry: BootEntry, *, left_open: bool) -> str:
    """A sentence on whether other disks than the stick are touched; empty where nothing looks for them.

    ``left_open`` is the user's choice (``own_disks`` is ``open``).

    An initrd that is told the stick's UUID opens that partition and no other. One that is only told a path mounts what it
    finds, and even a read-only mount replays a journal.

    Source: dracut-ng a83d800d, iso-scan.sh; casper 1.498, scripts/casper-helpers (find_path); live-boot 20230131,
    9990-misc-helpers.sh (check_dev). Booted beside a disk with an unreplayed journal, which each of them changed:
    live-boot 20230131, dracut-ng a83d800d.
    """
    told = any(STICK_UUID in word for word in entry.cmdline)
    if not stack_of(detection.stack).mounts_all and (told or not entry.needs_path):
        return ""
    if left_open:
        return "It searches all disks for its ISO file, the computer's own too: the option own_disks is open."
    if closes_disks(detection.stack):
        return (
            "It searches all disks for its ISO file: bootkit's overlay keeps the computer's own closed until it is up."
        )
    return (
        "It searches all disks for its ISO file, the computer's own too, which cannot be closed before: nothing of bootkit's "
        "runs in its initrd by then. Do not start it beside a system that sleeps on disk."
    )


def with_journals(prediction: Prediction, partitions: Sequence[int], initrds: Collection[InitrdFacts]) -> Prediction:
    """``prediction`` of an installed system with a note on its partitions that were not unmounted.

    A run that keeps its changes mounts them, and the kernel replays their journals. So does a live one in its layer of all of
    the disk, for which dmsetup is needed; without it the disk is read-only, where ext4 refuses to be mounted so.

    Source: Linux 6.1, fs/ext4/super.c (ext4_load_journal, "write access unavailable, cannot proceed").
    """
    if not partitions:
        return prediction
    numbers = ", ".join(map(str, partitions))
    note = (
        f"It was switched off while it ran (partition {numbers}): its next start puts in place what is in its journal, and "
        "nothing of that is lost."
    )
    if initrds and not any("dmsetup" in initrd.programs for initrd in initrds):
        note = (
            f"It was switched off while it ran (partition {numbers}): start it with its changes kept, which puts in place what "
            "is in its journal; before that, it does not start live."
        )
    return replace(prediction, notes=(note, *prediction.notes))
