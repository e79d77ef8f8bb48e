"""Which files in an image have to be looked into before anything can be predicted of it. Pure: it only asks a view."""

from bootkit.model.boot import ON_STICK, Detection, EntryKind
from bootkit.model.iso import IsoView
from bootkit.plan.check_file import finds_file

_ROOTS = (
    "/live/*.squashfs",
    "/casper/*.squashfs",
    "/LiveOS/*.img",
    "/arch/*/airootfs.*fs",
    "/manjaro/*/*.sfs",
    "/blend/*/*.sfs",
    "/antiX/linuxfs",
)
"""Where live systems keep their root file systems: live-boot, casper, dracut and KIWI, archiso, miso, antiX."""
_ROOT_LIMIT = 8
"""Root images of one system; a layered one has three or four."""


def ask_for_wanted_files(view: IsoView, detection: Detection) -> None:
    """Ask ``view`` for the kernels, the initrds and the root file systems that matter; it keeps what it saw.

    Raises:
        NotRecorded: the view is a record that lacks one of them.
    """
    kernels, initrds = wanted_files(detection)
    for path in kernels:
        view.kernel(path)
    for path in initrds:
        view.initrd(path)
    if detection.entries and finds_file(detection.entries[0]):
        for path in root_images(view):
            view.root(path)


def wanted_files(detection: Detection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kernels of all entries, and the initrds of the one that speaks for the image."""
    entries = [entry for entry in detection.entries if entry.kind in (EntryKind.LINUX, EntryKind.CHAINLOADER)]
    kernels = dict.fromkeys(entry.kernel for entry in entries if not entry.kernel.startswith(ON_STICK))
    initrds = dict.fromkeys(detection.entries[0].initrds) if detection.entries else {}
    return tuple(kernels), tuple(path for path in initrds if not path.startswith(ON_STICK))


def root_images(view: IsoView) -> tuple[str, ...]:
    """The largest files that seem to be root file systems, the largest first."""
    paths = dict.fromkeys(path for pattern in _ROOTS for path in view.glob(pattern) if view.is_file(path))
    return tuple(sorted(paths, key=view.file_size, reverse=True)[:_ROOT_LIMIT])
