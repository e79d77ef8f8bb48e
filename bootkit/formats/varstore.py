"""The variables of UEFI in the flash image that QEMU is started with: one firmware volume with a store of variables.

Source: EDK2, MdePkg/Include/Pi/PiFirmwareVolume.h (EFI_FIRMWARE_VOLUME_HEADER) and MdeModulePkg/Include/Guid/VariableFormat.h
(VARIABLE_STORE_HEADER, AUTHENTICATED_VARIABLE_HEADER); booted with OVMF 2022.11.
"""

import struct
import uuid
from collections.abc import Iterable

from bootkit.errors import FormatError
from bootkit.values import dataclass

_VOLUME = struct.Struct("<16s16sQ4sIH")
"""Up to the size of its own header."""
_VOLUME_MAGIC = b"_FVH"
_STORE = struct.Struct("<16sIBB")
_STORE_HEADER = 28
_AUTHENTICATED = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le
_VARIABLE = struct.Struct("<HBBIQ16sIII16s")
_START = 0x55AA
_ADDED = 0x3F
"""The state of a variable that counts."""
_ERASED = b"\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    name: str
    owner: uuid.UUID
    data: bytes
    attributes: int

    @property
    def packed(self) -> bytes:
        name = f"{self.name}\0".encode("utf-16-le")
        header = _VARIABLE.pack(
            _START, _ADDED, 0, self.attributes, 0, bytes(16), 0, len(name), len(self.data), self.owner.bytes_le
        )
        record = header + name + self.data
        return record + _ERASED * (-len(record) % 4)


def with_variables(flash: bytes, variables: Iterable[Variable]) -> bytes:
    """A flash image like ``flash`` that holds ``variables`` and no others.

    Raises:
        FormatError: it has no store of variables that Secure Boot could use, or they have no room there.
    """
    start, end = _room(flash)
    content = b"".join(variable.packed for variable in variables)
    if len(content) > end - start:
        raise FormatError("the variables have no room in the flash image", offset=start)
    return flash[:start] + content.ljust(end - start, _ERASED) + flash[end:]


def _room(flash: bytes) -> tuple[int, int]:
    """Where the store's variables begin, and where it ends."""
    if len(flash) < _VOLUME.size or (volume := _VOLUME.unpack_from(flash))[3] != _VOLUME_MAGIC:
        raise FormatError("this is no flash image with variables of UEFI", offset=0)
    at = volume[5]
    if at + _STORE_HEADER > len(flash):
        raise FormatError("a flash image ends in the header of its store", offset=at)
    kind, size, _format, _state = _STORE.unpack_from(flash, at)
    if kind != _AUTHENTICATED or not _STORE_HEADER <= size <= len(flash) - at:
        raise FormatError("a flash image has no store for authenticated variables", offset=at)
    return at + _STORE_HEADER, at + size
