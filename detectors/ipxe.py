"""iPXE and what is made of it (netboot.xyz): a kernel for BIOS and an EFI application, each whole in itself.

ipxe.krn has Linux's boot header, but wants to be started in real mode: ``linux16``, as Debian's 20_ipxe does it. On UEFI
GRUB loads the application out of the FAT image in the ISO file.

Source: ipxe 1.0.0+git-20190125 in Debian 12 (/etc/grub.d/20_ipxe, ipxe.iso); booted both ways.
"""

from bootkit.detect import (
    ANY_FILESYSTEM,
    IMAGE_FILE,
    IN_EFI,
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
    read_menus,
)

KERNELS = ("/ipxe.lkrn", "/ipxe.krn", "/boot/ipxe.krn", "/boot/ipxe.lkrn", "/netboot.xyz.lkrn")
PROGRAMS = frozenset(path.rpartition("/")[2] for path in KERNELS)
LOADERS = {
    "/EFI/BOOT/BOOTX64.EFI": Firmware.UEFI_X64,
    "/EFI/BOOT/BOOTIA32.EFI": Firmware.UEFI_IA32,
    "/EFI/BOOT/BOOTAA64.EFI": Firmware.UEFI_ARM64,
}
CPUS = {"x86_64": Firmware.UEFI_X64, "i686": Firmware.UEFI_IA32, "aarch64": Firmware.UEFI_ARM64}
SIGN = "Open Source Network Boot Firmware"
TITLE = "Start from the network"


def detect(iso: IsoView) -> Detection | NotMine:
    facts = iso.facts
    if facts.kind is FileKind.EFI and facts.banner == "iPXE":
        entry = _application(IMAGE_FILE, CPUS[facts.cpu], Role.DEFAULT)
        return _detection(iso, (entry,), "the application calls itself iPXE")
    kernel = next((path for path in KERNELS if iso.is_file(path)), "")
    if not kernel:
        return NotMine(reason=f"there is no {KERNELS[0]}")
    first = read_menus(iso).default_linux
    if first is not None and first.kernel.rpartition("/")[2].lower() not in PROGRAMS:
        return NotMine(reason=f"{kernel} is a tool beside what its menu starts, {first.kernel}")
    places = {prefix + path: firmware for path, firmware in LOADERS.items() for prefix in (IN_EFI, "")}
    loaders = {firmware: iso.spelled(path) for path, firmware in places.items() if iso.is_file(path)}
    entries = (
        BootEntry(
            title=TITLE,
            kernel=iso.spelled(kernel),
            kind=EntryKind.LINUX16,
            role=Role.DEFAULT,
            firmware=frozenset({Firmware.BIOS}),
            safe_graphics=(),
            sign=SIGN,
        ),
        *(_application(path, firmware, Role.OTHER) for firmware, path in loaders.items()),
    )
    return _detection(iso, entries, f"{kernel} is there")


def _application(path: str, firmware: Firmware, role: Role) -> BootEntry:
    return BootEntry(
        title=TITLE,
        kernel=path,
        kind=EntryKind.CHAINLOADER,
        role=role,
        firmware=frozenset({firmware}),
        safe_graphics=(),
        sign=SIGN,
    )


def _detection(iso: IsoView, entries: tuple[BootEntry, ...], because: str) -> Detection:
    names = f"{iso.volume_id} {iso.name}".lower()
    return Detection(
        stack="ipxe",
        distro="iPXE",
        edition="netboot.xyz" if "netboot" in names and "xyz" in names else "",
        arch=iso.facts.cpu,
        entries=entries,
        filesystems=ANY_FILESYSTEM,
        evidence=(because,),
        notes=("It needs a network with a cable; nothing of bootkit's additions applies to it.",),
    )


DETECTOR = Detector(
    name="ipxe",
    detect=detect,
    rank=10,
    stacks=(
        Stack(
            name="ipxe",
            systems=("iPXE", "netboot.xyz"),
            source="ipxe 1.0.0+git-20190125 (Debian 12)",
            looked_at=(
                LookedAt(system="iPXE", version="1.0.0", when="2026-11", what="ipxe 1.0.0+git-20190125 of Debian 12"),
                LookedAt(
                    system="netboot.xyz",
                    version="3.0.2",
                    when="2026-11",
                    what="netbootxyz/netboot.xyz (5e6620c) roles/netbootxyz/tasks",
                ),
            ),
            booted="tests/boots/test_tools.py::test_a_program_runs",
        ),
    ),
)
