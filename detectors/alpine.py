"""Alpine: its initrd searches devices for a repository and knows no ISO file.

``nlplug-findfs`` mounts every block device that the kernel announces and looks for ``.boot_repository`` and apkovl files
on it; no word on the kernel line names a file, and ``alpine_dev=`` is no longer read. The kernel line needs none of the
words either, so nothing can be written in their place.

Source, read: alpinelinux/mkinitfs 3.12.0+ (cc4954b): initramfs-init.in (the list of its options, ``memdisk``,
``alpine_repo``), features.d (FAT, ext4); the release file: alpine/aports scripts/mkimage.sh (``.alpine-release`` holds
image name, release and date).
"""

import re

from bootkit.detect import (
    Detection,
    Detector,
    IsoView,
    NotMine,
    Support,
    Verdict,
)

RELEASE = "/.alpine-release"
FILESYSTEMS = ("vfat", "ext4")
EDITIONS = {"std": "Standard", "extended": "Extended", "virt": "Virtual", "xen": "Xen", "standard": "Standard"}


def detect(iso: IsoView) -> Detection | NotMine:
    if not iso.is_file(RELEASE):
        return NotMine(reason=f"there is no {RELEASE}")
    text = iso.text(RELEASE).strip()
    version = re.search(r"-(\d+(?:\.\d+)*(?:[_-](?:alpha|beta|rc)\d*)?|\d{8}|edge)\b", text)
    flavour = re.match(r"alpine-([a-z]+)", text)
    arches = [node.name for node in iso.listdir("/apks") if node.is_dir]
    edition = flavour[1] if flavour is not None else ""
    return Detection(
        stack="the initrd of Alpine",
        distro="Alpine Linux",
        version=version[1] if version is not None else "",
        arch=arches[0] if arches else "",
        edition=EDITIONS.get(edition, edition.capitalize()),
        filesystems=FILESYSTEMS,
        evidence=(f"{RELEASE} says {text.splitlines()[0]!r}" if text else f"{RELEASE} is there",),
        obstacle="Alpine's initrd looks for its packages on whole devices only and does not open an ISO file.",
        instead=(
            "Copy /boot and /apks of the image to the root of a FAT32 or ext4 partition of their own, boot it from the "
            "network with alpine_repo= and modloop=, or write it to a stick of its own."
        ),
    )


DETECTOR = Detector(
    name="alpine",
    detect=detect,
    rank=20,
    support=(
        Support(
            stack="the initrd of Alpine",
            systems=("Alpine Linux",),
            source="alpinelinux/mkinitfs 3.12.0+ (cc4954b)",
            verdict=Verdict.NO,
            overlay="open the file before nlplug-findfs looks at the devices",
        ),
    ),
)
