"""An image that nobody knows: its own menu as it stands, with the words by which most initrds find an ISO file.

A guess, and called one wherever it is shown: ``findiso=`` is read by live-boot, ``iso-scan/filename=`` by casper and
dracut, ``img_dev=`` with ``img_loop=`` by archiso; a system that knows none of them ignores them all. Where there is no
menu, a loader that is whole in itself may start (UEFI), or the whole disc from RAM (BIOS, memdisk).

Source: the detectors of those stacks.
"""

import re
from dataclasses import replace

from bootkit.detect import (
    ANY_FILESYSTEM,
    IMAGE_FILE,
    IN_EFI,
    ISO_PATH,
    STICK_UUID,
    BootEntry,
    Detection,
    Detector,
    EntryKind,
    FileKind,
    Firmware,
    IsoView,
    MenuEntry,
    NotMine,
    Role,
    Stack,
    Verdict,
    arch_of,
    before_separator,
    boot_entries,
    image_name,
    loadable,
    menuless,
    read_menus,
    without_loader_words,
)

FIND_ISO = (
    f"findiso={ISO_PATH}",
    f"iso-scan/filename={ISO_PATH}",
    f"img_dev=/dev/disk/by-uuid/{STICK_UUID}",
    f"img_loop={ISO_PATH}",
)
FILESYSTEMS = ("vfat", "ext4")
LOADERS = {
    "/EFI/BOOT/BOOTX64.EFI": Firmware.UEFI_X64,
    "/EFI/BOOT/BOOTIA32.EFI": Firmware.UEFI_IA32,
    "/EFI/BOOT/BOOTAA64.EFI": Firmware.UEFI_ARM64,
}
FOLDERS = ("/boot", "/isolinux", "/syslinux", "/")
MEMDISK_LIMIT = 300 << 20
TOOL_LIMIT = 100 << 20
"""Bytes of an image that may be one program; a larger one holds what its loader would look for."""
FALLBACK = re.compile(r"boot(?:x64|ia32|aa64)\.efi", re.IGNORECASE)
NOTE = (
    "Nobody has tested this image: if it does not find its files, 'bootkit inspect --json' prints what a report needs."
)


def detect(iso: IsoView) -> Detection | NotMine:
    if iso.facts.kind is not FileKind.ISO:
        return NotMine(reason="it is no ISO file")
    menu = read_menus(iso)
    ready = {entry: usable for entry in menu.linux if (usable := loadable(iso, entry))}
    if ready:
        default = ready.get(menu.default_linux) if menu.default_linux is not None else None
        entries = boot_entries(ready.values(), _words, default=default)
        return _detection(iso, entries, f"{menu.sources[0]} starts {entries[0].kernel}")
    if pairs := menuless(iso, *FOLDERS):
        return _detection(iso, boot_entries(pairs, _words), f"{pairs[0].kernel} has an initrd beside it")
    if loaders := tuple(_loaders(iso)):
        found = _detection(iso, loaders, "it has a boot loader, but no menu that can be read")
        return replace(found, filesystems=ANY_FILESYSTEM)
    return NotMine(reason="it has neither a boot menu, a kernel nor a boot loader")


def _words(entry: MenuEntry) -> tuple[str, ...]:
    return before_separator(without_loader_words(entry.cmdline), *FIND_ISO)


def _loaders(iso: IsoView) -> list[BootEntry]:
    """What may start the image without a menu of ours, the default first."""
    found: list[BootEntry] = []
    for path, firmware in LOADERS.items():
        place = next((prefix + path for prefix in ("", IN_EFI) if iso.is_file(prefix + path)), "")
        if place and _is_whole(iso, iso.spelled(place)):
            found.append(_loader("Start its UEFI loader", iso.spelled(place), EntryKind.CHAINLOADER, firmware))
    starts = any(row.platform == "bios" for row in iso.facts.el_torito)
    if starts and iso.size <= MEMDISK_LIMIT:
        found.append(_loader("Start it as a disc in RAM", IMAGE_FILE, EntryKind.MEMDISK, Firmware.BIOS, "iso", "raw"))
    return found


def _is_whole(iso: IsoView, path: str) -> bool:
    """Whether a program can do without files beside it: a loop device of GRUB's is no disk to what GRUB starts from it.

    A boot loader would look for its menu, a shim for the loader beside it; an unknown program is trusted only where nothing
    lies beside it but itself for other processors, there is no other folder, and the image is no larger than a tool.
    """
    kernel = iso.kernel(path)
    if kernel is None or not kernel.cpu or kernel.loader or iso.size > TOOL_LIMIT:
        return False
    tops = ["/", "/EFI"] if path.startswith("/") else [IN_EFI + "/", IN_EFI + "/EFI", "/"]
    folders = {node.name.lower() for top in tops for node in iso.listdir(top) if node.is_dir}
    return folders <= {"efi", "boot"} and all(
        FALLBACK.fullmatch(node.name) for node in iso.listdir(path.rpartition("/")[0])
    )


def _loader(title: str, kernel: str, kind: EntryKind, firmware: Firmware, *words: str) -> BootEntry:
    return BootEntry(
        title=title, kernel=kernel, kind=kind, cmdline=words, firmware=frozenset({firmware}), safe_graphics=()
    )


def _detection(iso: IsoView, entries: tuple[BootEntry, ...], because: str) -> Detection:
    info = image_name(iso)
    first = replace(entries[0], role=Role.DEFAULT)
    return Detection(
        stack="unknown",
        distro=info.name or iso.name.rpartition(".")[0],
        version=info.version,
        arch=info.arch or arch_of(iso),
        edition=info.edition,
        entries=(first, *entries[1:]),
        filesystems=FILESYSTEMS,
        evidence=("no other detector knows the image", because),
        notes=(NOTE,),
        untested=True,
    )


DETECTOR = Detector(
    name="generic",
    detect=detect,
    rank=99,
    stacks=(
        Stack(
            name="unknown",
            systems=("any other image with a menu",),
            source="the detectors of those stacks",
            verdict=Verdict.GUESS,
        ),
    ),
)
