"""What the archive of one image brings to find its ISO file: modules, and how ``cure.sh`` opens the file."""

from collections.abc import Sequence

from bootkit.overlay.choices import assignments
from bootkit.overlay.pack import Member
from bootkit.values import dataclass

DRIVERS_MEMBER, ISO_MEMBER = "bootkit/drivers", "bootkit/iso"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFile:
    """A kernel module, unpacked."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WayToIso:
    """How ``cure.sh`` opens the ISO file where the boot stack does not."""

    stick_uuid: str
    path: str
    driver: str = ""
    """The file system's driver; empty if ``extents`` say where the bytes lie."""
    extents: tuple[tuple[int, int], ...] = ()
    """Offset on the partition and length, bytes."""


def driver_members(kernel: str, modules: Sequence[ModuleFile]) -> dict[str, Member]:
    """Modules for the kernel of version ``kernel``, in the order in which they are inserted.

    They lie in one folder, because a folder below it would need a directory record.
    """
    files = {f"{number:02}-{module.name}.ko": module for number, module in enumerate(modules, 1)}
    lines = "".join(f"{kernel} {file} {module.name}\n" for file, module in files.items())
    return {DRIVERS_MEMBER: lines.encode(), **{f"bootkit/{file}": module.content for file, module in files.items()}}


def iso_members(way: WayToIso) -> dict[str, Member]:
    """How the ISO file is opened, as assignments of a POSIX shell."""
    values = {
        "BK_ISO_UUID": way.stick_uuid,
        "BK_ISO_PATH": way.path,
        "BK_ISO_DRIVER": way.driver,
        "BK_ISO_EXTENTS": " ".join(f"{offset}+{length}" for offset, length in way.extents),
    }
    return {ISO_MEMBER: assignments(values).encode("utf-8", "surrogateescape")}
