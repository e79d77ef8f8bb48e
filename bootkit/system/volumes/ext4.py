"""An ext4 data partition that is not mounted."""

from typing import BinaryIO

from bootkit.formats.ext4 import Ext4
from bootkit.system.ext4 import EXTENTS, Ext4Writer, ext4_gap, ext4_problem, ext4_spare_sector
from bootkit.system.redo import Piece
from bootkit.system.staged import Staged
from bootkit.system.volumes.raw import RawVolume
from bootkit.system.writer import Writer


class Ext4Volume(RawVolume[Ext4]):
    """ext4, or its ancestors."""

    filesystem = "ext4"

    @property
    def uuid(self) -> str:
        return self._reader().superblock.uuid

    def _open_tree(self, fh: BinaryIO) -> Ext4:
        return Ext4(fh)

    def _open_writer(self, staged: Staged) -> Writer:
        return Ext4Writer(staged)

    def _problem(self, staged: Staged, *, replays: bool) -> str | None:
        return ext4_problem(staged, replays=replays)

    def _spare_sector(self, staged: Staged) -> int:
        return ext4_spare_sector(staged)

    def _gap(self, staged: Staged) -> Piece:
        return ext4_gap(staged)

    def _unused(self) -> tuple[int, int]:
        superblock = self._reader().superblock
        # a bit each; without extents a number of four bytes, too, and those in their turn
        tables = superblock.free_blocks // 8 + (0 if superblock.incompat & EXTENTS else superblock.free_blocks * 5)
        return superblock.free_blocks * superblock.block_size, tables
