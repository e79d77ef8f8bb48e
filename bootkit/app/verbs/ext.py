"""``ext``: the extensions of a stick."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bootkit.app.stick.extensions import SUFFIXES, extension_named
from bootkit.app.stick.settings import choices_on
from bootkit.app.stick.user_files import Places
from bootkit.app.verbs.generate import Generation
from bootkit.app.verbs.options import plan_change
from bootkit.errors import BootkitError, FormatError, HostError, UsageError
from bootkit.i18n import tr
from bootkit.model.extension import ExtensionFacts, ExtensionItem, find_machine, machine_named
from bootkit.model.options import STICK, Place, Scope
from bootkit.model.places import EXTENSION_FOLDER
from bootkit.model.plan import CopyImage
from bootkit.plan.edit_settings import Change
from bootkit.plan.names import file_name_problem
from bootkit.probe.extension import machine_inside, read_extension
from bootkit.system.volume import Volume
from bootkit.values import dataclass

_DEFAULT_MACHINE = "x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedExtension:
    """An extension, looked into; ``facts`` are missing if it cannot be read, and ``error`` says why."""

    name: str
    size: int
    path: str = ""
    """On the stick; empty for a file of this computer."""
    machine: str = ""
    enabled: bool = True
    facts: ExtensionFacts | None = None
    error: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        return (self.error,) if self.error else self.facts.problems if self.facts else ()

    @property
    def system(self) -> str:
        """For which system it is."""
        if self.facts is None:
            return "?"
        return self.facts.release.words if self.facts.release else "any system, any machine"


def look_at_extensions(
    volume: Volume, items: Sequence[ExtensionItem], *, place: Place = STICK
) -> tuple[InspectedExtension, ...]:
    """Look into extensions of the stick; ``place`` is for whom they are on or off."""
    off = _off(volume, place)
    return tuple(_look(volume, item, enabled=item.name not in off) for item in items)


def look_at_extension_file(path: Path) -> InspectedExtension:
    """An extension on this computer.

    Raises:
        BootkitError: it cannot be opened, or it is no squashfs.
    """
    try:
        with path.open("rb") as fh:
            facts = read_extension(fh, path.name)
            inside = machine_inside(fh)
            size = fh.seek(0, 2)
    except OSError as error:
        raise HostError.of(error, str(path)) from error
    except FormatError as error:
        raise BootkitError(
            tr("{path} is no extension: {message}", path=path.name, message=error.message),
            hint=tr("bootkit ext create makes one"),
        ) from error
    said = find_machine(facts.release.machine) if facts.release else None
    machine = said or inside
    return InspectedExtension(name=path.name, size=size, facts=facts, machine=machine.uname if machine else "")


def plan_extension_copy(places: Places, file: Path, *, machine: str = "") -> tuple[CopyImage, InspectedExtension]:
    """What ``ext add`` would do with one file.

    Raises:
        BootkitError: it is no extension, its name is no good, or there is no room.
    """
    extension = look_at_extension_file(file)
    if not file.name.endswith(SUFFIXES):
        raise BootkitError(
            tr("{file} would not be found: its name ends in neither .raw nor .ExtensionImage", file=file.name)
        )
    if problem := file_name_problem(file.name):
        raise BootkitError(tr("{file} is no good name for an extension: {problem}", file=file.name, problem=problem))
    folder = machine_named(machine).uname if machine else extension.machine or _DEFAULT_MACHINE
    path = f"{EXTENSION_FOLDER}/{folder}/{file.name}"
    return places.copy(file, path), replace(extension, path=path, machine=folder)


def plan_switch(volume: Volume, names: Sequence[str], *, enabled: bool, place: Place = STICK) -> Generation:
    """Switch extensions on or off, for the stick, a boot stack or an image.

    Raises:
        BootkitError: there is no such extension.
    """
    if not names:
        raise UsageError(tr("no extension named"), hint="bootkit ext list")
    wanted = {extension_named(volume, name).name for name in names}
    off = _off(volume, place)
    after = (
        tuple(name for name in off if name not in wanted) if enabled else tuple(dict.fromkeys((*off, *sorted(wanted))))
    )
    value = None if not after and place.scope is Scope.STICK else after
    return plan_change(volume, [Change(key="extensions_off", value=value, place=place)])


def _off(volume: Volume, place: Place) -> tuple[str, ...]:
    stack = place.name if place.scope is Scope.STACK else ""
    image = place.name if place.scope is Scope.IMAGE else ""
    return choices_on(volume).words("extensions_off", stack=stack, image=image)


def _look(volume: Volume, item: ExtensionItem, *, enabled: bool) -> InspectedExtension:
    extension = InspectedExtension(
        name=item.name, size=item.size, path=item.path, machine=item.machine, enabled=enabled
    )
    try:
        with volume.open(item.path) as fh:
            facts = read_extension(fh, item.name)
            inside = machine_inside(fh)
    except FormatError as error:
        return replace(extension, error=error.message)
    wrong = f"its programs are for {inside.uname}, its folder is {item.machine}" if inside else ""
    if inside and inside.uname != item.machine:
        facts = replace(facts, problems=(*facts.problems, wrong))
    return replace(extension, facts=facts)
