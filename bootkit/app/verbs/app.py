"""``app``: AppImages that every booted system offers.

Its own menu entry is taken out of the AppImage here: the booted system has no time to look for it.
"""

from pathlib import Path
from typing import BinaryIO, cast

from bootkit.app.stick.apps import ENTRY_LIMIT, SUFFIX, stem_of
from bootkit.app.stick.user_files import Places
from bootkit.errors import BootkitError, FormatError, HostError
from bootkit.formats.elf import elf_size
from bootkit.formats.reader import Window, size_of
from bootkit.formats.squashfs import Squashfs
from bootkit.i18n import tr
from bootkit.model.places import APP_ENTRY_FOLDER, APP_FOLDER
from bootkit.model.plan import CopyImage, StickStep, WriteFile
from bootkit.plan.names import file_name_problem
from bootkit.probe.extension import elf_machine
from bootkit.values import dataclass

_ICON_LIMIT = 4 << 20
_ISODEVICE = "/isodevice"
"""Where the booted system has the stick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPlan:
    """What ``app add`` would do."""

    copy: CopyImage
    beside: tuple[StickStep, ...]
    machine: str
    warning: str = ""


def plan_app(places: Places, source: Path) -> AppPlan:
    """Check that a file is an AppImage, and read its menu entry.

    Raises:
        BootkitError: it is none, its name is no good, or there is no room.
    """
    name = source.name if source.name.lower().endswith(SUFFIX.lower()) else source.name + SUFFIX
    if problem := file_name_problem(name):
        raise BootkitError(
            tr("{name} is no good name for an AppImage: {problem}", name=name, problem=problem),
            hint=tr("give the file another name"),
        )
    try:
        with source.open("rb") as fh:
            head = fh.read(64)
            kind = head[8:11]
            if head[:4] != b"\x7fELF" or kind not in (b"AI\x01", b"AI\x02"):
                raise BootkitError(
                    tr("{source} is no AppImage", source=source.name),
                    hint=tr("an AppImage has the letters AI at its ninth byte"),
                )
            machine = elf_machine(head)
            beside, warning = _entry(cast("BinaryIO", fh), name) if kind == b"AI\x02" else ((), "")
    except OSError as error:
        raise HostError.of(error, str(source)) from error
    step = places.copy(source, f"{APP_FOLDER}/{name}")
    return AppPlan(copy=step, beside=beside, machine=machine.uname if machine else "", warning=warning)


def _entry(fh: BinaryIO, name: str) -> tuple[tuple[StickStep, ...], str]:
    """Menu entry and icon of an AppImage of type 2, and a warning where they cannot be read."""
    try:
        offset = elf_size(fh)
        tree = Squashfs(cast("BinaryIO", Window(fh, offset, size_of(fh) - offset)))
        found = next((one.name for one in tree.listdir("/") or () if one.name.endswith(".desktop")), "")
        if not found:
            return (), "it has no entry for the menu: its name stands there"
        lines = tree.read(f"/{found}", ENTRY_LIMIT).decode("utf-8", "replace").splitlines()
        icon = next((line.partition("=")[2].strip() for line in lines if line.startswith("Icon=")), "")
        steps: list[StickStep] = []
        for suffix in (".png", ".svg"):
            if icon and "/" not in icon and tree.find(f"/{icon}{suffix}") is not None:
                path = f"{APP_ENTRY_FOLDER}/{stem_of(name)}{suffix}"
                steps.append(WriteFile(path=path, content=tree.read(f"/{icon}{suffix}", _ICON_LIMIT)))
                lines = [f"Icon={_ISODEVICE}{path}" if line.startswith("Icon=") else line for line in lines]
                break
    except FormatError as error:
        return (), f"its menu entry cannot be read: {error.message}"
    text = "\n".join(lines) + "\n"
    return (WriteFile(path=f"{APP_ENTRY_FOLDER}/{stem_of(name)}.desktop", content=text.encode()), *steps), ""
