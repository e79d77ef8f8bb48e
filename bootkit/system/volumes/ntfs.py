"""An NTFS data partition that is not mounted, for reading: nobody has to be root for that."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NoReturn

from bootkit.errors import BootkitError, FormatError
from bootkit.formats.ntfs import Ntfs
from bootkit.formats.reader import Extent
from bootkit.i18n import tr
from bootkit.system.volume import Progress
from bootkit.system.volumes.tree import TreeVolume


class NtfsVolume(TreeVolume[Ntfs]):
    """NTFS, opened for reading; :class:`bootkit.system.volumes.mounted.MountedVolume` is what writes."""

    filesystem = "ntfs"

    @property
    def uuid(self) -> str:
        return self._reader().uuid

    def extents(self, path: str) -> tuple[Extent, ...] | None:
        try:
            return super().extents(path)
        except FormatError:  # a small file lies in its record, and a compressed one nowhere as it is
            return None

    def free(self) -> int:
        return self._reader().free_clusters() * self._reader().geometry.cluster_size

    def write(self, files: Mapping[str, bytes]) -> None:  # noqa: ARG002
        self._refuse()

    def copy_in(self, source: Path, path: str, progress: Progress, *, sparse: bool = False) -> str:  # noqa: ARG002
        self._refuse()

    def rename(self, old: str, new: str) -> None:  # noqa: ARG002
        self._refuse()

    def loop(self, path: str) -> str:  # noqa: ARG002
        return ""  # as for every other that is not mounted

    def remove(self, path: str) -> None:  # noqa: ARG002
        self._refuse()

    def _open_tree(self, fh: BinaryIO) -> Ntfs:
        return Ntfs(fh)

    def _refuse(self) -> NoReturn:
        raise BootkitError(tr("{where} was opened for reading", where=self.where))
