"""Images as the menu shows them: their entries with titles, ids and conditions."""

import re
from collections.abc import Iterator
from dataclasses import replace

from bootkit.detect.registry import stack_of
from bootkit.model.boot import (
    ANY_FIRMWARE,
    IN_EFI,
    IN_UNIFIED,
    ISO_PATH,
    ON_STICK,
    BootEntry,
    Detection,
    EntryKind,
    Firmware,
    Module,
    Role,
)
from bootkit.model.catalog import Additions, ImageItem
from bootkit.model.places import OVERLAY_FOLDER
from bootkit.render.grub import unbootable_path
from bootkit.render.menu_image import GrubEntry, Load, MenuImage, Needs
from bootkit.render.names import clean_text, entry_id, explanation, grub_bytes, own_name, plain_path

HEADER_SUFFIX = ".header"
ERASES = "(erases disks)"
"""What stands behind the title of an entry that destroys something without a question."""
INSTALLS = "(installs)"
"""What stands behind the title of one that installs, where that does not say so."""
OTHER_KERNELS = "With another kernel"
WITHOUT_ADDITIONS = "Without what is added from this stick"
MARKED = "marked"
"""The class of what does not start."""
_LINE_LIMIT = 2048
"""Bytes of a kernel line with its NUL: COMMAND_LINE_SIZE of x86 and arm64. One word of 8 KiB ends GRUB's lexer."""
# a toggle's words travel in one variable of the menu, which GRUB splits at blanks and expands like file names
_TOGGLE_WORD = re.compile(r"[^\s\\'\"*?\[\]]+")
_SECTOR = 512
_LOADERS = {EntryKind.MEMDISK: "linux16", EntryKind.WIMBOOT: "linux16"}
"""GRUB's command where it is not called as the kind is."""
_MODULE_LOADERS = {
    EntryKind.MULTIBOOT: "module",
    EntryKind.MULTIBOOT2: "module2",
    EntryKind.KNETBSD: "knetbsd_module_elf",
}


def image_title(item: ImageItem) -> str:
    """What an image is called that has no other name, with a remark if it is not as usual."""
    detection = item.recognition.detection if item.recognition else None
    if item.error:
        return f"{clean_text(item.name)} (cannot be read)"
    if detection is None:
        return f"{clean_text(item.name)} (not known)"
    title = clean_text(detection.title) or clean_text(item.name)
    if detection.untested:
        return f"{title} (untested guess)"
    return title if detection.entries else f"{title} (cannot boot from a file)"


def menu_image(item: ImageItem, title: str, place: str, additions: Additions) -> MenuImage:
    """An image in the folder at ``place``, as GRUB's ``default`` names it; empty for the menu itself."""
    detection = item.recognition.detection if item.recognition else None
    own = f"image:{plain_path(item.path)}"
    only_installs = detection is not None and stack_of(detection.stack).only_installs
    return MenuImage(
        path=item.path,
        title=title,
        id=own,
        id_path=f"{place}>{own}" if place else own,
        loop=own_name(item.path),
        classes=_classes(item, detection),
        comment=clean_text(f"{item.path}: {detection.stack if detection else 'not known'}"),
        explanation=_no_boot(item, detection),
        entries=_entries(item, detection, additions, only_installs=only_installs) if detection else (),
        refused=item.refused,
        only_installs=only_installs,
    )


def _no_boot(item: ImageItem, detection: Detection | None) -> tuple[str, ...]:
    """Why there is nothing to boot; empty if there is."""
    if item.error:
        return explanation(
            f"{item.name} cannot be read: {item.error}.", "On your computer:", f"  bootkit verify {item.name}"
        )
    if detection is None:
        return explanation(
            f"Nobody knows how to start {item.name}.", "On your computer:", f"  bootkit explain {item.name}"
        )
    if not detection.entries:
        return explanation(f"{item.name} cannot boot from a file.", detection.obstacle, detection.instead)
    return ()


def _entries(
    item: ImageItem, detection: Detection, additions: Additions, *, only_installs: bool
) -> tuple[GrubEntry, ...]:
    ids: set[str] = set()
    entries = [
        _entry(item, entry, entry_id(entry.title, ids), only_installs=only_installs) for entry in detection.entries
    ]
    if additions.initrds and detection.wants_disk:
        entries = [_needing(entry) for entry in _with_additions(entries, additions)]
        if detection.entries[0].newest_in:
            entries.append(
                replace(
                    entries[0], title=OTHER_KERNELS, id=entry_id(OTHER_KERNELS, ids), lists_kernels=True, source=None
                )
            )
    elif additions.initrds:
        entries = [*_with_additions(entries, additions), *_twins(entries, ids)]
    supported = frozenset(firmware for entry in detection.entries for firmware in entry.firmware)
    if supported != ANY_FIRMWARE:
        names = " or ".join(firmware.label for firmware in Firmware if firmware in supported)
        entries.append(
            GrubEntry(
                title="Not for this computer",
                id="entry-not-here",
                condition=f"! {_condition(supported)}" if supported else "",
                explanation=explanation(f"{item.name} starts on {names or 'no'} machines only."),
            )
        )
    if detection.obstacle:
        entries.append(
            GrubEntry(
                title="Good to know",
                id="entry-good-to-know",
                explanation=explanation(detection.obstacle, detection.instead),
            )
        )
    return tuple(entries)


