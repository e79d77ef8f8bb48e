"""What is known of one image, and the view through which detectors look at it.

A detector pulls what it needs (:class:`IsoView`); reading is lazy, and whatever was read is recorded. The record is
:class:`IsoFacts`: as JSON it is what ``bootkit inspect --json`` prints, what a bug report needs, what the stick's cache
keeps, and what a test's fixture holds. :class:`RecordedIso` is the same view over a record.
"""

import abc
import fnmatch
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TypeVar

from bootkit.model.efi import EfiFacts
from bootkit.model.initrd import InitrdFacts, RootFacts
from bootkit.model.kernel import KernelFacts
from bootkit.model.places import TYPE_ESP
from bootkit.values import dataclass

_Facts = TypeVar("_Facts", InitrdFacts, KernelFacts, RootFacts)

TEXT_LIMIT = 64 << 10
"""Bytes of one text file that are read at most: the largest boot menus met are below 40 KiB."""


class FileKind(StrEnum):
    """What an image file is, by its first bytes."""

    ISO = "iso"
    EFI = "efi"
    """An EFI application."""
    LINUX = "linux"
    """A program with Linux's boot header; an EFI application as well if ``cpu`` is known."""
    WIM = "wim"
    FLOPPY = "floppy"
    DISK = "disk"
    """With a boot sector, and larger than a floppy."""
    SYSTEM = "system"
    """A disk with an installed system: its tree is put together of its partitions as that system mounts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElToritoEntry:
    """One entry of the El Torito boot catalogue."""

    platform: str
    """``bios``, ``efi``, ``ppc``, ``mac`` or the number in hex."""
    emulation: str
    """``none``, ``1.2M``, ``1.44M``, ``2.88M`` or ``harddisk``."""
    lba: int
    """Where the boot image begins, in sectors of 2048 bytes."""
    size: int
    """Bytes of the boot image as far as the catalogue (or, for a FAT image, its own superblock) tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoPartition:
    """One row of the MBR or GPT that a hybrid image carries beside its ISO9660 volume."""

    number: int
    scheme: str
    """``mbr`` or ``gpt``."""
    type: str
    """MBR: two hex digits. GPT: the type GUID in upper case."""
    start: int
    """Bytes from the start of the image."""
    size: int
    filesystem: str = ""
    """What lies there, as blkid calls it: asked of disks only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A directory member: ``size`` in bytes, or ``None`` for a directory."""

    name: str
    size: int | None

    @property
    def is_dir(self) -> bool:
        return self.size is None


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoFacts:
    """Everything that was read out of one image, before anyone has an opinion."""

    name: str
    """The file's name, without its folder."""
    size: int
    filesystem: str = "iso9660"
    """What the tree was read from: ``iso9660``, ``rock_ridge``, ``joliet`` or ``udf``; ``vfat`` or ``none`` for what is
    no ISO file."""
    kind: FileKind = FileKind.ISO
    cpu: str = ""
    """What an EFI application runs on: ``x86_64``, ``i686``, ``aarch64``."""
    banner: str = ""
    """What a program calls itself."""
    volume_id: str = ""
    """From the primary volume descriptor; what udev shows as the label."""
    joliet_volume_id: str = ""
    uuid: str = ""
    """As udev shows it: ``2024-08-27-15-33-07-00`` from the PVD's modification stamp, else its creation stamp; 16 hex
    digits of UDF's where the image has both."""
    system_id: str = ""
    application_id: str = ""
    publisher_id: str = ""
    el_torito: tuple[ElToritoEntry, ...] = ()
    partitions: tuple[IsoPartition, ...] = ()
    mounts: dict[str, int] = field(default_factory=dict[str, int])
    """Of a disk with an installed system: the number of the partition that is mounted at a folder; 0 is all of the disk."""
    subvolumes: dict[str, str] = field(default_factory=dict[str, str])
    """What is mounted there of a btrfs, by the same folders: the path in the subvolume that holds all."""
    sections: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """Files of an installed system that are sections of a unified kernel image, whose path is theirs without the last suffix:
    offset and bytes in it."""
    dirs: dict[str, tuple[Node, ...]] = field(default_factory=dict[str, tuple[Node, ...]])
    """Each directory that somebody looked into, whole. ``efi:/...`` are directories of the FAT image for UEFI."""
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """Each small text file that somebody read; at most ``TEXT_LIMIT`` bytes of it."""
    kernels: dict[str, KernelFacts] = field(default_factory=dict[str, KernelFacts])
    """Each kernel whose headers somebody read, by its path."""
    initrds: dict[str, InitrdFacts] = field(default_factory=dict[str, InitrdFacts])
    """Each initrd that somebody looked into, by its path."""
    roots: dict[str, RootFacts] = field(default_factory=dict[str, RootFacts])
    """Each image of a root file system that somebody looked into, by its path."""
    missing: int = 0
    """Bytes that the volume claims behind the end of the file, and that are no padding: an incomplete download."""
    warnings: tuple[str, ...] = ()
    """Recoverable oddities of the image, in the user's words."""

    def on_partition(self, path: str) -> tuple[str, str]:
        """GRUB's name for the partition that ``path`` lies on (``gpt3``; empty is all of the disk), and the path there."""
        folder = max((folder for folder in self.mounts if _is_below(path, folder)), key=len, default="/")
        number = self.mounts.get(folder, 0)
        scheme = next((row.scheme for row in self.partitions if row.number == number), "")
        device = f"{'msdos' if scheme == 'mbr' else scheme}{number}" if number else ""
        inner = path if folder == "/" else path.removeprefix(folder)
        return device, f"/{self.subvolumes[folder]}{inner}" if folder in self.subvolumes else inner

    @property
    def oddities(self) -> tuple[str, ...]:
        """The warnings without those that ``missing`` stands for."""
        of_missing = ("the file is not complete", "an incomplete download")
        return tuple(one for one in self.warnings if not (self.missing and any(text in one for text in of_missing)))

    @property
    def shims(self) -> Mapping[str, EfiFacts]:
        """The files among those that were looked into that are shims."""
        found = {path: kernel.efi for path, kernel in self.kernels.items()}
        return {path: efi for path, efi in found.items() if efi is not None and efi.shim is not None}

    @property
    def cpus(self) -> tuple[str, ...]:
        """What its kernels are for, as far as somebody read them."""
        return tuple(sorted({kernel.cpu for kernel in self.kernels.values()}))

    @property
    def packed_by(self) -> tuple[str, ...]:
        """By what its initrds are compressed, as far as somebody looked into them."""
        segments = (segment for initrd in self.initrds.values() for segment in initrd.segments)
        return tuple(sorted({segment.compression for segment in segments}))

    @property
    def efi_image(self) -> tuple[int, int] | None:
        """Offset and size of the FAT image for UEFI, which ``efi:/`` paths lie in; ``None`` if there is none."""
        entries = [(entry.lba * 2048, entry.size) for entry in self.el_torito if entry.platform == "efi" and entry.size]
        esps = [(row.start, row.size) for row in self.partitions if row.type in ("EF", "ef", TYPE_ESP)]
        return next(iter((*entries, *esps)), None)


