"""An ISO file as the view that detectors look through: reads what is asked for, and keeps the record."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from bootkit.errors import FormatError
from bootkit.formats.eltorito import fat_size, read_boot_catalog
from bootkit.formats.iso9660 import Iso9660, VolumeDescriptor, VolumeDescriptors, read_volume_descriptors
from bootkit.formats.partitions import PartitionEntry, read_partitions
from bootkit.formats.reader import HostFileIO, TreeFile, Window, read_upto, size_of
from bootkit.formats.tree import Tree
from bootkit.i18n import tr
from bootkit.model.initrd import InitrdFacts, RootFacts
from bootkit.model.iso import TEXT_LIMIT, ElToritoEntry, IsoFacts, IsoPartition, IsoView, Node
from bootkit.model.kernel import KernelFacts
from bootkit.units import format_size

if TYPE_CHECKING:
    from bootkit.formats.rootfs import Root
    from bootkit.formats.udf import Udf

PADDING = 150 * 2048
"""Bytes that mkisofs puts behind the last file; some images come without them and lack nothing."""
_EFI = "efi:"
# A stub holds one README that tells old systems to use UDF; Windows images have it alone in the root.
_STUB_LIMIT = 2

_NOT_AN_IMAGE = (
    (0, b"\x1f\x8b", "it is compressed: unpack it first: gunzip"),
    (0, b"\xfd7zXZ\0", "it is compressed: unpack it first: unxz"),
    (0, b"\x28\xb5\x2f\xfd", "it is compressed: unpack it first: unzstd"),
    (0, b"BZh", "it is compressed: unpack it first: bunzip2"),
    (0, b"PK\x03\x04", "it is a ZIP archive: unpack it first: unzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first: 7z x"),
    (0, b"hsqs", "it is a squashfs, which is only a part of a live system"),
    (0, b"<", "it seems to be a web page: the download went wrong"),
    (510, b"\x55\xaa", "it seems to be a disk image, which needs a stick of its own: sudo cp FILE /dev/sdX"),
)


class ImageView(IsoView):
    """One image, read lazily. Close it, or use it in a ``with`` statement; :func:`open_image` makes it."""

    def __init__(self, fh: BinaryIO, *, name: str, size: int) -> None:
        self._fh = fh
        self._warnings: list[str] = []
        descriptors = read_volume_descriptors(fh)
        self._tree, facts = _choose_tree(fh, descriptors, IsoFacts(name=name, size=size))
        claimed = max(0, (descriptors.pvd.size if descriptors.pvd else 0) - size)
        self.missing = claimed if claimed > PADDING or (claimed and _holds_files_behind(self._tree, size)) else 0
        """Bytes that the volume descriptor claims behind the end of the file, and that are no padding: an incomplete download."""
        if self.missing:
            self._warnings.append(f"the file is not complete: {format_size(self.missing)} are missing at its end")
            facts = replace(facts, missing=self.missing)
        self._partitions = self._read_partitions()
        self._base = replace(
            facts,
            el_torito=self._read_el_torito(descriptors.boot_catalog),
            partitions=facts.partitions or _rows(self._partitions),
        )
        self._efi: Tree | None = None
        self._efi_is_open = False
        self._dirs: dict[str, tuple[Node, ...]] = {}
        self._texts: dict[str, str] = {}
        self._kernels: dict[str, KernelFacts] = {}
        self._initrds: dict[str, InitrdFacts] = {}
        self._roots: dict[str, RootFacts] = {}
        self._record: IsoFacts | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._fh.close()

    @property
    def facts(self) -> IsoFacts:
        if self._record is None:
            found = (*self._warnings, *self._tree.warnings, *(self._efi.warnings if self._efi else ()))
            self._record = replace(
                self._base,
                dirs=dict(self._dirs),
                texts=dict(self._texts),
                kernels=dict(self._kernels),
                initrds=dict(self._initrds),
                roots=dict(self._roots),
                warnings=tuple(dict.fromkeys(found)),
            )
        return self._record

    def open(self, path: str) -> TreeFile:
        """A file of the image, seekable; names are found whatever their case.

        Raises:
            FormatError: it is not there; and, when it is read, the image ends before the file does.
        """
        spelled = self.spelled(path)
        tree, inner = self._tree_of(spelled)
        if tree is None or not self.is_file(path):
            raise FormatError(tr("{base} has no file {path}", base=self._base.name, path=path))
        return tree.open(inner)

    def read(self, path: str, limit: int) -> bytes:
        """The first ``limit`` bytes of a file.

        Raises:
            FormatError: it is not there, or the image ends before the file does.
        """
        with self.open(path) as file:
            return file.read(limit)

    def open_root(self, path: str) -> "Root":
        """The root file system in a file of the image, of which single files can then be read.

        Raises:
            FormatError: it is not there, or no root file system that bootkit reads.
        """
        from bootkit.formats.rootfs import open_root

        return open_root(self.open(path))

    def _kernel(self, path: str) -> KernelFacts:
        from bootkit.formats.kernel import read_kernel

        if path not in self._kernels:
            try:
                with self.open(path) as file:
                    self._kernels[path] = read_kernel(file, file.size)
            except FormatError as error:
                self._warnings.append(f"{path} cannot be read: {error.message}")
                self._kernels[path] = KernelFacts(size=self.file_size(path))
            self._record = None
        return self._kernels[path]

    def _initrd(self, path: str) -> InitrdFacts:
        from bootkit.detect.registry import markers, script_marks
        from bootkit.formats.initrd import read_initrd

        if path not in self._initrds:
            try:
                with self.open(path) as file:
                    self._initrds[path] = read_initrd(file, file.size, markers=markers(), scripts=script_marks())
            except FormatError as error:
                warning = f"the initrd cannot be read: {error.message}"
                self._initrds[path] = InitrdFacts(size=self.file_size(path), warnings=(warning,))
            self._record = None
        return self._initrds[path]

    def _root(self, path: str) -> RootFacts:
        from bootkit.formats.rootfs import read_root

        if path not in self._roots:
            try:
                with self.open(path) as file:
                    self._roots[path] = read_root(file, file.size)
            except FormatError as error:
                warning = f"the root file system cannot be read: {error.message}"
                self._roots[path] = RootFacts(size=self.file_size(path), warnings=(warning,))
            self._record = None
        return self._roots[path]

    def _listdir(self, path: str) -> tuple[Node, ...] | None:
        known = self._dirs.get(path)
        if known is not None:
            return known
        tree, inner = self._tree_of(path)
        entries = tree.listdir(inner) if tree is not None else None
        self._record = None
        if entries is None:
            return None
        nodes = tuple(Node(name=entry.name, size=None if entry.is_dir else entry.size) for entry in entries)
        self._dirs[path] = nodes
        return nodes

    def _text(self, path: str) -> str:
        known = self._texts.get(path)
        if known is None:
            try:
                known = self.read(path, TEXT_LIMIT).decode("utf-8", "replace")
            except FormatError as error:
                self._warnings.append(f"{path} cannot be read: {error.message}")
                known = ""
            self._texts[path] = known
            self._record = None
        return known

    def _tree_of(self, path: str) -> tuple[Tree | None, str]:
        if not path.startswith(_EFI):
            return self._tree, path
        if not self._efi_is_open:
            self._efi_is_open = True
            self._efi = self._open_efi()
        return self._efi, path.removeprefix(_EFI)

    def _open_efi(self) -> Tree | None:
        entries = [(entry.lba * 2048, entry.size) for entry in self._base.el_torito if entry.platform == "efi"]
        esps = [(partition.start, partition.size) for partition in self._partitions if partition.is_esp]
        for offset, size in (*entries, *esps):
            if not fat_size(read_upto(self._fh, offset, 512)):
                continue
            from bootkit.formats.fat import Fat

            try:
                return Fat(Window(self._fh, offset, size))
            except FormatError as error:
                self._warnings.append(f"the FAT image for UEFI cannot be read: {error.message}")
        return None

    def _read_partitions(self) -> tuple[PartitionEntry, ...]:
        table = read_partitions(self._fh)
        self._warnings.extend(table.warnings)
        rows = {(row.scheme, row.number): row for row in (*table.partitions, *table.mbr)}
        return tuple(rows.values())

    def _read_el_torito(self, boot_catalog: int | None) -> tuple[ElToritoEntry, ...]:
        if boot_catalog is None:
            return ()
        catalog = read_boot_catalog(self._fh, boot_catalog, partitions=self._partitions)
        self._warnings.extend(catalog.warnings)
        return catalog.entries


def open_image(source: Path | BinaryIO, *, name: str = "", size: int | None = None) -> ImageView:
    """A view on the image ``source``, which it owns from then on.

    ``name`` is wanted for an open file; ``size`` in bytes only where it is known better than by seeking.

    Raises:
        FormatError: it is not an ISO9660 or UDF image, nor a program or a disk; the hint says what it seems to be.
        HostError: the file cannot be opened.
    """
    if isinstance(source, Path):
        name = name or source.name
        # Unbuffered: every read has its own place and size, so a buffer would only read more.
        fh: BinaryIO = cast("BinaryIO", HostFileIO(source))
    else:
        fh = source
    try:
        return ImageView(fh, name=name, size=size_of(fh) if size is None else size)
    except BaseException:
        fh.close()
        raise


def _choose_tree(fh: BinaryIO, descriptors: VolumeDescriptors, facts: IsoFacts) -> tuple[Tree, IsoFacts]:
    """The tree to look at, and who the volume says it is: UDF where ISO9660 has no tree or only a stub."""
    iso = Iso9660(fh, descriptors) if descriptors.pvd is not None else None
    udf = _open_udf(fh, facts.name, may_fail=iso is not None) if descriptors.has_udf else None
    if iso is not None:
        facts = _with_descriptors(replace(facts, filesystem=iso.filesystem), iso.pvd, descriptors.joliet)
    if udf is not None:
        # libblkid asks UDF first, whichever of the two trees is the better one.
        facts = replace(facts, volume_id=facts.volume_id or udf.label, uuid=udf.uuid or facts.uuid)
        if iso is None or _is_stub(iso, udf):
            return udf, replace(facts, filesystem="udf")
    if iso is None:
        from bootkit.probe.bare import read_bare_file

        found = read_bare_file(fh, facts)
        if found is None:
            raise FormatError(tr("{facts} is not an ISO image", facts=facts.name), hint=_hint(fh))
        return found
    return iso, facts


def _with_descriptors(facts: IsoFacts, pvd: VolumeDescriptor, joliet: VolumeDescriptor | None) -> IsoFacts:
    return replace(
        facts,
        volume_id=pvd.volume_id,
        joliet_volume_id=joliet.volume_id if joliet is not None else "",
        uuid=pvd.uuid,
        system_id=pvd.system_id,
        application_id=pvd.application_id,
        publisher_id=pvd.publisher_id,
    )


def _open_udf(fh: BinaryIO, name: str, *, may_fail: bool) -> "Udf | None":
    from bootkit.formats.udf import Udf

    try:
        return Udf(fh)
    except FormatError as error:
        if may_fail:
            return None
        raise FormatError(tr("{name} cannot be read: {message}", name=name, message=error.message)) from error


def _holds_files_behind(tree: Tree, end: int) -> bool:
    folders, seen = ["/"], set[int]()
    for folder in folders:
        for entry in tree.listdir(folder) or ():
            path = f"{folder.rstrip('/')}/{entry.name}"
            if entry.is_dir and entry.ident not in seen:
                seen.add(entry.ident)
                folders.append(path)
            elif not entry.is_dir and not entry.is_link and _ends_behind(tree, path, end):
                return True
    return False


def _ends_behind(tree: Tree, path: str, end: int) -> bool:
    try:
        extents = tree.extents(path)
    except FormatError:
        return False
    return any(offset + length > end for offset, length in extents if offset is not None)


def _is_stub(iso: Tree, udf: Tree) -> bool:
    here, there = iso.listdir("/") or (), udf.listdir("/") or ()
    return len(here) <= _STUB_LIMIT and len(there) > len(here)


def _hint(fh: BinaryIO) -> str:
    start = read_upto(fh, 0, 512)
    if not start.strip(b"\0"):
        return "it is empty: the download went wrong"
    return next((hint for at, magic, hint in _NOT_AN_IMAGE if start.startswith(magic, at)), "")


def _rows(partitions: tuple[PartitionEntry, ...]) -> tuple[IsoPartition, ...]:
    return tuple(
        IsoPartition(number=row.number, scheme=row.scheme, type=row.type, start=row.start, size=row.size)
        for row in partitions
    )
