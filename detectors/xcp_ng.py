"""XCP-ng and XenServer: their host installer, on top of Xen.

The whole installer is in install.img, the initrd, and starts out of the image. But it looks for its packages on disks,
their partitions and CDs, not in ISO files, and asks; from a server of the network it takes them, too. Its word
``make-ramdisk=/dev/...`` unpacks every ISO file of a folder on a partition (FAT or ext3) to RAM: that would be all of the
stick's, so it is left to the user.

Source, read: xenserver/host-installer (8ac9836): startup/S05ramdisk, repository.py (findRepositoriesOnMedia),
doc/parameters.txt.
"""

from dataclasses import replace

from bootkit.detect import (
    ANY_FILESYSTEM,
    BootEntry,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    Module,
    NotMine,
    Stack,
    parse_treeinfo,
)
from bootkit.detect.xen import SECURE_BOOT_NOTE, xen_entries

XEN = "/boot/xen.gz"
KERNEL = "/boot/vmlinuz"
INSTALLER = "/install.img"
USUAL = MenuEntry(
    title="Install",
    loader="multiboot2",
    kernel=XEN,
    cmdline=("dom0_max_vcpus=1-16", "dom0_mem=max:8192M", "com1=115200,8n1", "console=com1,vga"),
    modules=(Module(path=KERNEL, cmdline=("xencons=hvc", "console=hvc0", "console=tty0")), Module(path=INSTALLER)),
)
"""What to start where the menu cannot be read."""


def detect(iso: IsoView) -> Detection | NotMine:
    if not (iso.is_file(INSTALLER) and iso.is_file(XEN)):
        return NotMine(reason=f"there is no {INSTALLER} with {XEN}")
    tree = parse_treeinfo(iso.text("/.treeinfo"))
    branding = tree.sections.get("branding") or tree.sections.get("platform", {})
    return Detection(
        stack="host-installer",
        distro=branding.get("name") or tree.name or iso.volume_id or "XCP-ng or XenServer",
        version=branding.get("version") or tree.version,
        arch="x86_64",
        evidence=(f"{INSTALLER} and {XEN} are there", f"/.treeinfo says {branding.get('name', 'nothing')}"),
        entries=_entries(iso),
        filesystems=ANY_FILESYSTEM,
        notes=(
            "The installer looks for its packages on a server of the network (HTTP, FTP, NFS), not in an ISO file.",
            SECURE_BOOT_NOTE,
        ),
    )


def _entries(iso: IsoView) -> tuple[BootEntry, ...]:
    ours = xen_entries(iso, USUAL, tuple)
    return tuple(replace(entry, title=f"{entry.title}, packages from the network") for entry in ours)


DETECTOR = Detector(
    name="xcp-ng",
    detect=detect,
    rank=15,
    stacks=(
        Stack(
            name="host-installer",
            only_installs=True,
            systems=("XCP-ng", "XenServer"),
            source="xenserver/host-installer (8ac9836)",
            looked_at=(
                LookedAt(system="XCP-ng", version="8.3", when="2026-11", what="xcp-ng/create-install-image 8.3"),
                LookedAt(system="XenServer", version="8.4", when="2026-11", what="xenserver/host-installer (8ac9836)"),
            ),
            but="its packages have to come from the network or a disc; not with Secure Boot",
        ),
    ),
)
