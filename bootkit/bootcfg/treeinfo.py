"""``/.treeinfo`` of Anaconda's installation media, and the INI dialect it is written in.

Source: productmd 1.38, doc/treeinfo-1.x.rst; older media have the section ``[general]`` only.
"""

from dataclasses import field

from bootkit.values import dataclass

_MAX_LINES = 2000

Ini = dict[str, dict[str, str]]


def parse_ini(text: str) -> Ini:
    """Sections of ``key = value``; keys in lower case, comments with ``#`` or ``;``, the last of two equal keys counts."""
    sections: Ini = {}
    section: dict[str, str] = {}
    for line in text.splitlines()[:_MAX_LINES]:
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = sections.setdefault(line[1:-1].strip(), {})
        elif line and line[0] not in "#;":
            key, equals, value = line.partition("=")
            if equals:
                section[key.strip().lower()] = value.strip()
    return sections


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeInfo:
    name: str = ""
    """The product: ``Fedora``, ``Red Hat Enterprise Linux``."""
    version: str = ""
    arch: str = ""
    variant: str = ""
    """``Server``, ``BaseOS``; empty for a product without variants."""
    kernel: str = ""
    """Paths of the boot images for ``arch``, absolute in the image."""
    initrd: str = ""
    stage2: str = ""
    sections: Ini = field(default_factory=dict[str, dict[str, str]])


def parse_treeinfo(text: str) -> TreeInfo:
    """What an installation tree says of itself; empty values for what it does not say."""
    sections = parse_ini(text)
    general, release, tree = (sections.get(name, {}) for name in ("general", "release", "tree"))
    arch = tree.get("arch") or general.get("arch", "")
    images = sections.get(f"images-{arch}", {})
    variants = (tree.get("variants") or "").split(",")
    return TreeInfo(
        name=release.get("name") or general.get("family") or general.get("name", ""),
        version=release.get("version") or general.get("version", ""),
        arch=arch,
        variant=general.get("variant") or variants[0].strip(),
        kernel=_absolute(images.get("kernel", "")),
        initrd=_absolute(images.get("initrd", "")),
        stage2=_absolute(sections.get("stage2", {}).get("mainimage", "")),
        sections=sections,
    )


def _absolute(path: str) -> str:
    return f"/{path.lstrip('/')}" if path else ""
