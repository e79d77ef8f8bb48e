"""Systems that are whole in RAM once kernel and initrd are loaded: nothing looks for the ISO file.

So any file system will do that GRUB reads, and the words are those of the image's own menu, else those of the table.

Source, read: 4MLinux, Acronis: Mexit/MultiOS-USB (5a8765a) config/4MLinux, AntivirusLiveCD, Acronis_True_Image. SliTaz
(the order of its initrds): thias/glim (8b87c26) grub2/inc-slitaz.cfg. RancherOS: aguslr/multibootusb (a5cee8e)
mbusb.d/rancheros.d. ShredOS: PartialVolume/shredos.x86_64 (a34dc495) board/shredos/iso/grub.cfg and
fsoverlay/usr/bin/find_shredos_boot_disc.sh: it excludes the disk with a FAT or exFAT partition that holds
/etc/shredos/shredos_exclude_disc; ``shredos_exclude_boot_disc="yes"`` works only where it knows its stick again.
Talos: siderolabs/talos pkg/imager/iso/grub.cfg (0ec55159), hybrid.go (GRUB for BIOS, the same files in a UKI for UEFI).
Ubuntu's mini ISO: livecd-rootfs live-build/ubuntu-mini-iso (its one kernel line, no squashfs). Archboot: tpowa/Archboot
usr/bin/archboot-*-release.sh (names of its files, rootfstype=ramfs).
Reported, not read: Flatcar, DBAN, Fatdog64.
"""

import re
from dataclasses import dataclass, replace

from bootkit.detect import (
    ANY_FILESYSTEM,
    ANY_FIRMWARE,
    Detection,
    Detector,
    Firmware,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    QuickRule,
    Stack,
    arch_of,
    boot_entries,
    has_word,
    read_menus,
)


@dataclass(frozen=True, slots=True)
class Start:
    title: str
    kernel: str
    """A pattern; the first match counts."""
    initrds: tuple[str, ...] = ()
    """Patterns in load order; what is not there is left out, but not all of them."""
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    distro: str
    starts: tuple[Start, ...]
    """What to start where the menu names none of their kernels; its files decide whether the image may be this one."""
    sign: str = ""
    """Must be found in the label, a title or a kernel line, whatever the case; empty if the files say enough."""
    version: str = r"(?<![\w.])v?(\d+\.\d[\w.]*)"
    """Found in the label, the titles or the file's name."""
    arch: str = ""
    notes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    firmware: frozenset[Firmware] = ANY_FIRMWARE
    is_fixed: bool = False
    """Its menu is not used, whatever it says."""
    word: str = ""
    """A word of the kernel lines of its menu that no other system has: they are its starts, wherever its files lie."""


