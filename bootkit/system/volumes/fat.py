"""A FAT data partition that is not mounted."""

from collections.abc import Iterable
from typing import BinaryIO

from bootkit.formats.fat import Fat
from bootkit.system.fat import FatWriter, fat_gap, fat_problem, fat_spare_sector
from bootkit.system.redo import Piece
from bootkit.system.staged import Staged
from bootkit.system.volumes.raw import RawVolume
from bootkit.system.writer import Writer


class FatVolume(RawVolume[Fat]):
    """FAT12, FAT16 or FAT32; the first only to be read."""

    filesystem = "vfat"

    @property
    def uuid(self) -> str:
        return self._reader().uuid

    def exchange(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Let the two files of each pair have each other's content.

        Whoever reads the medium meanwhile without completing the change, as firmware does, finds for each name one of the two,
        whole: nothing but the directories' sectors is written, and no file loses its room.
        """
        with self._changing() as (_, writer):
            assert isinstance(writer, FatWriter)
            for one, other in pairs:
                writer.exchange(one, other)

    def _open_tree(self, fh: BinaryIO) -> Fat:
        return Fat(fh)

    def _open_writer(self, staged: Staged) -> Writer:
        return FatWriter(staged)

    def _problem(self, staged: Staged, *, replays: bool) -> str | None:  # noqa: ARG002  # it has no journal
        return fat_problem(staged)

    def _spare_sector(self, staged: Staged) -> int:
        return fat_spare_sector(staged)

    def _gap(self, staged: Staged) -> Piece:
        return fat_gap(staged)

    def _unused(self) -> tuple[int, int]:
        clusters = self._reader().free_clusters()
        return clusters * self._reader().geometry.cluster_size, clusters * 8  # two tables of four bytes each
