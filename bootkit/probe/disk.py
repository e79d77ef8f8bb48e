"""The image of a disk with an installed system: which partition is its root, and what that mounts where.

Nothing is mounted: the file systems are read in the file. Source: fstab(5); of the Discoverable Partitions Specification
(uapi-group.org) where the partitions for booting are that fstab does not name; a root is found by its files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from bootkit.bootcfg.fstab import FstabEntry, parse_fstab
from bootkit.errors import FormatError
from bootkit.formats.btrfs import Btrfs
from bootkit.formats.ext4 import Ext4, read_superblock
from bootkit.formats.fat import Fat
from bootkit.formats.mounts import MountedTree, TreeMount
from bootkit.formats.partitions import PartitionEntry, read_partitions
from bootkit.formats.reader import Window, size_of
from bootkit.formats.signatures import filesystem_at
from bootkit.formats.tree import Tree
from bootkit.formats.unified import UnifiedTree, find_sections
from bootkit.formats.xfs import Xfs
from bootkit.model.filesystem import BTRFS, EXT4, VFAT, XFS
from bootkit.model.iso import FileKind, IsoFacts, IsoPartition
from bootkit.model.places import TYPE_ESP, TYPE_XBOOTLDR
from bootkit.values import dataclass

_FSTAB = "/etc/fstab"
_FSTAB_LIMIT = 64 << 10
_FOLDERS = ("/boot", "/boot/efi", "/efi", "/usr")
"""Where what matters for a boot may lie on a partition of its own."""
_FOUND_BY_TYPE = ((TYPE_XBOOTLDR, "/boot"), (TYPE_ESP, "/efi"))
"""Where systemd mounts what fstab does not name."""
_SIGNS_OF_A_ROOT = (_FSTAB, "/etc/os-release", "/usr/lib/os-release")
_SUBVOLUMES_LIMIT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A partition whose file system can be read."""

    row: PartitionEntry
    tree: Ext4 | Fat | Btrfs | Xfs
    uuid: str
    label: str
    subvolume: str = ""
    """Of a btrfs: the path of what ``tree`` shows, in the subvolume that holds all."""


def read_system(fh: BinaryIO, facts: IsoFacts) -> tuple[Tree, IsoFacts] | None:
    """The tree of the system that is installed on the disk in ``fh``, and what is known of it; ``None`` if none is seen.

    A root that cannot be read (LUKS, LVM) is no obstacle here where its ``/boot`` has a partition of its own.
    """
    rows = read_partitions(fh).partitions or (_whole(fh),)
    kinds = {row.number: filesystem_at(fh, row.start) for row in rows}
    parts = tuple(part for row in rows for part in _read_parts(fh, row, kinds[row.number]))
    mounts = _mounts(parts)
    if not mounts:
        return None
    tree = MountedTree({folder: TreeMount(tree=part.tree, offset=part.row.start) for folder, part in mounts.items()})
    sections = {path: place for folder in mounts for path, place in find_sections(tree, folder).items()}
    root = mounts.get("/")
    found = replace(
        facts,
        kind=FileKind.SYSTEM,
        filesystem=kinds[root.row.number] if root is not None else "none",
        volume_id=root.label if root is not None else "",
        uuid=root.uuid if root is not None else "",
        partitions=tuple(_told(row, kinds[row.number]) for row in rows if row.number),
        mounts={folder: part.row.number for folder, part in mounts.items()},
        subvolumes={folder: part.subvolume for folder, part in mounts.items() if part.subvolume},
        sections=sections,
    )
    return UnifiedTree(tree, sections) if sections else tree, found


def waiting_journals(fh: BinaryIO) -> tuple[int, ...]:
    """The partitions of the disk in ``fh`` whose ext4 was not unmounted; 0 is the disk as a whole."""
    try:
        rows = read_partitions(fh).partitions or (_whole(fh),)
        return tuple(row.number for row in rows if _has_waiting_journal(fh, row))
    except FormatError:
        return ()


