"""LZO1X, as squashfs images have it; slow, and meant for a few blocks.

Source: Linux 6.1, Documentation/staging/lzo.rst and lib/lzo/lzo1x_decompress_safe.c (bitstream version 0).
"""

from bootkit.errors import FormatError

_AFTER_LITERALS = 4
"""The state behind a run of four or more literals; 0 to 3 are the literals that came with the last match."""


def unpack_lzo1x(data: bytes, limit: int) -> bytes:
    """One block.

    Raises:
        FormatError: it is damaged, or larger than ``limit`` bytes.
    """
    try:
        return bytes(_Block(data, limit).unpack())
    except IndexError as error:
        raise FormatError("the lzo data are damaged: they end too early") from error


class _Block:
    def __init__(self, data: bytes, limit: int) -> None:
        self._data = data
        self._limit = limit
        self._at = 0
        self._out = bytearray()
        self._state = 0

    def unpack(self) -> bytearray:
        if self._data[0] > 17:
            count = self._byte() - 17
            self._literals(count)
            self._state = min(count, _AFTER_LITERALS)
        while self._step(self._byte()):
            if len(self._out) > self._limit:
                raise FormatError("the lzo data are damaged: a block is too long")
        return self._out

    def _step(self, code: int) -> bool:
        """One instruction; whether another one follows."""
        if code >= 64:
            self._match((code >> 5) + 1, 1 + (code >> 2 & 7) + (self._byte() << 3), code & 3)
        elif code >= 32:
            length = self._length(code & 31, 31) + 2
            word = self._word()
            self._match(length, 1 + (word >> 2), word & 3)
        elif code >= 16:
            length = self._length(code & 7, 7) + 2
            word = self._word()
            distance = ((code & 8) << 11) + (word >> 2)
            if distance == 0:
                return False
            self._match(length, distance + 0x4000, word & 3)
        elif self._state == 0:
            self._literals(self._length(code, 15) + 3)
            self._state = _AFTER_LITERALS
        elif self._state == _AFTER_LITERALS:
            self._match(3, 0x801 + (code >> 2) + (self._byte() << 2), code & 3)
        else:
            self._match(2, 1 + (code >> 2) + (self._byte() << 2), code & 3)
        return True

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _word(self) -> int:
        return self._byte() | self._byte() << 8

    def _length(self, bits: int, base: int) -> int:
        """A length that did not fit into its bits goes on in the bytes behind, zeros counting 255 each."""
        if bits:
            return bits
        length = base
        while (byte := self._byte()) == 0:
            length += 255
        return length + byte

    def _literals(self, count: int) -> None:
        if self._at + count > len(self._data):
            raise IndexError
        self._out += self._data[self._at : self._at + count]
        self._at += count

    def _match(self, length: int, distance: int, literals: int) -> None:
        start = len(self._out) - distance
        if start < 0:
            raise FormatError("the lzo data are damaged: a match lies before the start")
        if len(self._out) + length > self._limit:
            raise FormatError("the lzo data are damaged: a block is too long")
        pattern = self._out[start : start + length]
        # A match may reach into what it writes: its bytes then repeat.
        self._out += (pattern * -(-length // len(pattern)))[:length]
        self._literals(literals)
        self._state = literals
