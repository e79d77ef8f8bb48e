"""A FAT data partition that is not mounted."""

from typing import BinaryIO

from bootkit.formats.fat import Fat
from bootkit.system.fat import FatWriter, fat_problem, fat_spare_sector
from bootkit.system.staged import Staged
from bootkit.system.volumes.raw import RawVolume
from bootkit.system.writer import Writer


class FatVolume(RawVolume[Fat]):
    """FAT12, FAT16 or FAT32; the first only to be read."""

    filesystem = "vfat"

    @property
    def uuid(self) -> str:
        return self._reader().uuid

    def free(self) -> int:
        return self._reader().free_clusters() * self._reader().geometry.cluster_size

    def _open_tree(self, fh: BinaryIO) -> Fat:
        return Fat(fh)

    def _open_writer(self, staged: Staged) -> Writer:
        return FatWriter(staged)

    def _problem(self, staged: Staged, *, replays: bool) -> str | None:  # noqa: ARG002  # it has no journal
        return fat_problem(staged)

    def _spare_sector(self, staged: Staged) -> int:
        return fat_spare_sector(staged)
