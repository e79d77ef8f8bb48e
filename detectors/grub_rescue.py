"""Images made by grub-mkrescue: GRUB and whatever menu somebody put beside it.

With a menu, that menu is opened with its root on the image, where it finds its files as it would on a disc; what it
starts has to be whole in itself. Without one there is nothing on it but what the stick has: GRUB's command line.

Source: GRUB 2.06, util/grub-mkrescue.c (the layout); booted: grub-mkrescue and Debian's grub-rescue-cdrom.iso.
"""

from bootkit.detect import (
    ANY_FILESYSTEM,
    BootEntry,
    Detection,
    Detector,
    EntryKind,
    IsoView,
    LookedAt,
    NotMine,
    Role,
    Stack,
    read_loopback,
    read_menu,
)

MENU = "/boot/grub/grub.cfg"
OF_GRUB = frozenset({"boot.catalog", "grub", "efi.img"})
"""What GRUB itself has in /boot."""
AT_THE_TOP = frozenset({".disk", "boot", "boot.catalog", "efi", "efi.img", "system"})
"""What it has beside that; ``system`` is for Macs."""
KERNEL_SIZE = 1 << 20
"""Bytes: smaller files beside the folders are notes that somebody left there."""
SIGNS = ("/boot/grub/i386-pc/eltorito.img", "/boot/grub/x86_64-efi/normal.mod", "/boot/grub/i386-pc/normal.mod")


def detect(iso: IsoView) -> Detection | NotMine:
    sign = next((path for path in SIGNS if iso.is_file(path)), "")
    if not sign:
        return NotMine(reason="it has no modules of GRUB")
    if read_loopback(iso) is not None:
        return NotMine(reason="its loopback.cfg says how it starts")
    entries = tuple(entry for entry in read_menu(iso, MENU).entries if entry.kernel and iso.is_file(entry.kernel))
    if any(entry.initrds for entry in entries):
        return NotMine(reason="its menu starts a system with an initrd")
    evidence = (f"{sign} is there",)
    if not entries and _has_more_than_grub(iso):
        return NotMine(reason="its menu starts nothing, and yet it holds more than GRUB")
    if not entries:
        return Detection(
            stack="grub-mkrescue",
            distro="GRUB rescue disc",
            evidence=(*evidence, "its menu starts nothing that is on it"),
            obstacle="It holds nothing but GRUB, and the stick is one.",
            instead="Press c in the stick's menu for GRUB's command line.",
        )
    return Detection(
        stack="grub-mkrescue",
        distro=iso.volume_id if iso.volume_id not in ("", "ISOIMAGE") else iso.name.rpartition(".")[0],
        entries=(
            BootEntry(
                title="Menu on the image",
                kernel=iso.spelled(MENU),
                kind=EntryKind.CONFIGFILE,
                role=Role.DEFAULT,
                safe_graphics=(),
            ),
        ),
        filesystems=ANY_FILESYSTEM,
        evidence=(*evidence, f"{MENU} starts {entries[0].kernel} without an initrd"),
        notes=("What its menu starts must need nothing of the disc but what GRUB loads.",),
    )


def _has_more_than_grub(iso: IsoView) -> bool:
    """Whether there is a system in a folder of its own, or in GRUB's."""
    own = [node for node in iso.listdir("/") if node.name.lower() not in AT_THE_TOP]
    if any(node.size is None or node.size >= KERNEL_SIZE for node in own):
        return True
    return not {node.name.lower() for node in iso.listdir("/boot")} <= OF_GRUB


DETECTOR = Detector(
    name="grub-mkrescue",
    detect=detect,
    rank=91,
    stacks=(
        Stack(
            name="grub-mkrescue",
            systems=("images made by grub-mkrescue",),
            source="GRUB 2.06 util/grub-mkrescue.c",
            looked_at=(
                LookedAt(
                    system="images made by grub-mkrescue",
                    version="2.06",
                    when="2026-11",
                    what="GRUB 2.06 of Debian 12, images made with it",
                ),
            ),
            but="one with nothing but GRUB on it has nothing to boot",
            booted="tests/boots/test_tools.py::test_a_menu_on_an_image_starts_what_is_on_it",
        ),
    ),
)