WIPES = "It erases disks: choose with care, and pull every disk that has to survive."
EXCLUDES = "/etc/shredos/shredos_exclude_disc"
SPARES = (
    f"It leaves a stick alone that has {EXCLUDES} on a FAT32 or exFAT partition: 'bootkit prepare' puts the file on the "
    "boot partition, 'bootkit generate' on such a data partition. It offers any other stick for erasing."
)
DISK_INFO = "/.disk/info"
SLITAZ = ("rw", "root=/dev/null", "video=-32", "autologin")
SYSTEMS = (
    System(
        distro="Ophcrack",
        starts=(Start("Ophcrack", "/boot/bzImage", ("/boot/rootfs.gz",), SLITAZ),),
        sign="ophcrack",
        version=r"ophcrack[\w-]*?-(\d[\d.]*\d)",
        notes=("It looks for its tables on disks: copy the folder /tables of the image to the top of the stick.",),
    ),
    System(
        distro="SliTaz",
        starts=(
            Start("SliTaz (64 bit)", "/boot/bzImage64", ("/boot/rootfs.gz",), SLITAZ),
            Start("SliTaz", "/boot/bzImage", tuple(f"/boot/rootfs{number}.gz" for number in "4321"), SLITAZ),
            Start("SliTaz", "/boot/bzImage", ("/boot/rootfs.gz",), SLITAZ),
        ),
        version=r"slitaz[-_ ](\d[\d.]*|rolling)",
    ),
    System(
        distro="4MLinux",
        starts=(Start("Start", "/boot/bzImage", ("/boot/initrd.gz",)),),
        sign=r"4M(?:Linux|Server|Recover)|AntivirusLive",
        version=r"(?:4M\w+|AntivirusLiveCD)[- _](\d+\.\d[\d.]*)",
    ),
    System(
        distro="RancherOS",
        starts=(
            Start(
                "RancherOS", "/boot/vmlinuz-*", ("/boot/initrd-*",), ("rancher.autologin=tty1", "printk.devkmsg=on")
            ),
        ),
        sign=r"rancher\.|RancherOS",
    ),
    System(
        distro="Talos Linux",
        starts=(Start("Talos", "/boot/vmlinuz", ("/boot/initramfs.xz",), ("talos.platform=metal",)),),
        sign=r"\btalos\b",
        notes=("It boots from an installed Talos by itself if there is one, and waits for its configuration otherwise.",),
    ),
    System(
        distro="Ubuntu Mini ISO",
        word="iso-chooser-menu",
        starts=(Start("Choose an Ubuntu to install", "/casper/vmlinuz", ("/casper/initrd",), ("iso-chooser-menu", "ip=dhcp")),),
        sign=r"iso-chooser-menu|Ubuntu-Mini-ISO",
        notes=("It loads all from the network, by cable: the image that is chosen goes to RAM as a whole.",),
    ),
    System(
        distro="Archboot",
        starts=(
            Start(
                "Archboot", "/boot/vmlinuz*", ("/boot/amd-ucode.img", "/boot/intel-ucode.img", "/boot/init*.img"),
                ("rootfstype=ramfs", "audit=0"),
            ),
        ),
        sign="archboot",
        version=r"(20\d\d\.\d\d\.\d\d)",
        notes=("It installs from the network, unless its name says local.",),
    ),
    System(
        distro="Flatcar Container Linux",
        starts=(Start("Flatcar", "/flatcar/vmlinuz", ("/flatcar/cpio.gz",), ("flatcar.autologin",)),),
        arch="x86_64",
    ),
    System(
        distro="ShredOS",
        starts=(
            Start("ShredOS", "/boot/bzImage", ("/boot/initrd*",), ("console=tty3", "loglevel=3")),
            Start("ShredOS", "/boot/bzImage", (), ("console=tty3", "loglevel=3")),  # the kernel holds the rest
            Start("ShredOS", "/boot/shredos", (), ("console=tty3", "loglevel=3")),
        ),
        sign=r"\bShredOS\b",
        version=r"shredos-(20\d\d[\d._]*\d)",
        notes=(WIPES, SPARES),
        marks=(EXCLUDES,),
    ),
    System(
        distro="DBAN",
        starts=(
            Start("DBAN", "/dban.bzi", (), ('nuke=dwipe', "silent")),
            Start("DBAN", "/isolinux/dban.bzi", (), ('nuke=dwipe', "silent")),
        ),
        version=r"dban[-_ ](\d[\d.]*\d)",
        arch="i686",
        notes=(WIPES, "It offers the stick itself for erasing."),
        firmware=frozenset({Firmware.BIOS}),
        is_fixed=True,  # it has an entry that erases all disks without a question, and quotes that GRUB cannot pass on
    ),
    System(
        distro="Acronis bootable media",
        starts=(
            Start("Acronis True Image", "/dat10.dat", ("/dat11.dat", "/dat12.dat"), ("force_modules=usbhid", "quiet")),
            Start(
                "Acronis System Report", "/dat14.dat", ("/dat15.dat", "/dat16.dat"),
                ("product=system_report", "force_modules=usbhid", "quiet"),
            ),
            Start("Acronis True Image (32 bit)", "/dat2.dat", ("/dat3.dat", "/dat4.dat"), ("force_modules=usbhid", "quiet")),
        ),
    ),
    System(
        distro="Fatdog64",
        starts=(Start("Fatdog64", "/vmlinuz", ("/initrd",), ("rootfstype=ramfs",)),),
        sign=r"fatdog",
        version=r"fatdog(?:64)?[-_ ](\d+)",
        arch="x86_64",
    ),
)  # fmt: skip


