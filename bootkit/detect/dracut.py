"""What dracut's live systems have in common: the script iso-scan, which looks for the ISO file and attaches it."""

import fnmatch
import re

from bootkit.bootcfg.cmdline import has_word, word_value
from bootkit.bootcfg.menu import Menu, MenuEntry
from bootkit.detect.identity import build_date
from bootkit.model.iso import IsoView, NotRecorded
from bootkit.model.stack import FileFinder

ISO_SCAN = "iso-scan/filename"
"""dracut's word for the ISO file; its value ends up unquoted in a shell command."""
LACKS_ISO_SCAN = "Its initrd was made without dracut's script iso-scan, which looks for an ISO file."
NO_ISO_SCAN_HOOK = "Its initrd holds dracut's script iso-scan, which looks for an ISO file, but no hook that starts it."
DRACUT_FILESYSTEMS = ("vfat", "ext4", "btrfs", "xfs")
"""An initrd made without ``--hostonly`` has all of the kernel's own drivers."""
EXFAT_SINCE = "2023-06"
"""Build date of the first images whose dracut initrds were reported to find their ISO file on exFAT: Leap 15.5, then
Fedora 39, EL 8.9 and EL 9.3."""
UDEV_NOTE = (
    "dracut before 060 may overlook the opened ISO file: if it ends in an emergency shell, type "
    "'udevadm trigger --action=add' there."
)
"""dracut's commit 7b530f26: with newer kernels attaching a file raises no event by which udev learns of its label."""
_CMDLINE_HOOKS = ("lib/dracut/hooks/cmdline", "var/lib/dracut/hooks/cmdline")
KIWI_LIVE, DMSQUASH_LIVE = "kiwi-live-root", "dmsquash-live-root"
"""The markers of initrds that hold the one module or the other."""
ISO_SCAN_MARKERS = {
    "iso-scan": ("sbin/iso-scan", "sbin/iso-scan.sh"),
    "dracut-cmdline-hooks": tuple(f"{hooks}/*.sh" for hooks in _CMDLINE_HOOKS),
    "iso-scan-hook": tuple(f"{hooks}/*iso-scan*.sh" for hooks in _CMDLINE_HOOKS),
}
"""Source: dracut 059 and 111, modules.d/90dmsquash-live/module-setup.sh: the script, and the hook that has it started."""


def iso_scan_of(module: str) -> FileFinder:
    """The finder of initrds that are known by the marker ``module``."""
    return FileFinder(
        markers=("iso-scan",),
        mounts_anything=True,
        scripts=module,
        maker="dracut",
        lacking=LACKS_ISO_SCAN,
        parts=(("dracut-cmdline-hooks", "iso-scan-hook"),),
        partial=NO_ISO_SCAN_HOOK,
    )


KIWI_KERNEL = "/boot/*/loader/linux"
KIWI_PERSISTENT = ("rd.live.overlay.persistent", "rd.live.overlay.cowfs")
"""Words that kiwi-live has for changes that are kept."""
_PLAIN_LABEL = re.compile(r"[A-Za-z0-9#+.:=@_-]+")


def dracut_filesystems(iso: IsoView, *, btrfs: bool = True) -> tuple[str, ...]:
    found = DRACUT_FILESYSTEMS if btrfs else tuple(name for name in DRACUT_FILESYSTEMS if name != "btrfs")
    return (*found, "exfat") if build_date(iso) >= EXFAT_SINCE else found


def is_plain_label(label: str) -> bool:
    r"""Whether a volume id is also the name of its link in /dev/disk/by-label.

    udev writes every other character as ``\x20``, and GRUB's ``linux`` cannot pass a single backslash.
    Source: systemd 257, src/shared/device-nodes.c, encode_devnode_name; GRUB 2.06, grub-core/lib/cmdline.c; booted.
    """
    return _PLAIN_LABEL.fullmatch(label) is not None


def live_module(iso: IsoView, menu: Menu) -> str:
    """The module that the initrd of a menu's live system holds: KIWI_LIVE or DMSQUASH_LIVE; empty if it does not tell."""
    live = sorted(filter(is_live_entry, menu.linux), key=lambda entry: entry is not menu.default_linux)
    for path in reversed(live[0].initrds if live else ()):
        try:
            initrd = iso.initrd(path)
        except NotRecorded:  # a record of what detectors asked for before they asked for this
            continue
        found = {KIWI_LIVE, DMSQUASH_LIVE}.intersection(initrd.markers if initrd is not None else ())
        if len(found) == 1:
            return found.pop()
    return ""


def is_for_kiwi_live(iso: IsoView, menu: Menu) -> bool:
    """Whether an image has kiwi-live in its initrd rather than dmsquash-live: what KIWI builds may have either.

    Neither the menu nor the place of the kernel tells: both come from KIWI's template whatever the module, and an image
    may have its own. They are asked only where the initrd does not tell.
    """
    if module := live_module(iso, menu):
        return module == KIWI_LIVE
    live = [entry for entry in menu.linux if is_live_entry(entry) and is_written_by_kiwi(entry)]
    if any(has_word(entry.cmdline, word) for entry in live for word in KIWI_PERSISTENT):
        return True
    return any(entry.passes_iso_path for entry in live) and not any(
        has_word(entry.cmdline, "rd.live.check") for entry in live
    )


def is_live_entry(entry: MenuEntry) -> bool:
    """Whether an entry starts a live system of dracut's: its root is ``live:`` and a device."""
    return word_value(entry.cmdline, "root").startswith("live:")


def is_written_by_kiwi(entry: MenuEntry) -> bool:
    """Whether an entry starts a kernel from where KIWI puts it, with the only root that kiwi-live understands."""
    return fnmatch.fnmatchcase(entry.kernel, KIWI_KERNEL) and any(
        word.startswith("root=live:CDLABEL=") for word in entry.cmdline
    )
