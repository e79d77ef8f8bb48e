"""Qubes OS: Anaconda's installer on top of Xen.

Xen is loaded by ``multiboot2``, the kernel and its initrd are its modules; the words that find the ISO file would be
those of ``anaconda``, on the kernel's module line (Mexit/MultiOS-USB 5a8765a, config/qubes-os/qubes-os.cfg does it so).
"""

from bootkit.detect import Detection, Detector, IsoView, NotMine, parse_treeinfo
from bootkit.detectors._live import Name, identify, plain_arch

XEN = "/images/pxeboot/xen.gz"
STAGE2 = "/images/install.img"
NAMES = (Name("Qubes OS", r"^QUBES-R?(?P<version>[\d.-]+\d)"),)


def detect(iso: IsoView) -> Detection | NotMine:
    if not (iso.is_file(XEN) and iso.is_file(STAGE2)):
        return NotMine(reason=f"there is no {XEN} with {STAGE2}")
    tree = parse_treeinfo(iso.text("/.treeinfo"))
    label = identify((iso.volume_id, iso.name), NAMES)
    return Detection(
        stack="anaconda on Xen",
        distro="Qubes OS",
        version=tree.version or label.version.replace("-", "."),
        arch=plain_arch(tree.arch) or "x86_64",
        evidence=(f"{XEN} is there", f"{STAGE2} is there"),
        obstacle="Qubes OS starts Xen by multiboot2 with its kernel as a module, which bootkit's menus cannot do yet.",
        instead="Write this image to a stick of its own, or write an entry with multiboot2 and module2 to custom.cfg.",
    )


DETECTOR = Detector(name="Qubes OS", detect=detect, rank=20, distributions=("Qubes OS (recognised only)",))
