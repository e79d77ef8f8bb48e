"""VMware ESXi: no Linux, and not started.

Its boot loader mboot reads a list of modules out of boot.cfg on the disk it came from. GRUB cannot load that kernel, and
mboot does not see GRUB's loop devices.

Reported, not read: ventoy/Ventoy issue 1763 (own FAT partition with the files of the image, chain-loaded).
"""

import re

from bootkit.detect import (
    Detection,
    Detector,
    IsoView,
    NamePattern,
    NotMine,
    Stack,
    Verdict,
    identify,
)

LOADERS = ("/mboot.c32", "/mboot.efi")
NAMES = (
    NamePattern("VMware ESXi", r"^ESXI-(?P<version>\d+\.\d+\w*)"),
    NamePattern("VMware ESXi", r"VMvisor-Installer-(?P<version>\d+\.\d+\w*)"),
)
_BUILD = re.compile(r"^build=(\d[\d.]*)", re.MULTILINE)


def detect(iso: IsoView) -> Detection | NotMine:
    loader = next((path for path in LOADERS if iso.is_file(path)), "")
    if not (loader and iso.is_file("/boot.cfg")):
        return NotMine(reason=f"there is no /boot.cfg with {' or '.join(LOADERS)}")
    build = _BUILD.search(iso.text("/boot.cfg"))
    version = identify((iso.volume_id, iso.name), NAMES).version or (build[1] if build is not None else "")
    return Detection(
        stack="mboot",
        distro="VMware ESXi",
        version=version,
        arch="x86_64",
        evidence=(f"/boot.cfg and {loader} are there",),
        obstacle="ESXi is no Linux: GRUB cannot load it, and its own loader cannot read an ISO file.",
        instead="Write this image to a stick of its own, or copy its files to a FAT32 partition of its own.",
    )


DETECTOR = Detector(
    name="esxi",
    detect=detect,
    rank=15,
    stacks=(
        Stack(
            name="mboot",
            systems=("VMware ESXi",),
            source="ventoy/Ventoy issue 1763 (reported)",
            verdict=Verdict.NO,
        ),
    ),
)
