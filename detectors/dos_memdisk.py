"""DOS and other systems that see disks only through the BIOS: floppies, disks and discs held in RAM by memdisk.

memdisk (syslinux) copies the image below 4 GiB and answers INT 13h for it. Whatever leaves the BIOS behind, as every
Linux and modern Windows does, loses sight of it; on UEFI there is no such thing.

Source: syslinux 6.04, doc/memdisk.txt; thias/glim (8b87c26) grub2/inc-*.cfg for the systems on it.
"""

from bootkit.detect import (
    ANY_FILESYSTEM,
    IMAGE_FILE,
    MEMDISK,
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
    read_menus,
)

DOS_FILES = {
    "/KERNEL.SYS": "FreeDOS",
    "/IBMBIO.COM": "DR-DOS or PC DOS",
    "/IO.SYS": "MS-DOS",
    "/KERNEL.MNT": "KolibriOS",
}
DISCS = {
    "/ubcd": "Ultimate Boot CD",
    "/HBCD": "Hiren's BootCD (classic)",
    "/isolinux/hdt.c32": "Hardware Detection Tool",
    "/boot/syslinux/hdt.c32": "Hardware Detection Tool",
    "/freedos": "FreeDOS",
    "/FDSETUP": "FreeDOS",
    "/kolibri.img": "KolibriOS",
    "/kolibrios": "KolibriOS",
}
FLOPPIES = ("/fdboot.img", "/isolinux/fdboot.img", "/kolibri.img", "/boot/floppy.img", "/fdos*.img")
RAM_LIMIT = 2 << 30
"""Bytes of an image that may be expected to fit below 4 GiB beside the devices of a machine."""


def detect(iso: IsoView) -> Detection | NotMine:
    match iso.facts.kind:
        case FileKind.FLOPPY:
            return _detection(iso, _dos(iso) or _stem(iso), IMAGE_FILE, ("floppy",), "it has the size of a floppy")
        case FileKind.DISK:
            return _disk(iso)
        case FileKind.ISO:
            return _disc(iso)
        case _:
            return NotMine(reason="it is a program")


def _disk(iso: IsoView) -> Detection | NotMine:
    name = _dos(iso)
    if name and iso.size <= RAM_LIMIT:
        return _detection(iso, name, IMAGE_FILE, ("harddisk",), f"its first partition holds {name}")
    return Detection(
        stack="disk image",
        distro=_stem(iso),
        evidence=("it begins with a boot sector", "it holds no DOS"),
        obstacle="It is the image of a whole disk, and its system looks for its own partitions on a disk of its own.",
        instead="Write it to a stick of its own: sudo cp FILE /dev/sdX.",
    )


def _disc(iso: IsoView) -> Detection | NotMine:
    name = next((name for path, name in DISCS.items() if iso.exists(path)), "")
    floppy = next((path for pattern in FLOPPIES for path in iso.glob(pattern)), "")
    emulated = next((row.emulation for row in iso.facts.el_torito if row.platform == "bios"), "none") != "none"
    if not name and not (emulated and not any(row.platform == "efi" for row in iso.facts.el_torito)):
        return NotMine(reason="it has no floppy to start from, and none of the known tools")
    linux = read_menus(iso).default_linux
    if linux is not None and linux.initrds and not emulated:
        return NotMine(reason=f"its menu starts {linux.kernel}, and {name} is a tool beside it")
    because = f"{name} is on it" if name else "its BIOS loader is a floppy or a disk"
    if iso.size > RAM_LIMIT:
        return NotMine(reason="it starts from a floppy, but is too large for memdisk")
    found = _detection(iso, name or _stem(iso), IMAGE_FILE, ("iso", "raw"), because)
    if not floppy:
        return found
    extra = _entry("Start the floppy in it", iso.spelled(floppy), ("floppy",), Role.OTHER)
    return _detection(iso, name or _stem(iso), IMAGE_FILE, ("iso", "raw"), because, extra)


def _dos(iso: IsoView) -> str:
    return next((name for path, name in DOS_FILES.items() if iso.is_file(path)), "")


def _stem(iso: IsoView) -> str:
    return iso.name.rpartition(".")[0]


def _detection(
    iso: IsoView, name: str, image: str, words: tuple[str, ...], because: str, *more: BootEntry
) -> Detection:
    return Detection(
        stack="memdisk",
        distro=name,
        edition="" if name == _stem(iso) else _stem(iso),
        entries=(_entry("Start", image, words, Role.DEFAULT), *more),
        filesystems=ANY_FILESYSTEM,
        evidence=(because,),
        notes=(
            f"It needs {MEMDISK} on the stick, which 'bootkit generate' copies from syslinux, and RAM for the image.",
        ),
    )


def _entry(title: str, image: str, words: tuple[str, ...], role: Role) -> BootEntry:
    return BootEntry(
        title=title,
        kernel=image,
        kind=EntryKind.MEMDISK,
        cmdline=words,
        role=role,
        firmware=frozenset({Firmware.BIOS}),
        safe_graphics=(),
    )


DETECTOR = Detector(
    name="memdisk",
    detect=detect,
    rank=93,
    stacks=(
        Stack(
            name="memdisk",
            systems=(
                "FreeDOS",
                "MS-DOS",
                "DR-DOS",
                "KolibriOS",
                "MenuetOS",
                "Ultimate Boot CD",
                "Hiren's BootCD (classic)",
                "Hardware Detection Tool",
                "SpinRite",
                "SeaTools",
                "MHDD",
                "BIOS update discs",
                "Memtest86+ before 6 (floppy and disc)",
                "other floppy images",
            ),
            source="syslinux 6.04 doc/memdisk.txt",
            looked_at=(
                LookedAt(
                    system="FreeDOS",
                    version="1.4",
                    when="2026-11",
                    what="netbootxyz/netboot.xyz 3.0.2 (5e6620c), which starts it by memdisk",
                ),
                LookedAt(system="KolibriOS", version="0.7.7", when="2026-11", what="its floppy"),
                LookedAt(system="Ultimate Boot CD", version="5.3.9", when="2026-11", what="the files of its disc"),
            ),
            but="BIOS only, held in RAM",
            booted="tests/boots/test_tools.py::test_memdisk_starts_a_floppy",
        ),
        Stack(
            name="disk image",
            systems=(
                "Batocera",
                "Recalbox",
                "ChromeOS Flex",
                "FydeOS",
                "SteamOS recovery",
                "EasyOS",
                "Raspberry Pi images",
                "Redox",
                "SerenityOS",
                "other disk images",
            ),
            source="syslinux 6.04 doc/memdisk.txt",
            verdict=Verdict.NO,
        ),
    ),
)