def detect(iso: IsoView) -> Detection | NotMine:
    for system in SYSTEMS:
        table = _by_word(iso, system) or tuple(entry for start in system.starts if (entry := _entry(iso, start)))
        if table and (found := _detection(iso, system, table)):
            return found
    return NotMine(reason="it has the files of none of these systems, or does not bear their name")


def _by_word(iso: IsoView, system: System) -> tuple[MenuEntry, ...]:
    """The entries of its menu that have the system's own word."""
    if not system.word:
        return ()
    return tuple(
        entry for entry in read_menus(iso).linux if has_word(entry.cmdline, system.word) and _is_whole(iso, entry)
    )


def _entry(iso: IsoView, start: Start) -> MenuEntry | None:
    kernels = iso.glob(start.kernel)
    initrds = tuple(path for pattern in start.initrds for path in iso.glob(pattern)[:1])
    if not kernels or (start.initrds and not initrds):
        return None
    return MenuEntry(title=start.title, kernel=kernels[0], initrds=initrds, cmdline=start.words)


def _detection(iso: IsoView, system: System, table: tuple[MenuEntry, ...]) -> Detection | None:
    kernels = {entry.kernel for entry in table}
    menu = tuple(entry for entry in read_menus(iso).linux if entry.kernel in kernels and _is_whole(iso, entry))
    seen = (
        iso.volume_id,
        iso.facts.application_id,
        iso.text(DISK_INFO),
        *(f"{entry.title} {' '.join(entry.cmdline)}" for entry in menu),
    )
    sign = next((match[0] for text in seen if (match := re.search(system.sign, text, re.IGNORECASE))), None)
    if sign is None:
        return None
    entries = table if system.is_fixed else menu or table
    ours = boot_entries(entries, default=entries[0])
    texts = (*seen, iso.name)
    version = next((match[1] for text in texts if (match := re.search(system.version, text, re.IGNORECASE))), "")
    return Detection(
        stack="RAM disk",
        distro=system.distro,
        version=version.rstrip("."),
        arch=system.arch or arch_of(iso, *texts),
        entries=tuple(replace(entry, firmware=system.firmware) for entry in ours),
        filesystems=ANY_FILESYSTEM,
        evidence=(
            f"{entries[0].kernel} is there" if not entries[0].source else f"{entries[0].source} starts {entries[0].kernel}",
            *((f"the image says {sign!r}",) if sign else ()),
        ),
        notes=system.notes,
        marks=system.marks,
    )  # fmt: skip


def _is_whole(iso: IsoView, entry: MenuEntry) -> bool:
    return all(iso.is_file(path) for path in (entry.kernel, *entry.initrds))


DETECTOR = Detector(
    name="ram-only",
    detect=detect,
    rank=50,
    quick=(
        QuickRule(
            requires=("/flatcar/cpio.gz",),
            kernel=("/flatcar/vmlinuz",),
            initrd=("/flatcar/cpio.gz",),
            cmdline=("flatcar.autologin",),
        ),
        QuickRule(
            requires=("/boot/rootfs.gz", "/boot/bzImage64"),
            kernel=("/boot/bzImage64",),
            initrd=("/boot/rootfs.gz",),
            cmdline=SLITAZ,
        ),
    ),
    stacks=(
        Stack(
            name="RAM disk",
            systems=(*(system.distro for system in SYSTEMS), "4MServer", "AntivirusLiveCD"),
            source="Mexit/MultiOS-USB (5a8765a), thias/glim (8b87c26) and each project's own menu",
            looked_at=(
                LookedAt(system="Archboot", version="2026.10", when="2026-11", what="tpowa/Archboot"),
                LookedAt(system="Ubuntu Mini ISO", version="26.04", when="2026-11", what="livecd-rootfs of resolute"),
                LookedAt(
                    system="ShredOS", version="2024.11", when="2026-11", what="PartialVolume/shredos.x86_64 (a34dc495)"
                ),
            ),
            but="DBAN starts on BIOS machines only",
        ),
    ),
)
