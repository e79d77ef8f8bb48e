"""XCP-ng and XenServer: their host installer. Recognised, but not started.

Xen is loaded by ``multiboot2``; the whole installer is in install.img and would start out of a loop device. But it looks
for its packages on disks, their partitions and CDs, not in ISO files. Its word ``make-ramdisk=/dev/...`` unpacks every
ISO file of the folder ``xsinst`` on a partition to RAM, FAT or ext3 only.

Source, read: xenserver/host-installer (8ac9836): startup/S05ramdisk, repository.py (findRepositoriesOnMedia),
doc/parameters.txt.
"""

from bootkit.detect import (
    Detection,
    Detector,
    IsoView,
    NotMine,
    Support,
    Verdict,
    parse_treeinfo,
)

XEN = "/boot/xen.gz"
INSTALLER = "/install.img"


def detect(iso: IsoView) -> Detection | NotMine:
    if not (iso.is_file(INSTALLER) and iso.is_file(XEN)):
        return NotMine(reason=f"there is no {INSTALLER} with {XEN}")
    tree = parse_treeinfo(iso.text("/.treeinfo"))
    branding = tree.sections.get("branding") or tree.sections.get("platform", {})
    return Detection(
        stack="host-installer",
        distro=branding.get("name") or tree.name or "XCP-ng",
        version=branding.get("version") or tree.version,
        arch="x86_64",
        evidence=(f"{INSTALLER} and {XEN} are there", f"/.treeinfo says {branding.get('name', 'nothing')}"),
        obstacle=(
            "It starts by Xen, which bootkit's menus cannot do yet, and its installer looks for its packages on disks "
            "and CDs, not in an ISO file."
        ),
        instead="Write this image to a stick of its own, or start it from the network.",
    )


DETECTOR = Detector(
    name="xcp-ng",
    detect=detect,
    rank=15,
    support=(
        Support(
            stack="host-installer",
            systems=("XCP-ng", "XenServer"),
            source="xenserver/host-installer (8ac9836)",
            verdict=Verdict.NO,
            overlay="an answer file in install.img that names a repository on the network",
        ),
    ),
)
