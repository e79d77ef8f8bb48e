"""Names and versions by label, over all records of osinfo-db: the labels that distributions really gave to their images."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from bootkit.detect.identity import Identity
from bootkit.detect.labels import by_label
from bootkit.model.iso import IsoFacts, RecordedIso

Parsed = list[tuple[object, Any]]
"""What the standard library's own parser makes of a regular expression."""
RECORDS = Path("/usr/share/osinfo/os")
X86 = frozenset({"x86_64", "i686", "i386", "i586", "amd64", "all"})
SINCE = "2012"
"""Release date; records without one are of versions to come."""
NAMES = {
    "almalinux": "AlmaLinux", "alpinelinux": "Alpine Linux", "alt": "ALT", "altlinux": "ALT", "android-x86": "Android-x86",
    "archlinux": "Arch Linux", "asianux": "Asianux", "caasp": "SUSE CaaS Platform", "centos": "CentOS", "circle": "Circle Linux",
    "clearlinux": "Clear Linux", "debian": "Debian GNU/Linux", "dragonflybsd": "DragonFly BSD", "elementaryos": "elementary OS",
    "eos": "Endless OS", "fedora": "Fedora", "freebsd": "FreeBSD", "freedos": "FreeDOS", "freenix": "Freenix", "gentoo": "Gentoo",
    "gnome": "GNOME live", "guix": "Guix System", "haiku": "Haiku", "hyperbola": "Hyperbola", "mageia": "Mageia", "Manjaro": "Manjaro",
    "miraclelinux": "MIRACLE LINUX", "netbsd": "NetBSD", "nixos": "NixOS", "ol": "Oracle Linux", "openbsd": "OpenBSD",
    "opensuse": "openSUSE", "popos": "Pop!_OS", "pureos": "PureOS", "rhel": "Red Hat Enterprise Linux", "rocky": "Rocky Linux",
    "slackware": "Slackware", "sle": "SUSE Linux Enterprise", "sled": "SUSE Linux Enterprise", "slem": "SUSE Linux Enterprise Micro",
    "sles": "SUSE Linux Enterprise", "trisquel": "Trisquel", "ubuntu": "Ubuntu", "ucs": "Univention Corporate Server",
    "voidlinux": "Void Linux", "win": "Windows",
}  # fmt: skip
"""By the record's ``distro``."""
SAME_FAMILY = {"Simply Linux": "ALT"}
WITHOUT_VERSION = frozenset({
    "Android-x86", "Freenix", "FreeDOS", "Haiku", "Slackware", "Windows", "Guix System", "Red Hat Enterprise Linux Atomic",
})  # fmt: skip
"""Whose labels never tell, or not always: other files of the image do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    os: str
    distro: str
    version: str
    label: str
    application: str
    publisher: str


def records() -> Iterator[Record]:
    for path in sorted(RECORDS.glob("*/*.xml")):
        for system in ET.parse(path).getroot().findall("os"):
            released = system.findtext("release-date") or SINCE
            for media in system.findall("media"):
                label = media.findtext("iso/volume-id")
                if released >= SINCE and label and media.get("arch") in X86:
                    yield Record(
                        os=system.findtext("short-id") or "",
                        distro=system.findtext("distro") or "",
                        version=system.findtext("version") or "",
                        label=example(label),
                        application=example(media.findtext("iso/application-id") or ""),
                        publisher=example(media.findtext("iso/publisher-id") or ""),
                    )


def example(pattern: str) -> str:
    """A text that a regular expression stands for: of what is repeated as few as may be, of alternatives the first."""
    return "".join(_parts(import_module("re._parser").parse(pattern)))


def _parts(parsed: Parsed) -> Iterator[str]:
    for kind, value in parsed:
        match str(kind), value:
            case "LITERAL", int():
                yield chr(value)
            case "ANY", _:
                yield "."
            case (("MAX_REPEAT" | "MIN_REPEAT"), (least, _most, inner)):
                anything = str(inner[0][0]) == "ANY"
                yield "x" * least if anything else "".join(_parts(inner)) * max(1, least)
            case "SUBPATTERN", (*_, inner):
                yield from _parts(inner)
            case "BRANCH", (_, (first, *_others)):
                yield from _parts(first)
            case "IN", members:
                yield _member(members)
            case _:
                pass


def _member(members: Parsed) -> str:
    match str(members[-1][0]), members[-1][1]:
        case "LITERAL", int(code):
            return chr(code)
        case "RANGE", (low, _high):
            return chr(low)
        case "CATEGORY", kind:
            return {"CATEGORY_DIGIT": "1", "CATEGORY_NOT_DIGIT": "x"}.get(str(kind), "a")
        case _:
            return ""


def identity(record: Record) -> Identity:
    facts = IsoFacts(
        name="image.iso",
        size=1,
        volume_id=record.label,
        application_id=record.application,
        publisher_id=record.publisher,
    )
    return by_label(RecordedIso(facts))


def is_right(record: Record) -> bool:
    found = identity(record)
    wanted = NAMES.get(record.distro, record.distro)
    name = SAME_FAMILY.get(found.distro, found.distro)
    if not name.startswith(wanted):
        return False
    wanted_version = re.search(r"^\d+(?:\.\d+)*", record.version)
    if not found.version or wanted in WITHOUT_VERSION or wanted_version is None or "unknown" in record.version:
        return True  # that a version is missed is the next test's affair
    version = re.sub(r" SP(\d+)", r".\1", found.version)
    numbers, expected = re.findall(r"\d+", version), wanted_version[0].split(".")
    return numbers[: len(expected)] == expected or numbers == expected[: len(numbers)] != []


def misses_version(record: Record) -> bool:
    """Whether a version that the label has was not seen; where it has none, other files of the image do."""
    return (
        bool(re.search(r"\d", record.version))
        and not identity(record).version
        and bool(re.search(rf"(?<![\d_]){re.escape(record.version)}(?![\d_])", record.label))
    )


@pytest.mark.skipif(not RECORDS.is_dir(), reason="needs osinfo-db")
def test_at_least_99_of_100_real_labels_are_read_right() -> None:
    asked = list(records())
    wrong = [record for record in asked if not is_right(record)]
    assert len(asked) > 1000
    assert len(wrong) * 100 <= len(asked), f"{len(wrong)} of {len(asked)}: {wrong}"
    assert not [record for record in asked if misses_version(record)]


@pytest.mark.parametrize(
    ("label", "who"),
    [
        ("Install-Leap-16.0-x86_64", ("openSUSE Leap", "16.0", "")),
        ("d-live 13.2.0 gn amd64", ("Debian GNU/Linux", "13.2.0", "GNOME")),
        ("gentoo-amd64-livegui", ("Gentoo", "", "livegui")),
        ("Fedora-WS-Live-43", ("Fedora", "43", "WS")),
        ("COS_LIVE", ("", "", "")),
        ("CDROM", ("", "", "")),
    ],
)
def test_labels_of_newer_builders_are_read_too(label: str, who: tuple[str, str, str]) -> None:
    found = by_label(RecordedIso(IsoFacts(name="image.iso", size=1, volume_id=label)))
    assert (found.distro, found.version, found.edition) == who
