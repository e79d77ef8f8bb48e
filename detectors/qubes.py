"""Qubes OS: Anaconda's installer on top of Xen.

Source: Mexit/MultiOS-USB (5a8765a) config/qubes-os/qubes-os.cfg; rhinstaller/anaconda 45.21, dracut/anaconda-lib.sh.
"""

from bootkit.detect import (
    ISO_PATH,
    STICK_UUID,
    Detection,
    Detector,
    IsoView,
    LookedAt,
    MenuEntry,
    Module,
    NamePattern,
    NotMine,
    Stack,
    identify,
    parse_treeinfo,
    plain_arch,
    without,
)
from bootkit.detect.dracut import DRACUT_FILESYSTEMS
from bootkit.detect.xen import SECURE_BOOT_NOTE, xen_entries

XEN = "/images/pxeboot/xen.gz"
KERNEL = "/images/pxeboot/vmlinuz"
INITRD = "/images/pxeboot/initrd.img"
STAGE2 = "/images/install.img"
NAMES = (NamePattern("Qubes OS", r"^QUBES-R?(?P<version>[\d.-]+\d)"),)
REPO = f"inst.repo=hd:UUID={STICK_UUID}:{ISO_PATH}"
LEFT_OUT = ("inst.repo", "inst.stage2", "rd.live.check", "root")
USUAL = MenuEntry(
    title="Install",
    loader="multiboot2",
    kernel=XEN,
    cmdline=("console=none",),
    modules=(Module(path=KERNEL, cmdline=("quiet",)), Module(path=INITRD)),
)
"""What to start where the menu cannot be read."""


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
        entries=xen_entries(iso, USUAL, _words),
        filesystems=DRACUT_FILESYSTEMS,
        evidence=(f"{XEN} is there", f"{STAGE2} is there"),
        notes=(SECURE_BOOT_NOTE,),
    )


def _words(words: tuple[str, ...]) -> tuple[str, ...]:
    return (*without(words, *LEFT_OUT), REPO)


DETECTOR = Detector(
    name="Qubes OS",
    detect=detect,
    rank=20,
    stacks=(
        Stack(
            name="anaconda on Xen",
            only_installs=True,
            systems=("Qubes OS",),
            source="rhinstaller/anaconda 45.21; Mexit/MultiOS-USB (5a8765a)",
            looked_at=(
                LookedAt(
                    system="Qubes OS",
                    version="4.3",
                    when="2026-06",
                    what="its image, in the tests of linuxboot/heads (aedae4ff)",
                ),
            ),
            but="not with Secure Boot",
        ),
    ),
)
