"""The headers of a Linux kernel.

Source: Linux 6.1, Documentation/x86/boot.rst (setup header: version at 0x206, initrd_addr_max at 0x22c, xloadflags at
0x236, cmdline_size at 0x238, init_size at 0x260) and Documentation/arm64/booting.rst (image_size at 16, magic at 56).
"""

import struct
from dataclasses import replace
from typing import BinaryIO

from bootkit.formats.pe import read_pe
from bootkit.formats.reader import read_upto
from bootkit.model.kernel import KernelFacts

_HEADER = 0x268
_KERNEL_64, _EFI_HANDOVER_32 = 1 << 0, 1 << 2


def read_kernel(fh: BinaryIO, size: int) -> KernelFacts:
    """What the kernel of ``size`` bytes at the start of ``fh`` says of itself; only its size if it is another program.

    Raises:
        FormatError: the medium cannot be read.
    """
    start = read_upto(fh, 0, _HEADER).ljust(_HEADER, b"\0")
    facts = KernelFacts(size=size)
    if start[0x202:0x206] == b"HdrS":
        facts = _with_setup_header(facts, start)
    elif start[56:60] == b"ARM\x64":
        facts = replace(facts, cpu="aarch64", run_size=int(struct.unpack_from("<Q", start, 16)[0]))
    pe = read_pe(fh)
    if pe is None:
        return facts
    return replace(facts, cpu=facts.cpu or pe.machine, signed=pe.signed, signers=pe.signers)


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
