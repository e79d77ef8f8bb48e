"""The computer's own disks: what an image's initrd does with them while it looks for its ISO file. Pure."""

from bootkit.detect.registry import stack_of
from bootkit.model.boot import STICK_UUID, BootEntry, Detection
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
