"""The secondary initrds of a stick: one for each boot stack on it, and a tiny one for each image with its choices."""

import textwrap
import zlib
from collections.abc import Mapping
from dataclasses import field, replace

from bootkit import __version__
from bootkit.app.menu.busybox import busybox_for, busybox_path, machine_of
from bootkit.app.menu.cures import Extents, cure_members, extents_of
from bootkit.errors import BootkitError
from bootkit.model.catalog import Additions, ImageItem
from bootkit.model.filesystem import blkid_name
from bootkit.model.options import Choices
from bootkit.model.places import OVERLAY_FOLDER
from bootkit.model.plan import RemoveFile, StickStep, WriteFile
from bootkit.overlay.choices import assignments, choices_archive, shell_values
from bootkit.overlay.manifest import overlay_archive, overlay_for
from bootkit.plan.check import cure_on
from bootkit.plan.cures import MAP
from bootkit.system.volume import Volume, read_file, walk
from bootkit.values import dataclass

SUFFIX = ".cpio"
_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayPlan:
    """What is loaded after the initrds of the images, and what has to be written for that."""

    steps: tuple[StickStep, ...]
    by_image: Mapping[str, Additions]
    """What is loaded with an image, by its path; images with nothing are left out."""
    mapped: Mapping[str, Extents] = field(default_factory=dict[str, Extents])
    """Where the bytes lie of the images that are found by that alone."""
    refused: Mapping[str, BootkitError] = field(default_factory=dict[str, BootkitError])
    """Why an image does not get what it needs to boot, by its path."""


def plan_overlays(volume: Volume, items: tuple[ImageItem, ...], choices: Choices) -> OverlayPlan:
    """The archives that the images of a stick want; those that nobody wants any more are removed."""
    archives: dict[str, bytes] = {}
    by_image: dict[str, Additions] = {}
    mapped: dict[str, Extents] = {}
    refused: dict[str, BootkitError] = {}
    for item in items:
        stack = item.detection.stack if item.detection else ""
        overlay = overlay_for(stack)
        if overlay is None:
            continue
        shared, own = shared_path(stack), choices_path(item.path)
        program = busybox_path(machine_of(item)) if overlay.runs_on_busybox else ""
        try:
            cure = cure_on(item, blkid_name(volume.filesystem))
            extents = extents_of(volume, item) if cure and cure.overlay == MAP else ()
            others = cure_members(volume, item, cure, extents) if cure else {}
            if program and program not in archives:
                archives[program] = busybox_for(volume, item)
        except BootkitError as error:
            refused[item.path] = error
            continue
        if extents:
            mapped[item.path] = extents
        if shared not in archives:
            archives[shared] = overlay_archive(overlay)
        archives[own] = choices_archive(overlay_values(item, choices, volume.uuid), others)
        initrds = (*((program,) if program else ()), shared, own)
        first = overlay.goes_first and _hides_what_follows(item)
        by_image[item.path] = Additions(initrds=initrds, first=first, words=overlay.words)
    old = [path for path, _ in walk(volume, OVERLAY_FOLDER) if path.endswith(SUFFIX)]
    return OverlayPlan(
        steps=(
            *(
                WriteFile(path=path, content=content)
                for path, content in archives.items()
                if path not in old or read_file(volume, path, _LIMIT) != content
            ),
            *(RemoveFile(path=path) for path in old if path not in archives),
        ),
        by_image=by_image,
        mapped=mapped,
        refused=refused,
    )


def without_refused(items: tuple[ImageItem, ...], refused: Mapping[str, BootkitError]) -> tuple[ImageItem, ...]:
    """``items``, of which those that would not boot say why instead of having entries."""
    return tuple(_explained(item, refused[item.path]) if item.path in refused else item for item in items)


def _explained(item: ImageItem, error: BootkitError) -> ImageItem:
    known = item.recognition
    if known is None or known.detection is None:
        return item
    instead = f"On your computer: {error.hint}" if error.hint else ""
    detection = replace(known.detection, entries=(), obstacle=f"{error.message}.", instead=instead)
    return replace(item, recognition=replace(known, detection=detection))


def _hides_what_follows(item: ImageItem) -> bool:
    """Whether an initrd is packed so that older kernels see no other behind it."""
    initrds = item.facts.initrds.values() if item.facts else ()
    return any(segment.compression == "lz4" for initrd in initrds for segment in initrd.segments)


def overlay_values(item: ImageItem, choices: Choices, stick_uuid: str) -> dict[str, str]:
    """What the overlay is told for one image, by the shell variable; what is not known is left out."""
    values = {
        "BK_IMAGE": item.path if item.path.isprintable() else "",  # for the log
        "BK_STICK_UUID": stick_uuid,  # for a stack that has copied itself to RAM and let go of the stick
        "BK_VERSION": __version__,
    }
    stack = item.detection.stack if item.detection else ""
    return {name: value for name, value in values.items() if value} | shell_values(
        choices, stack=stack, image=item.path
    )


def overlay_text(item: ImageItem, choices: Choices, stick_uuid: str) -> str:
    """What is loaded behind an image's own initrd, for people; empty if nothing is.

    Raises:
        BootkitError: a choice holds what no shell should see.
    """
    stack = item.detection.stack if item.detection else ""
    overlay = overlay_for(stack)
    if overlay is None:
        return ""
    return f"{shared_path(stack)}\n{choices_path(item.path)}\n" + textwrap.indent(
        assignments(overlay_values(item, choices, stick_uuid)), "  "
    )


def shared_path(stack: str) -> str:
    """Where the stick keeps the overlay of a boot stack."""
    return f"{OVERLAY_FOLDER}/{stack.replace(' ', '_')}{SUFFIX}"


def choices_path(path: str) -> str:
    """Where the stick keeps the choices for the image ``path``."""
    return f"{OVERLAY_FOLDER}/image_{zlib.crc32(path.encode('utf-8', 'surrogateescape')):08x}{SUFFIX}"