def _is_below(path: str, folder: str) -> bool:
    return folder == "/" or path.startswith(f"{folder}/")


class NotRecorded(LookupError):
    """A recorded image was asked for something that nobody had looked at when it was recorded."""


class IsoView(abc.ABC):
    """A read-only look into one image.

    Paths are absolute, with slashes. Names are found whatever their case, because plain ISO9660 has capitals only, and
    answers carry the spelling of the image. A path that begins with ``efi:/`` lies in the image's FAT partition for
    UEFI (El Torito EFI entry), where some distributions keep their only boot menu.
    """

    @property
    @abc.abstractmethod
    def facts(self) -> IsoFacts:
        """The record of all that was read so far."""

    @abc.abstractmethod
    def _listdir(self, path: str) -> tuple[Node, ...] | None:
        """The members of the directory ``path`` (in the image's own spelling), ``None`` if it is not there."""

    @abc.abstractmethod
    def _text(self, path: str) -> str:
        """The text of the file ``path`` (in the image's own spelling), which is there."""

    @abc.abstractmethod
    def _kernel(self, path: str) -> KernelFacts:
        """What the kernel ``path`` (in the image's own spelling) says of itself, which is there."""

    @abc.abstractmethod
    def _initrd(self, path: str) -> InitrdFacts:
        """What the initrd ``path`` (in the image's own spelling) holds, which is there."""

    @abc.abstractmethod
    def _root(self, path: str) -> RootFacts:
        """What the root file system ``path`` (in the image's own spelling) holds, which is there."""

    @property
    def name(self) -> str:
        return self.facts.name

    @property
    def size(self) -> int:
        return self.facts.size

    @property
    def volume_id(self) -> str:
        return self.facts.volume_id

    @property
    def uuid(self) -> str:
        return self.facts.uuid

    def listdir(self, path: str) -> tuple[Node, ...]:
        """The members of a directory, in the image's order; empty if there is no such directory."""
        found = self._locate(path)
        if found is None or (found[1] is not None and not found[1].is_dir):
            return ()
        return self._listdir(found[0]) or ()

    def exists(self, path: str) -> bool:
        return self._locate(path) is not None

    def is_dir(self, path: str) -> bool:
        found = self._locate(path)
        return found is not None and (found[1] is None or found[1].is_dir)

    def is_file(self, path: str) -> bool:
        found = self._locate(path)
        return found is not None and found[1] is not None and not found[1].is_dir

    def file_size(self, path: str) -> int:
        """Bytes of a file; 0 if it is not there."""
        found = self._locate(path)
        return found[1].size or 0 if found is not None and found[1] is not None else 0

    def text(self, path: str) -> str:
        """The text of a small file, at most ``TEXT_LIMIT`` bytes of it; empty if it is not there."""
        return self._text(self.spelled(path)) if self.is_file(path) else ""

    def kernel(self, path: str) -> KernelFacts | None:
        """What a kernel's headers say, ``None`` if it is not there."""
        return self._kernel(self.spelled(path)) if self.is_file(path) else None

    def initrd(self, path: str) -> InitrdFacts | None:
        """What an initrd holds, ``None`` if it is not there. It is unpacked: this may take a second, or 30 at worst."""
        return self._initrd(self.spelled(path)) if self.is_file(path) else None

    def root(self, path: str) -> RootFacts | None:
        """What a root file system in a file holds, ``None`` if there is no such file. Costs a few reads."""
        return self._root(self.spelled(path)) if self.is_file(path) else None

    def spelled(self, path: str) -> str:
        """``path`` as the image spells it; ``path`` itself if it is not there."""
        found = self._locate(path)
        return found[0] if found is not None else path

    def glob(self, pattern: str) -> tuple[str, ...]:
        """The paths that match ``pattern``, whose components may hold ``*``, ``?`` and ``[...]``; sorted.

        Reads only the directories on the way: ``/live/vmlinuz*`` costs two.
        """
        root, parts = _split(pattern)
        return tuple(sorted(self._glob(root, parts)))

    def _glob(self, directory: str, parts: tuple[str, ...]) -> Iterator[str]:
        if not parts:
            yield directory
            return
        wanted = parts[0].lower()
        for node in self._listdir(directory) or ():
            if (len(parts) == 1 or node.is_dir) and _matches(node.name.lower(), wanted):
                yield from self._glob(_join(directory, node.name), parts[1:])

    @cached_property
    def _located(self) -> dict[str, tuple[str, Node | None] | None]:
        """The answers of :meth:`_locate`: dozens of detectors ask for the same places."""
        return {}

    def _locate(self, path: str) -> tuple[str, Node | None] | None:
        """The path in the image's spelling and its node (``None`` for a root), or ``None`` if it is not there."""
        if path not in self._located:
            self._located[path] = self._look_up(path)
        return self._located[path]

    def _look_up(self, path: str) -> tuple[str, Node | None] | None:
        directory, parts = _split(path)
        if not parts:
            return (directory, None) if self._listdir(directory) is not None else None
        node: Node | None = None
        for part in parts:
            if node is not None and not node.is_dir:
                return None
            members = self._listdir(directory)
            node = _member(members or (), part)
            if node is None:
                return None
            directory = _join(directory, node.name)
        return directory, node