def _has_waiting_journal(fh: BinaryIO, row: PartitionEntry) -> bool:
    is_ext4 = filesystem_at(fh, row.start) == EXT4.name
    return is_ext4 and read_superblock(Window(fh, row.start, row.size)).has_waiting_journal


def _whole(fh: BinaryIO) -> PartitionEntry:
    """A disk without a table of partitions."""
    return PartitionEntry(number=0, scheme="", type="", start=0, size=size_of(fh))


def _told(row: PartitionEntry, kind: str) -> IsoPartition:
    return IsoPartition(
        number=row.number, scheme=row.scheme, type=row.type, start=row.start, size=row.size, filesystem=kind
    )


def _read_parts(fh: BinaryIO, row: PartitionEntry, kind: str) -> Iterator[_Part]:
    """What can be mounted of a partition: of a btrfs what is by default, then what else may be a root."""
    window = Window(fh, row.start, row.size)
    try:
        match kind:
            case EXT4.name:
                ext4 = Ext4(window)
                yield _Part(row=row, tree=ext4, uuid=ext4.superblock.uuid, label=ext4.superblock.label)
            case VFAT.name:
                fat = Fat(window)
                yield _Part(row=row, tree=fat, uuid=fat.uuid, label=fat.label)
            case XFS.name:
                xfs = Xfs(window)
                yield _Part(row=row, tree=xfs, uuid=xfs.superblock.uuid, label=xfs.superblock.label)
            case BTRFS.name:
                yield from _read_subvolumes(window, row)
            case _:
                pass
    except FormatError:
        return


def _read_subvolumes(window: Window, row: PartitionEntry) -> Iterator[_Part]:
    top = Btrfs(window)
    default = top.default_subvolume()
    others = (entry.name for entry in (top.listdir("/") or ())[:_SUBVOLUMES_LIMIT] if entry.is_dir)
    for name in dict.fromkeys((default, *others)):
        yield _Part(
            row=row, tree=Btrfs(window, name), uuid=top.superblock.uuid, label=top.superblock.label, subvolume=name
        )


def _mounts(parts: Sequence[_Part]) -> dict[str, _Part]:
    roots = [part for part in parts if any(_has(part, path) for path in _SIGNS_OF_A_ROOT)]
    if not roots:
        boot = next((part for part in parts if not isinstance(part.tree, Fat) and _has_kernels(part)), None)
        return {} if boot is None else {"/boot": boot}
    root = max(roots, key=lambda part: (_has(part, _FSTAB), _names_itself(part)))
    named = dict(_below(root, parts))
    return {"/": root, **named, **dict(_found_by_type(parts, named))}


def _below(root: _Part, parts: Sequence[_Part]) -> Iterator[tuple[str, _Part]]:
    """What the root's fstab mounts where files for a boot may lie."""
    for entry in _fstab(root):
        part = next((part for part in parts if part is not root and _is_meant(entry, part)), None)
        if part is not None and entry.folder in _FOLDERS:
            yield entry.folder, part


def _fstab(root: _Part) -> tuple[FstabEntry, ...]:
    return parse_fstab(root.tree.read(_FSTAB, _FSTAB_LIMIT).decode("utf-8", "replace")) if _has(root, _FSTAB) else ()


def _names_itself(part: _Part) -> bool:
    """Whether what it mounts at / is this; of a btrfs other subvolumes may be copies of it."""
    return any(entry.folder == "/" and _is_meant(entry, part) for entry in _fstab(part))


def _found_by_type(parts: Sequence[_Part], named: Mapping[str, _Part]) -> Iterator[tuple[str, _Part]]:
    taken = {part.row.number for part in named.values()}
    for kind, folder in _FOUND_BY_TYPE:
        part = next((part for part in parts if part.row.type == kind and part.row.number not in taken), None)
        if part is not None and folder not in named:
            yield folder, part


def _is_meant(entry: FstabEntry, part: _Part) -> bool:
    if part.subvolume != next((one.partition("=")[2] for one in entry.options if one.startswith("subvol=")), "").strip(
        "/"
    ):
        return False
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
