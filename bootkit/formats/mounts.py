"""Several file systems of one disk as one tree, each mounted in a folder of another."""

from collections.abc import Mapping, Sequence

from bootkit.errors import FormatError
from bootkit.formats.reader import Extent, TreeFile
from bootkit.formats.tree import Entry, Tree
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeMount:
    tree: Tree
    offset: int
    """Bytes from the start of the disk."""


class MountedTree:
    """The tree that a system sees. Symbolic links are followed inside a file system, not from one into another."""

    def __init__(self, mounts: Mapping[str, TreeMount]) -> None:
        """``mounts`` are by their folders; without ``/`` the root shows nothing but the way to them."""
        self._mounts = dict(mounts)

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(warning for mount in self._mounts.values() for warning in mount.tree.warnings)

    def listdir(self, path: str) -> Sequence[Entry] | None:
        mount, inner = self._at(path)
        members = mount.tree.listdir(inner) if mount is not None else None
        below = {
            folder[len(path.rstrip("/")) + 1 :].partition("/")[0] for folder in self._mounts if _leads_to(path, folder)
        }
        # a folder that something is mounted in may not be there yet
        missing = sorted(below - {"", *(member.name for member in members or ())})
        return (*(members or ()), *(Entry(name=name, is_dir=True) for name in missing)) if missing else members

    def extents(self, path: str) -> tuple[Extent, ...]:
        mount, inner = self._file_at(path)
        return tuple(
            (None if start is None else start + mount.offset, length) for start, length in mount.tree.extents(inner)
        )

    def open(self, path: str) -> TreeFile:
        mount, inner = self._file_at(path)
        return mount.tree.open(inner)

    def read(self, path: str, limit: int) -> bytes:
        mount, inner = self._file_at(path)
        return mount.tree.read(inner, limit)

    def _file_at(self, path: str) -> tuple[TreeMount, str]:
        mount, inner = self._at(path)
        if mount is None:
            raise FormatError(f"there is no file {path}")
        return mount, inner

    def _at(self, path: str) -> tuple[TreeMount | None, str]:
        """What ``path`` lies on, and the path there."""
        fitting = [folder for folder in self._mounts if folder in ("/", path) or path.startswith(f"{folder}/")]
        if not fitting:
            return None, path
        folder = max(fitting, key=len)
        return self._mounts[folder], path if folder == "/" else path.removeprefix(folder) or "/"


def _leads_to(path: str, folder: str) -> bool:
    return folder.startswith(path if path.endswith("/") else f"{path}/")
