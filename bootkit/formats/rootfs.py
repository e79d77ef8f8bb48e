"""The root file system of a live system, in a file: opened in whatever layers it comes, and asked for single files.

Source for the layers: dracut-ng 112, modules.d/70dmsquash-live/dmsquash-live-root.sh (``LiveOS/rootfs.img``, and
``ext3fs.img`` before 110); for the order of os-release: os-release(5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO

from bootkit.errors import FormatError
from bootkit.formats.compression import Budget
from bootkit.formats.erofs import Erofs
from bootkit.formats.ext4 import Ext4
from bootkit.formats.kmodules import (
    LIST_LIMIT,
    aliases,
    builtin_drivers,
    compressions,
    dependencies,
    displays,
    module_name,
    softdeps,
    usual_charset,
)
from bootkit.formats.reader import read_upto
from bootkit.formats.squashfs import Squashfs
from bootkit.formats.tree import Entry, Tree
from bootkit.model.initrd import CHARSET_MODULES, DRIVERS, UNPACKERS, KernelModules, RootFacts
from bootkit.values import dataclass

_INNER = ("/LiveOS/rootfs.img", "/LiveOS/ext3fs.img")
_OS_RELEASE = ("/usr/lib/os-release", "/etc/os-release")
_OS_RELEASE_LIMIT = 64 << 10
_MODULES = ("/usr/lib/modules", "/lib/modules")
_OUTPUT_LIMIT = 2 << 30
"""Bytes that are unpacked to know a root: of a real one 200 MiB at most, where an ext4 lies in large blocks of xz."""
_TIME_LIMIT = 30.0
_KERNEL_LIMIT = 16
"""Kernels in one root; live systems have one or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """An opened root file system; its file stays the caller's."""

    tree: Tree
    filesystem: str
    compression: str = ""
    inner: str = ""


def open_root(fh: BinaryIO, *, budget: Budget | None = None) -> Root:
    """The root file system in ``fh``: a squashfs, an EROFS, an ext4, or an ext4 in a squashfs.

    Raises:
        FormatError: it is something else, or damaged.
    """
    start = read_upto(fh, 0, 2048)
    if start.startswith(b"hsqs"):
        squashfs = Squashfs(fh, budget=budget)
        root = Root(tree=squashfs, filesystem="squashfs", compression=squashfs.superblock.compression)
        inner = next((path for path in _INNER if squashfs.find(path) is not None), "")
        return replace(root, tree=Ext4(squashfs.open(inner)), inner=inner) if inner else root
    if start[1024:1028] == b"\xe2\xe1\xf5\xe0":
        erofs = Erofs(fh)
        return Root(tree=erofs, filesystem="erofs", compression="+".join(erofs.compressions))
    if start[1080:1082] == b"\x53\xef":
        return Root(tree=Ext4(fh), filesystem="ext4")
    raise FormatError("it is no squashfs, EROFS or ext4 image")


def read_root(fh: BinaryIO, size: int) -> RootFacts:
    """What the root file system of ``size`` bytes in ``fh`` tells; what cannot be read is left out, with a warning."""
    try:
        root = open_root(fh, budget=Budget(output=_OUTPUT_LIMIT, seconds=_TIME_LIMIT))
    except FormatError as error:
        return RootFacts(size=size, warnings=(f"the root file system cannot be read: {error.message}",))
    reader = _RootReader(root.tree)
    os_release = next(filter(None, (reader.text(path, _OS_RELEASE_LIMIT) for path in _OS_RELEASE)), "")
    kernels = reader.kernels()
    return RootFacts(
        size=size,
        filesystem=root.filesystem,
        compression=root.compression,
        inner=root.inner,
        os_release=os_release,
        kernels=kernels,
        warnings=tuple(dict.fromkeys((*reader.warnings, *root.tree.warnings))),
    )


class _RootReader:
    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.warnings: list[str] = []

    def text(self, path: str, limit: int) -> str:
        """The text of a file; empty if it is not there."""
        try:
            return self._tree.read(path, limit).decode("utf-8", "replace") if self._has(path) else ""
        except FormatError as error:
            self.warnings.append(f"{path} cannot be read: {error.message}")
            return ""

    def _listed(self, path: str) -> Sequence[Entry]:
        try:
            return self._tree.listdir(path) or ()
        except FormatError as error:
            self.warnings.append(f"{path} cannot be looked into: {error.message}")
            return ()

    def kernels(self) -> dict[str, KernelModules]:
        # With merged directories both are the same: the first that has something counts.
        for folder in _MODULES:
            versions = [entry.name for entry in self._listed(folder) if entry.is_dir]
            if versions:
                found = {version: self._modules(f"{folder}/{version}") for version in sorted(versions)[:_KERNEL_LIMIT]}
                return {version: modules for version, modules in found.items() if modules != KernelModules()}
        return {}

    def _modules(self, folder: str) -> KernelModules:
        listed = list(dependencies(self.text(f"{folder}/modules.dep", LIST_LIMIT)))
        lies_at: dict[str, str] = {}
        for path, needed in listed:
            lies_at.update((module_name(word), _absolute(folder, word)) for word in (path, *needed))
        if not listed:
            lies_at = self._searched(folder)
        there = {name: path for name, path in lies_at.items() if self._has(path)}
        builtin = self.text(f"{folder}/modules.builtin", LIST_LIMIT)
        return KernelModules(
            modules=tuple(sorted(there)),
            builtin=builtin_drivers(builtin) if builtin else None,
            depends={module_name(path): tuple(module_name(word) for word in needed) for path, needed in listed},
            aliases=aliases(self.text(f"{folder}/modules.alias", LIST_LIMIT)),
            displays=displays(builtin),
            charsets={name: charset for name, path in there.items() if (charset := self._charset(name, path))},
            unpacks=self._unpacks(there),
            softdeps=softdeps(self.text(f"{folder}/modules.softdep", LIST_LIMIT)),
            paths={name: path for name, path in there.items() if self._is_readable(path)},
        )

    def _charset(self, name: str, path: str) -> str:
        return usual_charset(self._module(path)) if name in CHARSET_MODULES else ""

    def _unpacks(self, there: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        found = {name: compressions(self._module(there[name])) for name in sorted(UNPACKERS & there.keys())}
        return {name: names for name, names in found.items() if names}

    def _module(self, path: str) -> bytes:
        """The content of a module; empty where only its name is known."""
        try:
            return self._tree.read(path, LIST_LIMIT)
        except FormatError:
            return b""

    def _searched(self, folder: str) -> dict[str, str]:
        """Where the drivers lie in a kernel's folder that depmod has not seen yet."""
        parents = [f"{folder}/kernel/drivers/block"]
        parents += [f"{folder}/kernel/fs/{entry.name}" for entry in self._listed(f"{folder}/kernel/fs")]
        paths = [f"{parent}/{entry.name}" for parent in parents for entry in self._listed(parent)]
        return {module_name(path): path for path in paths if module_name(path) in DRIVERS}

    def _is_readable(self, path: str) -> bool:
        """Whether its first byte can be had, at least: names may be known where contents are not."""
        try:
            return bool(self._tree.read(path, 1))
        except FormatError:
            return False

    def _has(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return any(entry.name == name and not entry.is_dir for entry in self._listed(folder))


def _absolute(folder: str, path: str) -> str:
    # depmod before kmod wrote absolute paths.
    return path if path.startswith("/") else f"{folder}/{path}"
