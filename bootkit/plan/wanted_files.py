"""Which files in an image have to be looked into before anything can be predicted of it. Pure: it only asks a view."""

from bootkit.detect.registry import stack_of, stacks
from bootkit.detect.roots import files_at
from bootkit.model.boot import ON_STICK, Detection, EntryKind, Firmware
from bootkit.model.iso import IsoView
from bootkit.plan.check_file import finds_file

_SHIM_NAMES = {
    "BOOTX64.EFI": Firmware.UEFI_X64,
    "BOOTIA32.EFI": Firmware.UEFI_IA32,
    "BOOTAA64.EFI": Firmware.UEFI_ARM64,
}
_SHIM_LIMIT = 16 << 20
"""Bytes; the largest shim has 1 MiB, and a loader in its place 5."""
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
    for path in shim_places(view):
        view.kernel(path)
    if detection.entries and finds_file(detection.entries[0]):
        for path in root_images(view, detection):
            view.root(path)


def wanted_files(detection: Detection) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kernels of all entries, and the initrds of the one that speaks for the image."""
    entries = [entry for entry in detection.entries if entry.kind in (EntryKind.LINUX, EntryKind.CHAINLOADER)]
    kernels = dict.fromkeys(entry.kernel for entry in entries if not entry.kernel.startswith(ON_STICK))
    initrds = dict.fromkeys(detection.entries[0].initrds) if detection.entries else {}
    return tuple(kernels), tuple(path for path in initrds if not path.startswith(ON_STICK))


def shim_places(view: IsoView) -> tuple[str, ...]:
    """Where firmware would start the image by itself, if it were a medium of its own: there its vendor's shim lies."""
    paths = (f"{place}/EFI/BOOT/{name}" for place in ("", "efi:") for name in _SHIM_NAMES)
    return tuple(path for path in paths if 0 < view.file_size(path) <= _SHIM_LIMIT)


def shim_firmware(path: str) -> Firmware | None:
    """Whose firmware would start ``path``, if that is one of :func:`shim_places`."""
    folder, _, name = path.upper().rpartition("/")
    return _SHIM_NAMES.get(name) if folder in ("/EFI/BOOT", "EFI:/EFI/BOOT") else None


def root_images(view: IsoView, detection: Detection) -> tuple[str, ...]:
    """The largest files that seem to be root file systems, the largest first.

    They are looked for where the stack has them, and where it has none, where any stack would.
    """
    words = detection.entries[0].cmdline if detection.entries else ()
    own = stack_of(detection.stack).roots
    others = (pattern for stack in stacks().values() for pattern in stack.roots)
    paths = files_at(view, own, words) or files_at(view, others, words)
    return tuple(sorted(paths, key=view.file_size, reverse=True)[:_ROOT_LIMIT])
