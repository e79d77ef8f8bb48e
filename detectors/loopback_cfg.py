"""An image that nobody knows, but whose own loopback.cfg says how it boots from a file.

By the convention the caller sets ``$iso_path`` and the image's menu hands it to the kernel. Whether it really does is
read out of the menu: presence alone proves nothing. A menu without any Linux (Super Grub2 Disk) needs no path at all.

Asked last, because what is known about a stack is worth more than its vendor's menu.

Source: https://www.supergrubdisk.org/wiki/Loopback.cfg
"""

from bootkit.detect import (
    ISO_PATH,
    BootEntry,
    Detection,
    Detector,
    EntryKind,
    IsoView,
    LookedAt,
    Menu,
    MenuEntry,
    NotMine,
    Role,
    Stack,
    boot_entries,
    image_name,
    loadable,
    own_menu,
    read_loopback,
)

FILESYSTEMS = ("vfat", "ext4")
"""What any initrd made for sticks and disks can be expected to mount."""


def detect(iso: IsoView) -> Detection | NotMine:
    menu = read_loopback(iso)
    if menu is None:
        return NotMine(reason="there is no loopback.cfg")
    if menu.entries and not any(entry.kernel for entry in menu.entries):
        return _grub_tool(iso, menu)
    usable = {entry: ready for entry in menu.linux if _learns_its_path(entry) and (ready := loadable(iso, entry))}
    if not usable:
        return NotMine(reason=f"{menu.sources[0]} does not tell any kernel where the ISO file is")
    default = usable.get(menu.default_linux) if menu.default_linux is not None else None
    entries = boot_entries(usable.values(), default=default)
    return _detection(
        iso,
        (*entries, *own_menu(iso)),
        because=f"{menu.sources[0]} passes $iso_path to {len(usable)} of {len(menu.linux)} kernel lines",
        note="Its kind is not known: bootkit's additions and the file systems beside FAT32 and ext4 may not work.",
    )


def _learns_its_path(entry: MenuEntry) -> bool:
    return entry.passes_iso_path and any(ISO_PATH in word for word in entry.cmdline)


def _grub_tool(iso: IsoView, menu: Menu) -> Detection:
    entry = BootEntry(
        title=menu.title or "Start",
        kernel=menu.sources[0],
        kind=EntryKind.CONFIGFILE,
        role=Role.DEFAULT,
        safe_graphics=(),
    )
    return _detection(
        iso,
        (entry,),
        because=f"{menu.sources[0]} is a menu without any Linux",
        note="Its kind is not known: its menu starts no Linux, so it is taken for a tool made of GRUB alone, and nothing of "
        "bootkit's additions applies to it.",
    )


def _detection(iso: IsoView, entries: tuple[BootEntry, ...], *, because: str, note: str) -> Detection:
    info = image_name(iso)
    return Detection(
        stack="loopback.cfg",
        distro=info.name or iso.name.removesuffix(".iso"),
        version=info.version,
        arch=info.arch,
        edition=info.edition,
        entries=entries,
        filesystems=FILESYSTEMS,
        evidence=("no other detector knows the image", because),
        notes=(note,),
    )


DETECTOR = Detector(
    name="loopback.cfg",
    detect=detect,
    rank=95,
    stacks=(
        Stack(
            name="loopback.cfg",
            systems=("Super Grub2 Disk", "siduction", "any image with a working loopback.cfg"),
            source="supergrubdisk.org/wiki/Loopback.cfg",
            looked_at=(
                LookedAt(
                    system="Super Grub2 Disk",
                    version="2.06",
                    when="2026-11",
                    what="thias/glim (8b87c26) and its loopback.cfg",
                ),
                LookedAt(system="siduction", version="2023.1", when="2026-11", what="the loopback.cfg of pyfll 2023.1"),
            ),
            booted="tests/boots/test_tools.py::test_a_menu_on_an_image_starts_what_is_on_it",
        ),
    ),
)
