"""The stick's data partition, whatever way it is reached.

Three ways in, one interface: a mounted folder (:mod:`bootkit.system.volumes.folder`), or the bytes of a partition in an
image file or an unmounted device, as ext4 (:mod:`bootkit.system.volumes.ext4`) or FAT (:mod:`bootkit.system.volumes.fat`).
Nothing above this module knows which it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

Progress = Callable[[int], None]
"""Called with the bytes done so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStat:
    name: str
    is_dir: bool
    size: int = 0
    mtime_ns: int = 0


class Volume(Protocol):
    """A data partition. Paths are absolute, with slashes; parents of what is written are made.

    Every writing method is atomic for a reader of the path: the old file or the new one, never a part.
    """

    @property
    def filesystem(self) -> str:
        """As the kernel spells it: ``ext4``, ``vfat``, ``exfat``, ``ntfs``, ``btrfs``."""
        ...

    @property
    def uuid(self) -> str:
        """The file system's UUID, spelled as udev spells it."""
        ...

    @property
    def where(self) -> str:
        """For messages: the mount point, or the image file or device."""
        ...

    def listdir(self, path: str) -> tuple[FileStat, ...]:
        """The members of a folder, sorted by name; empty if it is not there."""
        ...

    def stat(self, path: str) -> FileStat | None: ...

    def open(self, path: str) -> BinaryIO:
        """A file for reading, seekable."""
        ...

    def write(self, path: str, content: bytes) -> None: ...

    def receive(self, path: str, size: int, chunks: Iterable[bytes]) -> None:
        """Take a big file of ``size`` bytes: room is set aside first, and no part of it becomes a hole."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file of that name is replaced."""
        ...

    def remove(self, path: str) -> None: ...

    def free(self) -> int:
        """Bytes that can still be written."""
        ...

    def drop_cache(self, path: str) -> None:
        """Make the next reading of ``path`` come from the medium, not from memory."""
        ...

    def flush(self) -> None:
        """Return when everything written is on the medium."""
        ...
