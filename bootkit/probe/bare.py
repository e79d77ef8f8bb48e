"""Images that are no ISO files: EFI applications, programs with Linux's boot header, floppies and disks, WIM files.

Source: Microsoft PE/COFF specification (signature offset at 0x3c, machine and subsystem); Linux,
Documentation/arch/x86/boot.rst (``HdrS``, kernel_version); FAT specification; [MS-WIM] header (``MSWIM``).
"""

import re
import struct
from dataclasses import replace
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.eltorito import fat_size
from bootkit.formats.fat import Fat
from bootkit.formats.partitions import read_partitions
from bootkit.formats.reader import TreeFile, Window, read_upto, size_of
from bootkit.formats.tree import Entry, Tree
from bootkit.i18n import tr
from bootkit.model.iso import FileKind, IsoFacts

_MACHINES = {0x8664: "x86_64", 0x014C: "i686", 0xAA64: "aarch64"}
_EFI_APPLICATION = 10
_EXT4 = b"\x53\xef"
"""Where a disk has no table of partitions, but a file system of its own."""
_SCANNED = 4 << 20
"""Bytes of an EFI application that are searched for what it calls itself."""
_NAMES = (
    "iPXE",
    "UEFI Interactive Shell",
    "EFI Shell version",
    "Memtest86+",
    "PassMark MemTest86",
    "rEFInd",
    "GNU GRUB",
)
_NAME = re.compile(b"|".join(re.escape(name.encode(code)) for name in _NAMES for code in ("ascii", "utf-16-le")))
_FLOPPY_SIZES = frozenset(1024 * kib for kib in (160, 180, 320, 360, 640, 720, 1200, 1440, 1680, 1722, 1743, 2880))


class NoTree:
    """A file in which there are no others."""

    warnings: tuple[str, ...] = ()

    def listdir(self, path: str) -> tuple[Entry, ...] | None:
        return () if path == "/" else None

    def extents(self, path: str) -> tuple[tuple[int | None, int], ...]:
        raise FormatError(tr("there is no {path}", path=path))

    def open(self, path: str) -> TreeFile:
        raise FormatError(tr("there is no {path}", path=path))

    def read(self, path: str, limit: int) -> bytes:
        raise FormatError(tr("there is no {path} with {limit} bytes", path=path, limit=limit))


def read_bare_file(fh: BinaryIO, facts: IsoFacts) -> tuple[Tree, IsoFacts] | None:
    """What a file without an ISO9660 or UDF volume is; ``None`` if it is nothing that could be started."""
    start = read_upto(fh, 0, 0x1000).ljust(0x1000, b"\0")
    cpu = _efi_machine(start)
    if start[0x202:0x206] == b"HdrS":
        return NoTree(), _bare(facts, FileKind.LINUX, cpu=cpu, banner=_kernel_version(start))
    if cpu:
        return NoTree(), _bare(facts, FileKind.EFI, cpu=cpu, banner=_own_name(fh))
    if start.startswith(b"MSWIM\0\0\0"):
        return NoTree(), _bare(facts, FileKind.WIM)
    if start[510:512] == b"\x55\xaa" or start[0x438:0x43A] == _EXT4:
        from bootkit.probe.disk import read_system

        if (system := read_system(fh, facts)) is not None:
            return system
    return _disk(fh, start, facts)


def _bare(facts: IsoFacts, kind: FileKind, *, cpu: str = "", banner: str = "") -> IsoFacts:
    return replace(facts, filesystem="none", kind=kind, cpu=cpu, banner=banner)


def _efi_machine(start: bytes) -> str:
    """The processor that an EFI application is for; empty if it is none."""
    if not start.startswith(b"MZ"):
        return ""
    at = int(struct.unpack_from("<I", start, 0x3C)[0])
    if at + 94 > len(start) or start[at : at + 4] != b"PE\0\0":
        return ""
    machine, subsystem = struct.unpack_from("<H", start, at + 4)[0], struct.unpack_from("<H", start, at + 92)[0]
    return _MACHINES.get(machine, "") if subsystem == _EFI_APPLICATION else ""


def _kernel_version(start: bytes) -> str:
    at = 0x200 + int(struct.unpack_from("<H", start, 0x20E)[0])
    text = start[at : at + 128].partition(b"\0")[0] if at > 0x200 else b""
    return text.decode("ascii", "replace").strip()


def _own_name(fh: BinaryIO) -> str:
    found = _NAME.search(read_upto(fh, 0, _SCANNED))
    return found[0].replace(b"\0", b"").decode() if found else ""


def _disk(fh: BinaryIO, start: bytes, facts: IsoFacts) -> tuple[Tree, IsoFacts] | None:
    """A floppy or a disk: its tree is that of its FAT file system, or of that in its first partition."""
    size = size_of(fh)
    kind = FileKind.FLOPPY if size in _FLOPPY_SIZES else FileKind.DISK
    if fat_size(start[:512]):
        return _with_tree(fh, 0, size, _bare(facts, kind))
    if start[510:512] != b"\x55\xaa":
        return (NoTree(), _bare(facts, kind)) if kind is FileKind.FLOPPY and any(start[:512]) else None
    rows = read_partitions(fh).partitions
    for row in rows:
        if fat_size(read_upto(fh, row.start, 512)):
            return _with_tree(fh, row.start, row.size, _bare(facts, kind))
    return (NoTree(), _bare(facts, kind)) if rows or kind is FileKind.FLOPPY else None


def _with_tree(fh: BinaryIO, offset: int, size: int, facts: IsoFacts) -> tuple[Tree, IsoFacts]:
    try:
        fat = Fat(Window(fh, offset, size))
    except FormatError:
        return NoTree(), facts
    return fat, replace(facts, filesystem="vfat", volume_id=fat.label, uuid=fat.uuid)
