"""Windows setup discs and WinPE: boot.wim by wimboot on BIOS; recognised, with what to do instead, on UEFI.

wimboot (GPL, of the iPXE project) is loaded by ``linux16`` with the WIM as member of a cpio archive that GRUB makes; from
2.7.1 on it takes the loader, the BCD and the fonts out of the WIM. On UEFI upstream's wimboot reads its files only from
the folder of the partition that it was started from, and bootmgfw.efi only sees its own partition: nothing in an ISO
file can be reached. Setup in RAM does not see the rest of its disc either.

Source: ipxe/wimboot 2.9.0 (e587564) CHANGELOG.md, src/efifile.c, src/cmdline.c; Mexit/MultiOS-USB (5a8765a) config/windows
(BIOS entries as here). Reported, not read: releases by the names of their branches.
"""

import re

from bootkit.detect import (
    ANY_FILESYSTEM,
    IMAGE_FILE,
    WIMBOOT,
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

WIMS = ("/sources/boot.wim", "/x64/sources/boot.wim", "/x86/sources/boot.wim", "/boot/boot.wim")
INSTALLS = ("/sources/install.*", "/x64/sources/install.*", "/x86/sources/install.*")
NT5 = ("/i386/setupldr.bin", "/i386/txtsetup.sif", "/amd64/txtsetup.sif", "/minint/setupldr.bin")
BRANCHES = {
    "win7": "7", "win8": "8", "winblue": "8.1", "th1": "10 1507", "th2": "10 1511", "rs1": "10 1607", "rs2": "10 1703",
    "rs3": "10 1709", "rs4": "10 1803", "rs5": "10 1809", "19h1": "10 1903", "vb": "10 2004 or later", "fe": "Server 2022",
    "co": "11 21H2", "ni": "11 22H2 or 23H2", "ge": "11 24H2 or later",
}  # fmt: skip
ARCHES = {"amd64": "x86_64", "x64": "x86_64", "x86": "i686", "arm64": "aarch64", "a64": "aarch64"}
GET_WIMBOOT = f"It needs wimboot, which no distribution packages: put the file wimboot at {WIMBOOT} on the stick."
UEFI_WAY = (
    "On UEFI it cannot start from a file: unpack the image to a FAT32 partition of its own and start that from the "
    "firmware's boot menu."
)
SOURCE_NOTE = (
    "Setup runs in RAM and does not see its disc: unpack the image to a folder of a FAT32, exFAT or NTFS partition as "
    "well, press Shift+F10 when Setup asks for a driver, and start setup.exe there."
)


def detect(iso: IsoView) -> Detection | NotMine:
    if iso.facts.kind is FileKind.WIM:
        return _detection(iso, "Windows image", (IMAGE_FILE,), "it is a WIM file", setup=False)
    if iso.facts.kind is not FileKind.ISO:
        return NotMine(reason="it is no disc and no WIM file")
    if old := next((path for path in NT5 if iso.is_file(path)), ""):
        return _nt5(iso, old)
    wims = tuple(iso.spelled(path) for path in WIMS if iso.is_file(path))
    if not wims:
        return NotMine(reason=f"there is no {WIMS[0]}")
    setup = any(iso.glob(pattern) for pattern in INSTALLS)
    return _detection(iso, "Windows" if setup else _pe_name(iso), wims, f"{wims[0]} is there", setup=setup)


def _detection(iso: IsoView, distro: str, wims: tuple[str, ...], because: str, *, setup: bool) -> Detection:
    version, arch = _identity(iso)
    title = "Windows Setup" if setup else "Start"
    return Detection(
        stack="wimboot",
        distro=distro,
        version=version,
        arch=arch,
        edition="Setup" if setup else "",
        entries=tuple(_entry(title, wim, first=wim == wims[0]) for wim in wims),
        filesystems=ANY_FILESYSTEM,
        evidence=(because,),
        notes=(GET_WIMBOOT, *((SOURCE_NOTE,) if setup else ()), UEFI_WAY),
    )


def _entry(title: str, wim: str, *, first: bool) -> BootEntry:
    folder = wim.strip("/").partition("/")[0]
    return BootEntry(
        title=f"{title} ({folder})" if folder in ("x64", "x86") else title,
        kernel=wim,
        kind=EntryKind.WIMBOOT,
        cmdline=("gui",),
        role=Role.DEFAULT if first else Role.OTHER,
        firmware=frozenset({Firmware.BIOS}),
        safe_graphics=(),
    )


def _identity(iso: IsoView) -> tuple[str, str]:
    """Version and architecture by what the build left in /sources, else by the label."""
    info = iso.text("/sources/idwbinfo.txt") or iso.text("/x64/sources/idwbinfo.txt")
    branch = re.search(r"^BuildBranch=([a-z0-9]+)", info, re.MULTILINE | re.IGNORECASE)
    arch = re.search(r"^BuildArch=(\w+)", info, re.MULTILINE | re.IGNORECASE)
    label = re.search(r"_(X64|X86|A64)(?:FRE|CHK)?", iso.volume_id.upper())
    name = arch[1] if arch else label[1] if label else ""
    return BRANCHES.get(branch[1].lower(), "") if branch else "", ARCHES.get(name.lower(), "")


def _pe_name(iso: IsoView) -> str:
    names = {"/HBCD_PE.ini": "Hiren's BootCD PE", "/HBCD": "Hiren's BootCD PE", "/SSTR": "Sergei Strelec's WinPE"}
    return next((name for path, name in names.items() if iso.exists(path)), "Windows PE")


def _nt5(iso: IsoView, found: str) -> Detection:
    return Detection(
        stack="ntldr",
        distro="Windows 2000, XP or Server 2003",
        evidence=(f"{iso.spelled(found)} is there",),
        obstacle="Its setup reads its disc by a driver of its own, and nothing shows it an ISO file as a disc.",
        instead="Write it to a stick of its own, or start it in a virtual machine.",
    )


DETECTOR = Detector(
    name="windows",
    detect=detect,
    rank=12,
    stacks=(
        Stack(
            name="wimboot",
            systems=(
                "Windows Setup since 7",
                "Windows Server since 2008 R2",
                "Windows PE",
                "Hiren's BootCD PE",
                "Sergei Strelec's WinPE",
                "Macrium and AOMEI rescue media",
            ),
            source="ipxe/wimboot 2.9.0 (e587564)",
            looked_at=(
                LookedAt(system="Windows Setup", version="11", when="2026-11", what="ipxe/wimboot 2.9.0 (e587564)"),
            ),
            verdict=Verdict.HELPED,
            but="BIOS only, with a wimboot that you bring; Setup does not see its disc",
        ),
        Stack(
            name="ntldr",
            systems=("Windows 2000", "Windows XP", "Windows Server 2003"),
            source="reported",
            verdict=Verdict.NO,
        ),
    ),
)
