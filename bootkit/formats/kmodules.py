"""The lists that depmod and the kernel's build leave in ``lib/modules/<version>``.

Source: kmod 30, modules.dep(5) and libkmod's modules.softdep; Linux 6.1, Documentation/kbuild/kbuild.rst for
``modules.builtin``, fs/squashfs and fs/erofs for the functions by which each compression is unpacked.
"""

import posixpath
import re
from collections.abc import Iterator

from bootkit.errors import FormatError
from bootkit.formats.compression import detect, unpack_block
from bootkit.model.initrd import CHECKSUMS, DRIVERS, UEFI_DISPLAYS

LIST_LIMIT = 4 << 20
"""Bytes of one list that are read at most; ``modules.dep`` of a whole Debian kernel has 500 KiB."""

_WHOLE = 50
"""Lines of a ``modules.builtin``: the smallest kernels that start a PC have some hundred."""
_MODULE_LIMIT = 8 << 20
"""Bytes of an unpacked driver; ntfs3 with all that helps debugging has 2 MiB."""
_CHARSETS = ("ascii", "iso8859-1", "cp437", "utf8")
"""utf8 comes last, because exFAT and NTFS have it among their options, too."""
_CALLS = {
    "gzip": (b"zlib_inflate",),
    "xz": (b"xz_dec_run", b"xz_dec_microlzma_run"),
    "lzo": (b"lzo1x_decompress_safe",),
    "lz4": (b"LZ4_decompress_safe", b"LZ4_decompress_safe_partial"),
    "zstd": (b"zstd_decompress_stream", b"ZSTD_decompressStream"),
}
"""Functions of the kernel, one of which a module calls that unpacks: the name of a compression is in it without as well."""
_SOFTDEP = re.compile(r"^softdep (\S+) pre: (.+)$", re.MULTILINE)
_ALIAS = re.compile(r"^alias fs-(\S+) (\S+)$", re.MULTILINE)
_SUFFIX = re.compile(r"\.ko(\.(gz|xz|zst|bz2|lzma|lz4))?$")


def module_name(path: str) -> str:
    """``nls_iso8859_1`` for ``kernel/fs/nls/nls_iso8859-1.ko.xz``; empty if it is no module."""
    base = posixpath.basename(path)
    match = _SUFFIX.search(base)
    return base[: match.start()].replace("-", "_") if match is not None else ""


def usual_charset(module: bytes) -> str:
    """The character set that a file system's driver (the file, as it lies in ``lib/modules``) loads unless told otherwise.

    ``CONFIG_FAT_DEFAULT_IOCHARSET`` and its kin are strings among the module's own. Empty if none is among them, or if
    the module cannot be unpacked.
    """
    content = _unpacked(module)
    return next((charset for charset in _CHARSETS if b"\0%s\0" % charset.encode() in content), "")


def compressions(module: bytes) -> tuple[str, ...]:
    """What a driver of ``UNPACKERS`` (the file, as it lies in ``lib/modules``) was made to unpack."""
    content = _unpacked(module)
    return tuple(name for name, calls in _CALLS.items() if any(call + b"\0" in content for call in calls))


def _unpacked(module: bytes) -> bytes:
    """The module; empty if it cannot be unpacked."""
    name = detect(module[:16])
    try:
        return unpack_block(name, module, _MODULE_LIMIT) if name else module
    except FormatError:
        return b""


def builtin_drivers(text: str) -> tuple[str, ...]:
    """Those of ``DRIVERS`` that ``modules.builtin`` names, sorted."""
    return tuple(sorted({module_name(line) for line in text.split("\n")} & DRIVERS))


def displays(text: str) -> tuple[str, ...] | None:
    """Those of ``UEFI_DISPLAYS`` that ``modules.builtin`` names, sorted; ``None`` if the list is too short to be whole."""
    lines = text.split("\n")
    return tuple(sorted(UEFI_DISPLAYS.intersection(map(module_name, lines)))) if len(lines) > _WHOLE else None


def dependencies(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The path and the paths of what must be inserted before it, for those of ``DRIVERS`` in ``modules.dep``.

    depmod writes the nearest dependency first, so the order of insertion is the other way round.
    """
    for line in text.split("\n"):
        path, colon, rest = line.partition(":")
        if colon and module_name(path) in DRIVERS:
            yield path, tuple(reversed(rest.split()))


def softdeps(text: str) -> dict[str, tuple[str, ...]]:
    """Those of ``CHECKSUMS`` that a module asks for, from ``modules.softdep``: one line for each, or all in one."""
    found: dict[str, tuple[str, ...]] = {}
    for module, rest in _SOFTDEP.findall(text):
        names = (name.removeprefix("crypto-") for name in rest.partition("post:")[0].split())
        wanted = tuple(name for name in names if name in CHECKSUMS)
        if wanted:
            found[module.replace("-", "_")] = (*found.get(module, ()), *wanted)
    return found


def aliases(text: str) -> dict[str, str]:
    """File systems and those of ``DRIVERS`` that are loaded for them, from ``modules.alias``."""
    return {name: module for name, module in _ALIAS.findall(text) if module in DRIVERS}
