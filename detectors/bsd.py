"""The BSDs: OpenBSD's and NetBSD's installers are started, the others recognised only.

The installers are kernels with their root along, which GRUB loads. The FreeBSD family and DragonFly look for their disc
and do not find it. GRUB's BSD loaders are refused under
Secure Boot and leave a UEFI machine without a screen, so the entries are for BIOS.

Source: GRUB 2.06, grub-core/loader/i386/bsd.c and docs ("Supported boot targets"); thias/glim (8b87c26)
grub2/inc-openbsd.cfg. Reported, not read: NetBSD's files on the disc; that FreeBSD 13 and newer is not loadable.
"""

import re

from bootkit.detect import (
    ANY_FILESYSTEM,
    BootEntry,
    Detection,
    Detector,
    EntryKind,
    Firmware,
    IsoView,
    LookedAt,
    Module,
    NotMine,
    Role,
    Stack,
    Verdict,
    by_label,
    parse_os_release,
)

BIOS = frozenset({Firmware.BIOS})
MINIROOTS = ("/*/installation/miniroot/miniroot.kmod",)
ARCHES = {"amd64": "x86_64", "i386": "i686"}
FAMILY = {
    "/boot/lua/brand-pfSense.lua": "pfSense",
    "/usr/local/sbin/opnsense-installer": "OPNsense",
    "/TrueNAS-MANIFEST": "TrueNAS CORE",
    "/FreeNAS-MANIFEST": "FreeNAS",
    "/usr/midnightbsd-dist": "MidnightBSD",
    "/boot/lua/brand-ghostbsd.lua": "GhostBSD",
    "/boot/lua/brand-GhostBSD.lua": "GhostBSD",
    "/NomadBSD": "NomadBSD",
}
SETS_NOTE = "The installer runs in RAM; it gets its sets from the network, or from a folder of a FAT32 partition."
OBSTACLE = "Its kernel looks for the root file system on a disc or a disk, and cannot open an ISO file on the stick."
INSTEAD = "Write its memstick image to a stick of its own: sudo cp FILE /dev/sdX."


def detect(iso: IsoView) -> Detection | NotMine:
    if ramdisks := iso.glob("/[0-9]*/*/bsd.rd"):
        return _openbsd(ramdisks)
    if iso.is_file("/netbsd") and any(iso.glob(pattern) for pattern in MINIROOTS):
        return _netbsd(iso)
    kernel = next((path for path in ("/boot/kernel/kernel", "/boot/kernel/kernel.gz") if iso.is_file(path)), "")
    if not kernel:
        return NotMine(reason="there are neither bsd.rd, netbsd nor /boot/kernel/kernel")
    dragonfly = iso.is_file("/boot/kernel/initrd.img.gz") or "dragonfly" in iso.facts.system_id.lower()
    said = parse_os_release(iso.text("/etc/os-release") or iso.text("/usr/lib/os-release"))
    name = next((name for path, name in FAMILY.items() if iso.exists(path)), said.name)
    version = re.search(r"(\d+)[._](\d+)[._](\w+)", iso.volume_id)
    return Detection(
        stack="loader",
        distro="DragonFly BSD" if dragonfly else name or ("FreeBSD" if version else "FreeBSD relative"),
        version=f"{version[1]}.{version[2]}-{version[3].partition('_')[0]}" if version else said.version_id,
        evidence=(f"{kernel} is there",),
        obstacle=OBSTACLE,
        instead=INSTEAD,
    )


def _openbsd(ramdisks: tuple[str, ...]) -> Detection:
    _, version, arch, _ = ramdisks[0].split("/")
    return Detection(
        stack="bsd.rd",
        distro="OpenBSD",
        version=version,
        arch=ARCHES.get(arch, arch),
        edition="installer",
        entries=(_entry("Install", ramdisks[0], EntryKind.KOPENBSD),),
        filesystems=ANY_FILESYSTEM,
        evidence=(f"{ramdisks[0]} is there",),
        notes=(SETS_NOTE,),
    )


def _netbsd(iso: IsoView) -> Detection:
    miniroot = next(path for pattern in MINIROOTS for path in iso.glob(pattern))
    arch = miniroot.split("/")[1]
    return Detection(
        stack="miniroot",
        distro="NetBSD",
        version=by_label(iso).version,
        arch=ARCHES.get(arch, arch),
        edition="installer",
        entries=(_entry("Install", iso.spelled("/netbsd"), EntryKind.KNETBSD, Module(path=miniroot)),),
        filesystems=ANY_FILESYSTEM,
        evidence=(f"/netbsd and {miniroot} are there",),
        notes=(SETS_NOTE,),
    )


def _entry(title: str, kernel: str, kind: EntryKind, *modules: Module) -> BootEntry:
    return BootEntry(
        title=title, kernel=kernel, kind=kind, modules=modules, role=Role.DEFAULT, firmware=BIOS, safe_graphics=()
    )


DETECTOR = Detector(
    name="bsd",
    detect=detect,
    rank=22,
    stacks=(
        Stack(
            name="bsd.rd",
            systems=("OpenBSD installer",),
            source="GRUB 2.06; thias/glim (8b87c26)",
            looked_at=(
                LookedAt(
                    system="OpenBSD installer",
                    version="7.5",
                    when="2026-11",
                    what="the files of install75.iso, and thias/glim (8b87c26)",
                ),
            ),
            verdict=Verdict.HELPED,
            but="BIOS only; the sets come from the network or a FAT32 folder",
        ),
        Stack(
            name="miniroot",
            systems=("NetBSD installer",),
            source="GRUB 2.06; reported",
            looked_at=(
                LookedAt(
                    system="NetBSD installer",
                    version="10.0",
                    when="2026-11",
                    what="the files of its disc, and aguslr/multibootusb (a5cee8e)",
                ),
            ),
            verdict=Verdict.HELPED,
            but="BIOS only; the sets come from the network or a FAT32 folder",
        ),
        Stack(
            name="loader",
            systems=(
                "FreeBSD",
                "GhostBSD",
                "NomadBSD",
                "MidnightBSD",
                "pfSense",
                "OPNsense",
                "TrueNAS CORE",
                "FreeNAS",
                "XigmaNAS",
                "DragonFly BSD",
            ),
            source="GRUB 2.06; reported",
            verdict=Verdict.NO,
        ),
    ),
)
