"""The overlays of ``initrd_overlays/``: what each is for, what it relies on, and its files as members of an archive.

``<name>/overlay.toml`` declares everything that a wheel cannot keep (places, links, folders); the files themselves lie in
``<name>/files``. Modes are decided when the archive is packed.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from bootkit.detect.registry import stack_of
from bootkit.errors import BootkitError
from bootkit.i18n import tr
from bootkit.overlay.pack import Member, Symlink, secondary_initrd
from bootkit.values import dataclass

MANIFEST = "overlay.toml"
COMMON = "common"
"""The part of others that lays the user's own things over a system; what its options say needs no kernel words."""
BUSYBOX = "busybox"
"""The part of others that starts a busybox before the initrd's own init."""
_KEYS = {
    "title",
    "stacks",
    "builds_on",
    "words",
    "goes_first",
    "closes_disks",
    "brings_busybox",
    "relies_on",
    "directories",
    "files",
    "links",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One overlay, as it is declared."""

    name: str
    title: str
    stacks: tuple[str, ...] = ()
    """The boot stacks that it serves, as detectors call them; none for a part of others."""
    builds_on: tuple[str, ...] = ()
    """Overlays whose files come with it, with those that they build on."""
    words: tuple[str, ...] = ()
    """What the kernel has to be told for it."""
    goes_first: bool = False
    """Whether it also counts in front of an initrd: it replaces nothing and makes the folders of its files. Behind one
    of lz4's legacy format, Linux before 5.11 (commit 2c484419efc0) takes nothing else for an archive."""
    closes_disks: bool = False
    """Whether it runs before the initrd looks for its ISO file, and then closes the computer's own disks."""
    brings_busybox: bool = False
    """Whether its scripts want a static busybox of the computer that writes the stick, for what the initrd lacks."""
    relies_on: tuple[str, ...] = ()
    """What must hold in the initrd, each with the version since which it does."""
    directories: tuple[str, ...] = ()
    """Directories of its own, or known to be no link in any initrd: the only ones that get a record."""
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name in the archive to name in its folder ``files``."""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    """Name in the archive to the target of a symbolic link."""

    @property
    def runs_on_busybox(self) -> bool:
        """Whether it wants a static busybox of the computer that writes the stick, beside the initrd's programs or in their place."""
        return self.brings_busybox or BUSYBOX in self.builds_on


@cache
def overlays() -> tuple[Overlay, ...]:
    """All that are shipped, in order of name.

    Raises:
        BootkitError: a manifest has a mistake.
    """
    folders = sorted(_root().iterdir(), key=lambda entry: entry.name)
    return tuple(_read(folder) for folder in folders if folder.joinpath(MANIFEST).is_file())


def overlay_for(stack: str) -> Overlay | None:
    """The overlay that serves a boot stack: the one that it names, else the one that names it; ``None`` if there is none.

    Raises:
        BootkitError: it names one that there is not.
    """
    if adapter := stack_of(stack).adapter:
        return overlay_named(adapter, f"the detector of {stack}")
    return next((overlay for overlay in overlays() if stack in overlay.stacks), None)


def overlay_named(name: str, wanted_by: str) -> Overlay:
    """The overlay of that name.

    Raises:
        BootkitError: there is none; the message says who wants it.
    """
    found = next((overlay for overlay in overlays() if overlay.name == name), None)
    if found is None:
        names = ", ".join(overlay.name for overlay in overlays() if overlay.stacks)
        raise BootkitError(
            tr("{wanted_by} wants the overlay {name}, which there is not", wanted_by=wanted_by, name=repr(name)),
            hint=tr("there are: {names}", names=names),
        )
    return found


def lays_over(stack: str) -> bool:
    """Whether the user's own things are laid over the systems of a boot stack."""
    overlay = overlay_for(stack)
    return overlay is not None and COMMON in overlay.builds_on


def closes_disks(stack: str) -> bool:
    """Whether the computer's own disks can be closed while the initrd of a boot stack looks for its ISO file."""
    overlay = overlay_for(stack)
    return overlay is not None and overlay.closes_disks


def overlay_members(overlay: Overlay) -> dict[str, Member]:
    """Every member of its archive with its content, those of the overlays that it builds on included."""
    members: dict[str, Member] = {}
    for part in _parts(overlay):
        source = _root().joinpath(part.name, "files")
        members.update({name: source.joinpath(file).read_bytes() for name, file in part.files.items()})
        members.update({name: Symlink(target=target) for name, target in part.links.items()})
    return members


def overlay_archive(overlay: Overlay) -> bytes:
    """The overlay as a secondary initrd."""
    directories = {directory for part in _parts(overlay) for directory in part.directories}
    return secondary_initrd(overlay_members(overlay), directories=directories)


def _root() -> Traversable:
    return files("bootkit").joinpath("initrd_overlays")


def _parts(overlay: Overlay) -> tuple[Overlay, ...]:
    by_name = {one.name: one for one in overlays()}
    return (*(part for name in overlay.builds_on for part in _parts(by_name[name])), overlay)


def _read(folder: Traversable) -> Overlay:
    where = f"{folder.name}/{MANIFEST}"
    try:
        document: dict[str, object] = tomllib.loads(folder.joinpath(MANIFEST).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BootkitError(f"{where}: {error}") from error
    if unknown := sorted(document.keys() - _KEYS):
        raise BootkitError(
            tr("{where}: there is no key {unknown}", where=where, unknown=repr(unknown[0])),
            hint=tr("the keys are {keys}", keys=", ".join(sorted(_KEYS))),
        )
    return Overlay(
        name=folder.name,
        title=str(document.get("title", "")),
        stacks=_texts(document, "stacks", where),
        builds_on=_texts(document, "builds_on", where),
        words=_texts(document, "words", where),
        goes_first=document.get("goes_first") is True,
        closes_disks=document.get("closes_disks") is True,
        brings_busybox=document.get("brings_busybox") is True,
        relies_on=_texts(document, "relies_on", where),
        directories=_texts(document, "directories", where),
        files=_table(document, "files", where),
        links=_table(document, "links", where),
    )


def _texts(document: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    value = document.get(key, [])
    if not isinstance(value, list):
        raise BootkitError(tr("{where}: {key} is not a list of texts", where=where, key=key))
    return tuple(str(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _table(document: Mapping[str, object], key: str, where: str) -> dict[str, str]:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise BootkitError(tr("{where}: {key} is not a table", where=where, key=key))
    return {str(name): str(content) for name, content in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
