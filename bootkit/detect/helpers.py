"""What several detectors do in the same way: name an image, sort a menu's entries, offer the image's own menu."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from bootkit.bootcfg.cmdline import has_word, without
from bootkit.bootcfg.diskinfo import DiskInfo, parse_disk_info
from bootkit.bootcfg.find import LOOPBACK_VARIABLES, read_loopback, read_menus
from bootkit.bootcfg.grub_machine import STICK_DEVICE
from bootkit.bootcfg.menu import Menu, MenuEntry
from bootkit.model.boot import BootEntry, EntryKind, Firmware, Role
from bootkit.model.filesystem import FILE_SYSTEMS, names_of
from bootkit.model.iso import IsoView
from bootkit.model.stack import ChoiceWords

_MEMORY_TESTS = ("memtest", "mt86")
_BIOS_VARIABLES = {**LOOPBACK_VARIABLES, "grub_platform": "pc", "grub_cpu": "i386"}
"""Menus ask for the platform before they offer a memory test."""
_OPENED_VARIABLES = {**LOOPBACK_VARIABLES, **dict.fromkeys(("prefix", "cmdpath"), f"({STICK_DEVICE})/boot/grub")}
"""What the image's menu finds when the stick's has opened it."""
_CPUS = ("x64", "x32", "ia32", "x86_64", "i586")
OWN_MENU_TITLE = "Menu on the image"
ANY_FILESYSTEM = names_of(FILE_SYSTEMS)
"""What GRUB reads: enough for a system that is whole in RAM once kernel and initrd are loaded."""

SYSTEMD_WORDS = ChoiceWords(
    language=("locale.LANG={locale}",), keyboard=("vconsole.keymap={keymap}",), host=("systemd.hostname={value}",)
)
"""What systemd itself reads in any live system. Source: kernel-command-line(7), systemd-firstboot(1)."""
LINUX_FILESYSTEMS = names_of(one for one in FILE_SYSTEMS if one.is_unix)
"""Those of a stick that hold what a Linux system changes: owners, modes, and the marks of an overlay."""
NEEDS_LINUX_FILESYSTEM = "the changed files of an overlay need a file system of Linux"
KEEPS_NOTHING = "its initrd keeps nothing of a system that starts from an ISO file"

_SAFE = ("safe", "compat", "fallback", "vesa", "nomodeset", "troubleshoot", "basic graphics", "low graphics")
_CHECK = frozenset({"check", "verify", "integrity", "defects", "checksum", "selftest"})
_INSTALL = frozenset({"install", "installer", "oem"})
_TRY = frozenset({"try", "live"})
_SAFE_WORDS = ("nomodeset", "xforcevesa")
_CHECK_WORDS = ("integrity-check", "verify-checksums", "rd.live.check")


def version_tuple(version: str) -> tuple[int, ...]:
    """The numbers at the head of a version, to compare: ``24.04.1 LTS`` is ``(24, 4, 1)``, an unknown one ``()``."""
    return tuple(int(number) for number in re.findall(r"\d+", version.partition(" ")[0])[:6])


def image_name(iso: IsoView) -> DiskInfo:
    """What the image calls itself: by ``/.disk/info``, else by its volume id. The text is cut off after the first line."""
    info = parse_disk_info(iso.text("/.disk/info"))
    label = parse_disk_info(iso.volume_id.replace("_", " "))
    if not info.name:
        return label
    return replace(info, version=info.version or label.version, arch=info.arch or label.arch)


def clean_title(title: str) -> str:
    """A menu title on one line, without the marks that syslinux (``^``) and artists (``*``, arrows) put in."""
    return " ".join(title.replace("^", "").split()).strip(" *·⇢→>-") or "Start"


def role_of(entry: MenuEntry, default: MenuEntry | None = None) -> Role:
    """What an entry is for, by its title and its words.

    ``nomodeset`` makes a safe entry only where the menu's default does without it: for some it is the normal way.
    """
    usual = default.cmdline if default is not None else ()
    extra = tuple(word for word in entry.cmdline if word not in usual)
    title = entry.title.lower()
    said = frozenset(re.findall(r"[a-z]+", title))
    if not _CHECK.isdisjoint(re.findall(r"[a-z]+", title.partition("(")[0])) or any(
        has_word(extra, word) for word in _CHECK_WORDS
    ):
        return Role.CHECK
    if any(part in title for part in _SAFE) or any(has_word(extra, word) for word in _SAFE_WORDS):
        return Role.SAFE
    if "rescue" in said:
        return Role.RESCUE
    return Role.INSTALL if said & _INSTALL and not said & _TRY else Role.OTHER


def boot_entries(
    entries: Iterable[MenuEntry],
    words: Callable[[MenuEntry], tuple[str, ...]] | None = None,
    *,
    default: MenuEntry | None = None,
    to_ram: tuple[str, ...] = (),
) -> tuple[BootEntry, ...]:
    """The entries of a menu as ours, the default first, each start once, the titles all different.

    ``words`` gives the kernel's words of an entry, without it they are the menu's own. ``to_ram`` goes to entries that do not copy to RAM by themselves.
    """
    ours: dict[tuple[str, tuple[str, ...], tuple[str, ...]], BootEntry] = {}
    titles: set[str] = set()
    ordered = sorted(entries, key=lambda entry: entry is not default)
    for place, entry in enumerate(ordered):
        cmdline = words(entry) if words is not None else without_loader_words(entry.cmdline)
        key = (entry.kernel, entry.initrds, cmdline)
        if key in ours:
            continue
        role = Role.DEFAULT if place == 0 else role_of(entry, ordered[0])
        copies = any(has_word(cmdline, word.partition("=")[0]) for word in to_ram)
        ours[key] = BootEntry(
            title=_untaken(clean_title(entry.title), entry.submenu, titles),
            kernel=entry.kernel,
            initrds=entry.initrds,
            cmdline=cmdline,
            role=role,
            to_ram=() if copies or role is Role.CHECK else to_ram,
            safe_graphics=() if has_word(cmdline, "nomodeset") else ("nomodeset",),
        )
    return tuple(ours.values())


def _untaken(title: str, submenu: tuple[str, ...], titles: set[str]) -> str:
    """``title``, told apart from those before by its submenu or by a number."""
    candidates = [title, *(f"{clean_title(submenu[-1])}: {title}" for _ in submenu[-1:])]
    candidates += [f"{title} ({number})" for number in range(2, len(titles) + 3)]
    found = next(candidate for candidate in candidates if candidate not in titles)
    titles.add(found)
    return found


def own_menu(iso: IsoView, *words: str) -> tuple[BootEntry, ...]:
    """The image's loopback.cfg as one more entry, if what it starts by itself learns where the ISO file is; else nothing.

    Presence alone says nothing: Linux Mint 21.3 and LMDE 6 have one that passes ``$iso_path`` to nobody. Nor does a path
    that the stack does not read: one of ``words`` (any, if there are none) has to carry it. The menu finds the variables
    that it will find on the stick, where ``$prefix`` is not its own folder.
    """
    menu = read_loopback(iso, variables=_OPENED_VARIABLES)
    first = menu.default_linux if menu is not None else None
    if menu is None or first is None or not first.passes_iso_path:
        return ()
    if words and not any(has_word(first.cmdline, word) for word in words):
        return ()
    if not all(iso.is_file(path) for path in (first.kernel, *first.initrds)):
        return ()
    return (BootEntry(title=OWN_MENU_TITLE, kernel=menu.sources[0], kind=EntryKind.CONFIGFILE, safe_graphics=()),)


def memory_tests(iso: IsoView, *menus: Menu) -> tuple[BootEntry, ...]:
    """The memory tests in the image's menu, and in ``menus``: programs that are whole in themselves and need none of a stack's words.

    A name with the processor in it is that of Memtest86+ since 6, which is a kernel; older ones want ``linux16``. An EFI
    application is offered on UEFI only, where all of them start.
    """
    found: dict[str, BootEntry] = {}
    every = (*menus, read_menus(iso), read_menus(iso, variables=_BIOS_VARIABLES))
    for entry in (entry for menu in every for entry in menu.entries):
        path = entry.kernel or entry.chainloader
        name = path.rpartition("/")[2].lower()
        if not name.startswith(_MEMORY_TESTS) or entry.initrds or path in found or not iso.is_file(path):
            continue
        is_efi = ".efi" in name
        is_kernel = any(cpu in name for cpu in _CPUS) or (is_efi and entry.loader == "linux")
        kind = EntryKind.LINUX if is_kernel else EntryKind.CHAINLOADER if is_efi else EntryKind.LINUX16
        found[path] = BootEntry(
            title=clean_title(entry.title),
            kernel=iso.spelled(path),
            kind=kind,
            cmdline=entry.cmdline,
            firmware=frozenset({Firmware.UEFI_X64 if is_efi else Firmware.BIOS}),
            safe_graphics=(),
        )
    return tuple(found.values())


def loopback_evidence(iso: IsoView, *words: str) -> tuple[str, ...]:
    """Why the image's loopback.cfg is not offered, as evidence; nothing if it is, or if there is none."""
    menu = read_loopback(iso)
    if menu is None or own_menu(iso, *words):
        return ()
    first = menu.default_linux
    if first is not None and first.passes_iso_path and own_menu(iso):
        return (f"{menu.sources[0]} tells the kernel where the ISO file is by a word that it does not read",)
    return (f"{menu.sources[0]} does not tell the kernel where the ISO file is",)


