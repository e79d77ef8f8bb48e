"""os-release files.

Source: os-release(5) of systemd 257. Values follow shell quoting, without any expansion.
"""

import shlex
from dataclasses import field

from bootkit.values import dataclass

_MAX_LINES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OsRelease:
    id: str = ""
    """Lower case: ``debian``, ``opensuse-tumbleweed``."""
    id_like: tuple[str, ...] = ()
    name: str = ""
    pretty_name: str = ""
    version: str = ""
    """For people: ``12 (bookworm)``."""
    version_id: str = ""
    version_codename: str = ""
    variant: str = ""
    variant_id: str = ""
    build_id: str = ""
    values: dict[str, str] = field(default_factory=dict[str, str])
    """All assignments."""


def parse_os_release(text: str) -> OsRelease:
    """What a system says of itself; empty values for what it does not say."""
    values: dict[str, str] = {}
    for line in text.splitlines()[:_MAX_LINES]:
        name, equals, value = line.strip().partition("=")
        if equals and name.isidentifier():
            values[name] = _unquoted(value)
    return OsRelease(
        id=values.get("ID", "").lower(),
        id_like=tuple(values.get("ID_LIKE", "").lower().split()),
        name=values.get("NAME", ""),
        pretty_name=values.get("PRETTY_NAME", ""),
        version=values.get("VERSION", ""),
        version_id=values.get("VERSION_ID", ""),
        version_codename=values.get("VERSION_CODENAME", ""),
        variant=values.get("VARIANT", ""),
        variant_id=values.get("VARIANT_ID", ""),
        build_id=values.get("BUILD_ID", ""),
        values=values,
    )


def _unquoted(value: str) -> str:
    if not any(mark in value for mark in "\"'\\"):
        return value.strip()
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        # an unfinished quote: keep what can be read
        return value.strip().strip("\"'")
