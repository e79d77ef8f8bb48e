"""The entries of an image's menu as ours: whose files are there, what each is for, the default first."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from bootkit.bootcfg.cmdline import has_word, without
from bootkit.bootcfg.menu import Menu, MenuEntry
from bootkit.model.boot import BootEntry, Role
from bootkit.model.iso import IsoView

_SAFE = ("safe", "compat", "fallback", "vesa", "nomodeset", "troubleshoot", "basic graphics", "low graphics")
_CHECK = frozenset({"check", "verify", "integrity", "defects", "checksum", "selftest"})
_INSTALL = frozenset({"install", "installer", "oem"})
_TRY = frozenset({"try", "live"})
_SAFE_WORDS = ("nomodeset", "xforcevesa")
_CHECK_WORDS = ("integrity-check", "verify-checksums", "rd.live.check")
_PLATFORM = re.compile(r"\s*\((?:U?EFI|BIOS)\)|,?\s+(?:U?EFI|BIOS)\b")


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
            devicetree=entry.devicetree,
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


def usable_entries(iso: IsoView, menu: Menu, wanted: Callable[[MenuEntry], bool]) -> tuple[MenuEntry, ...]:
    """The wanted entries of a menu whose files are there, titles without UEFI and BIOS.

    The first is what the menu starts by itself, unless that is a media check or the like.
    """
    ready = {entry: usable for entry in menu.linux if wanted(entry) and (usable := _ready(iso, entry))}
    if not ready:
        return ()
    first = min(ready, key=lambda entry: (not _is_usual(entry), entry is not menu.default_linux))
    return (ready.pop(first), *ready.values())


def _is_usual(entry: MenuEntry) -> bool:
    return role_of(entry) in (Role.DEFAULT, Role.INSTALL, Role.OTHER)


def _ready(iso: IsoView, entry: MenuEntry) -> MenuEntry | None:
    """The entry without microcode images that are not there, and with those that are in front; ``None`` if in vain."""
    microcode = tuple(path for path in entry.initrds if is_microcode(path))
    initrds = tuple(path for path in entry.initrds if path not in microcode)
    if not initrds or not all(iso.is_file(path) for path in (entry.kernel, *initrds)):
        return None
    title = _PLATFORM.sub("", clean_title(entry.title))
    board = entry.devicetree if entry.devicetree and iso.is_file(entry.devicetree) else ""
    return replace(entry, title=title, initrds=(*filter(iso.is_file, microcode), *initrds), devicetree=board)


def is_microcode(path: str) -> bool:
    return "ucode" in path.rpartition("/")[2]


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


def without_loader_words(words: Iterable[str]) -> tuple[str, ...]:
    """Without what a boot loader says about itself, and without words that came to nothing."""
    return tuple(word for word in without(words, "initrd", "BOOT_IMAGE") if word)
