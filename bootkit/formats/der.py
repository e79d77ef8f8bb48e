"""DER, the one way to write ASN.1 down that certificates and signatures use: values inside values.

Lengths are bounded by what is there; what is no DER raises, and nothing is copied but slices.

Source: ITU-T X.690 (2021), 8.1 for tag and length, 8.19 for object identifiers, 10.1 for the shortest length.
"""

from collections.abc import Iterator

from bootkit.errors import FormatError
from bootkit.values import dataclass

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x06, 0x30, 0x31


@dataclass(frozen=True, slots=True)
class Der:
    """One value: its tag, its content, and all its bytes."""

    tag: int
    content: bytes
    raw: bytes

    @property
    def members(self) -> tuple["Der", ...]:
        """The values inside.

        Raises:
            FormatError: the content is no row of values.
        """
        return tuple(_read_all(self.content))

    def member(self, place: int, tag: int) -> "Der":
        """The value at ``place`` among the members, which must have that tag.

        Raises:
            FormatError: it is not there, or another one is.
        """
        members = self.members
        if place >= len(members) or members[place].tag != tag:
            raise FormatError(f"there is no value with tag {tag:#x} at place {place} of a DER sequence")
        return members[place]

    def context(self, number: int) -> "Der | None":
        """The member that is marked with ``[number]``; ``None`` if there is none."""
        return next((member for member in self.members if member.tag == 0xA0 | number), None)

    @property
    def integer(self) -> int:
        return int.from_bytes(self.content, "big", signed=True)


def parse_der(data: bytes) -> Der:
    """The first value of ``data``; what follows it is not looked at.

    Raises:
        FormatError: it is none, or is longer than ``data``.
    """
    return next(_read_all(data, only_first=True))


def _read_all(data: bytes, *, only_first: bool = False) -> Iterator[Der]:
    at = 0
    while at < len(data) or only_first:
        start, size = _header(data, at)
        if start + size > len(data):
            raise FormatError("a DER value is longer than what it is in", offset=at)
        yield Der(data[at], data[start : start + size], data[at : start + size])
        at = start + size
        if only_first:
            return


def _header(data: bytes, at: int) -> tuple[int, int]:
    """Where the content starts, and its bytes. Tags of more than one byte occur in nothing that is read here."""
    if at + 2 > len(data) or data[at] & 0x1F == 0x1F:
        raise FormatError("this is no DER value", offset=at)
    first = data[at + 1]
    if first < 0x80:
        return at + 2, first
    count = first & 0x7F
    # DER has no open length (0x80), and four bytes of length are 4 GiB
    if not 1 <= count <= 4 or at + 2 + count > len(data):
        raise FormatError("a DER value has a length that cannot be", offset=at)
    return at + 2 + count, int.from_bytes(data[at + 2 : at + 2 + count], "big")
