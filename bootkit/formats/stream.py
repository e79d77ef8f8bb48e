"""Bytes that come one after the other, and that are skipped rather than kept."""

import abc
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.compression import Budget, Unpacker
from bootkit.formats.reader import read_upto

_PLAIN_PIECE = 16 << 10
_PACKED_PIECE = 128 << 10
_UNPACKED_PIECE = 256 << 10


class Stream(abc.ABC):
    """A forward reader with a buffer of one piece."""

    def __init__(self) -> None:
        self._piece = b""
        self._at = 0
        self._before = 0

    @property
    def position(self) -> int:
        """Bytes read and skipped so far."""
        return self._before + self._at

    @property
    @abc.abstractmethod
    def file_position(self) -> int:
        """Where in the file the rest begins; of a compressed stream, sensible once nothing more comes out of it."""

    @abc.abstractmethod
    def _more(self) -> bytes:
        """The next piece, of whatever size; empty at the end."""

    def _next_piece(self) -> bool:
        self._before += len(self._piece)
        self._piece, self._at = self._more(), 0
        return bool(self._piece)

    def read(self, size: int) -> bytes:
        """``size`` bytes; fewer only where the stream ends."""
        found = self._piece[self._at : self._at + size]
        self._at += len(found)
        if len(found) == size:
            return found
        pieces = [found]
        missing = size - len(found)
        while missing and self._next_piece():
            pieces.append(self._piece[:missing])
            self._at = len(pieces[-1])
            missing -= self._at
        return b"".join(pieces)

    def peek(self, size: int) -> bytes:
        """What :meth:`read` would give, which stays to be read."""
        found = self._piece[self._at : self._at + size]
        if len(found) < size:
            found = self.read(size)
            self._before, self._piece, self._at = self.position - len(found), found + self._piece[self._at :], 0
        return found

    def skip(self, size: int) -> bool:
        """Whether ``size`` bytes could be left out: the stream may end before."""
        while size > (here := len(self._piece) - self._at):
            size -= here
            if not self._next_piece():
                return False
        self._at += size
        return True

    def skip_zeros(self) -> None:
        """Skip to the next byte that is not zero, or to the end."""
        while not (rest := self._piece[self._at :].lstrip(b"\0")):
            if not self._next_piece():
                return
        self._at = len(self._piece) - len(rest)


class Plain(Stream):
    """A part of a file, from ``offset`` to ``end``; ``position`` is in the file."""

    def __init__(self, fh: BinaryIO, offset: int, end: int, *, budget: Budget) -> None:
        super().__init__()
        self._fh = fh
        self._before = offset
        self._next = offset
        self._end = end
        self._budget = budget

    @property
    def file_position(self) -> int:
        return self.position

    def _more(self) -> bytes:
        self._budget.spend(0)
        piece = read_upto(self._fh, self._next, max(0, min(_PLAIN_PIECE, self._end - self._next)))
        self._next += len(piece)
        return piece

    def skip(self, size: int) -> bool:
        here = len(self._piece) - self._at
        if size <= here:
            self._at += size
            return True
        target = min(self.position + size, self._end)
        is_whole = target == self.position + size
        self._piece, self._at = b"", 0
        self._before = self._next = target
        return is_whole


class Unpacked(Stream):
    """What a compressed stream of a file unpacks to.

    Reading raises FormatError where it is damaged, cut short by ``end``, or costs more than ``budget``.
    """

    def __init__(self, fh: BinaryIO, offset: int, end: int, *, name: str, budget: Budget) -> None:
        super().__init__()
        self._unpacker = Unpacker(name)
        self._fh = fh
        self._next = offset
        self._end = end
        self._budget = budget

    @property
    def file_position(self) -> int:
        return self._next - len(self._unpacker.unused_data)

    def _more(self) -> bytes:
        unpacker = self._unpacker
        while not unpacker.eof:
            packed = b""
            if unpacker.needs_input:
                packed = read_upto(self._fh, self._next, max(0, min(_PACKED_PIECE, self._end - self._next)))
                self._next += len(packed)
                if not packed:
                    if unpacker.may_end:
                        break
                    raise FormatError("the compressed data end too early", offset=self._next)
            piece = unpacker.unpack(packed, _UNPACKED_PIECE)
            self._budget.spend(len(piece))
            if piece:
                return piece
        return b""
