"""An exFAT data partition that is not mounted."""

from typing import BinaryIO

from bootkit.formats.exfat import Exfat
from bootkit.system.exfat import ExfatWriter, exfat_gap, exfat_problem, exfat_spare_sector
from bootkit.system.redo import Piece
from bootkit.system.staged import Staged
from bootkit.system.volumes.raw import RawVolume
from bootkit.system.writer import Writer


class ExfatVolume(RawVolume[Exfat]):
    """exFAT."""

    filesystem = "exfat"

    @property
    def uuid(self) -> str:
        return self._reader().uuid

    def _open_tree(self, fh: BinaryIO) -> Exfat:
        return Exfat(fh)

    def _open_writer(self, staged: Staged) -> Writer:
        return ExfatWriter(staged)

    def _problem(self, staged: Staged, *, replays: bool) -> str | None:  # noqa: ARG002  # it has no journal
        return exfat_problem(staged)

    def _spare_sector(self, staged: Staged) -> int:
        return exfat_spare_sector(staged)

    def _gap(self, staged: Staged) -> Piece:
        return exfat_gap(staged)

    def _unused(self) -> tuple[int, int]:
        clusters = self._reader().free_clusters()
        return clusters * self._reader().geometry.cluster_size, clusters // 8  # a bit each
