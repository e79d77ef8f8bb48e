"""An exFAT data partition that is not mounted: read and written by our own code, files in one piece each."""

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bootkit.formats.exfat import Exfat
from bootkit.system.exfat import ExfatWriter
from bootkit.system.volume import Progress, chunks_of
from bootkit.system.volumes.raw import RawVolume


class ExfatVolume(RawVolume[Exfat]):
    """exFAT."""

    filesystem = "exfat"

    @property
    def uuid(self) -> str:
        return self._reader().uuid

    def write(self, files: Mapping[str, bytes]) -> None:
        self._require_room("the menu", sum(map(len, files.values())), self.free())
        with self._writer() as (_, writer):
            for path, content in files.items():
                writer.write(path, content)

    def copy_in(self, source: Path, path: str, progress: Progress, *, sparse: bool = False) -> str:  # noqa: ARG002  # exFAT has no holes
        digest = hashlib.sha256()
        with self._writer() as (image, writer), source.open("rb") as reader:
            size = source.stat().st_size
            self._require_room(path, size, self.free())
            first = writer.allocate(size)
            try:
                at = writer.start_of(first)
                for chunk in chunks_of(reader, progress):
                    image.seek(at)
                    image.write(chunk)
                    at += len(chunk)
                    digest.update(chunk)
                writer.publish(path, first, size)
            except BaseException:
                writer.discard(first, size)
                raise
        return digest.hexdigest()

    def rename(self, old: str, new: str) -> None:
        with self._writer() as (_, writer):
            writer.rename(old, new)

    def remove(self, path: str) -> None:
        with self._writer() as (_, writer):
            writer.remove(path)

    def free(self) -> int:
        return self._reader().free_clusters() * self._reader().geometry.cluster_size

    def _open_tree(self, fh: BinaryIO) -> Exfat:
        return Exfat(fh)

    @contextmanager
    def _writer(self) -> Generator[tuple[BinaryIO, ExfatWriter]]:
        """The image, open for writing, and the writer of its file system; what was read before is forgotten."""
        try:
            with self._image.open("r+b", buffering=0) as image:
                fh = cast("BinaryIO", image)
                yield fh, ExfatWriter(fh, self._offset, self._size)
        finally:
            self._forget()
