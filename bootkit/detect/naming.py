"""The best name for an image whose detector found none but its label or its file's name.

By the label, where distributions are known to write it so; by the os-release in its root; by what its menu offers to start.
"""

import re
from dataclasses import replace

from bootkit.bootcfg.diskinfo import parse_disk_info
from bootkit.bootcfg.osrelease import parse_os_release
from bootkit.detect.entries import clean_title
from bootkit.detect.identity import Identity, image_name
from bootkit.detect.labels import by_label
from bootkit.detect.roots import files_at
from bootkit.model.boot import Detection
from bootkit.model.iso import IsoView
from bootkit.model.stack import Stack

_OFFER = re.compile(
    r"^(?i:(?:try|start|boot|run|install|launch)(?: (?:or|and|/) (?:install|try|start))?(?: the)?)\s+"
    r"(?P<name>(?:[A-Z]|[a-z]+[A-Z])[\w.!+-]*(?: [A-Z][\w.!+-]*){0,3}?)(?:\s+v?(?P<version>\d[\w.]*))?(?:\s+(?i:live|installer|\(.*\)|-.*))?$"
)
_CALLED = re.compile(
    r"^(?P<name>[A-Za-z][\w.!+-]*(?: [A-Z][\w.!+-]*){0,2}?)(?:\s+v?(?P<version>\d[\w.]*))?"
    r"(?:\s+(?i:live(?:/install)?|installer|install|\(.*\)))?$"
)
_NO_NAMES = frozenset({
    "default", "desktop", "gnu", "in", "install", "installer", "kernel", "linux", "live", "medium", "now", "os", "system", "the",
    "to", "with", "without", "x86_64", "from", "disk", "image", "normally", "normal", "mode", "graphical", "text", "safe",
})  # fmt: skip
_FOR_ALL = frozenset(
    {"cdrom", "cos live", "install", "isoimage", "live", "oa live", "iso", "boot", "untitled", "linux"}
)
"""Labels that a builder gives to everybody's images."""
_NOBODY = frozenset({"", "unknown", "live system", "casper live system", "debian live", "linux"})


def with_best_name(iso: IsoView, detection: Detection, stack: Stack) -> Detection:
    """The answer with the name and the version of the best source, where the detector had a poor one or none."""
    label = by_label(iso)
    of_label = (
        label.distro and detection.distro == image_name(iso).name != parse_disk_info(iso.text("/.disk/info")).name
    )
    if (detection.version and not of_label) or not _is_poor(iso, detection.distro):
        same = label.distro == detection.distro and not detection.version
        return replace(detection, version=label.version) if same else detection
    found = label if label.distro else _by_root(iso, detection, stack)
    found = found if found.distro else _by_titles(detection)
    if not found.distro and _plain(iso.volume_id) in _FOR_ALL:
        found = _by_titles(detection, whole=True) if detection.entries else found
        found = found if found.distro else _by_file_name(iso)
    if not found.distro or _plain(found.distro) == _plain(detection.distro):
        return replace(detection, version=detection.version or found.version)
    own = detection.edition if not _is_poor(iso, detection.edition) else ""
    return replace(
        detection,
        distro=found.distro,
        version=found.version,
        edition=found.edition or own,
        arch=detection.arch or found.arch,
    )


def _is_poor(iso: IsoView, name: str) -> bool:
    """Whether a name is nothing but the label, a part of it, or the file's name."""
    if iso.exists("/.disk/info") and iso.text("/.disk/info").strip():
        return False
    known = (iso.volume_id, image_name(iso).name, iso.name, iso.name.rpartition(".")[0])
    return _plain(name) in {*map(_plain, known), *_NOBODY}


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]+", " ", name.lower()).strip()


def _by_root(iso: IsoView, detection: Detection, stack: Stack) -> Identity:
    words = detection.entries[0].cmdline if detection.entries else ()
    for path in files_at(iso, stack.roots, words)[:1]:
        root = iso.root(path)
        said = parse_os_release(root.os_release if root is not None else "")
        if said.name:
            return Identity(distro=said.name, version=said.version_id, edition=said.variant)
    said = parse_os_release(iso.text("/etc/os-release") or iso.text("/usr/lib/os-release"))
    return Identity(distro=said.name, version=said.version_id, edition=said.variant)


def _by_titles(detection: Detection, *, whole: bool = False) -> Identity:
    """What ``Try or Install X 4.2`` names, if the menu's first entry is of that kind; ``whole``: what it is called itself."""
    for entry in detection.entries[:1]:
        title = clean_title(entry.title)
        offer = _OFFER.match(title) or (_CALLED.match(title) if whole else None)
        if offer is not None and _is_name(offer["name"]):
            return Identity(distro=offer["name"], version=offer["version"] or "")
    return Identity()


def _is_name(text: str) -> bool:
    """Whether none of its words is one that any menu has; ``Ember OS`` is a name, ``OS`` is none."""
    words = set(text.lower().split())
    return not _NO_NAMES & (words - {"os"} or words)


def _by_file_name(iso: IsoView) -> Identity:
    said = parse_disk_info(re.sub(r"[-_]+", " ", iso.name.rpartition(".")[0]))
    return Identity(distro=said.name, version=said.version, arch=said.arch)
