"""Look into an extension without mounting it.

Source: systemd 257, src/shared/extension-util.c and systemd-sysext(8); Linux 6.1, fs/squashfs/Kconfig.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from bootkit.bootcfg.osrelease import parse_os_release
from bootkit.errors import FormatError
from bootkit.formats.squashfs import Squashfs
from bootkit.model.extension import MACHINES, MERGED, RELEASE_FOLDER, Architecture, ExtensionFacts, Release

_TEXT_LIMIT = 64 << 10
_LOOKED_AT = 20
_PROGRAMS = ("/usr/bin", "/usr/sbin", "/usr/games", "/usr/local/bin", "/bin", "/sbin")
_MODULES = ("/usr/lib/modules", "/lib/modules")
_COMPRESSORS = {
    "lzma": "no Linux without foreign patches reads it",
    "lzo": "many kernels are built without it",
    "lz4": "many kernels are built without it",
}
"""gzip, xz and zstd are in the kernels of all live systems of today; zstd came with Linux 4.14."""


def read_extension(fh: BinaryIO, name: str) -> ExtensionFacts:
    """What the extension in a file called ``name`` is made of.

    Raises:
        FormatError: it is no squashfs, or damaged where it must not be.
    """
    tree = Squashfs(fh)
    stem = extension_stem(name)
    releases = [entry.name for entry in tree.listdir(RELEASE_FOLDER) or () if not entry.is_dir]
    own = f"extension-release.{stem}"
    chosen = own if own in releases else next((one for one in releases if one.startswith("extension-release.")), "")
    release = _release(tree, chosen) if chosen else None
    files = sum(1 for _, entry in tree.walk() if not entry.is_dir)
    kernels = _kernels(tree)
    programs = sorted(entry.name for folder in _PROGRAMS for entry in tree.listdir(folder) or () if not entry.is_dir)
    return ExtensionFacts(
        compression=tree.superblock.compression,
        release=release,
        files=files,
        folders=_folders(tree),
        programs=tuple(dict.fromkeys(programs)),
        kernels=kernels,
        problems=tuple(_problems(tree, name=stem, releases=releases, release=release)),
        notes=tuple(_notes(tree, has_release=release is not None, kernels=kernels)),
    )


def extension_stem(name: str) -> str:
    """The name without what follows it on the stick."""
    for suffix in (".raw", ".ExtensionImage", "ExtensionImage"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def machine_inside(fh: BinaryIO) -> Architecture | None:
    """What the programs in an extension are built for; ``None`` if it has none, or of no known machine."""
    return _machine_of_programs(Squashfs(fh))


def _release(tree: Squashfs, name: str) -> Release:
    said = parse_os_release(tree.read(f"{RELEASE_FOLDER}/{name}", _TEXT_LIMIT).decode("utf-8", "replace"))
    return Release(
        id=said.id,
        version_id=said.version_id,
        level=said.values.get("SYSEXT_LEVEL", ""),
        machine=said.values.get("ARCHITECTURE", ""),
    )


def _folders(tree: Squashfs) -> tuple[str, ...]:
    found: list[str] = []
    for entry in tree.listdir("/") or ():
        if entry.name == "usr":
            found += [f"usr/{below.name}" for below in tree.listdir("/usr") or ()]
        else:
            found.append(entry.name)
    return tuple(found)


def _problems(tree: Squashfs, *, name: str, releases: list[str], release: Release | None) -> Iterator[str]:
    compression = tree.superblock.compression
    if compression in _COMPRESSORS:
        yield f"it is packed with {compression}: {_COMPRESSORS[compression]}"
    if releases and f"extension-release.{name}" not in releases:
        yield f"its {releases[0]} has another name than the file: systemd-sysext wants extension-release.{name}"
    if release is not None and not release.id:
        yield "its extension-release has no ID: systemd-sysext refuses it"
    if tree.find("/usr/lib/os-release") is not None:
        yield "it has an usr/lib/os-release: systemd-sysext takes it for a whole system and refuses it"
    real = [
        entry.name for entry in tree.listdir("/") or () if entry.name in MERGED and entry.is_dir and not entry.is_link
    ]
    if real:
        yield (
            f"it has a real /{real[0]}, where systems have a link: bootkit lays it folder by folder, systemd-sysext leaves "
            "it out; bootkit ext create moves it below /usr"
        )
    machine = _machine_of_programs(tree)
    if release is not None and machine is not None and release.machine not in ("", "_any", machine.systemd):
        yield f"it says ARCHITECTURE={release.machine}, but its programs are for {machine.uname}"
    yield from tree.warnings


def _kernels(tree: Squashfs) -> tuple[str, ...]:
    found = {
        entry.name for folder in _MODULES for entry in tree.listdir(folder) or () if entry.is_dir and not entry.is_link
    }
    return tuple(sorted(found))


def _notes(tree: Squashfs, *, has_release: bool, kernels: tuple[str, ...]) -> Iterator[str]:
    if not has_release:
        yield "it does not say for which system it is, so it is laid over every one"
    if kernels:
        yield f"its kernel modules are for Linux {' and '.join(kernels)}, and for no other"
    tops = {entry.name for entry in tree.listdir("/") or ()}
    if "etc" in tops:
        yield "its /etc counts with bootkit, not with systemd-sysext alone"
    others = sorted(tops - {"usr", "opt", "etc", *MERGED})
    if others:
        yield f"its /{', /'.join(others)} counts with bootkit, not with systemd-sysext alone"


def _machine_of_programs(tree: Squashfs) -> Architecture | None:
    for folder in _PROGRAMS:
        for entry in (tree.listdir(folder) or ())[:_LOOKED_AT]:
            if entry.is_dir or entry.size < 20:
                continue
            try:
                head = tree.read(f"{folder}/{entry.name}", 20)
            except FormatError:
                continue
            if (machine := elf_machine(head)) is not None:
                return machine
    return None


def elf_machine(head: bytes) -> Architecture | None:
    """The machine of a program by its first 20 bytes."""
    if len(head) < 20 or head[:4] != b"\x7fELF":
        return None
    (number,) = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)
    return next((one for one in MACHINES if one.elf == number), None)
