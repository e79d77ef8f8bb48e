"""The secondary initrds of a stick: two for each boot stack on it, the second with the choices for all of its images.

An image for which something else was chosen, or which needs a cure, has an archive of its own in the second one's place.
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import field, replace
from types import MappingProxyType

from bootkit import __version__
from bootkit.app.menu.busybox import busybox_for, busybox_path, machine_of
from bootkit.app.menu.cures import Extents, cure_members, extents_of
from bootkit.errors import BootkitError
from bootkit.model.catalog import Additions, ImageItem
from bootkit.model.check import Cure
from bootkit.model.filesystem import blkid_name
from bootkit.model.options import Choices
from bootkit.model.places import OVERLAY_FOLDER
from bootkit.model.plan import WriteFile
from bootkit.overlay.choices import assignments, choices_archive, shell_values
from bootkit.overlay.manifest import overlay_archive, overlay_for
from bootkit.plan.check import cure_on
from bootkit.plan.cures import MAP
from bootkit.render.names import own_name
from bootkit.system.volume import Volume, read_file, walk
from bootkit.values import dataclass

SUFFIX = ".cpio"
_LIMIT = 64 << 20
_ARCHIVE = re.compile(re.escape(OVERLAY_FOLDER).encode() + rb"/[A-Za-z0-9_.+-]+" + re.escape(SUFFIX).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayPlan:
    """What is loaded after the initrds of the images, and what has to be written for that."""

    steps: tuple[WriteFile, ...]
    by_image: Mapping[str, Additions]
    """What is loaded with an image, by its path; images with nothing are left out."""
    mapped: Mapping[str, Extents] = field(default_factory=dict[str, Extents])
    """Where the bytes lie of the images that are found by that alone."""
    refused: Mapping[str, BootkitError] = field(default_factory=dict[str, BootkitError])
    """Why an image does not get what it needs to boot, by its path."""
    unused: tuple[str, ...] = ()
    """Archives on the stick that none of these images loads."""


def plan_overlays(
    volume: Volume,
    items: tuple[ImageItem, ...],
    choices: Choices,
    cures: Mapping[str, Cure | None] = MappingProxyType({}),
) -> OverlayPlan:
    """The archives that the images of a stick want; ``cures`` are those that are known, by the paths of the images."""
    archives: dict[str, bytes] = {}
    by_image: dict[str, Additions] = {}
    mapped: dict[str, Extents] = {}
    refused: dict[str, BootkitError] = {}
    told = Told(choices, volume.uuid)
    for item in items:
        stack = item.stack
        overlay = overlay_for(stack)
        if overlay is None:
            continue
        shared = shared_path(stack)
        program = busybox_path(machine_of(item)) if overlay.runs_on_busybox else ""
        try:
            cure = cures[item.path] if item.path in cures else cure_on(item, blkid_name(volume.filesystem))
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
        own = told.path(item, alone=bool(others))
        if own not in archives:
            archives[own] = choices_archive(told.values(item), others)
        initrds = (*((program,) if program else ()), shared, own)
        first = overlay.goes_first and _hides_what_follows(item)
        by_image[item.path] = Additions(initrds=initrds, first=first, words=overlay.words)
    old = [path for path, _ in walk(volume, OVERLAY_FOLDER) if path.endswith(SUFFIX)]
    return OverlayPlan(
        steps=tuple(
            WriteFile(path=path, content=content)
            for path, content in archives.items()
            if path not in old or read_file(volume, path, _LIMIT) != content
        ),
        by_image=by_image,
        mapped=mapped,
        refused=refused,
        unused=tuple(path for path in old if path not in archives),
    )


def archives_in(menu: bytes) -> frozenset[str]:
    """The archives that the entries of a menu load."""
    return frozenset(path.decode() for path in _ARCHIVE.findall(menu))


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
    return item.facts is not None and "lz4" in item.facts.packed_by


class Told:
    """What the overlays on a stick are told, and where that lies."""

    def __init__(self, choices: Choices, stick_uuid: str) -> None:
        self._choices = choices
        self._stick_uuid = stick_uuid
        self._of_stacks: dict[str, Mapping[str, str]] = {}

    def values(self, item: ImageItem) -> Mapping[str, str]:
        """What an image's overlay is told, by the shell variable; what is not known is left out."""
        stack = item.stack
        return self._values(stack, item.path) if self._choices.are_of(item.path) else self._of_stack(stack)

    def path(self, item: ImageItem, *, alone: bool = False) -> str:
        """Where that lies: with what all images of its stack are told, where it is the same and not ``alone``."""
        stack = item.stack
        if alone or self.values(item) != self._of_stack(stack):
            return own_path(item.path)
        return f"{OVERLAY_FOLDER}/choices_{_plain(stack)}{SUFFIX}"

    def _of_stack(self, stack: str) -> Mapping[str, str]:
        if stack not in self._of_stacks:
            self._of_stacks[stack] = self._values(stack, "")
        return self._of_stacks[stack]

    def _values(self, stack: str, image: str) -> dict[str, str]:
        values = {
            "BK_STICK_UUID": self._stick_uuid,  # for a stack that has copied itself to RAM and let go of the stick
            "BK_VERSION": __version__,
        }
        chosen = shell_values(self._choices, stack=stack, image=image)
        return {name: value for name, value in values.items() if value} | chosen


def overlay_text(item: ImageItem, choices: Choices, stick_uuid: str) -> str:
    """What is loaded behind an image's own initrd, for people; empty if nothing is.

    Raises:
        BootkitError: a choice holds what no shell should see.
    """
    if overlay_for(item.stack) is None:
        return ""
    told = Told(choices, stick_uuid)
    return f"{shared_path(item.stack)}\n{told.path(item)}\n" + textwrap.indent(assignments(told.values(item)), "  ")


def shared_path(stack: str) -> str:
    """Where the stick keeps the overlay of a boot stack."""
    return f"{OVERLAY_FOLDER}/{_plain(stack)}{SUFFIX}"


def own_path(path: str) -> str:
    """Where the stick keeps what is loaded with the image ``path`` alone."""
    return f"{OVERLAY_FOLDER}/{own_name(path)}{SUFFIX}"


def _plain(stack: str) -> str:
    return stack.replace(" ", "_")
