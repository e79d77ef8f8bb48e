"""Who is asked about an image, in which order, and what all of them said.

Adding a stack is adding a file: every module of ``bootkit.detectors`` is asked for its ``DETECTOR``. Other packages
add theirs through the entry point group ``bootkit.detectors.v1``; a plug-in replaces a built-in of the same name.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, cast

from bootkit.detect import Detection, Detector, IsoView, NotMine, Stack
from bootkit.detect.destroys import with_warnings_of_wiping
from bootkit.detect.naming import with_best_name
from bootkit.errors import BootkitError
from bootkit.model.boot import Recognition
from bootkit.model.iso import NotRecorded
from bootkit.model.stack import ScriptMark
from bootkit.plain import harmless

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "bootkit.detectors.v1"
"""The entry point group; its number changes when a plug-in written for it would break."""


@cache
def detectors() -> tuple[Detector, ...]:
    """All detectors in the order in which they are asked: by rank, then by name.

    Imports every detector, and asks every installed package for plug-ins: once in a process.
    """
    found = {detector.name: detector for detector in builtin()}
    found.update((detector.name, detector) for detector in _plugins())
    return tuple(sorted(found.values(), key=lambda detector: (detector.rank, detector.name)))


@cache
def stacks() -> Mapping[str, Stack]:
    """All boot stacks that a detector declares, by name; of two that are called the same, the one that is asked first."""
    return {stack.name: stack for detector in reversed(detectors()) for stack in detector.stacks}


def stack_of(name: str) -> Stack:
    """What is known of the boot stack that a detection names; nothing but its name if no detector declares it.

    A stick may hold the record of a detector that is no longer installed.
    """
    return stacks().get(name) or Stack(name=name)


def markers() -> Mapping[str, tuple[str, ...]]:
    """The files by which the boot stacks know their initrds, by the marker that each stands for."""
    return {name: paths for stack in stacks().values() for name, paths in stack.markers.items()}


def script_marks() -> Mapping[str, ScriptMark]:
    """What the scripts of initrds say, by the marker that it stands for."""
    return {name: mark for stack in stacks().values() for name, mark in stack.scripts.items()}


def builtin() -> Iterator[Detector]:
    """The detectors of the package itself, by the names of their modules."""
    package = importlib.import_module("bootkit.detectors")
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        if not module.startswith("_"):
            yield importlib.import_module(f"bootkit.detectors.{module}").DETECTOR


def completed(iso: IsoView, detection: Detection) -> Detection:
    """What a detector says, with what holds for every stack: the best name, and what its entries erase."""
    return with_warnings_of_wiping(iso, with_best_name(iso, detection, stack_of(detection.stack)))


def recognise(iso: IsoView, asked: Sequence[Detector] | None = None, *, thorough: bool = False) -> Recognition:
    """Ask the detectors in turn; the first that knows the image is believed.

    ``thorough`` asks the rest as well: their reasons are what ``explain`` prints, and what they read gets recorded.

    Raises:
        FormatError: the image broke off while a detector was reading.
        NotRecorded: ``iso`` is a record, and a detector asks for what it does not hold.
    """
    best: Detection | None = None
    name = ""
    rejections: list[tuple[str, str]] = []
    for detector in detectors() if asked is None else asked:
        match _ask(detector, iso):
            case Detection() as detection if best is None:
                best, name = detection, detector.name
            case Detection(title=title):
                rejections.append((detector.name, f"it takes it for {title}, but {name} was asked before"))
            case NotMine(reason=reason):
                rejections.append((detector.name, reason))
            case other:
                rejections.append((detector.name, f"it answered with {type(other).__name__}, not with a Detection"))
        if best is not None and not thorough:
            break
    best = None if best is None else completed(iso, best)
    return Recognition(detection=best, detector=name, rejections=tuple(rejections))


def _ask(detector: Detector, iso: IsoView) -> object:
    """The detector's answer, whatever a plug-in thinks that is; one that breaks down must not hide the others'."""
    try:
        return detector.detect(iso)
    except (BootkitError, NotRecorded):
        raise
    except Exception as error:
        _warn(f"detector {detector.name} broke down on {iso.name}", trace=True)
        return NotMine(reason=f"it broke down: {error!r}")


def plugin_points() -> "tuple[EntryPoint, ...]":
    """The entry points by which other installed packages bring detectors, in order of name."""
    if not any(_announces_plugins(folder) for folder in sys.path):
        return ()
    from importlib.metadata import entry_points  # 30 ms, and hardly anybody has a plug-in

    return tuple(sorted(entry_points(group=GROUP), key=lambda point: point.name))


def _plugins() -> Iterator[Detector]:
    """The detectors that other installed packages bring; a broken one is logged and left out."""
    for point in plugin_points():
        try:
            loaded: object = point.load()
        except Exception as error:
            _warn(f"plug-in {point.name} ({point.value}) was left out: {error!r}")
            continue
        # whatever a Detector promises, another package may have put anything there
        stacks = cast("tuple[object, ...]", loaded.stacks) if isinstance(loaded, Detector) else ()
        if isinstance(loaded, Detector) and all(isinstance(stack, Stack) for stack in stacks):
            yield loaded
        else:
            _warn(f"plug-in {point.name} ({point.value}) was left out: it is no Detector")


def _warn(message: str, *, trace: bool = False) -> None:
    # 5 ms, and hardly anybody has a broken detector
    import logging
    import traceback

    told = f"{message}\n{traceback.format_exc().rstrip()}" if trace else message
    logging.getLogger(__name__).warning("%s", harmless(told))


def _announces_plugins(folder: str) -> bool:
    """Whether packages in a folder of ``sys.path`` may name our group: a look that costs a tenth of asking."""
    if folder and os.path.isfile(folder):  # noqa: PTH113 - a zip archive: only importlib.metadata reads those
        return True
    try:
        with os.scandir(folder or ".") as members:
            found = [member.path for member in members if member.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return False
    return any(GROUP.encode() in _bytes(f"{path}/entry_points.txt") for path in found)


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as fh:  # noqa: PTH123 - pathlib is slower than the rest of this look
            return fh.read(1 << 16)
    except OSError:
        return b""
