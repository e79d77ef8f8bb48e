"""Proxmox: the installers of Virtual Environment, Backup Server, Mail Gateway and Datacenter Manager. Not started.

Their /init looks for an image with the right id on CDs and on whole disks, never on partitions or loop devices, and no
word changes that. The vendor's own way for the network is a file /proxmox.iso in the initrd's root. GRUB could put it
there with ``newc:proxmox.iso:`` from 2.12 on (before, its names lack the NUL that kernels since 2024 ask for), at the
price of the image's size in RAM, twice for a while.

Source, read: proxmox/pve-installer 9.2.7 (ec2af90): proxmox-auto-install-assistant/src/main.rs (the iPXE menu),
Makefile (.cd-info); a1ive/grub2-filemanager (918524d) distro/init/proxmox, an older /init.
Reported, not read: today's /init (morph027/pve-iso-2-pxe issues 42 and 48); GRUB 2.12's commit 544fd63f0.
"""

import re

from bootkit.detect import Detection, Detector, IsoView, NotMine
from bootkit.detectors._live import arch_of

IDS = {
    "/.pve-cd-id.txt": "Proxmox VE",
    "/.pbs-cd-id.txt": "Proxmox Backup Server",
    "/.pmg-cd-id.txt": "Proxmox Mail Gateway",
    "/.pdm-cd-id.txt": "Proxmox Datacenter Manager",
}
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
        evidence=(f"{found or '/.cd-info'} is there",),
        obstacle="Proxmox's initrd takes its image from a CD, a whole disk or a file in the initrd, not from a partition.",
        instead=(
            "Write this image to a stick of its own; with GRUB 2.12 and RAM for twice the image, 'newc:proxmox.iso:' "
            "and its path on the initrd line of an entry in custom.cfg starts it, too."
        ),
    )


DETECTOR = Detector(name="proxmox", detect=detect, rank=15, distributions=("Proxmox (recognised only)",))
