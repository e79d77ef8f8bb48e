"""UDF 1.02 to 2.60: the directory tree of Windows images and of other large ones.

Source: ECMA-167 (3rd edition), 4/14 for file set, file identifier and file entry; OSTA UDF 2.60.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, ExtentFile
from bootkit.formats.tree import DIRECTORY_LIMIT, Entry, FileTree
from bootkit.formats.udfvolume import Address, FileEntry, UdfVolume, cs0, long_address, read_tagged
from bootkit.values import dataclass

_FILE_SET = 256
_FILE_IDENTIFIER = 257
_DIRECTORY, _LINK = 4, 12
_DELETED, _PARENT = 0x04, 0x08
_TARGET_LIMIT = 16 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class UdfEntry(Entry):
    file: FileEntry


class Udf(FileTree[UdfEntry]):
    """The tree of a UDF file system.

    Raises:
        FormatError: there is none, or one of a kind that optical images do not have.
    """

    def __init__(self, fh: BinaryIO) -> None:
        self._volume = UdfVolume(fh)
        _, file_set = read_tagged(fh, self._volume.offset(self._volume.file_set), 512, _FILE_SET)
        super().__init__(fh, self._entry("", long_address(file_set[400:416])[1]))
        if not self._root.is_dir:
            raise FormatError("the root of the UDF file system is no directory")

    @property
    def label(self) -> str:
        return self._volume.label

    @property
    def uuid(self) -> str:
        """16 hex digits, as udev shows them; empty where the volume set has no usable name.

        Source: util-linux 2.38, libblkid/src/superblocks/udf.c, gen_uuid_from_volset_id.
        """
        start = self._volume.set_id.encode()[:16]
        if len(start) < 8:
            return ""
        digits = next((at for at, byte in enumerate(start) if chr(byte) not in "0123456789abcdefABCDEF"), len(start))
        if digits < 8:
            return start[:8].hex()
        if digits < 16:
            return start[:8].decode().lower() + start[8:12].hex().ljust(8, "0")
        return start.decode().lower()

    def _extents(self, entry: UdfEntry) -> tuple[Extent, ...]:
        return self._volume.file_extents(entry.file)

    def _target(self, link: UdfEntry) -> str:
        with ExtentFile(self._fh, self._extents(link)) as file:
            return _path(file.read(_TARGET_LIMIT))

    def _entry(self, name: str, address: Address) -> UdfEntry:
        file = self._volume.file_entry(address)
        is_dir, is_link = file.kind == _DIRECTORY, file.kind == _LINK
        return UdfEntry(
            name=name,
            is_dir=is_dir,
            is_link=is_link,
            size=0 if is_dir or is_link else file.size,
            ident=self._volume.offset(address),
            file=file,
        )

    def _read_directory(self, directory: UdfEntry) -> Iterator[UdfEntry]:
        if directory.file.size > DIRECTORY_LIMIT:
            self.warn(f"a directory claims {directory.file.size} bytes: only {DIRECTORY_LIMIT} are looked at")
        with ExtentFile(self._fh, self._extents(directory)) as file:
            data = file.read(DIRECTORY_LIMIT)
        position = 0
        while position + 38 <= len(data):
            tag, traits, name_size, use_size = struct.unpack_from("<H16xBB16xH", data, position)
            if tag != _FILE_IDENTIFIER:
                self.warn(f"the directory {directory.name or '/'} is damaged")
                return
            name = cs0(data[position + 38 + use_size :][:name_size])
            _, address = long_address(data[position + 20 : position + 36])
            position += -(-(38 + use_size + name_size) // 4) * 4
            if traits & (_DELETED | _PARENT):
                continue
            try:
                yield self._entry(name, address)
            except FormatError as error:
                self.warn(f"{name} cannot be looked at: {error.message}")


def _path(components: bytes) -> str:
    """The path that a symbolic link's components spell (ECMA-167 4/14.16)."""
    parts: list[str] = []
    position = 0
    while position + 4 <= len(components):
        kind, size = components[position], components[position + 1]
        name = components[position + 4 : position + 4 + size]
        position += 4 + size
        match kind:
            case 1 | 2:
                parts = [""]
            case 3:
                parts.append("..")
            case 4:
                parts.append(".")
            case _:
                parts.append(cs0(name))
    return "/".join(parts) or "/"
