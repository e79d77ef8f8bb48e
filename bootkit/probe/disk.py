"""The image of a disk with an installed system: which partition is its root, and what that mounts where.

Nothing is mounted: the file systems are read in the file. Source: fstab(5); the Discoverable Partitions Specification
(uapi-group.org) is not needed, because what boots by it has a root that is found by its files, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from bootkit.bootcfg.fstab import FstabEntry, parse_fstab
from bootkit.errors import FormatError
from bootkit.formats.ext4 import Ext4
from bootkit.formats.fat import Fat
from bootkit.formats.mounts import MountedTree, TreeMount
from bootkit.formats.partitions import PartitionEntry, read_partitions
from bootkit.formats.reader import Window, size_of
from bootkit.formats.signatures import filesystem_at
from bootkit.formats.tree import Tree
from bootkit.model.filesystem import EXT4, VFAT
from bootkit.model.iso import FileKind, IsoFacts, IsoPartition
from bootkit.values import dataclass

_FSTAB = "/etc/fstab"
_FSTAB_LIMIT = 64 << 10
_FOLDERS = ("/boot", "/boot/efi", "/efi", "/usr")
"""Where what matters for a boot may lie on a partition of its own."""
_SIGNS_OF_A_ROOT = (_FSTAB, "/etc/os-release", "/usr/lib/os-release")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A partition whose file system can be read."""

    row: PartitionEntry
    tree: Ext4 | Fat

    @property
    def uuid(self) -> str:
        return self.tree.superblock.uuid if isinstance(self.tree, Ext4) else self.tree.uuid

    @property
    def label(self) -> str:
        return self.tree.superblock.label if isinstance(self.tree, Ext4) else self.tree.label


def read_system(fh: BinaryIO, facts: IsoFacts) -> tuple[Tree, IsoFacts] | None:
    """The tree of the system that is installed on the disk in ``fh``, and what is known of it; ``None`` if none is seen.

    A root that cannot be read (LUKS, LVM, btrfs, xfs) is no obstacle here where its ``/boot`` has a partition of its own.
    """
    rows = read_partitions(fh).partitions or (_whole(fh),)
    kinds = {row.number: filesystem_at(fh, row.start) for row in rows}
    parts = {row.number: part for row in rows if (part := _read_part(fh, row, kinds[row.number])) is not None}
    mounts = _mounts(parts)
    if not mounts:
        return None
    tree = MountedTree({folder: TreeMount(tree=part.tree, offset=part.row.start) for folder, part in mounts.items()})
    root = mounts.get("/")
    found = replace(
        facts,
        kind=FileKind.SYSTEM,
        filesystem=kinds[root.row.number] if root is not None else "none",
        volume_id=root.label if root is not None else "",
        uuid=root.uuid if root is not None else "",
        partitions=tuple(_told(row, kinds[row.number]) for row in rows if row.number),
        mounts={folder: part.row.number for folder, part in mounts.items()},
    )
    return tree, found


def _whole(fh: BinaryIO) -> PartitionEntry:
    """A disk without a table of partitions."""
    return PartitionEntry(number=0, scheme="", type="", start=0, size=size_of(fh))


def _told(row: PartitionEntry, kind: str) -> IsoPartition:
    return IsoPartition(
        number=row.number, scheme=row.scheme, type=row.type, start=row.start, size=row.size, filesystem=kind
    )


def _read_part(fh: BinaryIO, row: PartitionEntry, kind: str) -> _Part | None:
    window = Window(fh, row.start, row.size)
    try:
        if kind == EXT4.name:
            return _Part(row=row, tree=Ext4(window))
        return _Part(row=row, tree=Fat(window)) if kind == VFAT.name else None
    except FormatError:
        return None


def _mounts(parts: Mapping[int, _Part]) -> dict[str, _Part]:
    roots = [part for part in parts.values() if any(_has(part, path) for path in _SIGNS_OF_A_ROOT)]
    if not roots:
        boot = next((part for part in parts.values() if isinstance(part.tree, Ext4) and _has_kernels(part)), None)
        return {} if boot is None else {"/boot": boot}
    root = max(roots, key=lambda part: _has(part, _FSTAB))
    return {"/": root, **dict(_below(root, tuple(parts.values())))}


def _below(root: _Part, parts: Sequence[_Part]) -> Iterator[tuple[str, _Part]]:
    """What the root's fstab mounts where files for a boot may lie."""
    text = root.tree.read(_FSTAB, _FSTAB_LIMIT).decode("utf-8", "replace") if _has(root, _FSTAB) else ""
    for entry in parse_fstab(text):
        part = next((part for part in parts if part is not root and _is_meant(entry, part)), None)
        if part is not None and entry.folder in _FOLDERS:
            yield entry.folder, part


def _is_meant(entry: FstabEntry, part: _Part) -> bool:
    kind, _, value = entry.device.partition("=")
    match kind:
        case "UUID":
            return value.lower() == part.uuid.lower()
        case "LABEL":
            return value == part.label
        case "PARTUUID":
            return value.lower() == part.row.guid.lower()
        case "PARTLABEL":
            return value == part.row.name
        case path:
            # /dev/sda2, /dev/nvme0n1p2: which disk it was, nobody knows; this is the only one at hand
            return (
                path.startswith("/dev/")
                and path.endswith(str(part.row.number))
                and not path[: -len(str(part.row.number))][-1].isdecimal()
            )


def _has(part: _Part, path: str) -> bool:
    found = part.tree.find(path)
    return found is not None and not found.is_dir


def _has_kernels(part: _Part) -> bool:
    return any(entry.name.startswith("vmlinuz-") for entry in part.tree.listdir("/") or ())
