"""The MD5 that isomd5sum implants into an image: in a field of the volume descriptor that no standard gives a meaning.

Source: isomd5sum 1.2.3, libcheckisomd5.c: the field counts as blanks, and so many sectors at the end do not count.
"""

import hashlib
import re
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.reader import read_at
from bootkit.values import dataclass

_SECTOR = 2048
_FIRST_DESCRIPTOR = 16 * _SECTOR
_DESCRIPTORS = 64
_FIELD, _FIELD_SIZE = 883, 512
"""Place in the descriptor, and bytes."""
_BLOCKS = 80
_MARK = re.compile(rb"ISO MD5SUM = ([0-9a-f]{32});SKIPSECTORS = (\d{1,9});")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplantedMd5:
    digest: str
    size: int
    """Bytes from the start of the image that count."""
    field: int
    """Where the field lies in the image, in bytes."""


def read_implanted_md5(fh: BinaryIO) -> ImplantedMd5 | None:
    """``None`` if there is none, or ``fh`` is no ISO 9660 image."""
    for offset in range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + _DESCRIPTORS * _SECTOR, _SECTOR):
        try:
            descriptor = read_at(fh, offset, _SECTOR)
        except FormatError:
            return None
        if descriptor[1:6] != b"CD001" or descriptor[0] == 255:
            return None
        if descriptor[0] == 1:
            found = _MARK.match(descriptor, _FIELD)
            blocks = int.from_bytes(descriptor[_BLOCKS : _BLOCKS + 4], "little")
            size = (blocks - int(found[2])) * _SECTOR if found else 0
            if found is None or size <= 0:
                return None
            return ImplantedMd5(digest=found[1].decode(), size=size, field=offset + _FIELD)
    return None


class ImplantedHash:
    """The MD5 of an image, as isomd5sum counts it, out of chunks that come in order."""

    def __init__(self, implanted: ImplantedMd5) -> None:
        self._implanted = implanted
        self._digest = hashlib.md5(usedforsecurity=False)
        self._at = 0

    def update(self, chunk: bytes) -> None:
        start, self._at = self._at, self._at + len(chunk)
        counted = chunk[: max(0, self._implanted.size - start)]
        first = self._implanted.field - start
        if first < len(counted) and first + _FIELD_SIZE > 0:
            blank = bytearray(counted)
            begin, end = max(first, 0), min(first + _FIELD_SIZE, len(blank))
            blank[begin:end] = b" " * (end - begin)
            counted = bytes(blank)
        self._digest.update(counted)

    @property
    def is_right(self) -> bool:
        """Whether all chunks together have the digest that was implanted."""
        return self._digest.hexdigest() == self._implanted.digest