class RecordedIso(IsoView):
    """The view over a record: a cached image, or a fixture.

    Raises:
        NotRecorded: the answer is unknown, because the record lacks a directory or a text that the image has.
    """

    def __init__(self, facts: IsoFacts) -> None:
        self._facts = facts

    @property
    def facts(self) -> IsoFacts:
        return self._facts

    def _listdir(self, path: str) -> tuple[Node, ...] | None:
        members = self._facts.dirs.get(path)
        if members is None and path != "efi:/":
            raise NotRecorded(f"{self._facts.name}: nobody listed {path}; record it again: bootkit inspect --json")
        return members

    def _text(self, path: str) -> str:
        try:
            return self._facts.texts[path]
        except KeyError:
            raise NotRecorded(
                f"{self._facts.name}: nobody read {path}; record it again: bootkit inspect --json"
            ) from None

    def _kernel(self, path: str) -> KernelFacts:
        return self._recorded(self._facts.kernels, path)

    def _initrd(self, path: str) -> InitrdFacts:
        return self._recorded(self._facts.initrds, path)

    def _root(self, path: str) -> RootFacts:
        return self._recorded(self._facts.roots, path)

    def _recorded(self, facts: Mapping[str, _Facts], path: str) -> _Facts:
        found = facts.get(path)
        if found is None:
            raise NotRecorded(f"{self._facts.name}: nobody looked into {path}; check it again: bootkit check")
        return found


@lru_cache(maxsize=4096)
def _split(path: str) -> tuple[str, tuple[str, ...]]:
    """Where a path begins, and its names: detectors ask each image for the same."""
    prefix = "efi:/" if path.startswith("efi:/") else "/"
    parts = posixpath.normpath("/" + path.removeprefix("efi:")).strip("/").split("/")
    return prefix, tuple(part for part in parts if part)


def _matches(name: str, pattern: str) -> bool:
    """As ``fnmatch`` does. Most patterns have stars and nothing else, and need no regular expression to be compiled."""
    if "?" in pattern or "[" in pattern:
        return fnmatch.fnmatchcase(name, pattern)
    first, *parts = pattern.split("*")
    if not parts:
        return name == pattern
    *parts, last = parts
    start, end = len(first), len(name) - len(last)
    if start > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for part in parts:
        found = name.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True


def _join(directory: str, name: str) -> str:
    return directory + name if directory.endswith("/") else f"{directory}/{name}"


def _member(members: tuple[Node, ...], name: str) -> Node | None:
    exact = next((node for node in members if node.name == name), None)
    return exact or next((node for node in members if node.name.lower() == name.lower()), None)
