"""What the live systems of mkinitcpio have in common: archiso and its children.

Each has a hook ``..._loop_mnt`` in its initrd: with ``img_dev=`` and ``img_loop=`` it mounts that device, opens the file
on it and overrides every other word for the medium. A path is the only spelling of the device that all of them take:
``UUID=`` works since mkinitcpio-archiso 68.
"""

from collections.abc import Mapping
from dataclasses import replace

from bootkit.bootcfg.cmdline import has_word, without, word_value
from bootkit.bootcfg.menu import MenuEntry
from bootkit.detect.entries import boot_entries, without_loader_words
from bootkit.detect.identity import build_date
from bootkit.model.boot import ISO_PATH, STICK_UUID, BootEntry, Role
from bootkit.model.iso import IsoView
from bootkit.model.stack import FileFinder, ScriptMark
from bootkit.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopHook:
    """The hook of one kind of initrd, and how it is known."""

    finder: FileFinder
    markers: Mapping[str, tuple[str, ...]]
    scripts: Mapping[str, ScriptMark]


def loop_hook_of(name: str) -> LoopHook:
    """The hook ``<name>_loop_mnt`` beside the hook ``name``: archiso's, or that of a fork which has put its own name for it.

    ``/init`` runs no hook that ``HOOKS`` in ``/config`` does not name, wherever its file came from. Not all forks are public, so
    that a hook which keeps archiso's name, or bears a third one, counts as well.

    Source: mkinitcpio 41, init_functions (run_hookfunctions); Ventoy 1.0 IMG/cpio/ventoy/hook/arch and hook/hyperbola, which
    patch ``hooks/parabolaiso``, ``hooks/hyperiso`` and ``hooks/artix`` by these names; artools 0.8, initcpio/hooks;
    KaOSx/live-uefi (d5c3332), live-iso/hooks.
    """
    hook, listed = f"{name}_loop_mnt", f"{name}-loop-in-config"
    return LoopHook(
        finder=FileFinder(
            markers=(f"{name}-loop",),
            mounts_anything=True,
            scripts=name,
            maker="mkinitcpio",
            lacking=f"Its initrd was made without the hook {hook}, which opens an ISO file.",
            parts=((_CONFIG, listed),),
            partial=f"Its initrd holds the hook {hook}, which opens an ISO file, but its /config does not name it.",
        ),
        markers={name: (f"hooks/{name}",), f"{name}-loop": ("hooks/*_loop_mnt",)},
        scripts={
            _CONFIG: ScriptMark(files=("config",), says="^HOOKS="),
            listed: ScriptMark(files=("config",), says=r"^HOOKS=.*\b\w+_loop_mnt\b"),
        },
    )


_CONFIG = "mkinitcpio-config"
LOOP_WORDS = (f"img_dev=/dev/disk/by-uuid/{STICK_UUID}", f"img_loop={ISO_PATH}")
IMG_DEV = "/run/archiso/img_dev"
"""Where the hook leaves the stick in the booted system; it lets go of it when the system is copied to RAM."""
_OTHER_PLACES = ("img_dev", "img_label", "img_loop", "img_flags")
_FILESYSTEMS = ("vfat", "ext4", "btrfs", "xfs", "f2fs")
"""The hook ``filesystems`` packs all drivers of the kernel, but NTFS is not asked for by a name they answer to."""
_EXFAT_SINCE = "2020-07"
"""Build date of the first images with a kernel (5.7) that has exFAT."""
_NETWORK = ("*_nbd_srv", "*_nfs_srv", "*_http_srv")
_TO_RAM = ("copytoram=y",)
_CHECK = "checksum=y"


def is_local(entry: MenuEntry) -> bool:
    """Whether an entry is not one of those for booting over the network."""
    return without(entry.cmdline, *_NETWORK) == entry.cmdline


def _loop_words(entry: MenuEntry, *medium: str) -> tuple[str, ...]:
    """The words of an entry without those that name the medium, and with ours in front."""
    return (*LOOP_WORDS, *without_loader_words(without(entry.cmdline, *_OTHER_PLACES, *medium)))


def live_entries(
    entries: tuple[MenuEntry, ...], *medium: str, extra: tuple[str, ...] = (), check: bool = False
) -> tuple[BootEntry, ...]:
    """The entries of a live system, with a check of the image's checksums if there are any and no entry does that.

    ``medium`` are words that name the medium, ``extra`` are added to every entry.
    """
    ours = boot_entries(
        entries, lambda entry: (*_loop_words(entry, *medium), *extra), default=entries[0], to_ram=_TO_RAM
    )  # fmt: skip
    ours = tuple(_live(entry) for entry in ours)
    if not check or any(has_word(entry.cmdline, "checksum") for entry in ours):
        return ours
    first = ours[0]
    title = f"{first.title}, after a check of its checksums"
    return (*ours, replace(first, title=title, role=Role.CHECK, cmdline=(*first.cmdline, _CHECK)))


def _live(entry: BootEntry) -> BootEntry:
    """An install medium is a live system; and ``copytoram=n`` in its words does not forbid asking for a copy."""
    role = Role.OTHER if entry.role is Role.INSTALL else entry.role
    copies = "copytoram" in entry.cmdline or word_value(entry.cmdline, "copytoram") == "y"
    return replace(entry, role=role, to_ram=() if copies else _TO_RAM)


def mkinitcpio_filesystems(iso: IsoView) -> tuple[str, ...]:
    """The file systems that its initrd can read, by the age of the image's kernel."""
    return (*_FILESYSTEMS, "exfat") if build_date(iso) >= _EXFAT_SINCE else _FILESYSTEMS


def microcode_images(iso: IsoView, folder: str) -> tuple[str, ...]:
    """The microcode images in a folder, for an image whose menu cannot be read."""
    return iso.glob(f"{folder}/*ucode.img")
