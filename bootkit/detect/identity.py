"""Who an image is: by the names that distributions give to it, its architecture and the date on which it was made."""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from bootkit.bootcfg.diskinfo import DiskInfo, parse_disk_info
from bootkit.model.iso import IsoView
from bootkit.values import dataclass

_ARCHES = {"amd64": "x86_64", "x64": "x86_64", "i386": "i686", "i486": "i686", "i586": "i686", "arm64": "aarch64"}
_ARCH = re.compile(r"(?<![A-Za-z0-9])(x86_64|amd64|i[3-6]86|aarch64|arm64|riscv64|ppc64le|s390x)(?![A-Za-z0-9])")
_CHANNELS = frozenset(
    {"current", "daily", "gts", "latest", "lts", "nightly", "release", "stable", "testing", "unstable"}
)
_STAMP = re.compile(r"(?:19|20)\d\d-\d\d-\d\d-")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    distro: str = ""
    version: str = ""
    edition: str = ""
    arch: str = ""


@dataclass(frozen=True, slots=True)
class NamePattern:
    """How images of a distribution give themselves away."""

    distro: str
    pattern: str
    """Searched whatever the case; its groups ``version``, ``edition`` and ``arch`` are taken where they match."""


def identify(texts: Iterable[str], names: tuple[NamePattern, ...], *, otherwise: str = "") -> Identity:
    """Who an image is, by the first text in which a name is found; what that text lacks is taken from later ones.

    ``otherwise`` is the distribution's name if there is none.
    """
    found = Identity()
    for text in filter(None, texts):
        for name in names:
            asked = found.distro in ("", name.distro) and text.lower().startswith(_beginning(name.pattern))
            match = re.search(name.pattern, text, re.IGNORECASE) if asked else None
            if match is not None:
                groups = {key: value or "" for key, value in match.groupdict().items()}
                found = Identity(
                    distro=name.distro,
                    version=found.version or _version(groups.get("version", "")),
                    edition=found.edition or _edition(groups.get("edition", "")),
                    arch=found.arch or plain_arch(groups.get("arch", "")),
                )
    return replace(found, distro=found.distro or otherwise)


@cache
def _beginning(pattern: str) -> str:
    """The small letters with which a text has to begin for a pattern to be found in it: most need not be compiled."""
    plain = re.match(r"\^([A-Za-z ]*)", pattern)
    if plain is None or "|" in _outside_groups(pattern):
        return ""
    optional = pattern[plain.end() : plain.end() + 1] in ("?", "*", "{")
    return (plain[1][:-1] if optional else plain[1]).lower()


def _outside_groups(pattern: str) -> str:
    pattern = re.sub(r"\\.|\[[^]]*\]", "", pattern)
    while pattern != (fewer := re.sub(r"\([^()]*\)", "", pattern)):
        pattern = fewer
    return pattern


def _edition(text: str) -> str:
    """What tells apart two images of one release, without the channel by which it was published."""
    return " ".join(word for word in re.split(r"[-_. ]+", text) if word and word.lower() not in _CHANNELS)


def _version(text: str) -> str:
    return re.sub(r"^(\d+)[-_](\d+)$", r"\1.\2", text.strip("-._"))


def plain_arch(name: str) -> str:
    return _ARCHES.get(name.lower(), name.lower())


def arch_of(iso: IsoView, *texts: str) -> str:
    """The architecture that one of ``texts`` names, else that of the image's UEFI loader; empty if neither tells."""
    for text in (*texts, iso.volume_id, iso.name):
        if match := _ARCH.search(text):
            return plain_arch(match[1])
    loaders = {"/EFI/BOOT/BOOTX64.EFI": "x86_64", "/EFI/BOOT/BOOTAA64.EFI": "aarch64"}
    return next((arch for path, arch in loaders.items() if iso.is_file(path)), "")


def build_date(iso: IsoView) -> str:
    """When the image was made, ``2024-03-14``, to compare; empty if it does not say."""
    return iso.uuid[:10] if _STAMP.match(iso.uuid) else ""
