"""cpio archives as initrds are made of them.

Source: Linux 6.1, Documentation/driver-api/early-userspace/buffer-format.rst for ``newc`` (070701) and ``crc`` (070702);
the POSIX.1-2001 pax utility, "cpio interchange format", for ``odc`` (070707). Checksums are not verified.
"""

import struct
from binascii import Error as HexError
from binascii import unhexlify
from collections.abc import Callable, Iterator

from bootkit.errors import FormatError
from bootkit.formats.stream import Stream
from bootkit.values import dataclass

MAGICS = (b"070701", b"070702", b"070707")
TRAILER = "TRAILER!!!"
NAME_LIMIT = 4096
"""Bytes of a name with its NUL; Linux's PATH_MAX."""
_NEWC, _ODC = 110, 76
_TYPE, _DIRECTORY, _REGULAR, _LINK = 0xF000, 0x4000, 0x8000, 0xA000


@dataclass(frozen=True, slots=True, kw_only=True)
class CpioMember:
    """A record of an archive, with the name it has there."""

    name: str
    mode: int
    size: int
    data: bytes | None = None
    """The content, if the caller wanted it; of a link where it points."""

    @property
    def is_dir(self) -> bool:
        return self.mode & _TYPE == _DIRECTORY

    @property
    def is_file(self) -> bool:
        return self.mode & _TYPE == _REGULAR

    @property
    def is_link(self) -> bool:
        return self.mode & _TYPE == _LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    length: int
    """Bytes of the header itself."""
    alignment: int
    """Name and content are padded to a multiple of it, counted from the header."""
    mode: int
    name_size: int
    size: int


def read_cpio(stream: Stream, wanted: Callable[[str, int, int], bool]) -> Iterator[CpioMember]:
    """The members of one archive, up to its trailer; ``stream`` is then right behind it.

    ``wanted`` is asked with name, mode and size in bytes which contents to keep: it is the caller's part to refuse
    large ones. All others are skipped.

    Raises:
        FormatError: a record is damaged, or the archive ends without its trailer. All members before have been given.
    """
    while True:
        start = stream.position
        header = _read_header(stream, start)
        name = _read_name(stream, header, start)
        padding = -header.size % header.alignment
        data = None
        if name != TRAILER and wanted(name, header.mode, header.size):
            data = stream.read(header.size)
            if len(data) < header.size:
                raise FormatError(f"the cpio archive ends within {name}", offset=start)
        elif not stream.skip(header.size):
            raise FormatError(f"the cpio archive ends within {name}", offset=start)
        stream.skip(padding)
        if name == TRAILER:
            return
        yield CpioMember(name=name, mode=header.mode, size=header.size, data=data)


def _read_header(stream: Stream, start: int) -> _Header:
    magic = stream.read(6)
    if not magic.strip(b"\0"):
        raise FormatError("the cpio archive ends without its trailer", offset=start)
    if magic in (b"070701", b"070702"):
        return _newc(stream.read(_NEWC - 6), start)
    if magic == b"070707":
        return _odc(stream.read(_ODC - 6), start)
    raise FormatError("there is no cpio header where one must be", offset=start)


def _newc(digits: bytes, start: int) -> _Header:
    try:
        fields = struct.unpack(">13I", unhexlify(digits))
    except (HexError, struct.error) as error:
        raise FormatError("a cpio header is damaged", offset=start) from error
    return _Header(length=_NEWC, alignment=4, mode=fields[1], size=fields[6], name_size=fields[11])


def _odc(digits: bytes, start: int) -> _Header:
    if len(digits) < _ODC - 6 or digits.strip(b"01234567"):
        raise FormatError("a cpio header is damaged", offset=start)
    return _Header(
        length=_ODC,
        alignment=1,
        mode=int(digits[12:18], 8),
        name_size=int(digits[53:59], 8),
        size=int(digits[59:70], 8),
    )


def _read_name(stream: Stream, header: _Header, start: int) -> str:
    if not 0 < header.name_size <= NAME_LIMIT:
        raise FormatError(f"a cpio name of {header.name_size} bytes", offset=start)
    name = stream.read(header.name_size)
    # Linux calls the archive malformed since CVE-2024-53142 (6.13, 6.12.2, 6.6.64, ...).
    if len(name) < header.name_size or name[-1]:
        raise FormatError("a cpio name has no end", offset=start)
    stream.skip(-(header.length + header.name_size) % header.alignment)
    return name.partition(b"\0")[0].decode("utf-8", "surrogateescape")
