"""Whether the installer on an image may take the stick for the disk to install to. Pure."""

from bootkit.detect.registry import stack_of
from bootkit.model.boot import BootEntry, Detection
from bootkit.model.installers import Installer
from bootkit.overlay.manifest import lays_over


def installer_note(detection: Detection, entry: BootEntry, *, guarded: bool) -> str:
    """A sentence on installers that may offer the stick; empty where none is known that does.

    A live system that our overlay serves keeps the stick mounted (``held.sh``), also one that has copied itself to RAM;
    elsewhere its file has to be open. One that looks for a disk has it in a mount namespace of its own, where no installer
    sees it. With ``guarded`` the disk is read-only when the system is up (``guard.sh``).
    """
    helped = lays_over(detection.stack)
    mounted = helped or (entry.needs_path and not detection.wants_disk)
    bold = [
        one
        for one in stack_of(detection.stack).installers
        if not _leaves_out(one, mounted=mounted, read_only=guarded and helped)
    ]
    if not bold:
        return ""
    names = " or ".join(one.name for one in bold)
    careful = [one.name for one in bold if one.leaves_read_only]
    cure = f" {' and '.join(careful)} would not with the option guard_stick." if helped and careful else ""
    return f"Its installer may offer this stick, where that is {names}: do not choose it.{cure}"


def _leaves_out(installer: Installer, *, mounted: bool, read_only: bool) -> bool:
    return (mounted and installer.leaves_mounted) or (read_only and installer.leaves_read_only)