def _with_additions(entries: list[GrubEntry], additions: Additions) -> list[GrubEntry]:
    return [replace(entry, additions=additions) if entry.kernel and entry.initrds else entry for entry in entries]


def _needing(entry: GrubEntry) -> GrubEntry:
    """An entry that does not boot without its additions."""
    return replace(entry, needs=replace(entry.needs, stick=(*entry.needs.stick, *entry.additions.initrds)))


def _twins(entries: list[GrubEntry], ids: set[str]) -> list[GrubEntry]:
    """The image's first entry once more, for each kind of machine, without the additions."""
    plain = [entry for entry in entries if entry.source is None or entry.source.role is not Role.PERSISTENT]
    firsts = {entry.condition: entry for entry in reversed(plain) if entry.kernel}
    return [
        replace(entry, title=WITHOUT_ADDITIONS, id=entry_id(WITHOUT_ADDITIONS, ids), source=None)
        for entry in reversed(firsts.values())
    ]


def _entry(item: ImageItem, entry: BootEntry, own_id: str, *, only_installs: bool) -> GrubEntry:
    title = _marked_title(entry)
    condition = _condition(entry.firmware)
    refused = _refused(item, entry)
    if refused:
        return GrubEntry(title=title, id=own_id, condition=condition, explanation=refused, source=entry)
    if entry.kind is EntryKind.CONFIGFILE:
        return GrubEntry(title=title, id=own_id, condition=condition, own_menu=entry.kernel, source=entry)
    before, after = split_words(entry.cmdline)
    is_linux = entry.kind is EntryKind.LINUX
    return GrubEntry(
        title=title,
        id=own_id,
        condition=condition,
        needs=_needs(item, entry),
        warning=explanation(entry.wipes) if entry.wipes else (),
        installs=entry.role is Role.INSTALL or (only_installs and entry.role is Role.DEFAULT),
        kernel=_place(item, entry.kernel) if is_linux else "",
        newest_in=_newest_in(item, entry),
        initrds=tuple(_place(item, path) for path in _initrds(item, entry)) if is_linux else (),
        devicetree=entry.devicetree if is_linux and _is_beside(entry.devicetree, entry.kernel) else "",
        loads=() if is_linux else tuple(_loads(entry)),
        before=before,
        after=after,
        to_ram=_toggle_words(entry.to_ram),
        safe=_toggle_words(entry.safe_graphics),
        hop=item.hops.get(entry.kernel),
        source=entry,
    )


def _marked_title(entry: BootEntry) -> str:
    if entry.wipes:
        return clean_text(f"{entry.title} {ERASES}")
    says_so = entry.role is not Role.INSTALL or "install" in entry.title.casefold()
    return clean_text(entry.title if says_so else f"{entry.title} {INSTALLS}") or "Start"


def _place(item: ImageItem, path: str) -> str:
    """How GRUB reaches a file: a section of a unified kernel image by its blocks in there."""
    section = item.facts.sections.get(path) if item.facts else None
    return path if section is None else f"{IN_UNIFIED}{section[0] // _SECTOR}+{-(-section[1] // _SECTOR)}"


def _unified(item: ImageItem, entry: BootEntry) -> tuple[str, str] | None:
    if item.facts is None or entry.kernel not in item.facts.sections:
        return None
    device, path = item.facts.on_partition(entry.kernel.rpartition(".")[0])
    return f",{device}" if device else "", path


def _newest_in(item: ImageItem, entry: BootEntry) -> tuple[str, str] | None:
    if not entry.newest_in or item.facts is None:
        return None
    device, folder = item.facts.on_partition(f"{entry.newest_in}/")
    return f",{device}" if device else "", folder


def _initrds(item: ImageItem, entry: BootEntry) -> tuple[str, ...]:
    """The initrds; for one that wants the image in its root the image follows, with the header of a cpio member before."""
    image = (ON_STICK + image_header(item.path), ON_STICK + ISO_PATH) if entry.image_as else ()
    return (*entry.initrds, *image)


