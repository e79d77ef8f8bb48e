"""What a squashfs is made of below its tree: metadata blocks, data blocks, and files put together from them.

Source: Linux 6.1, fs/squashfs/squashfs_fs.h, cache.c and file.c.
"""

import struct
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from bootkit.errors import FormatError
from bootkit.formats.compression import Budget, unpack_block
from bootkit.formats.reader import Positioned, read_at

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Position: TypeAlias = tuple[int, int]
"""Where a metadata block begins in the file, and the byte in what it unpacks to."""

METADATA_BLOCK = 8192
"""Bytes of a metadata block, unpacked."""
_PLAIN_METADATA = 0x8000
_PLAIN_DATA = 1 << 24
_METADATA_KEPT = 256
_DATA_KEPT = 16 << 20
"""Bytes of data blocks that are kept: a file system inside a squashfs is read here and there."""


class Metadata:
    """The metadata of a squashfs: bytes that go on from block to block."""

    def __init__(self, fh: BinaryIO, codec: str, *, budget: Budget) -> None:
        self._fh = fh
        self._budget = budget
        self._codec = codec
        self._kept: OrderedDict[int, tuple[bytes, int]] = OrderedDict()

    def read(self, at: Position, size: int) -> tuple[bytes, Position]:
        """``size`` bytes, and the position behind them.

        Raises:
            FormatError: the metadata end before, or are damaged.
        """
        start, offset = at
        data, behind = self._block(start)
        if offset + size <= len(data):
            return data[offset : offset + size], (start, offset + size)
        if offset > len(data):
            raise FormatError("a position lies outside of its metadata block", offset=start)
        found = bytearray(data[offset:])
        while len(found) < size:
            start, missing = behind, size - len(found)
            data, behind = self._block(start)
            found += data[:missing]
            offset = min(missing, len(data))
        return bytes(found), (start, offset)

    def _block(self, start: int) -> tuple[bytes, int]:
        known = self._kept.get(start)
        if known is not None:
            self._kept.move_to_end(start)
            return known
        (header,) = struct.unpack("<H", read_at(self._fh, start, 2))
        size = header & ~_PLAIN_METADATA or _PLAIN_METADATA
        self._budget.spend(METADATA_BLOCK)
        data = read_at(self._fh, start + 2, min(size, METADATA_BLOCK))
        if not header & _PLAIN_METADATA:
            data = unpack_block(self._codec, data, METADATA_BLOCK)
        if not data or size > METADATA_BLOCK:
            raise FormatError("a metadata block is damaged", offset=start)
        self._kept[start] = data, start + 2 + size
        if len(self._kept) > _METADATA_KEPT:
            self._kept.popitem(last=False)
        return self._kept[start]


class Blocks:
    """The data blocks of a squashfs and its fragments, each of ``block_size`` bytes at most when unpacked."""

    def __init__(self, fh: BinaryIO, codec: str, block_size: int, *, budget: Budget) -> None:
        self._budget = budget
        self.block_size = block_size
        self._fh = fh
        self._codec = codec
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()

    def block(self, start: int, word: int) -> bytes:
        """The block at ``start``; ``word`` is its size in the file, and a bit that says that it is not compressed.

        Raises:
            FormatError: it is damaged.
        """
        known = self._kept.get((start, word))
        if known is not None:
            self._kept.move_to_end((start, word))
            return known
        size = word & ~_PLAIN_DATA
        if size > self.block_size:
            raise FormatError(f"a data block of {size} bytes", offset=start)
        self._budget.spend(self.block_size)
        data = read_at(self._fh, start, size)
        if not word & _PLAIN_DATA:
            data = unpack_block(self._codec, data, self.block_size)
        self._kept[start, word] = data
        if len(self._kept) > max(2, _DATA_KEPT // self.block_size):
            self._kept.popitem(last=False)
        return data


class SquashFile(Positioned):
    """A file of ``size`` bytes: blocks one behind the other from ``start``, and perhaps a tail in a fragment.

    ``words`` describe the blocks; one of 0 is a hole. ``tail`` is the fragment's place, its word, and the first byte.
    """

    def __init__(
        self, blocks: Blocks, *, size: int, start: int, words: Sequence[int], tail: tuple[int, int, int] | None
    ) -> None:
        super().__init__(size)
        self._blocks = blocks
        self._words = words
        self._starts = list(accumulate((word & ~_PLAIN_DATA for word in words), initial=start))
        self._tail = tail

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        if self._position >= self.size:
            return 0
        block_size = self._blocks.block_size
        index, skipped = divmod(self._position, block_size)
        wanted = min(len(view), block_size - skipped, self.size - self._position)
        view[:wanted] = self._piece(index, skipped, wanted)
        self._position += wanted
        return wanted

    def _piece(self, index: int, skipped: int, wanted: int) -> bytes:
        if index < len(self._words):
            word, start = self._words[index], self._starts[index]
            if word == 0:
                return bytes(wanted)
        elif self._tail is not None:
            start, word, first = self._tail
            skipped += first
        else:
            raise FormatError("a file has fewer blocks than its size says")
        piece = self._blocks.block(start, word)[skipped : skipped + wanted]
        if len(piece) < wanted:
            raise FormatError("a data block is too short", offset=start)
        return piece
