"""The static busybox that some overlays run on: of the computer that writes the stick, kept on the stick from then on."""

from collections.abc import Sequence
from pathlib import Path

from bootkit.errors import BootkitError
from bootkit.formats.elf import is_static
from bootkit.i18n import tr
from bootkit.model.catalog import ImageItem
from bootkit.model.places import OVERLAY_FOLDER
from bootkit.overlay.manifest import overlay_for
from bootkit.overlay.pack import secondary_initrd
from bootkit.probe.extension import elf_machine
from bootkit.system.run import which
from bootkit.system.tools import TOOLS, hint_for
from bootkit.system.volume import Volume, read_file

PROGRAM = "busybox"
TOOL = next(tool for tool in TOOLS if tool.program == PROGRAM)
MEMBER = f"bootkit/{PROGRAM}"
_LIMIT = 64 << 20
_ANY_X86 = frozenset({"i386", "i486", "i586", "i686"})


def busybox_path(arch: str) -> str:
    """Where the stick keeps the archive with busybox for one kind of machine."""
    return f"{OVERLAY_FOLDER}/{PROGRAM}_{arch}.cpio"


def machine_of(item: ImageItem) -> str:
    """What busybox has to run on: the image's machine; that of most PCs where it does not tell."""
    arch = item.detection.arch if item.detection else ""
    return "i686" if arch in _ANY_X86 else arch or "x86_64"


def busybox_archive(arch: str, names: Sequence[str] = TOOL.names) -> bytes:
    """The secondary initrd with nothing but busybox for ``arch``, found by one of ``names``.

    Raises:
        BootkitError: this computer has none that would run there without libraries.
    """
    seen: list[str] = []
    for place in filter(None, map(which, names)):
        content = Path(place).read_bytes()
        machine = elf_machine(content[:20])
        if not is_static(content):
            seen.append(f"{place} needs libraries")
        elif machine is None or machine.uname != arch:
            seen.append(f"{place} is for {machine.uname if machine else 'another machine'}")
        else:
            return secondary_initrd({MEMBER: content}, directories=["bootkit"])
    found = f" ({'; '.join(seen)})" if seen else ""
    raise BootkitError(
        tr("a static busybox for {arch} is not on this computer{found}", arch=arch, found=found),
        hint=tr("{install}, then: bootkit generate", install=hint_for(PROGRAM)),
    )


def busybox_for(volume: Volume, item: ImageItem) -> bytes:
    """The archive that an image needs: with the busybox of this computer, or that of the stick where it has none.

    Raises:
        BootkitError: neither has one.
    """
    arch = machine_of(item)
    try:
        return busybox_archive(arch)
    except BootkitError:
        old = read_file(volume, busybox_path(arch), _LIMIT)
        if old is None:
            raise
        return old


def lacks_busybox(volume: Volume, item: ImageItem) -> BootkitError | None:
    """Why an image that needs busybox cannot get it; ``None`` if it needs none, or has it, or will get it."""
    overlay = overlay_for(item.detection.stack) if item.detection else None
    if overlay is None or not overlay.runs_on_busybox:
        return None
    arch = machine_of(item)
    if volume.stat(busybox_path(arch)) is not None:
        return None
    try:
        busybox_archive(arch)
    except BootkitError as error:
        return error
    return None
