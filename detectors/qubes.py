"""Qubes OS: Anaconda's installer on top of Xen.

GRUB loads Xen by ``multiboot2``; the kernel and its initrd are its modules, and Anaconda's words belong to the kernel's
module. GRUB as distributions sign it has no multiboot2, so Secure Boot is out of the question. An overlay cannot be
added: a second initrd would be a third module, which Linux does not see.

Source: Mexit/MultiOS-USB (5a8765a) config/qubes-os/qubes-os.cfg; rhinstaller/anaconda 45.21, dracut/anaconda-lib.sh.
"""

from bootkit.detect import (
    ISO_PATH,
    STICK_UUID,
    BootEntry,
    Detection,
    Detector,
    EntryKind,
    IsoView,
    MenuEntry,
    Module,
    NotMine,
    Role,
    Support,
    clean_title,
    parse_treeinfo,
    read_menus,
    role_of,
    without,
)
from bootkit.detectors._live import DRACUT_FILESYSTEMS, Name, identify, plain_arch

XEN = "/images/pxeboot/xen.gz"
KERNEL = "/images/pxeboot/vmlinuz"
INITRD = "/images/pxeboot/initrd.img"
STAGE2 = "/images/install.img"
NAMES = (Name("Qubes OS", r"^QUBES-R?(?P<version>[\d.-]+\d)"),)
REPO = f"inst.repo=hd:UUID={STICK_UUID}:{ISO_PATH}"
LEFT_OUT = ("inst.repo", "inst.stage2", "rd.live.check", "root")


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
        entries=_entries(iso),
        filesystems=DRACUT_FILESYSTEMS,
        evidence=(f"{XEN} is there", f"{STAGE2} is there"),
        notes=("Secure Boot has to be off: no signed GRUB starts Xen.",),
    )


def _entries(iso: IsoView) -> tuple[BootEntry, ...]:
    found = [entry for entry in read_menus(iso).entries if _is_whole(iso, entry)] or [_usual()]
    return tuple(_entry(entry, Role.DEFAULT if entry is found[0] else role_of(entry)) for entry in found)


def _entry(entry: MenuEntry, role: Role) -> BootEntry:
    kernel, *others = entry.modules
    words = (*without(kernel.cmdline, *LEFT_OUT), REPO)
    return BootEntry(
        title=clean_title(entry.title),
        kernel=entry.kernel,
        kind=EntryKind.MULTIBOOT2,
        cmdline=entry.cmdline,
        modules=(Module(path=kernel.path, cmdline=words), *others),
        role=role,
    )


def _is_whole(iso: IsoView, entry: MenuEntry) -> bool:
    files = (entry.kernel, *(module.path for module in entry.modules))
    return entry.is_xen and len(entry.modules) > 1 and all(iso.is_file(path) for path in files)


def _usual() -> MenuEntry:
    """What to start where the menu cannot be read."""
    modules = (Module(path=KERNEL, cmdline=("quiet",)), Module(path=INITRD))
    return MenuEntry(title="Install", loader="multiboot2", kernel=XEN, cmdline=("console=none",), modules=modules)


DETECTOR = Detector(
    name="Qubes OS",
    detect=detect,
    rank=20,
    support=(
        Support(
            stack="anaconda on Xen",
            systems=("Qubes OS",),
            source="rhinstaller/anaconda 45.21; Mexit/MultiOS-USB (5a8765a)",
            but="not with Secure Boot",
        ),
    ),
)