def initrd_beside(iso: IsoView, kernel: str) -> str:
    """The initrd that belongs to a kernel, by the names in its folder; empty if none fits.

    ``vmlinuz-6.1.0-18-amd64`` goes with ``initrd.img-6.1.0-18-amd64``, ``hwe-vmlinuz`` with ``hwe-initrd``,
    ``vmlinuz2`` with ``initrd2.img``, and whatever is left with the plain one.
    """
    folder, _, name = kernel.rpartition("/")
    prefix, _, suffix = name.partition("vmlinuz")
    suffix = suffix.removesuffix(".efi")
    images = [node.name for node in iso.listdir(folder or "/") if not node.is_dir]
    for wanted in (
        f"{prefix}initrd.img{suffix}", f"{prefix}initrd{suffix}.img", f"{prefix}initrd{suffix}",
        f"{prefix}initrd{suffix}.gz", f"{prefix}initrd{suffix}.lz", f"{prefix}initrd{suffix}.xz",
    ):  # fmt: skip
        if wanted in images:
            return f"{folder}/{wanted}"
    return ""


def menuless(iso: IsoView, *folders: str) -> tuple[MenuEntry, ...]:
    """Entries for an image whose menu cannot be read: each kernel in ``folders`` that has an initrd beside it.

    The plainest name comes first; of several versions the highest.
    """
    kernels = sorted({path for folder in folders for path in iso.glob(f"{folder}/*vmlinuz*")}, key=_plainness)
    pairs = [(kernel, initrd) for kernel in kernels if (initrd := initrd_beside(iso, kernel))]
    return tuple(
        MenuEntry(
            title=f"Start {_version_part(kernel)}".strip() if len(pairs) > 1 else "Start",
            loader="linux",
            kernel=kernel,
            initrds=(initrd,),
        )
        for kernel, initrd in pairs
    )


