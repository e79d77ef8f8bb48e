"""Programs in the image folder that nothing else knows: EFI applications, kernels by themselves.

An EFI application starts if it is whole in itself, as UEFI shells and tools in one file are: chain-loaded from the stick
it sees the stick's partition, but no files that an installer would have put beside it.

Source: GRUB 2.06, grub-core/loader/efi/chainloader.c; booted: Debian's ipxe.efi.
"""

from bootkit.detect import (
    ANY_FILESYSTEM,
    IMAGE_FILE,
    BootEntry,
    Detection,
    Detector,
    EntryKind,
    FileKind,
    Firmware,
    IsoView,
    LookedAt,
    NotMine,
    Role,
    Stack,
    Verdict,
)

CPUS = {"x86_64": Firmware.UEFI_X64, "i686": Firmware.UEFI_IA32, "aarch64": Firmware.UEFI_ARM64}


def detect(iso: IsoView) -> Detection | NotMine:
    facts = iso.facts
    stem = iso.name.rpartition(".")[0]
    if facts.kind is FileKind.EFI:
        if facts.cpu not in CPUS:
            return NotMine(reason="it is a program for a processor that no firmware of ours has")
        firmware, kind = frozenset({CPUS[facts.cpu]}), EntryKind.CHAINLOADER
        because = f"it is an EFI application for {facts.cpu}"
    elif facts.kind is FileKind.LINUX:
        # real mode suits Linux and everything that only dresses as Linux
        firmware, kind = frozenset({Firmware.BIOS}), EntryKind.LINUX16
        because = "it has the header of a Linux kernel"
    else:
        return NotMine(reason="it is no program")
    entry = BootEntry(
        title="Start",
        kernel=IMAGE_FILE,
        kind=kind,
        role=Role.DEFAULT,
        firmware=firmware,
        safe_graphics=(),
        sign=r"Shell> ?$" if "Shell" in facts.banner else "",
    )
    return Detection(
        stack="efi application" if facts.kind is FileKind.EFI else "kernel",
        distro=facts.banner.removesuffix(" version") or stem,
        arch=facts.cpu,
        edition="" if facts.banner in ("", stem) else stem,
        entries=(entry,),
        filesystems=ANY_FILESYSTEM,
        evidence=(because,),
        notes=("It works if it needs no other files.",),
        untested=not facts.banner or facts.kind is FileKind.LINUX,
    )


DETECTOR = Detector(
    name="program",
    detect=detect,
    rank=92,
    stacks=(
        Stack(
            name="efi application",
            systems=("UEFI shells", "PassMark MemTest86 (.efi)", "other .efi programs"),
            source="GRUB 2.06 grub-core/loader/efi/chainloader.c",
            looked_at=(LookedAt(system="UEFI shells", version="2.2", when="2026-11", what="Shell.efi of EDK II"),),
            but="UEFI only, and only those that need no files beside them",
        ),
        Stack(
            name="kernel",
            systems=(
                "programs with Linux's boot header",
                "ipxe.lkrn",
                "Memtest86+ before 6 (.bin)",
                "Plop Boot Manager",
            ),
            source="GRUB 2.06 grub-core/loader/i386/linux.c",
            looked_at=(
                LookedAt(
                    system="ipxe.lkrn", version="1.0.0", when="2026-11", what="ipxe 1.0.0+git-20190125 of Debian 12"
                ),
            ),
            verdict=Verdict.GUESS,
            but="BIOS only",
        ),
    ),
)
