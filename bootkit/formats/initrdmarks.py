"""What single files in an initrd give away: who made it, and which boot stack it holds.

Patterns are for paths without a leading ``usr/``: with merged directories, the same file lies in either place.
Sources: the files that the projects install, as named below; versions read are given where they matter.
"""

import fnmatch
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from bootkit.model.stack import ScriptMark

MAKERS: Mapping[str, str] = MappingProxyType(
    {
        # dracut 059, modules.d/99base/module-setup.sh: the version is in the file and in its name.
        "dracut": r"lib/dracut/dracut-[^/]+",
        # initramfs-tools 0.142, mkinitramfs.
        "initramfs-tools": r"conf/initramfs\.conf",
        # mkinitcpio 41, install/base; with its hook systemd there is only what it was made with (mkinitcpio, buildconfig).
        "mkinitcpio": r"init_functions|buildconfig",
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

GENERAL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Debian's cryptsetup-initramfs, the one package that also brings cryptsetup and dm-crypt.
        "cryptsetup-askpass": ("lib/cryptsetup/askpass",),
        "systemd": ("lib/systemd/systemd",),
    }
)
"""What any boot stack may hold; what single stacks hold they say themselves (:attr:`bootkit.model.stack.Stack.markers`)."""

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

_COMMENT = re.compile(r"(?m)(?:^|(?<=\s))#.*$")
_PROGRAM_AT = re.compile(r"s?bin/([^/]+)")


@lru_cache(maxsize=512)
def _any_of(paths: tuple[str, ...]) -> str:
    """An expression for paths, the same for each initrd."""
    return "|".join(map(fnmatch.translate, paths))


class MarkReader:
    """What files give away, by their paths: asked of every file of an initrd, of which nearly none gives away anything."""

    def __init__(self, markers: Mapping[str, tuple[str, ...]]) -> None:
        """``markers`` by name: paths, in which ``*`` stands for anything."""
        found = {name: _any_of(paths) for name, paths in {**GENERAL, **markers}.items()}
        self._makers = {name: re.compile(pattern) for name, pattern in MAKERS.items()}
        self._markers = {name: re.compile(pattern) for name, pattern in found.items()}
        self._any = re.compile("|".join(f"(?:{pattern})" for pattern in (*MAKERS.values(), *found.values())))

    def read(self, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The makers and the markers that a file at ``path`` stands for."""
        if self._any.fullmatch(path) is None:
            return (), ()
        return _matching(self._makers, path), _matching(self._markers, path)


def _matching(patterns: Mapping[str, re.Pattern[str]], path: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in patterns.items() if pattern.fullmatch(path))


class ScriptReader:
    """What the scripts of an initrd say, by their paths; of two files at one path the later one counts."""

    def __init__(self, scripts: Mapping[str, ScriptMark]) -> None:
        self._marks = {
            name: (re.compile(_any_of(mark.files)), re.compile(mark.says, re.MULTILINE))
            for name, mark in scripts.items()
        }
        paths = [path.pattern for path, _says in self._marks.values()]
        self._any = re.compile("|".join(f"(?:{path})" for path in paths)) if paths else None
        self._said: dict[str, frozenset[str]] = {}

    def wants(self, path: str) -> bool:
        """Whether the text of a file at ``path`` may stand for something."""
        return self._any is not None and self._any.fullmatch(path) is not None

    def read(self, path: str, text: str) -> None:
        code = without_comments(text)
        self._said[path] = frozenset(
            name for name, (files, says) in self._marks.items() if files.fullmatch(path) and says.search(code)
        )

    @property
    def markers(self) -> frozenset[str]:
        """The markers that all scripts stand for."""
        return frozenset(name for names in self._said.values() for name in names)


def without_comments(script: str) -> str:
    """A shell script without what stands behind a ``#`` that begins a word."""
    return _COMMENT.sub("", script)


def program_of(path: str) -> str:
    """The name of the program of ``PROGRAMS`` at ``path``, else empty."""
    match = _PROGRAM_AT.fullmatch(path)
    return match[1] if match is not None and match[1] in PROGRAMS else ""
