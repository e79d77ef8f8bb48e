"""The headers of a Linux kernel, of a unified kernel image, and of the boot loaders that lie in a kernel's place.

Source: Linux 6.1, Documentation/x86/boot.rst (setup header: version at 0x206, initrd_addr_max at 0x22c, xloadflags at
0x236, cmdline_size at 0x238, init_size at 0x260) and Documentation/arm64/booting.rst (image_size at 16, magic at 56), Linux 6.12,
drivers/firmware/efi/libstub/zboot-header.S and Makefile.zboot (payload at 8, its size at 12, its method at 24); the
UAPI group's "Unified Kernel Image" (the sections); shim's SBAT.md, systemd 257's src/boot (``.sdmagic``), GRUB 2.12's
util/mkimage.c (``mods``) and shim 15's elf_x86_64_efi.lds (``.vendor_cert``) for the loaders.
"""

import gzip
import io
import struct
import zlib
from dataclasses import replace
from typing import BinaryIO

from bootkit.formats.efi import read_efi
from bootkit.formats.pe import PeFacts, read_pe
from bootkit.formats.reader import Window, read_upto
from bootkit.model.kernel import KernelFacts, Uki

_HEADER = 0x268
_KERNEL_64, _EFI_HANDOVER_32 = 1 << 0, 1 << 2
_GZIP = b"\x1f\x8b"
_ZBOOT = b"zimg"
_UNPACKED_LIMIT = 256 << 20
"""Bytes; kernels of ARM64 have 30 to 60 MiB."""
_TEXT_LIMIT = 16 << 10
_OF_LOADERS = {".vendor_cert": "shim", "mods": "grub"}
"""Sections that only these have."""
_LOADERS = frozenset({"grub", "refind", "shim", "systemd-boot", "elilo", "limine"})
"""Names of boot loaders in SBAT, without what distributions append: ``grub.debian``."""


def read_kernel(fh: BinaryIO, size: int) -> KernelFacts:
    """What the kernel of ``size`` bytes at the start of ``fh`` says of itself; only its size if it is another program.

    Raises:
        FormatError: the medium cannot be read.
    """
    start = read_upto(fh, 0, _HEADER).ljust(_HEADER, b"\0")
    if start[:2] == _GZIP:
        return _read_packed(fh, size)
    facts = KernelFacts(size=size)
    if start[0x202:0x206] == b"HdrS":
        facts = _with_setup_header(facts, start)
    elif start[56:60] == b"ARM\x64":
        facts = replace(facts, cpu="aarch64", run_size=int(struct.unpack_from("<Q", start, 16)[0]))
    elif start[4:8] == _ZBOOT:
        facts = replace(facts, run_size=_unpacked_size(fh, start))
    pe = read_pe(fh)
    if pe is None:
        return facts
    efi = read_efi(fh, pe)
    facts = replace(facts, cpu=facts.cpu or pe.machine, signed=pe.signed, signers=pe.signers, efi=efi)
    if ".linux" in pe.sections:
        return replace(facts, uki=_uki(fh, pe))
    return replace(facts, loader=_loader(fh, pe))


def _read_packed(fh: BinaryIO, size: int) -> KernelFacts:
    """A kernel of ARM64 in gzip, which GRUB unpacks before it looks at it."""
    try:
        unpacked = gzip.GzipFile(fileobj=Window(fh, 0, size)).read(_UNPACKED_LIMIT)
    except (OSError, EOFError, zlib.error):
        return KernelFacts(size=size)
    if unpacked[:2] == _GZIP:
        return KernelFacts(size=size)
    return replace(read_kernel(io.BytesIO(unpacked), len(unpacked)), size=size)


def _unpacked_size(fh: BinaryIO, start: bytes) -> int:
    """Bytes of memory for the kernel in a zboot image, a program that unpacks it: they stand at the end of its payload."""
    at, size, method = struct.unpack_from("<II8x4s", start, 8)
    end = at + size - (4 if method == b"gzip" else 0)  # which keeps its own size there; others get it appended
    return int.from_bytes(read_upto(fh, end, 4), "little")


def _uki(fh: BinaryIO, pe: PeFacts) -> Uki:
    cmdline, os_release, uname = (_text(fh, pe, name) for name in (".cmdline", ".osrel", ".uname"))
    return Uki(
        cmdline=" ".join(cmdline.split()),
        os_release=os_release,
        uname=uname.strip(),
        initrd=pe.sections.get(".initrd", (0, 0))[1],
    )


def _loader(fh: BinaryIO, pe: PeFacts) -> str:
    found = next((name for section, name in _OF_LOADERS.items() if section in pe.sections), "")
    if not found and _text(fh, pe, ".sdmagic").startswith("#### LoaderInfo: systemd-boot"):
        found = "systemd-boot"
    names = (line.partition(",")[0].partition(".")[0] for line in _text(fh, pe, ".sbat").splitlines())
    return found or next((name for name in names if name in _LOADERS), "")


def _text(fh: BinaryIO, pe: PeFacts, section: str) -> str:
    """The text in a section, without the zeros behind it; empty if there is no such section."""
    offset, size = pe.sections.get(section, (0, 0))
    return read_upto(fh, offset, min(size, _TEXT_LIMIT)).rstrip(b"\0").decode("utf-8", "replace")


def _with_setup_header(facts: KernelFacts, start: bytes) -> KernelFacts:
    version, flags = (int(struct.unpack_from("<H", start, at)[0]) for at in (0x206, 0x236))
    initrd_limit, cmdline_limit, run_size = (
        int(struct.unpack_from("<I", start, at)[0]) if version >= since else 0
        for at, since in ((0x22C, 0x203), (0x238, 0x206), (0x260, 0x20A))
    )
    facts = replace(facts, run_size=run_size, initrd_limit=initrd_limit, cmdline_limit=cmdline_limit)
    if version < 0x20C:  # before xloadflags nothing tells a 64-bit kernel
        return facts
    is_64 = bool(flags & _KERNEL_64)
    return replace(facts, cpu="x86_64" if is_64 else "i686", efi32=bool(flags & _EFI_HANDOVER_32))