def _version_part(kernel: str) -> str:
    """What tells a kernel apart from the others in its folder: ``6.1.0-18-amd64``, ``hwe``; nothing for the plain one."""
    return kernel.rpartition("/")[2].replace("vmlinuz", "").removesuffix(".efi").strip("-._")


def _plainness(path: str) -> tuple[bool, tuple[int, ...], str]:
    numbers = tuple(-int(number) for number in re.findall(r"\d+", path.rpartition("/")[2])[:6])
    return bool(numbers), numbers, path


def loadable(iso: IsoView, entry: MenuEntry) -> MenuEntry | None:
    """The entry with files that are there: another spelling of the kernel, the initrd beside it. ``None`` if in vain.

    Menus made by a script name files that the image has under another name: Ubuntu up to 17.10 said ``vmlinuz`` where
    the file is ``vmlinuz.efi``, neon the other way round.
    """
    twin = entry.kernel.removesuffix(".efi") if entry.kernel.endswith(".efi") else f"{entry.kernel}.efi"
    kernel = next((path for path in (entry.kernel, twin) if iso.is_file(path)), "")
    if not kernel:
        return None
    if entry.initrds and all(iso.is_file(path) for path in entry.initrds):
        return replace(entry, kernel=kernel)
    initrd = initrd_beside(iso, kernel)
    return replace(entry, kernel=kernel, initrds=(initrd,)) if initrd else None


def without_loader_words(words: Iterable[str]) -> tuple[str, ...]:
    """Without what a boot loader says about itself, and without words that came to nothing."""
    return tuple(word for word in without(words, "initrd", "BOOT_IMAGE") if word)
