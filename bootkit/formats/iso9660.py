"""ISO9660: volume descriptors and the directory tree with Rock Ridge, Joliet or plain names.

Source: ECMA-119 (2nd edition); the Joliet Specification (1995) for the supplementary descriptor. Only directories
that somebody asks for are read, the path table never.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats import rockridge
from bootkit.formats.reader import Extent, clip, read_at, size_of
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.values import dataclass

SECTOR = 2048
_FIRST_DESCRIPTOR = 16 * SECTOR
# Real images carry at most a handful; stops a walk over garbage.
_DESCRIPTOR_LIMIT = 64
# Nothing that is used stands behind the modification stamp.
_DESCRIPTOR_SIZE = 847
_UDF_IDENTIFIERS = (b"BEA01", b"BOOT2", b"NSR02", b"NSR03", b"TEA01")
_JOLIET_ESCAPES = (b"%/@", b"%/C", b"%/E")
_CONTINUATION_LIMIT = 16 << 20

_DIRECTORY, _ASSOCIATED, _MULTI_EXTENT = 0x02, 0x04, 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeDescriptor:
    """A primary or supplementary volume descriptor (ECMA-119 8.4, 8.5)."""

    volume_id: str
    system_id: str
    publisher_id: str
    application_id: str
    created: str
    """16 digits of local time, year to hundredths, as they stand there; empty if unset."""
    modified: str
    block_size: int
    """Bytes of a logical block: 2048 but for exotic images."""
    size: int
    """Bytes of the volume, as the descriptor claims it: a truncated download claims more than it has."""
    root_offset: int
    root_size: int

    @property
    def uuid(self) -> str:
        """``2024-08-27-15-33-07-00``, as udev spells it; empty without a stamp.

        Source: util-linux 2.38, libblkid/src/superblocks/iso9660.c: the modification stamp, else the creation stamp.
        """
        stamp = self.modified or self.created
        parts = (stamp[:4], *(stamp[at : at + 2] for at in range(4, 16, 2)))
        return "-".join(parts) if stamp else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeDescriptors:
    """What the volume recognition area, from sector 16 on, says of an image."""

    pvd: VolumeDescriptor | None = None
    joliet: VolumeDescriptor | None = None
    boot_catalog: int | None = None
    """Sector of the El Torito boot catalogue."""
    has_udf: bool = False


def read_volume_descriptors(fh: BinaryIO) -> VolumeDescriptors:
    """Walk the volume descriptors; all of them are missing if ``fh`` is no optical image.

    Source: ECMA-119 8.1 for the set; ECMA-167 (3rd edition) 2/8.3 for the UDF descriptors behind it;
    El Torito 1.0, figure 7, for the boot record.
    """
    pvd: VolumeDescriptor | None = None
    joliet: VolumeDescriptor | None = None
    boot_catalog: int | None = None
    has_udf = False
    for offset in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + _DESCRIPTOR_LIMIT * SECTOR, SECTOR):
        try:
            descriptor = read_at(fh, offset, _DESCRIPTOR_SIZE)
        except FormatError:
            break
        kind, identifier = descriptor[0], descriptor[1:6]
        has_udf = has_udf or identifier in (b"NSR02", b"NSR03")
        if identifier in _UDF_IDENTIFIERS:
            continue
        if identifier != b"CD001":
            break
        if kind == 0 and boot_catalog is None:
            boot_catalog = _boot_catalog(descriptor)
        elif kind == 1 and pvd is None:
            pvd = _volume_descriptor(descriptor, "utf-8")
        elif kind == 2 and joliet is None and descriptor[88:91] in _JOLIET_ESCAPES:
            joliet = _volume_descriptor(descriptor, "utf-16-be")
    return VolumeDescriptors(pvd=pvd, joliet=joliet, boot_catalog=boot_catalog, has_udf=has_udf)


def _boot_catalog(record: bytes) -> int | None:
    if not record[7:].startswith(b"EL TORITO SPECIFICATION"):
        return None
    return int(struct.unpack_from("<I", record, 71)[0])


def _volume_descriptor(data: bytes, encoding: str) -> VolumeDescriptor:
    (block_size,) = struct.unpack_from("<H", data, 128)
    if block_size not in (512, 1024, 2048):
        block_size = SECTOR
    (volume_blocks,) = struct.unpack_from("<I", data, 80)
    attributes = data[157]
    (root_block,) = struct.unpack_from("<I", data, 158)
    (root_size,) = struct.unpack_from("<I", data, 166)

    def text(start: int, end: int) -> str:
        return data[start:end].decode(encoding, "backslashreplace").rstrip(" \0")

    return VolumeDescriptor(
        system_id=text(8, 40),
        volume_id=text(40, 72),
        publisher_id=text(318, 446),
        application_id=text(574, 702),
        created=_stamp(data[813:830]),
        modified=_stamp(data[830:847]),
        block_size=block_size,
        size=volume_blocks * block_size,
        root_offset=(root_block + attributes) * block_size,
        root_size=root_size,
    )


def _stamp(field: bytes) -> str:
    digits = field[:16]
    is_set = digits.strip(b"0") != b"" or field[16] != 0
    return digits.decode("ascii") if is_set and digits.isdigit() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoEntry(Entry):
    extents: tuple[Extent, ...]
    target: str = ""
    obstacle: str = ""
    """Why the bytes in the image are not the bytes of the file."""


class Iso9660(FileTree[IsoEntry]):
    """The tree of an ISO9660 volume: Rock Ridge names where there are some, else Joliet's, else plain ones.

    Raises:
        FormatError: there is no primary volume descriptor.
    """

    def __init__(self, fh: BinaryIO, descriptors: VolumeDescriptors | None = None) -> None:
        descriptors = descriptors or read_volume_descriptors(fh)
        if descriptors.pvd is None:
            raise FormatError("there is no ISO9660 volume", offset=_FIRST_DESCRIPTOR)
        self.pvd = descriptors.pvd
        self.filesystem = "iso9660"
        """``iso9660``, ``rock_ridge`` or ``joliet``: whose names these are."""
        volume = self.pvd
        self._size = size_of(fh)
        self._susp_skip = rockridge.susp_skip(self._first_record(fh, volume))
        if self._susp_skip is not None:
            self.filesystem = "rock_ridge"
        elif descriptors.joliet is not None:
            self.filesystem = "joliet"
            volume = descriptors.joliet
        self._block_size = volume.block_size
        self._continuations = _CONTINUATION_LIMIT
        root = _directory("", volume.root_offset, volume.root_size)
        super().__init__(fh, root)
        if volume.size > self._size:
            self.warn(
                f"the file has {self._size} bytes, its volume descriptor claims {volume.size}: an incomplete download?"
            )

    def _first_record(self, fh: BinaryIO, volume: VolumeDescriptor) -> bytes:
        try:
            return read_at(fh, volume.root_offset, 255)
        except FormatError:
            return b""

    def _extents(self, entry: IsoEntry) -> tuple[Extent, ...]:
        if entry.obstacle:
            raise FormatError(f"{entry.name} is {entry.obstacle}")
        return entry.extents

    def _target(self, link: IsoEntry) -> str:
        return link.target

    def _read_directory(self, directory: IsoEntry) -> Iterator[IsoEntry]:
        data = self._directory_bytes(directory)
        pending: IsoEntry | None = None
        for record in self._records(data):
            flags = record[25]
            if flags & _ASSOCIATED or (record[33:34] in (b"\0", b"\1") and record[32] == 1):
                continue
            entry = self._entry(record)
            if entry is None:
                continue
            if pending is not None:
                entry = _joined(pending, entry)
                pending = None
            if flags & _MULTI_EXTENT and not entry.is_dir:
                pending = entry
            else:
                yield entry
        if pending is not None:
            self.warn(f"the last extent of {pending.name} is missing")
            yield pending

    def _directory_bytes(self, directory: IsoEntry) -> bytes:
        ((offset, size),) = directory.extents
        assert offset is not None
        if size > DIRECTORY_LIMIT:
            self.warn(f"a directory claims {size} bytes: only {DIRECTORY_LIMIT} are looked at")
        if offset + size > self._size:
            self.warn(f"the directory {directory.name or '/'} lies behind the end of the file, whole or in part")
        wanted = min(size, DIRECTORY_LIMIT, self._size - offset)
        return read_at(self._fh, offset, wanted) if wanted > 0 else b""

    def _records(self, data: bytes) -> Iterator[bytes]:
        position = 0
        while position < len(data):
            length = data[position]
            if length == 0:
                # A record never crosses a sector: the rest of this one is unused (ECMA-119 6.8.1.1).
                position += SECTOR - position % SECTOR
                continue
            record = data[position : position + length]
            position += length
            if len(record) < 34 or len(record) < 33 + record[32]:
                self.warn("a directory record is damaged")
                position += -position % SECTOR
                continue
            yield record

    def _entry(self, record: bytes) -> IsoEntry | None:
        block, size = struct.unpack_from("<I4xI", record, 2)
        offset = (block + record[1]) * self._block_size
        identifier_end = 33 + record[32]
        identifier = record[33:identifier_end]
        is_dir = bool(record[25] & _DIRECTORY)
        if self._susp_skip is None:
            name = self._decoded(identifier)
            rock = rockridge.NOTHING
        else:
            area = record[identifier_end + (1 - record[32] % 2) + self._susp_skip :]
            rock = rockridge.parse(area, self._continuation)
            name = rock.name or _plain(identifier)
        if rock.is_relocated:
            return None
        if rock.child_block is not None:
            return self._relocated(name, rock.child_block)
        if is_dir:
            return _directory(name, offset, size)
        obstacle = "interleaved" if record[26] or record[27] else "compressed by zisofs" if rock.is_compressed else ""
        if obstacle:
            self.warn(f"{name} is {obstacle}: it cannot be read")
        return IsoEntry(
            name=name,
            is_dir=False,
            size=0 if rock.target else size,
            is_link=bool(rock.target),
            ident=offset,
            extents=((offset, size),) if size else (),
            target=rock.target,
            obstacle=obstacle,
        )

    def _decoded(self, identifier: bytes) -> str:
        if self.filesystem == "joliet":
            return identifier.decode("utf-16-be", "replace").partition(";")[0]
        return _plain(identifier)

    def _relocated(self, name: str, block: int) -> IsoEntry | None:
        # Rock Ridge moves what lies deeper than eight levels; the directory's own first record knows its size.
        offset = block * self._block_size
        try:
            own = read_at(self._fh, offset, 34)
        except FormatError:
            self.warn(f"the directory {name} lies behind the end of the file")
            return None
        return _directory(name, offset, struct.unpack_from("<I", own, 10)[0])

    def _continuation(self, block: int, offset: int, size: int) -> bytes:
        self._continuations -= size
        if self._continuations < 0:
            raise FormatError("too many Rock Ridge continuation areas")
        return read_at(self._fh, block * self._block_size + offset, size)


def _directory(name: str, offset: int, size: int) -> IsoEntry:
    return IsoEntry(name=name, is_dir=True, ident=offset, extents=((offset, size),))


def _plain(identifier: bytes) -> str:
    name = identifier.decode("utf-8", "backslashreplace").partition(";")[0]
    return name.removesuffix(".")


def _joined(first: IsoEntry, second: IsoEntry) -> IsoEntry:
    size = first.size + second.size
    return IsoEntry(
        name=first.name,
        is_dir=False,
        size=size,
        ident=first.ident,
        extents=clip((*first.extents, *second.extents), size),
        obstacle=first.obstacle,
    )
