"""Proxmox: the installers of Virtual Environment, Backup Server, Mail Gateway and Datacenter Manager.

Their /init looks for an image with the right id on CDs and on whole disks, never on partitions or loop devices, and no
word changes that. The vendor's own way for the network is a file /proxmox.iso in the initrd's root: the whole image goes
along as a member of the initrd. (GRUB 2.06's own ``newc:`` leaves out the NUL of the name, which kernels since 2024 ask
for; the header is ours.) The price is RAM for twice the image.

Source, read: proxmox/pve-installer 9.2.7 (ec2af90): proxmox-auto-install-assistant/src/main.rs (the iPXE menu),
Makefile (.cd-info); a1ive/grub2-filemanager (918524d) distro/init/proxmox, an older /init.
Reported, not read: today's /init (morph027/pve-iso-2-pxe issues 42 and 48).
"""

import re
from dataclasses import replace

from bootkit.detect import (
    ANY_FILESYSTEM,
    BootEntry,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    NotMine,
    Stack,
    arch_of,
    boot_entries,
    read_menus,
    usable_entries,
)

IDS = {
    "/.pve-cd-id.txt": "Proxmox VE",
    "/.pbs-cd-id.txt": "Proxmox Backup Server",
    "/.pmg-cd-id.txt": "Proxmox Mail Gateway",
    "/.pdm-cd-id.txt": "Proxmox Datacenter Manager",
}
KERNEL = "/boot/linux26"
INITRD = "/boot/initrd.img"
WORDS = ("ro", "ramdisk_size=16777216", "rw", "quiet", "splash=silent")
IMAGE_NAME = "proxmox.iso"
MEMBER_LIMIT = 1 << 32
TOO_LARGE = "A member of an initrd ends at 4 GiB, and this image is larger: it will not start."
_ASSIGNMENT = re.compile(r"^(\w+)=['\"]?(.*?)['\"]?$", re.MULTILINE)


def detect(iso: IsoView) -> Detection | NotMine:
    found = next((path for path in IDS if iso.is_file(path)), "")
    if not found and not (iso.is_file("/.cd-info") and iso.is_dir("/proxmox")):
        return NotMine(reason="there is no id file of Proxmox")
    info: dict[str, str] = dict(_ASSIGNMENT.findall(iso.text("/.cd-info")))
    release = "-".join(info[key] for key in ("RELEASE", "ISORELEASE") if info.get(key))
    return Detection(
        stack="proxmox",
        distro=info.get("PRODUCTLONG") or IDS.get(found, "Proxmox"),
        version=release,
        arch=arch_of(iso),
        entries=_entries(iso),
        filesystems=ANY_FILESYSTEM,
        evidence=(f"{found or '/.cd-info'} is there",),
        notes=(
            f"The whole image is loaded to RAM and unpacked there: the machine needs {_ram_gib(iso)} GiB or more.",
            *(() if iso.size < MEMBER_LIMIT else (TOO_LARGE,)),
        ),
    )


def _ram_gib(iso: IsoView) -> int:
    """GiB of memory that it takes: twice the image and what the installer itself asks for."""
    return -(-2 * iso.size // (1 << 30)) + 2


def _entries(iso: IsoView) -> tuple[BootEntry, ...]:
    ready = usable_entries(iso, read_menus(iso), lambda entry: entry.kernel == KERNEL)
    ready = ready or (MenuEntry(title="Install", loader="linux", kernel=KERNEL, initrds=(INITRD,), cmdline=WORDS),)
    ours = boot_entries(ready, default=ready[0])
    return tuple(replace(entry, image_as=IMAGE_NAME) for entry in ours)


DETECTOR = Detector(
    name="proxmox",
    detect=detect,
    rank=15,
    stacks=(
        Stack(
            name="proxmox",
            only_installs=True,
            systems=("Proxmox VE", "Proxmox Backup Server", "Proxmox Mail Gateway", "Proxmox Datacenter Manager"),
            source="proxmox/pve-installer 9.2.7 (ec2af90)",
            looked_at=(
                LookedAt(
                    system="Proxmox VE", version="9.2", when="2026-11", what="proxmox/pve-installer 9.2.7 (ec2af90)"
                ),
            ),
            but="needs RAM for twice the image, which has to be below 4 GiB",
        ),
    ),
)
