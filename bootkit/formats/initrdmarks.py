"""What single files in an initrd give away: who made it, and which boot stack it holds.

Patterns are for paths without a leading ``usr/``: with merged directories, the same file lies in either place.
Sources: the files that the projects install, as named below; versions read are given where they matter.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

MAKERS: Mapping[str, str] = MappingProxyType(
    {
        # dracut 059, modules.d/99base/module-setup.sh: the version is in the file and in its name.
        "dracut": r"lib/dracut/dracut-[^/]+",
        # initramfs-tools 0.142, mkinitramfs.
        "initramfs-tools": r"conf/initramfs\.conf",
        # mkinitcpio, functions (initialize_buildroot) and install/base.
        "mkinitcpio": r"init_functions",
        # booster, generator/generator.go.
        "booster": r"etc/booster\.init\.yaml",
        # genkernel 4.3, defaults/initrd.scripts.
        "genkernel": r"etc/initrd\.scripts",
        # Alpine's mkinitfs, initramfs-init.in.
        "mkinitfs": r"sbin/nlplug-findfs",
        # Debian's installer; debian-installer-utils.
        "debian-installer": r"lib/debian-installer\.d/.+|lib/debian-installer/.+|bin/debian-installer",
        # openSUSE's installation-images; busybox has a link of the name linuxrc, so the name alone proves nothing.
        "installation-images": r"etc/linuxrc\.d(/.+)?|linuxrc\.config",
        # antiX and MX, live-initrd.
        "antiX": r"live/(bin|config|custom|locale)/.+",
        # Slax, linux-live.
        "linux-live": r"lib/livekitlib",
        # Slackware's mkinitrd 1.4.11, which liveslak uses too.
        "mkinitrd": r"wait-for-root",
        "nixos": r"nix/store/.+",
        "tinycore": r"bin/tce-load",
        "puppy": r"DISTRO_SPECS",
        # ALT's make-initrd.
        "make-initrd": r"etc/initrd/.+",
    }
)
"""Programs that make initrds, the surest first: several leave traces of each other."""

MARKERS: Mapping[str, str] = MappingProxyType(
    {
        "anaconda": r"lib/anaconda-lib\.sh",
        "archiso": r"hooks/archiso",
        "archiso-loop": r"hooks/archiso_loop_mnt",
        "casper": r"scripts/casper",
        "casper-iso-scan": r"scripts/casper-premount/20iso_scan",
        # Debian's cryptsetup-initramfs, the one package that also brings cryptsetup and dm-crypt.
        "cryptsetup-askpass": r"lib/cryptsetup/askpass",
        "dmsquash-live": r"sbin/dmsquash-live-root(\.sh)?",
        "iso-scan": r"sbin/iso-scan(\.sh)?",
        "iso-scan-hook": r"(lib|var/lib)/dracut/hooks/cmdline/[0-9]+-parse-iso-scan\.sh",
        "kiwi-live": r"sbin/kiwi-live-root(\.sh)?|lib/kiwi-live-lib\.sh",
        "live-boot": r"lib/live/boot/9990-main\.sh|bin/live-boot",
        "lupin": r"scripts/lupin-helpers|scripts/lupin_init.*",
        "mgalive": r"sbin/mgalive-root",
        "miso": r"hooks/miso",
        "miso-loop": r"hooks/miso_loop_mnt",
        "systemd": r"lib/systemd/systemd",
    }
)
"""Boot stacks, and the parts of them that find an image file or ask for a passphrase."""

PROGRAMS = frozenset(
    {
        "busybox",
        "cryptsetup",
        "dmsetup",
        "losetup",
        "mount.exfat",
        "mount.exfat-fuse",
        "mount.ntfs",
        "mount.ntfs-3g",
        "ntfs-3g",
    }
)
"""Programs that matter for mounting, and for joining the pieces of an image that is mapped."""

_PROGRAM_AT = re.compile(r"s?bin/([^/]+)")
_LOOK = {
    kind: tuple((name, re.compile(pattern)) for name, pattern in table.items())
    for kind, table in (("maker", MAKERS), ("marker", MARKERS))
}
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in (*MAKERS.values(), *MARKERS.values())))


def marks_of(path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The makers and the markers that a file at ``path`` stands for; nearly always none."""
    if _ANY.fullmatch(path) is None:
        return (), ()
    makers, markers = (
        tuple(name for name, pattern in _LOOK[kind] if pattern.fullmatch(path)) for kind in ("maker", "marker")
    )
    return makers, markers


def program_of(path: str) -> str:
    """The name of the program of ``PROGRAMS`` at ``path``, else empty."""
    match = _PROGRAM_AT.fullmatch(path)
    return match[1] if match is not None and match[1] in PROGRAMS else ""