def _is_beside(path: str, kernel: str) -> bool:
    """Whether a file lies where the kernel does, in the image or in its FAT image for UEFI, which is open then."""
    return path.startswith(IN_EFI) == kernel.startswith(IN_EFI)


def image_header(path: str) -> str:
    """Where the stick keeps what makes a cpio member of the image ``path``: ``generate`` writes it."""
    return f"{OVERLAY_FOLDER}/{own_name(path)}{HEADER_SUFFIX}"


def _loads(entry: BootEntry) -> Iterator[Load]:
    """The commands of an entry that is not for ``linux``."""
    command = _LOADERS.get(entry.kind, str(entry.kind))
    if entry.kind.tool:
        yield Load(command=command, path=ON_STICK + entry.kind.tool, words=entry.cmdline)
        name = "boot.wim" if entry.kind is EntryKind.WIMBOOT else ""
        yield Load(command="initrd16", path=entry.kernel, name=name)
        return
    yield Load(command=command, path=entry.kernel, words=entry.cmdline)
    for initrd in entry.initrds:
        yield Load(command="initrd16", path=initrd)
    for place, module in enumerate(entry.modules):
        yield _module(entry.kind, module, first=place == 0)


def _module(kind: EntryKind, module: Module, *, first: bool) -> Load:
    """A module; the first of Xen's is Linux, which gets the words of what was chosen at the menu."""
    return Load(
        command=_MODULE_LOADERS[kind],
        path=module.path,
        words=module.cmdline,
        takes_choices=first and kind is EntryKind.MULTIBOOT2,
    )


def _needs(item: ImageItem, entry: BootEntry) -> Needs:
    header = (image_header(item.path),) if entry.image_as else ()
    if entry.newest_in:
        return Needs(stick=entry.stick_files)
    if unified := _unified(item, entry):
        return Needs(stick=entry.stick_files, unified=unified)
    return Needs(
        image=tuple(path for path in entry.paths if path.startswith("/")),
        efi=tuple(path.removeprefix(IN_EFI) for path in entry.paths if path.startswith(IN_EFI)),
        efi_blocks=_efi_blocks(item),
        stick=(*entry.stick_files, *header),
    )


def _efi_blocks(item: ImageItem) -> str:
    """``START+COUNT`` in sectors of 512 bytes; empty if the image has no FAT image for UEFI."""
    place = item.facts.efi_image if item.facts else None
    return f"{place[0] // 512}+{-(-place[1] // 512)}" if place else ""


def _refused(item: ImageItem, entry: BootEntry) -> tuple[str, ...]:
    """Why an entry cannot be written down; empty if it can."""
    flaw = unbootable_path(item.path)
    if flaw and entry.needs_path:
        return explanation(
            f"The path {item.path} holds {flaw}, and the system would look for another file.",
            "Rename it on your computer, then: bootkit generate",
        )
    if any(path.startswith(IN_EFI) for path in entry.paths) and not _efi_blocks(item):
        return explanation("It lies in the image's part for UEFI, and nobody knows where that is.")
    words = max((entry.cmdline, *(module.cmdline for module in entry.modules)), key=len)
    words = (*words, *entry.to_ram, *entry.safe_graphics)
    size = sum(len(grub_bytes(word.replace(ISO_PATH, item.path))) + 1 for word in words)
    if max(size, *(len(grub_bytes(path)) for path in entry.paths)) >= _LINE_LIMIT:
        return explanation(
            f"Its kernel line has {size} characters; kernels take {_LINE_LIMIT - 1}, and GRUB not many more."
        )
    return ()


def split_words(words: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words before the first ``---`` and those from there on."""
    at = words.index("---") if "---" in words else len(words)
    return words[:at], words[at:]


def _toggle_words(words: tuple[str, ...]) -> str:
    """The words in one string; empty, which the menu shows, if one of them would not survive in there."""
    return " ".join(words) if all(_TOGGLE_WORD.fullmatch(word) for word in words) else ""


def _condition(firmware: frozenset[Firmware]) -> str:
    if firmware == ANY_FIRMWARE:
        return ""
    tests = [f'"$firmware" = {one.value}' for one in Firmware if one in firmware]
    return f"[ {' -o '.join(tests)} ]" if tests else "false"


def image_class(detection: Detection | None) -> str:
    """The class of an image's line, by which a theme finds its picture; empty if nothing is known of it."""
    return re.sub(r"[^a-z0-9]+", "-", detection.distro.lower()).strip("-")[:40] if detection else ""


def _classes(item: ImageItem, detection: Detection | None) -> tuple[str, ...]:
    """What does not start has the picture that says so, whatever it is."""
    starts = detection is not None and detection.entries and not item.error
    return tuple(filter(None, ("" if starts else MARKED, image_class(detection))))
